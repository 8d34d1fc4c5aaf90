"""Where the money of a sale belongs, what a site's committee decided, and what was paid out and spent.

An entry of money goes only the way that its posting allows, with exactly the amount that was agreed, and out of no
account that holds less: premium paid out is at most what was collected less what went back. Nothing is paid out beyond
a decision, nothing is accounted for beyond a payout, and history is never changed.

A balance is a sum over an index. Only what takes money out locks the account, so sales do not wait for each other.
"""

from alembic import op
from sqlalchemy import text

revision = "0021_premium"
down_revision = "0020_market"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE premium_committee (
    id {serial},
    site_id {whole} NOT NULL,
    women {whole} NOT NULL,
    men {whole} NOT NULL,
    names TEXT NOT NULL,
    since {day} NOT NULL,
    entered_by_id {whole} NOT NULL,
    entered_at {moment} NOT NULL,
    CONSTRAINT pk_premium_committee PRIMARY KEY (id),
    CONSTRAINT ck_premium_committee_has_members CHECK (women >= 0 AND men >= 0 AND women + men > 0),
    CONSTRAINT ck_premium_committee_names_not_blank CHECK (trim(names) <> ''),
    CONSTRAINT fk_premium_committee_site_id FOREIGN KEY (site_id) REFERENCES site (id),
    CONSTRAINT fk_premium_committee_entered_by_id FOREIGN KEY (entered_by_id) REFERENCES "user" (id)
){strict};
CREATE INDEX ix_premium_committee_site_id ON premium_committee (site_id, id);

CREATE TABLE premium_decision (
    id {serial},
    site_id {whole} NOT NULL,
    committee_id {whole} NOT NULL,
    currency TEXT NOT NULL,
    amount {whole} NOT NULL,
    health_and_safety {whole} NOT NULL,
    child_rights {whole} NOT NULL,
    governance {whole} NOT NULL,
    environment {whole} NOT NULL,
    income {whole} NOT NULL,
    other {whole} NOT NULL,
    women {whole} NOT NULL,
    men {whole} NOT NULL,
    said TEXT NOT NULL,
    decided_on {day} NOT NULL,
    entered_by_id {whole} NOT NULL,
    entered_at {moment} NOT NULL,
    CONSTRAINT pk_premium_decision PRIMARY KEY (id),
    CONSTRAINT ck_premium_decision_currency_known CHECK (currency IN ('USD', 'EUR', 'GBP', 'CHF', 'JPY')),
    CONSTRAINT ck_premium_decision_themes_sound CHECK (health_and_safety >= 0 AND child_rights >= 0
        AND governance >= 0 AND environment >= 0 AND income >= 0 AND other >= 0),
    CONSTRAINT ck_premium_decision_amount_whole CHECK (amount > 0
        AND amount = health_and_safety + child_rights + governance + environment + income + other),
    CONSTRAINT ck_premium_decision_somebody_there CHECK (women >= 0 AND men >= 0 AND women + men > 0),
    CONSTRAINT ck_premium_decision_said_not_blank CHECK (trim(said) <> ''),
    CONSTRAINT fk_premium_decision_site_id FOREIGN KEY (site_id) REFERENCES site (id),
    CONSTRAINT fk_premium_decision_committee_id FOREIGN KEY (committee_id) REFERENCES premium_committee (id),
    CONSTRAINT fk_premium_decision_entered_by_id FOREIGN KEY (entered_by_id) REFERENCES "user" (id)
){strict};
CREATE INDEX ix_premium_decision_site_id ON premium_decision (site_id, id);

CREATE TABLE premium_revocation (
    decision_id {whole} NOT NULL,
    reason TEXT NOT NULL,
    revoked_by_id {whole} NOT NULL,
    revoked_at {moment} NOT NULL,
    CONSTRAINT pk_premium_revocation PRIMARY KEY (decision_id),
    CONSTRAINT ck_premium_revocation_reason_not_blank CHECK (trim(reason) <> ''),
    CONSTRAINT fk_premium_revocation_decision_id FOREIGN KEY (decision_id) REFERENCES premium_decision (id),
    CONSTRAINT fk_premium_revocation_revoked_by_id FOREIGN KEY (revoked_by_id) REFERENCES "user" (id)
){strict};

CREATE TABLE disbursement (
    id {serial},
    decision_id {whole} NOT NULL,
    amount {whole} NOT NULL,
    means TEXT NOT NULL,
    payee TEXT NOT NULL,
    asked_by_id {whole} NOT NULL,
    asked_at {moment} NOT NULL,
    state TEXT NOT NULL,
    reference TEXT,
    paid_on {day},
    proposed_by_id {whole},
    approved_by_id {whole},
    approved_at {moment},
    CONSTRAINT pk_disbursement PRIMARY KEY (id),
    CONSTRAINT ck_disbursement_means_known CHECK (means IN ('mobile_money', 'bank', 'cash')),
    CONSTRAINT ck_disbursement_state_known CHECK (state IN ('asked', 'paid', 'withdrawn')),
    CONSTRAINT ck_disbursement_amount_positive CHECK (amount > 0),
    CONSTRAINT ck_disbursement_payee_not_blank CHECK (trim(payee) <> ''),
    CONSTRAINT ck_disbursement_paid_whole CHECK (
        (state = 'paid') = (reference IS NOT NULL) AND (state = 'paid') = (paid_on IS NOT NULL)
        AND (state = 'paid') = (approved_at IS NOT NULL) AND (state = 'paid') = (proposed_by_id IS NOT NULL)
        AND (state = 'paid') = (approved_by_id IS NOT NULL)),
    CONSTRAINT ck_disbursement_two_people CHECK (proposed_by_id <> approved_by_id),
    CONSTRAINT ck_disbursement_reference_not_blank CHECK (reference <> ''),
    CONSTRAINT uq_disbursement_reference UNIQUE (reference),
    CONSTRAINT fk_disbursement_decision_id FOREIGN KEY (decision_id) REFERENCES premium_decision (id),
    CONSTRAINT fk_disbursement_asked_by_id FOREIGN KEY (asked_by_id) REFERENCES "user" (id),
    CONSTRAINT fk_disbursement_proposed_by_id FOREIGN KEY (proposed_by_id) REFERENCES "user" (id),
    CONSTRAINT fk_disbursement_approved_by_id FOREIGN KEY (approved_by_id) REFERENCES "user" (id)
){strict};
CREATE INDEX ix_disbursement_decision_id ON disbursement (decision_id, id);
CREATE INDEX ix_disbursement_state ON disbursement (state, id);

CREATE TABLE premium_use (
    id {serial},
    disbursement_id {whole} NOT NULL,
    theme TEXT NOT NULL,
    amount {whole} NOT NULL,
    bought TEXT NOT NULL,
    bought_on {day} NOT NULL,
    corrects_id {whole},
    entered_by_id {whole} NOT NULL,
    entered_at {moment} NOT NULL,
    CONSTRAINT pk_premium_use PRIMARY KEY (id),
    CONSTRAINT ck_premium_use_theme_known CHECK (theme IN
        ('health_and_safety', 'child_rights', 'governance', 'environment', 'income', 'other')),
    CONSTRAINT ck_premium_use_amount_positive CHECK (amount > 0),
    CONSTRAINT ck_premium_use_bought_not_blank CHECK (trim(bought) <> ''),
    CONSTRAINT uq_premium_use_corrects_id UNIQUE (corrects_id),
    CONSTRAINT fk_premium_use_disbursement_id FOREIGN KEY (disbursement_id) REFERENCES disbursement (id),
    CONSTRAINT fk_premium_use_corrects_id FOREIGN KEY (corrects_id) REFERENCES premium_use (id),
    CONSTRAINT fk_premium_use_entered_by_id FOREIGN KEY (entered_by_id) REFERENCES "user" (id)
){strict};
CREATE INDEX ix_premium_use_disbursement_id ON premium_use (disbursement_id, id);

CREATE TABLE premium_paper (
    id {serial},
    kind TEXT NOT NULL,
    decision_id {whole},
    disbursement_id {whole},
    use_id {whole},
    filename TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size {whole} NOT NULL,
    sha256 TEXT NOT NULL,
    pages {whole} NOT NULL,
    open_to_public {flag} NOT NULL,
    counts {flag} NOT NULL,
    added_by_id {whole} NOT NULL,
    added_at {moment} NOT NULL,
    CONSTRAINT pk_premium_paper PRIMARY KEY (id),
    CONSTRAINT ck_premium_paper_kind_known CHECK (kind IN ('minute', 'proof', 'receipt', 'photo')),
    CONSTRAINT ck_premium_paper_sha256_whole CHECK (length(sha256) = 64),
    CONSTRAINT ck_premium_paper_size_positive CHECK (size > 0),
    CONSTRAINT ck_premium_paper_pages_positive CHECK (pages > 0),
    CONSTRAINT ck_premium_paper_belongs_to_one CHECK ((kind = 'minute') = (decision_id IS NOT NULL)
        AND (kind = 'proof') = (disbursement_id IS NOT NULL)
        AND (kind IN ('receipt', 'photo')) = (use_id IS NOT NULL)),
    CONSTRAINT fk_premium_paper_decision_id FOREIGN KEY (decision_id) REFERENCES premium_decision (id),
    CONSTRAINT fk_premium_paper_disbursement_id FOREIGN KEY (disbursement_id) REFERENCES disbursement (id),
    CONSTRAINT fk_premium_paper_use_id FOREIGN KEY (use_id) REFERENCES premium_use (id),
    CONSTRAINT fk_premium_paper_added_by_id FOREIGN KEY (added_by_id) REFERENCES "user" (id)
){strict};
CREATE UNIQUE INDEX uq_premium_paper_sha256 ON premium_paper (sha256) WHERE {counts};
CREATE INDEX ix_premium_paper_decision_id ON premium_paper (decision_id);
CREATE INDEX ix_premium_paper_disbursement_id ON premium_paper (disbursement_id);
CREATE INDEX ix_premium_paper_use_id ON premium_paper (use_id);

CREATE TABLE money_account (
    id {serial},
    kind TEXT NOT NULL,
    site_id {whole},
    currency TEXT NOT NULL,
    CONSTRAINT pk_money_account PRIMARY KEY (id),
    CONSTRAINT ck_money_account_kind_known CHECK (kind IN ('paid_in', 'refunded', 'premium_held',
        'premium_disbursed', 'verification', 'registry_fee', 'tax', 'shortfall')),
    CONSTRAINT ck_money_account_currency_known CHECK (currency IN ('USD', 'EUR', 'GBP', 'CHF', 'JPY')),
    CONSTRAINT ck_money_account_premium_of_a_site
        CHECK ((kind IN ('premium_held', 'premium_disbursed')) = (site_id IS NOT NULL)),
    CONSTRAINT fk_money_account_site_id FOREIGN KEY (site_id) REFERENCES site (id)
){strict};
CREATE UNIQUE INDEX uq_money_account_of_site ON money_account (site_id, kind, currency) WHERE site_id IS NOT NULL;
CREATE UNIQUE INDEX uq_money_account_of_registry ON money_account (kind, currency) WHERE site_id IS NULL;

CREATE TABLE money_posting (
    id {serial},
    kind TEXT NOT NULL,
    event_id {whole} NOT NULL,
    order_id {whole},
    refund_id {whole},
    dispute_id {whole},
    disbursement_id {whole},
    at {moment} NOT NULL,
    CONSTRAINT pk_money_posting PRIMARY KEY (id),
    CONSTRAINT ck_money_posting_kind_known CHECK (kind IN ('sale', 'refund', 'shortfall', 'disbursement')),
    CONSTRAINT ck_money_posting_why_whole CHECK ((kind = 'disbursement') = (disbursement_id IS NOT NULL)
        AND (kind = 'refund') = (refund_id IS NOT NULL) AND (kind = 'shortfall') = (dispute_id IS NOT NULL)
        AND (kind <> 'disbursement') = (order_id IS NOT NULL)),
    CONSTRAINT uq_money_posting_event_id UNIQUE (event_id),
    CONSTRAINT uq_money_posting_refund_id UNIQUE (refund_id),
    CONSTRAINT uq_money_posting_dispute_id UNIQUE (dispute_id),
    CONSTRAINT uq_money_posting_disbursement_id UNIQUE (disbursement_id),
    CONSTRAINT fk_money_posting_event_id FOREIGN KEY (event_id) REFERENCES event (id),
    CONSTRAINT fk_money_posting_order_id FOREIGN KEY (order_id) REFERENCES purchase (id),
    CONSTRAINT fk_money_posting_refund_id FOREIGN KEY (refund_id) REFERENCES refund (id),
    CONSTRAINT fk_money_posting_dispute_id FOREIGN KEY (dispute_id) REFERENCES dispute (id),
    CONSTRAINT fk_money_posting_disbursement_id FOREIGN KEY (disbursement_id) REFERENCES disbursement (id)
){strict};
CREATE UNIQUE INDEX uq_money_posting_sale ON money_posting (order_id) WHERE kind = 'sale';
CREATE INDEX ix_money_posting_order_id ON money_posting (order_id);

CREATE TABLE money_entry (
    id {serial},
    posting_id {whole} NOT NULL,
    line {whole} NOT NULL,
    from_account_id {whole} NOT NULL,
    to_account_id {whole} NOT NULL,
    amount {whole} NOT NULL,
    CONSTRAINT pk_money_entry PRIMARY KEY (id),
    CONSTRAINT ck_money_entry_amount_positive CHECK (amount > 0),
    CONSTRAINT ck_money_entry_moves CHECK (from_account_id <> to_account_id),
    CONSTRAINT ck_money_entry_line_sound CHECK (line >= 0),
    CONSTRAINT uq_money_entry_posting_id_line_from_account_id_to_account_id
        UNIQUE (posting_id, line, from_account_id, to_account_id),
    CONSTRAINT fk_money_entry_posting_id FOREIGN KEY (posting_id) REFERENCES money_posting (id),
    CONSTRAINT fk_money_entry_from_account_id FOREIGN KEY (from_account_id) REFERENCES money_account (id),
    CONSTRAINT fk_money_entry_to_account_id FOREIGN KEY (to_account_id) REFERENCES money_account (id)
){strict};
CREATE INDEX ix_money_entry_from_account_id ON money_entry (from_account_id);
CREATE INDEX ix_money_entry_to_account_id ON money_entry (to_account_id);
"""
WORDS = {
    "sqlite": {
        "serial": "INTEGER NOT NULL",
        "whole": "INTEGER",
        "flag": "INTEGER",
        "day": "TEXT",
        "moment": "TEXT",
        "strict": " STRICT",
        "counts": "counts = 1",
    },
    "postgresql": {
        "serial": "BIGSERIAL NOT NULL",
        "whole": "BIGINT",
        "flag": "BOOLEAN",
        "day": "DATE",
        "moment": "TIMESTAMP WITH TIME ZONE",
        "strict": "",
        "counts": "counts",
    },
}
NEWEST_FIRST = (
    "money_entry",
    "money_posting",
    "money_account",
    "premium_paper",
    "premium_use",
    "disbursement",
    "premium_revocation",
    "premium_decision",
    "premium_committee",
)
NEVER_CHANGED = (
    "money_entry",
    "money_posting",
    "money_account",
    "premium_use",
    "premium_revocation",
    "premium_decision",
    "premium_committee",
)
# A bare connection's REPLACE would delete rows past their triggers.
CAREFUL = """(SELECT recursive_triggers FROM pragma_recursive_triggers)
    AND NOT (SELECT ignore_check_constraints FROM pragma_ignore_check_constraints)"""


def changes(columns: str) -> str:
    return " OR ".join(f"NEW.{column} {{differs}} OLD.{column}" for column in columns.split())


ASKED = "id decision_id amount means payee asked_by_id asked_at"
PAPER = "id kind decision_id disbursement_id use_id filename media_type size sha256 pages added_by_id added_at"
SHARES = "('premium_held', 'verification', 'registry_fee', 'tax')"
# An entry with its posting and both of its accounts.
AROUND = """FROM money_posting p, money_account f, money_account t
    WHERE p.id = NEW.posting_id AND f.id = NEW.from_account_id AND t.id = NEW.to_account_id"""
RIGHT_WAY = f"""EXISTS (SELECT 1 {AROUND} AND f.currency = t.currency AND (
    p.kind = 'sale' AND f.kind = 'paid_in' AND t.kind IN {SHARES}
    OR p.kind IN ('refund', 'shortfall') AND (f.kind IN {SHARES} OR f.kind = 'shortfall') AND t.kind = 'refunded'
    OR p.kind = 'disbursement' AND f.kind = 'premium_held' AND t.kind = 'premium_disbursed'
        AND f.site_id = t.site_id))"""
OF_LINE = """SELECT CASE a.kind WHEN 'tax' THEN CASE NEW.line WHEN 0 THEN o.tax END
        WHEN 'premium_held' THEN CASE a.site_id WHEN i.site_id THEN l.premium END
        WHEN 'verification' THEN l.verification_share WHEN 'registry_fee' THEN l.registry_fee END
    FROM money_posting p JOIN purchase o ON o.id = p.order_id
    JOIN money_account a ON a.id = {account} AND a.currency = o.currency
    LEFT JOIN purchase_line l ON l.order_id = o.id AND l.line = NEW.line
    LEFT JOIN issuance_attributes i ON i.id = l.issuance_id WHERE p.id = NEW.posting_id"""
KIND = "(SELECT p.kind FROM money_posting p WHERE p.id = NEW.posting_id)"
FROM = "(SELECT a.kind FROM money_account a WHERE a.id = NEW.from_account_id)"
BACK = """(SELECT coalesce(sum(e.amount), 0) FROM money_entry e JOIN money_posting q ON q.id = e.posting_id
    WHERE e.from_account_id = NEW.from_account_id AND e.line = NEW.line
    AND q.order_id = (SELECT p.order_id FROM money_posting p WHERE p.id = NEW.posting_id))"""
AGREED = f"""CASE {KIND}
    WHEN 'sale' THEN coalesce(NEW.amount = ({OF_LINE.format(account="NEW.to_account_id")}), FALSE)
    WHEN 'disbursement' THEN EXISTS (SELECT 1 FROM money_posting p JOIN disbursement d ON d.id = p.disbursement_id
        JOIN premium_decision m ON m.id = d.decision_id JOIN money_account a ON a.id = NEW.from_account_id
        WHERE p.id = NEW.posting_id AND d.state = 'paid' AND NEW.line = 0 AND NEW.amount = d.amount
        AND a.site_id = m.site_id AND a.currency = m.currency)
    ELSE {FROM} = 'shortfall'
        OR coalesce({BACK} + NEW.amount <= ({OF_LINE.format(account="NEW.from_account_id")}), FALSE) END"""
LEFT = """(SELECT coalesce(sum(e.amount), 0) FROM money_entry e WHERE e.to_account_id = NEW.from_account_id)
    - (SELECT coalesce(sum(e.amount), 0) FROM money_entry e WHERE e.from_account_id = NEW.from_account_id)"""
CLEARED = """EXISTS (SELECT 1 FROM payment c JOIN purchase o ON o.id = c.order_id WHERE o.id = NEW.order_id
    AND c.state = 'paid' AND c.amount = o.total AND c.currency = o.currency)"""
SOLD = "EXISTS (SELECT 1 FROM money_posting s WHERE s.kind = 'sale' AND s.order_id = NEW.order_id)"
OF_REFUND = """EXISTS (SELECT 1 FROM refund r JOIN payment c ON c.id = r.payment_id
    WHERE r.id = NEW.refund_id AND c.order_id = NEW.order_id)"""
OF_DISPUTE = """EXISTS (SELECT 1 FROM dispute r JOIN payment c ON c.id = r.payment_id
    WHERE r.id = NEW.dispute_id AND c.order_id = NEW.order_id)"""
GROUNDED = f"""CASE NEW.kind WHEN 'sale' THEN {CLEARED} WHEN 'refund' THEN {SOLD} AND {OF_REFUND}
    WHEN 'shortfall' THEN {SOLD} AND {OF_DISPUTE} ELSE TRUE END"""
DECIDED = """(SELECT coalesce(sum(d.amount), 0) FROM disbursement d
    WHERE d.decision_id = NEW.decision_id AND d.state <> 'withdrawn') + NEW.amount
    > (SELECT m.amount FROM premium_decision m WHERE m.id = NEW.decision_id)
    OR EXISTS (SELECT 1 FROM premium_revocation r WHERE r.decision_id = NEW.decision_id)"""
COUNTED = "coalesce(sum(CASE WHEN u.corrects_id IS NULL THEN u.amount ELSE -u.amount END), 0)"
SPENT = f"""(SELECT {COUNTED} FROM premium_use u WHERE u.disbursement_id = NEW.disbursement_id) + NEW.amount
    > (SELECT d.amount FROM disbursement d WHERE d.id = NEW.disbursement_id AND d.state = 'paid')
    OR (SELECT {COUNTED} FROM premium_use u JOIN disbursement d ON d.id = u.disbursement_id
        WHERE u.theme = NEW.theme AND d.decision_id = (SELECT e.decision_id FROM disbursement e
            WHERE e.id = NEW.disbursement_id)) + NEW.amount
    > (SELECT CASE NEW.theme WHEN 'health_and_safety' THEN m.health_and_safety WHEN 'child_rights' THEN m.child_rights
        WHEN 'governance' THEN m.governance WHEN 'environment' THEN m.environment WHEN 'income' THEN m.income
        ELSE m.other END FROM premium_decision m JOIN disbursement d ON d.decision_id = m.id
        WHERE d.id = NEW.disbursement_id)
    OR NOT EXISTS (SELECT 1 FROM disbursement d WHERE d.id = NEW.disbursement_id AND d.state = 'paid')"""
TAKES_BACK = """EXISTS (SELECT 1 FROM premium_use u WHERE u.id = NEW.corrects_id AND u.corrects_id IS NULL
    AND u.disbursement_id = NEW.disbursement_id AND u.theme = NEW.theme AND u.amount = NEW.amount)"""
MEMBERS = """EXISTS (SELECT 1 FROM premium_committee c WHERE c.id = NEW.committee_id AND c.site_id = NEW.site_id
    AND NEW.women <= c.women AND NEW.men <= c.men)"""
# What takes out of a sum locks the row that bounds it, so that the next one sees what this one took.
LOCKS = {
    "money_entry_not_overdrawn": f"""IF {FROM} IN {SHARES} THEN
        PERFORM 1 FROM money_account WHERE id = NEW.from_account_id FOR NO KEY UPDATE; END IF;""",
    "disbursement_decided": "PERFORM 1 FROM premium_decision WHERE id = NEW.decision_id FOR NO KEY UPDATE;",
    "premium_use_paid_out": """PERFORM 1 FROM premium_decision WHERE id = (SELECT d.decision_id FROM disbursement d
        WHERE d.id = NEW.disbursement_id) FOR NO KEY UPDATE;""",
}
# (trigger, table, act, when it is refused, what is said then)
GUARDS = (
    *(
        (f"{table}_never_deleted", table, "DELETE", "OLD.{key} = OLD.{key}", f"no {table} is ever deleted")
        for table in NEWEST_FIRST
    ),
    *(
        (f"{table}_never_changed", table, "UPDATE", "OLD.{key} = OLD.{key}", f"a {table} stays as it was written")
        for table in NEVER_CHANGED
    ),
    (
        "money_entry_not_overdrawn",
        "money_entry",
        "INSERT",
        f"{FROM} IN {SHARES} AND {LEFT} < NEW.amount",
        "no account gives more money than it holds",
    ),
    ("money_entry_right_way", "money_entry", "INSERT", f"NOT {RIGHT_WAY}", "money of this kind does not go this way"),
    ("money_entry_as_agreed", "money_entry", "INSERT", f"NOT ({AGREED})", "money moves as it was agreed"),
    ("money_posting_grounded", "money_posting", "INSERT", f"NOT ({GROUNDED})", "money moves for a reason"),
    (
        "premium_decision_of_members",
        "premium_decision",
        "INSERT",
        f"NOT {MEMBERS}",
        "only members of the site committee decide",
    ),
    (
        "disbursement_decided",
        "disbursement",
        "INSERT",
        f"NEW.state <> 'asked' OR {DECIDED}",
        "nothing is paid out beyond a decision",
    ),
    (
        "disbursement_stays",
        "disbursement",
        "UPDATE",
        f"OLD.state <> 'asked' OR {changes(ASKED)}",
        "a disbursement stays as it was asked for, and ends once",
    ),
    (
        "premium_use_paid_out",
        "premium_use",
        "INSERT",
        f"NEW.corrects_id IS NULL AND ({SPENT})",
        "nothing is accounted for beyond what was paid out",
    ),
    (
        "premium_use_takes_back",
        "premium_use",
        "INSERT",
        f"NEW.corrects_id IS NOT NULL AND NOT {TAKES_BACK}",
        "a correction takes back one entry, whole",
    ),
    (
        "premium_paper_stays",
        "premium_paper",
        "UPDATE",
        f"{changes(PAPER)} OR NOT {{was}} AND {{now}}",
        "a paper stays as it was added",
    ),
)
DIALECTS = {
    "sqlite": {"differs": "IS NOT", "was": "OLD.counts = 1", "now": "NEW.counts = 1"},
    "postgresql": {"differs": "IS DISTINCT FROM", "was": "OLD.counts", "now": "NEW.counts"},
}


def guards(dialect: str, schema: str) -> list[str]:
    statements = []
    for name, table, act, refused, says in GUARDS:
        key = "decision_id" if table == "premium_revocation" else "id"
        condition = refused.format(key=key, **DIALECTS[dialect])
        if dialect == "sqlite":
            statements.append(
                f"""CREATE TRIGGER {name} BEFORE {act} ON {table} WHEN {condition}
                    BEGIN SELECT RAISE(ABORT, 'registry: {says}'); END"""
            )
            continue
        statements += [
            f"""CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SET search_path = {schema}, pg_temp AS $$
                BEGIN
                    {LOCKS.get(name, "")}
                    IF {condition} THEN
                        RAISE EXCEPTION 'registry: {says}' USING ERRCODE = 'integrity_constraint_violation';
                    END IF;
                    RETURN {"OLD" if act == "DELETE" else "NEW"};
                END $$""",
            f"CREATE TRIGGER {name} BEFORE {act} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()",
        ]
    for table in NEWEST_FIRST:
        statements.append(
            f"""CREATE TRIGGER {table}_carefully_insert BEFORE INSERT ON {table} WHEN NOT ({CAREFUL})
                BEGIN SELECT RAISE(ABORT, 'registry: this connection keeps no rules; see credits/db.py'); END"""
            if dialect == "sqlite"
            else f"""CREATE TRIGGER {table}_never_emptied BEFORE TRUNCATE ON {table}
                EXECUTE FUNCTION ledger_refuse('{table} is final')"""
        )
    return statements


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    for statement in TABLES.format(**WORDS[dialect]).split(";\n"):
        if statement.strip():
            op.execute(statement)
    schema = "main" if dialect == "sqlite" else op.get_bind().scalar(text("SELECT quote_ident(current_schema())"))
    for statement in guards(dialect, schema):
        op.execute(statement)


def downgrade() -> None:
    for table in NEWEST_FIRST:
        op.execute(f"DROP TABLE {table}")
    if op.get_bind().dialect.name == "postgresql":
        for name, *_ in GUARDS:
            op.execute(f"DROP FUNCTION {name}()")

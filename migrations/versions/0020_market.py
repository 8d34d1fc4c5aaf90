"""What is offered, ordered, paid and paid back, and what the database itself refuses of it.

Nothing is offered below the newest floor of its mineral and currency, or where there is none. Nobody orders from
themselves. The figures of an order stand still once its payment begins, it is delivered only against a payment of
exactly its total, and what has ended stays ended. Floors and events of the provider are never changed.
"""

import re

from alembic import op
from sqlalchemy import text

revision = "0020_market"
down_revision = "0019_evidence_days"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE premium_floor (
    id {serial},
    mineral_code TEXT NOT NULL,
    currency TEXT NOT NULL,
    price {whole} NOT NULL,
    source TEXT NOT NULL,
    set_by_id {whole} NOT NULL,
    set_at {moment} NOT NULL,
    CONSTRAINT pk_premium_floor PRIMARY KEY (id),
    CONSTRAINT ck_premium_floor_currency_known CHECK (currency IN ('USD', 'EUR', 'GBP', 'CHF', 'JPY')),
    CONSTRAINT ck_premium_floor_price_positive CHECK (price > 0),
    CONSTRAINT ck_premium_floor_source_not_blank CHECK (trim(source) <> ''),
    CONSTRAINT fk_premium_floor_set_by_id FOREIGN KEY (set_by_id) REFERENCES "user" (id)
){strict};
CREATE INDEX ix_premium_floor_mineral_code_currency ON premium_floor (mineral_code, currency, id);

CREATE TABLE offer (
    id {serial},
    seller_id {whole} NOT NULL,
    issuance_id {whole} NOT NULL,
    mineral_code TEXT NOT NULL,
    quantity {whole} NOT NULL,
    remaining {whole} NOT NULL,
    price {whole} NOT NULL,
    currency TEXT NOT NULL,
    state TEXT NOT NULL,
    offered_by_id {whole} NOT NULL,
    offered_at {moment} NOT NULL,
    closed_by_id {whole},
    closed_at {moment},
    CONSTRAINT pk_offer PRIMARY KEY (id),
    CONSTRAINT ck_offer_currency_known CHECK (currency IN ('USD', 'EUR', 'GBP', 'CHF', 'JPY')),
    CONSTRAINT ck_offer_state_known CHECK (state IN ('open', 'closed')),
    CONSTRAINT ck_offer_price_positive CHECK (price > 0),
    CONSTRAINT ck_offer_quantity_positive CHECK (quantity > 0),
    CONSTRAINT ck_offer_remaining_sound CHECK (remaining BETWEEN 0 AND quantity),
    CONSTRAINT ck_offer_closed_at_a_time CHECK ((state = 'closed') = (closed_at IS NOT NULL)),
    CONSTRAINT fk_offer_seller_id FOREIGN KEY (seller_id) REFERENCES organisation (id),
    CONSTRAINT fk_offer_issuance_id FOREIGN KEY (issuance_id) REFERENCES issuance_attributes (id),
    CONSTRAINT fk_offer_offered_by_id FOREIGN KEY (offered_by_id) REFERENCES "user" (id),
    CONSTRAINT fk_offer_closed_by_id FOREIGN KEY (closed_by_id) REFERENCES "user" (id)
){strict};
CREATE INDEX ix_offer_issuance_id ON offer (issuance_id);
CREATE INDEX ix_offer_seller_id ON offer (seller_id, id);
CREATE INDEX ix_offer_state_mineral_code ON offer (state, mineral_code, id);

CREATE TABLE purchase (
    id {serial},
    buyer_id {whole} NOT NULL,
    placed_by_id {whole} NOT NULL,
    placed_at {moment} NOT NULL,
    revision {whole} NOT NULL,
    means TEXT NOT NULL,
    use TEXT NOT NULL,
    claim TEXT,
    billing TEXT NOT NULL,
    open_to_public {flag} NOT NULL,
    state TEXT NOT NULL,
    currency TEXT NOT NULL,
    premium {whole} NOT NULL,
    verification_share {whole} NOT NULL,
    registry_fee {whole} NOT NULL,
    subtotal {whole} NOT NULL,
    tax_ppm {whole} NOT NULL,
    tax {whole} NOT NULL,
    total {whole} NOT NULL,
    policy_version TEXT NOT NULL,
    pay_until {moment},
    paid_at {moment},
    delivered_at {moment},
    posting_id {whole},
    closed_at {moment},
    reason TEXT,
    CONSTRAINT pk_purchase PRIMARY KEY (id),
    CONSTRAINT ck_purchase_means_known CHECK (means IN ('stripe', 'bank_transfer')),
    CONSTRAINT ck_purchase_use_known CHECK (use IN ('keep', 'retire')),
    CONSTRAINT ck_purchase_state_known
        CHECK (state IN ('open', 'awaiting_payment', 'paid', 'delivered', 'cancelled', 'refunded')),
    CONSTRAINT ck_purchase_currency_known CHECK (currency IN ('USD', 'EUR', 'GBP', 'CHF', 'JPY')),
    CONSTRAINT ck_purchase_split_sound CHECK (premium >= 0 AND verification_share >= 0 AND registry_fee >= 0),
    CONSTRAINT ck_purchase_split_whole CHECK (premium + verification_share + registry_fee = subtotal),
    CONSTRAINT ck_purchase_total_whole CHECK (tax >= 0 AND subtotal + tax = total),
    CONSTRAINT ck_purchase_retires_with_claim CHECK ((use = 'retire') = (claim IS NOT NULL)),
    CONSTRAINT ck_purchase_paid_first CHECK (paid_at IS NOT NULL OR state NOT IN ('paid', 'delivered', 'refunded')),
    CONSTRAINT ck_purchase_delivered_by_posting CHECK ((posting_id IS NULL) = (delivered_at IS NULL)),
    CONSTRAINT ck_purchase_delivered_once_moved CHECK (state <> 'delivered' OR posting_id IS NOT NULL),
    CONSTRAINT ck_purchase_closed_at_a_time CHECK ((state IN ('cancelled', 'refunded')) = (closed_at IS NOT NULL)),
    CONSTRAINT fk_purchase_buyer_id FOREIGN KEY (buyer_id) REFERENCES organisation (id),
    CONSTRAINT fk_purchase_placed_by_id FOREIGN KEY (placed_by_id) REFERENCES "user" (id),
    CONSTRAINT uq_purchase_posting_id UNIQUE (posting_id),
    CONSTRAINT fk_purchase_posting_id FOREIGN KEY (posting_id) REFERENCES posting (id)
){strict};
CREATE INDEX ix_purchase_buyer_id ON purchase (buyer_id, id);
CREATE INDEX ix_purchase_state ON purchase (state, id);

CREATE TABLE purchase_line (
    order_id {whole} NOT NULL,
    line {whole} NOT NULL,
    offer_id {whole} NOT NULL,
    issuance_id {whole} NOT NULL,
    seller_id {whole} NOT NULL,
    quantity {whole} NOT NULL,
    price {whole} NOT NULL,
    amount {whole} NOT NULL,
    premium {whole} NOT NULL,
    verification_share {whole} NOT NULL,
    registry_fee {whole} NOT NULL,
    earmark_id {whole},
    CONSTRAINT pk_purchase_line PRIMARY KEY (order_id, line),
    CONSTRAINT ck_purchase_line_quantity_positive CHECK (quantity > 0),
    CONSTRAINT ck_purchase_line_price_positive CHECK (price > 0),
    CONSTRAINT ck_purchase_line_split_sound CHECK (premium >= 0 AND verification_share >= 0 AND registry_fee >= 0),
    CONSTRAINT ck_purchase_line_split_whole CHECK (premium + verification_share + registry_fee = amount),
    CONSTRAINT uq_purchase_line_order_id_offer_id UNIQUE (order_id, offer_id),
    CONSTRAINT fk_purchase_line_order_id FOREIGN KEY (order_id) REFERENCES purchase (id),
    CONSTRAINT fk_purchase_line_offer_id FOREIGN KEY (offer_id) REFERENCES offer (id),
    CONSTRAINT fk_purchase_line_issuance_id FOREIGN KEY (issuance_id) REFERENCES issuance_attributes (id),
    CONSTRAINT fk_purchase_line_seller_id FOREIGN KEY (seller_id) REFERENCES organisation (id),
    CONSTRAINT uq_purchase_line_earmark_id UNIQUE (earmark_id),
    CONSTRAINT fk_purchase_line_earmark_id FOREIGN KEY (earmark_id) REFERENCES earmark (id)
){strict};
CREATE INDEX ix_purchase_line_issuance_id ON purchase_line (issuance_id);
CREATE INDEX ix_purchase_line_offer_id ON purchase_line (offer_id);
CREATE INDEX ix_purchase_line_seller_id ON purchase_line (seller_id);

CREATE TABLE payment (
    id {serial},
    order_id {whole} NOT NULL,
    attempt {whole} NOT NULL,
    means TEXT NOT NULL,
    state TEXT NOT NULL,
    amount {whole} NOT NULL,
    currency TEXT NOT NULL,
    reference TEXT,
    url TEXT,
    payment TEXT,
    opened_at {moment} NOT NULL,
    expires_at {moment} NOT NULL,
    settled_at {moment},
    value_date {day},
    CONSTRAINT pk_payment PRIMARY KEY (id),
    CONSTRAINT ck_payment_means_known CHECK (means IN ('stripe', 'bank_transfer')),
    CONSTRAINT ck_payment_state_known
        CHECK (state IN ('opening', 'open', 'processing', 'paid', 'expired', 'failed', 'surplus')),
    CONSTRAINT ck_payment_currency_known CHECK (currency IN ('USD', 'EUR', 'GBP', 'CHF', 'JPY')),
    CONSTRAINT ck_payment_amount_positive CHECK (amount > 0),
    CONSTRAINT ck_payment_settled_at_a_time
        CHECK ((state IN ('paid', 'expired', 'failed', 'surplus')) = (settled_at IS NOT NULL)),
    CONSTRAINT uq_payment_order_id_attempt UNIQUE (order_id, attempt),
    CONSTRAINT uq_payment_reference UNIQUE (reference),
    CONSTRAINT uq_payment_payment UNIQUE (payment),
    CONSTRAINT fk_payment_order_id FOREIGN KEY (order_id) REFERENCES purchase (id)
){strict};
CREATE INDEX ix_payment_state ON payment (state, opened_at);
CREATE UNIQUE INDEX uq_payment_under_way ON payment (order_id)
        WHERE state IN ('opening', 'open', 'processing', 'paid');

CREATE TABLE provider_event (
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    order_id {whole},
    effect TEXT NOT NULL,
    created_at {moment} NOT NULL,
    received_at {moment} NOT NULL,
    CONSTRAINT pk_provider_event PRIMARY KEY (id),
    CONSTRAINT ck_provider_event_id_not_blank CHECK (trim(id) <> ''),
    CONSTRAINT fk_provider_event_order_id FOREIGN KEY (order_id) REFERENCES purchase (id)
){strict};
CREATE INDEX ix_provider_event_order_id ON provider_event (order_id);

CREATE TABLE refund (
    id {serial},
    payment_id {whole} NOT NULL,
    amount {whole} NOT NULL,
    reason TEXT NOT NULL,
    state TEXT NOT NULL,
    decision_id {whole},
    posting_id {whole},
    reference TEXT,
    asked_at {moment} NOT NULL,
    settled_at {moment},
    CONSTRAINT pk_refund PRIMARY KEY (id),
    CONSTRAINT ck_refund_state_known CHECK (state IN ('asked', 'done', 'failed')),
    CONSTRAINT ck_refund_amount_positive CHECK (amount > 0),
    CONSTRAINT ck_refund_reason_not_blank CHECK (trim(reason) <> ''),
    CONSTRAINT ck_refund_settled_at_a_time CHECK ((state = 'asked') = (settled_at IS NULL)),
    CONSTRAINT uq_refund_reference UNIQUE (reference),
    CONSTRAINT fk_refund_payment_id FOREIGN KEY (payment_id) REFERENCES payment (id),
    CONSTRAINT fk_refund_decision_id FOREIGN KEY (decision_id) REFERENCES decision (id),
    CONSTRAINT fk_refund_posting_id FOREIGN KEY (posting_id) REFERENCES posting (id)
){strict};
CREATE UNIQUE INDEX uq_refund_of_payment ON refund (payment_id) WHERE state <> 'failed';

CREATE TABLE dispute (
    id {serial},
    payment_id {whole} NOT NULL,
    reference TEXT NOT NULL,
    amount {whole} NOT NULL,
    state TEXT NOT NULL,
    shortfall {whole} NOT NULL,
    earmark_id {whole},
    opened_at {moment} NOT NULL,
    closed_at {moment},
    CONSTRAINT pk_dispute PRIMARY KEY (id),
    CONSTRAINT ck_dispute_state_known CHECK (state IN ('open', 'won', 'lost')),
    CONSTRAINT ck_dispute_amount_positive CHECK (amount > 0),
    CONSTRAINT ck_dispute_shortfall_sound CHECK (shortfall >= 0),
    CONSTRAINT ck_dispute_closed_at_a_time CHECK ((state = 'open') = (closed_at IS NULL)),
    CONSTRAINT uq_dispute_reference UNIQUE (reference),
    CONSTRAINT fk_dispute_payment_id FOREIGN KEY (payment_id) REFERENCES payment (id),
    CONSTRAINT fk_dispute_earmark_id FOREIGN KEY (earmark_id) REFERENCES earmark (id)
){strict};
CREATE INDEX ix_dispute_payment_id ON dispute (payment_id);
"""
WORDS = {
    "sqlite": {
        "serial": "INTEGER NOT NULL",
        "whole": "INTEGER",
        "flag": "INTEGER",
        "day": "TEXT",
        "moment": "TEXT",
        "strict": " STRICT",
    },
    "postgresql": {
        "serial": "BIGSERIAL NOT NULL",
        "whole": "BIGINT",
        "flag": "BOOLEAN",
        "day": "DATE",
        "moment": "TIMESTAMP WITH TIME ZONE",
        "strict": "",
    },
}
NEWEST_FIRST = ("dispute", "refund", "provider_event", "payment", "purchase_line", "purchase", "offer", "premium_floor")
NEW_KINDS = ("bank_payment", "refund", "disbursement")
KINDS = "ck_decision_kind_known"
HERE = "connamespace = current_schema()::regnamespace"

# A bare connection's REPLACE would delete rows past their triggers.
CAREFUL = """(SELECT recursive_triggers FROM pragma_recursive_triggers)
    AND NOT (SELECT ignore_check_constraints FROM pragma_ignore_check_constraints)"""


def changes(columns: str) -> str:
    return " OR ".join(f"NEW.{column} {{differs}} OLD.{column}" for column in columns.split())


OFFERED = "id seller_id issuance_id mineral_code quantity price currency offered_by_id offered_at"
AGREED = "id buyer_id placed_at means currency premium verification_share registry_fee subtotal tax_ppm tax total use"
ASKED = "id order_id attempt means amount currency opened_at"
FLOOR = """coalesce((SELECT f.price FROM premium_floor f
    WHERE f.mineral_code = NEW.mineral_code AND f.currency = NEW.currency ORDER BY f.id DESC LIMIT 1), NEW.price + 1)"""
OPEN = "(SELECT o.state FROM purchase o WHERE o.id = {row}.order_id) = 'open'"
CLEARED = """EXISTS (SELECT 1 FROM payment p WHERE p.order_id = NEW.id AND p.state = 'paid'
    AND p.amount = NEW.total AND p.currency = NEW.currency)"""
ENDED = "OLD.state IN ('cancelled', 'refunded')"
BACK = "OLD.state <> 'open' AND NEW.state = 'open'"
UNDELIVERED = "OLD.state = 'delivered' AND NEW.state NOT IN ('delivered', 'refunded')"
# (trigger, table, act, when it is refused, what is said then)
GUARDS = (
    *(
        (f"{table}_never_deleted", table, "DELETE", "OLD.id = OLD.id", f"no {table} is ever deleted")
        for table in ("premium_floor", "offer", "purchase", "payment", "provider_event", "refund", "dispute")
    ),
    *(
        (f"{table}_never_changed", table, "UPDATE", "OLD.id = OLD.id", f"a {table} stays as it was written")
        for table in ("premium_floor", "provider_event")
    ),
    (
        "offer_at_the_floor",
        "offer",
        "INSERT",
        f"NEW.price < {FLOOR}",
        "nothing is offered below the floor, or where none is set",
    ),
    (
        "offer_stays",
        "offer",
        "UPDATE",
        f"OLD.state = 'closed' AND NEW.state <> 'closed' OR {changes(OFFERED)}",
        "an offer stays as it was made, and closed for good",
    ),
    (
        "purchase_goes_on",
        "purchase",
        "UPDATE",
        f"{ENDED} OR {BACK} OR {UNDELIVERED} OR OLD.state <> 'open' AND ({changes(AGREED)})",
        "an order stays as it was agreed, and ends once",
    ),
    (
        "purchase_delivered_once_paid",
        "purchase",
        "UPDATE",
        f"NEW.state IN ('paid', 'delivered') AND NOT {CLEARED}",
        "an order is delivered only against its cleared money",
    ),
    *(
        (
            f"purchase_line_{act.lower()}_in_time",
            "purchase_line",
            act,
            f"NOT {OPEN.format(row='OLD' if act == 'DELETE' else 'NEW')}",
            "the lines of an order stay as they were agreed",
        )
        for act in ("INSERT", "DELETE")
    ),
    (
        "purchase_line_stays",
        "purchase_line",
        "UPDATE",
        f"OLD.earmark_id IS NOT NULL OR {changes('order_id line offer_id issuance_id seller_id quantity price amount')}",
        "the lines of an order stay as they were agreed",
    ),
    (
        "purchase_line_of_another",
        "purchase_line",
        "INSERT",
        "NEW.seller_id = (SELECT o.buyer_id FROM purchase o WHERE o.id = NEW.order_id)",
        "nobody buys credits of their own",
    ),
    (
        "payment_settled_once",
        "payment",
        "UPDATE",
        f"OLD.state IN ('paid', 'surplus') AND ({changes('state reference payment settled_at')}) OR {changes(ASKED)}",
        "a payment stays as it was made",
    ),
    (
        "refund_settled_once",
        "refund",
        "UPDATE",
        f"OLD.state = 'done' OR {changes('id payment_id amount asked_at')}",
        "a refund stays as it was decided, and is done once",
    ),
    (
        "dispute_closed_once",
        "dispute",
        "UPDATE",
        f"OLD.state <> 'open' OR {changes('id payment_id reference amount opened_at')}",
        "a dispute is closed once",
    ),
)
DIFFERS = {"sqlite": "IS NOT", "postgresql": "IS DISTINCT FROM"}


def guards(dialect: str, schema: str) -> list[str]:
    statements = []
    for name, table, act, refused, says in GUARDS:
        condition = refused.format(differs=DIFFERS[dialect])
        if dialect == "sqlite":
            statements.append(
                f"""CREATE TRIGGER {name} BEFORE {act} ON {table} WHEN {condition}
                    BEGIN SELECT RAISE(ABORT, 'registry: {says}'); END"""
            )
            continue
        statements += [
            f"""CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SET search_path = {schema}, pg_temp AS $$
                BEGIN
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


def set_kinds(words: list[str]) -> None:
    """Let a decision be of one of these kinds.

    SQLite cannot change a CHECK but by copying the table with all its triggers, or by rewriting its text in the
    schema, which touches no row: the second is what its manual advises where no row can break the new rule.
    """
    listed = ", ".join(f"'{word}'" for word in words)
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"ALTER TABLE decision DROP CONSTRAINT {KINDS}")
        op.execute(f"ALTER TABLE decision ADD CONSTRAINT {KINDS} CHECK (kind IN ({listed}))")
        return
    bind = op.get_bind()
    written = bind.scalar(text("SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = 'decision'"))
    rewritten = re.sub(rf"({KINDS} CHECK \(kind IN )\([^)]*\)", rf"\1({listed})", written)
    version = bind.scalar(text("PRAGMA schema_version"))
    bind.exec_driver_sql("PRAGMA writable_schema = ON")
    bind.execute(
        text("UPDATE sqlite_schema SET sql = :sql WHERE type = 'table' AND name = 'decision'"), {"sql": rewritten}
    )
    bind.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    bind.exec_driver_sql("PRAGMA writable_schema = OFF")


def kinds() -> list[str]:
    """The kinds that a decision can be of now."""
    if op.get_bind().dialect.name == "postgresql":
        asked = f"SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = '{KINDS}' AND {HERE}"
        return re.findall(r"'([a-z_]+)'", op.get_bind().scalar(text(asked)))
    written = op.get_bind().scalar(text("SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = 'decision'"))
    return re.findall(r"'([a-z_]+)'", re.search(rf"{KINDS} CHECK \(kind IN \(([^)]*)\)", written)[1])


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    for statement in TABLES.format(**WORDS[dialect]).split(";\n"):
        if statement.strip():
            op.execute(statement)
    set_kinds([*kinds(), *NEW_KINDS])
    schema = "main" if dialect == "sqlite" else op.get_bind().scalar(text("SELECT quote_ident(current_schema())"))
    for statement in guards(dialect, schema):
        op.execute(statement)


def downgrade() -> None:
    for table in NEWEST_FIRST:
        op.execute(f"DROP TABLE {table}")
    if op.get_bind().dialect.name == "postgresql":
        for name, *_ in GUARDS:
            op.execute(f"DROP FUNCTION {name}()")
    set_kinds([kind for kind in kinds() if kind not in NEW_KINDS])

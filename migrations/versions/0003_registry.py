"""What the registry keeps: sites and batches, what serials stand for, whose they are, transfers, retirements, certificates.

What was issued, retired or said is written once: triggers refuse to change or delete it. A certificate's facts
are frozen, and its document is set once. Serials are retired, or on their way, only where a posting has put them there;
three organisations stand behind an issuance; a batch goes its way and not back.
"""

from alembic import op
from sqlalchemy import text

revision = "0003_registry"
down_revision = "0002_participants"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE observed_site (
    pcode TEXT NOT NULL,
    source TEXT NOT NULL,
    name TEXT NOT NULL,
    country TEXT NOT NULL,
    province TEXT NOT NULL,
    territory TEXT NOT NULL,
    village TEXT NOT NULL,
    latitude {whole},
    longitude {whole},
    CONSTRAINT pk_observed_site PRIMARY KEY (pcode)
){strict};

CREATE TABLE site_observation (
    visit {whole} NOT NULL,
    pcode TEXT NOT NULL,
    visited_on {day} NOT NULL,
    recorded TEXT NOT NULL,
    CONSTRAINT pk_site_observation PRIMARY KEY (visit),
    CONSTRAINT fk_site_observation_pcode FOREIGN KEY (pcode) REFERENCES observed_site (pcode)
){strict};
CREATE INDEX ix_site_observation_pcode_visited_on ON site_observation (pcode, visited_on);

CREATE TABLE site (
    id {serial},
    producer_id {whole} NOT NULL,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    country TEXT NOT NULL,
    province TEXT NOT NULL,
    district TEXT NOT NULL,
    latitude {whole} NOT NULL,
    longitude {whole} NOT NULL,
    access TEXT NOT NULL,
    concession_owner TEXT NOT NULL,
    method TEXT NOT NULL,
    mercury TEXT NOT NULL,
    miners {whole} NOT NULL,
    conflict_affected TEXT NOT NULL,
    conflict_source TEXT NOT NULL,
    conflict_checked_on {day},
    pcode TEXT,
    registered_by_id {whole} NOT NULL,
    registered_at {moment} NOT NULL,
    CONSTRAINT pk_site PRIMARY KEY (id),
    CONSTRAINT ck_site_access_known CHECK (access IN ('own_title', 'sub_lease', 'tolerated', 'asm_zone')),
    CONSTRAINT ck_site_method_known CHECK (method IN ('open_pit', 'underground', 'alluvial', 'tailings')),
    CONSTRAINT ck_site_mercury_known CHECK (mercury IN ('yes', 'no', 'unknown')),
    CONSTRAINT ck_site_conflict_affected_known CHECK (conflict_affected IN ('yes', 'no', 'unknown')),
    CONSTRAINT ck_site_latitude_on_earth CHECK (latitude BETWEEN -90000000 AND 90000000),
    CONSTRAINT ck_site_longitude_on_earth CHECK (longitude BETWEEN -180000000 AND 180000000),
    CONSTRAINT ck_site_miners_counted CHECK (miners >= 0),
    CONSTRAINT ck_site_country_alpha_3 CHECK (length(country) = 3),
    CONSTRAINT uq_site_country_code UNIQUE (country, code),
    CONSTRAINT fk_site_producer_id FOREIGN KEY (producer_id) REFERENCES organisation (id),
    CONSTRAINT fk_site_pcode FOREIGN KEY (pcode) REFERENCES observed_site (pcode),
    CONSTRAINT fk_site_registered_by_id FOREIGN KEY (registered_by_id) REFERENCES "user" (id)
){strict};
CREATE INDEX ix_site_producer_id ON site (producer_id, id);

CREATE TABLE licence (
    id {serial},
    site_id {whole} NOT NULL,
    number TEXT NOT NULL,
    authority TEXT NOT NULL,
    valid_from {day} NOT NULL,
    valid_to {day} NOT NULL,
    CONSTRAINT pk_licence PRIMARY KEY (id),
    CONSTRAINT ck_licence_period_sound CHECK (valid_from <= valid_to),
    CONSTRAINT uq_licence_site_id_number UNIQUE (site_id, number),
    CONSTRAINT fk_licence_site_id FOREIGN KEY (site_id) REFERENCES site (id)
){strict};

CREATE TABLE assurance (
    id {serial},
    site_id {whole} NOT NULL,
    verifier_id {whole} NOT NULL,
    standard TEXT NOT NULL,
    version TEXT NOT NULL,
    level TEXT NOT NULL,
    visited_from {day},
    visited_to {day},
    remote_reason TEXT NOT NULL,
    valid_from {day} NOT NULL,
    valid_to {day} NOT NULL,
    state TEXT NOT NULL,
    given_at {moment} NOT NULL,
    CONSTRAINT pk_assurance PRIMARY KEY (id),
    CONSTRAINT ck_assurance_state_known CHECK (state IN ('active', 'probation', 'suspended')),
    CONSTRAINT ck_assurance_period_sound CHECK (valid_from <= valid_to),
    CONSTRAINT ck_assurance_visit_whole CHECK ((visited_from IS NULL) = (visited_to IS NULL)),
    CONSTRAINT ck_assurance_visit_sound CHECK (visited_from <= visited_to),
    CONSTRAINT ck_assurance_visited_or_why_not CHECK (visited_from IS NOT NULL OR remote_reason <> ''),
    CONSTRAINT fk_assurance_site_id FOREIGN KEY (site_id) REFERENCES site (id),
    CONSTRAINT fk_assurance_verifier_id FOREIGN KEY (verifier_id) REFERENCES "user" (id)
){strict};
CREATE INDEX ix_assurance_site_id ON assurance (site_id, valid_from);

CREATE TABLE batch (
    id {serial},
    site_id {whole} NOT NULL,
    mineral_code TEXT NOT NULL,
    form TEXT NOT NULL,
    produced_from {day} NOT NULL,
    produced_to {day} NOT NULL,
    gross_mg {whole} NOT NULL,
    moisture_ppm {whole} NOT NULL,
    dry_mg {whole} NOT NULL,
    grade_ppm {whole} NOT NULL,
    contained_ng {whole} NOT NULL,
    carried_ng {whole} NOT NULL,
    sold_with_premium {whole} NOT NULL,
    registered_elsewhere {whole} NOT NULL,
    miners {whole} NOT NULL,
    days_worked {whole} NOT NULL,
    sold_to TEXT NOT NULL,
    state TEXT NOT NULL,
    revision {whole} NOT NULL,
    drafted_by_id {whole} NOT NULL,
    drafted_at {moment} NOT NULL,
    submitted_by_id {whole},
    submitted_at {moment},
    reviewer_id {whole},
    verified_by_id {whole},
    verified_at {moment},
    independence TEXT,
    assurance_id {whole},
    CONSTRAINT pk_batch PRIMARY KEY (id),
    CONSTRAINT ck_batch_state_known CHECK (state IN ('draft', 'submitted', 'in_review', 'information_requested', 'verified', 'issued', 'rejected', 'withdrawn', 'suspended')),
    CONSTRAINT ck_batch_period_sound CHECK (produced_from <= produced_to),
    CONSTRAINT ck_batch_weights_sound CHECK (gross_mg > 0 AND dry_mg > 0 AND dry_mg <= gross_mg),
    CONSTRAINT ck_batch_moisture_sound CHECK (moisture_ppm BETWEEN 0 AND 1000000),
    CONSTRAINT ck_batch_grade_sound CHECK (grade_ppm BETWEEN 1 AND 1000000),
    CONSTRAINT ck_batch_contained_sound CHECK (contained_ng >= 0 AND carried_ng >= 0),
    CONSTRAINT ck_batch_deductions_sound CHECK (sold_with_premium >= 0 AND registered_elsewhere >= 0),
    CONSTRAINT ck_batch_work_counted CHECK (miners >= 0 AND days_worked >= 0),
    CONSTRAINT ck_batch_submitted_by CHECK ((state IN ('draft', 'withdrawn')) OR submitted_by_id IS NOT NULL),
    CONSTRAINT ck_batch_verified_by CHECK ((state NOT IN ('verified', 'issued', 'suspended')) OR verified_by_id IS NOT NULL),
    CONSTRAINT ck_batch_two_people CHECK (submitted_by_id <> verified_by_id),
    CONSTRAINT fk_batch_site_id FOREIGN KEY (site_id) REFERENCES site (id),
    CONSTRAINT fk_batch_drafted_by_id FOREIGN KEY (drafted_by_id) REFERENCES "user" (id),
    CONSTRAINT fk_batch_submitted_by_id FOREIGN KEY (submitted_by_id) REFERENCES "user" (id),
    CONSTRAINT fk_batch_reviewer_id FOREIGN KEY (reviewer_id) REFERENCES "user" (id),
    CONSTRAINT fk_batch_verified_by_id FOREIGN KEY (verified_by_id) REFERENCES "user" (id),
    CONSTRAINT fk_batch_assurance_id FOREIGN KEY (assurance_id) REFERENCES assurance (id)
){strict};
CREATE INDEX ix_batch_site_id_mineral_code_produced_from ON batch (site_id, mineral_code, produced_from);
CREATE INDEX ix_batch_state_submitted_at ON batch (state, submitted_at);

CREATE TABLE evidence (
    id {serial},
    batch_id {whole} NOT NULL,
    kind TEXT NOT NULL,
    reference TEXT,
    number_key TEXT,
    filename TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size {whole} NOT NULL,
    sha256 TEXT NOT NULL,
    added_by_id {whole} NOT NULL,
    added_at {moment} NOT NULL,
    counts {flag} NOT NULL,
    CONSTRAINT pk_evidence PRIMARY KEY (id),
    CONSTRAINT ck_evidence_kind_known CHECK (kind IN ('scale_log', 'assay', 'sales_invoice', 'royalty_receipt', 'tag_log', 'photo', 'other')),
    CONSTRAINT ck_evidence_sha256_whole CHECK (length(sha256) = 64),
    CONSTRAINT ck_evidence_size_positive CHECK (size > 0),
    CONSTRAINT ck_evidence_reference_not_blank CHECK (reference <> ''),
    CONSTRAINT fk_evidence_batch_id FOREIGN KEY (batch_id) REFERENCES batch (id),
    CONSTRAINT fk_evidence_added_by_id FOREIGN KEY (added_by_id) REFERENCES "user" (id)
){strict};
CREATE UNIQUE INDEX uq_evidence_sha256 ON evidence (sha256) WHERE counts;
CREATE UNIQUE INDEX uq_evidence_kind_number_key ON evidence (kind, number_key) WHERE counts;
CREATE INDEX ix_evidence_batch_id ON evidence (batch_id);

CREATE TABLE remark (
    id {serial},
    batch_id {whole} NOT NULL,
    author_id {whole} NOT NULL,
    kind TEXT NOT NULL,
    text TEXT NOT NULL,
    made_at {moment} NOT NULL,
    CONSTRAINT pk_remark PRIMARY KEY (id),
    CONSTRAINT ck_remark_kind_known CHECK (kind IN ('request', 'answer', 'decision')),
    CONSTRAINT ck_remark_text_not_blank CHECK (text <> ''),
    CONSTRAINT fk_remark_batch_id FOREIGN KEY (batch_id) REFERENCES batch (id),
    CONSTRAINT fk_remark_author_id FOREIGN KEY (author_id) REFERENCES "user" (id)
){strict};
CREATE INDEX ix_remark_batch_id ON remark (batch_id);

CREATE TABLE carried_remainder (
    producer_id {whole} NOT NULL,
    mineral_code TEXT NOT NULL,
    nanograms {whole} NOT NULL,
    CONSTRAINT pk_carried_remainder PRIMARY KEY (producer_id, mineral_code),
    CONSTRAINT ck_carried_remainder_nanograms_positive CHECK (nanograms >= 0),
    CONSTRAINT fk_carried_remainder_producer_id FOREIGN KEY (producer_id) REFERENCES organisation (id)
){strict};

CREATE TABLE site_vintage (
    site_id {whole} NOT NULL,
    vintage {whole} NOT NULL,
    issuances {whole} NOT NULL,
    CONSTRAINT pk_site_vintage PRIMARY KEY (site_id, vintage),
    CONSTRAINT fk_site_vintage_site_id FOREIGN KEY (site_id) REFERENCES site (id)
){strict};

CREATE TABLE holding (
    account_id {whole} NOT NULL,
    organisation_id {whole},
    kind TEXT NOT NULL,
    CONSTRAINT pk_holding PRIMARY KEY (account_id),
    CONSTRAINT ck_holding_kind_known CHECK (kind IN ('available', 'reserved', 'pending', 'held', 'buffer', 'retired', 'cancelled', 'expired', 'exported')),
    CONSTRAINT uq_holding_organisation_id_kind UNIQUE (organisation_id, kind),
    CONSTRAINT fk_holding_account_id FOREIGN KEY (account_id) REFERENCES account (id),
    CONSTRAINT fk_holding_organisation_id FOREIGN KEY (organisation_id) REFERENCES organisation (id)
){strict};
CREATE UNIQUE INDEX uq_holding_registry_kind ON holding (kind) WHERE organisation_id IS NULL;

CREATE TABLE issuance_attributes (
    id {whole} NOT NULL,
    quantity {whole} NOT NULL,
    number TEXT NOT NULL,
    batch_id {whole} NOT NULL,
    site_id {whole} NOT NULL,
    vintage {whole} NOT NULL,
    sequence {whole} NOT NULL,
    mineral_code TEXT NOT NULL,
    producer_id {whole} NOT NULL,
    submitter_id {whole} NOT NULL,
    verifier_id {whole} NOT NULL,
    verifier_organisation_id {whole} NOT NULL,
    issuer_id {whole} NOT NULL,
    issuer_organisation_id {whole} NOT NULL,
    posting_id {whole} NOT NULL,
    issued_at {moment} NOT NULL,
    facts TEXT NOT NULL,
    CONSTRAINT pk_issuance_attributes PRIMARY KEY (id),
    CONSTRAINT fk_issuance_attributes_id_quantity FOREIGN KEY (id, quantity) REFERENCES issuance (id, quantity),
    CONSTRAINT ck_issuance_attributes_three_people CHECK (submitter_id <> verifier_id AND verifier_id <> issuer_id AND submitter_id <> issuer_id),
    CONSTRAINT ck_issuance_attributes_three_organisations CHECK (producer_id <> verifier_organisation_id AND verifier_organisation_id <> issuer_organisation_id AND producer_id <> issuer_organisation_id),
    CONSTRAINT uq_issuance_attributes_site_id_vintage_sequence UNIQUE (site_id, vintage, sequence),
    CONSTRAINT uq_issuance_attributes_number UNIQUE (number),
    CONSTRAINT uq_issuance_attributes_batch_id UNIQUE (batch_id),
    CONSTRAINT fk_issuance_attributes_batch_id FOREIGN KEY (batch_id) REFERENCES batch (id),
    CONSTRAINT fk_issuance_attributes_site_id FOREIGN KEY (site_id) REFERENCES site (id),
    CONSTRAINT fk_issuance_attributes_producer_id FOREIGN KEY (producer_id) REFERENCES organisation (id),
    CONSTRAINT fk_issuance_attributes_submitter_id FOREIGN KEY (submitter_id) REFERENCES "user" (id),
    CONSTRAINT fk_issuance_attributes_verifier_id FOREIGN KEY (verifier_id) REFERENCES "user" (id),
    CONSTRAINT fk_issuance_attributes_verifier_organisation_id FOREIGN KEY (verifier_organisation_id) REFERENCES organisation (id),
    CONSTRAINT fk_issuance_attributes_issuer_id FOREIGN KEY (issuer_id) REFERENCES "user" (id),
    CONSTRAINT fk_issuance_attributes_issuer_organisation_id FOREIGN KEY (issuer_organisation_id) REFERENCES organisation (id),
    CONSTRAINT uq_issuance_attributes_posting_id UNIQUE (posting_id),
    CONSTRAINT fk_issuance_attributes_posting_id FOREIGN KEY (posting_id) REFERENCES posting (id)
){strict};
CREATE INDEX ix_issuance_attributes_producer_id ON issuance_attributes (producer_id);

CREATE TABLE transfer (
    id {serial},
    issuance_id {whole} NOT NULL,
    quantity {whole} NOT NULL,
    sender_id {whole} NOT NULL,
    recipient_id {whole} NOT NULL,
    note TEXT NOT NULL,
    state TEXT NOT NULL,
    opening_posting_id {whole} NOT NULL,
    closing_posting_id {whole},
    proposed_by_id {whole} NOT NULL,
    proposed_at {moment} NOT NULL,
    expires_at {moment} NOT NULL,
    closed_by_id {whole},
    closed_at {moment},
    reason TEXT,
    CONSTRAINT pk_transfer PRIMARY KEY (id),
    CONSTRAINT ck_transfer_state_known CHECK (state IN ('pending', 'accepted', 'rejected', 'withdrawn', 'expired')),
    CONSTRAINT ck_transfer_two_parties CHECK (sender_id <> recipient_id),
    CONSTRAINT ck_transfer_quantity_positive CHECK (quantity > 0),
    CONSTRAINT ck_transfer_closed_by_posting CHECK ((state = 'pending') = (closing_posting_id IS NULL)),
    CONSTRAINT ck_transfer_closed_at_a_time CHECK ((closing_posting_id IS NULL) = (closed_at IS NULL)),
    CONSTRAINT fk_transfer_issuance_id FOREIGN KEY (issuance_id) REFERENCES issuance_attributes (id),
    CONSTRAINT fk_transfer_sender_id FOREIGN KEY (sender_id) REFERENCES organisation (id),
    CONSTRAINT fk_transfer_recipient_id FOREIGN KEY (recipient_id) REFERENCES organisation (id),
    CONSTRAINT fk_transfer_opening_posting_id FOREIGN KEY (opening_posting_id) REFERENCES posting (id),
    CONSTRAINT fk_transfer_closing_posting_id FOREIGN KEY (closing_posting_id) REFERENCES posting (id),
    CONSTRAINT fk_transfer_proposed_by_id FOREIGN KEY (proposed_by_id) REFERENCES "user" (id),
    CONSTRAINT fk_transfer_closed_by_id FOREIGN KEY (closed_by_id) REFERENCES "user" (id)
){strict};
CREATE INDEX ix_transfer_closing_posting_id ON transfer (closing_posting_id);
CREATE INDEX ix_transfer_opening_posting_id ON transfer (opening_posting_id);
CREATE INDEX ix_transfer_recipient_id ON transfer (recipient_id, id);
CREATE INDEX ix_transfer_sender_id ON transfer (sender_id, id);
CREATE INDEX ix_transfer_state_expires_at ON transfer (state, expires_at);

CREATE TABLE transfer_range (
    transfer_id {whole} NOT NULL,
    first {whole} NOT NULL,
    last {whole} NOT NULL,
    CONSTRAINT pk_transfer_range PRIMARY KEY (transfer_id, first),
    CONSTRAINT ck_transfer_range_range_sound CHECK (first >= 1 AND first <= last),
    CONSTRAINT fk_transfer_range_transfer_id FOREIGN KEY (transfer_id) REFERENCES transfer (id)
){strict};

CREATE TABLE retirement (
    id {serial},
    issuance_id {whole} NOT NULL,
    quantity {whole} NOT NULL,
    posting_id {whole} NOT NULL,
    holder_id {whole} NOT NULL,
    beneficiary TEXT NOT NULL,
    beneficiary_country TEXT NOT NULL,
    beneficiary_identifier TEXT NOT NULL,
    purpose TEXT NOT NULL,
    claim_from {day} NOT NULL,
    claim_to {day} NOT NULL,
    retired_by_id {whole} NOT NULL,
    retired_at {moment} NOT NULL,
    CONSTRAINT pk_retirement PRIMARY KEY (id),
    CONSTRAINT ck_retirement_quantity_positive CHECK (quantity > 0),
    CONSTRAINT ck_retirement_claim_period_sound CHECK (claim_from <= claim_to),
    CONSTRAINT fk_retirement_issuance_id FOREIGN KEY (issuance_id) REFERENCES issuance_attributes (id),
    CONSTRAINT fk_retirement_posting_id FOREIGN KEY (posting_id) REFERENCES posting (id),
    CONSTRAINT fk_retirement_holder_id FOREIGN KEY (holder_id) REFERENCES organisation (id),
    CONSTRAINT fk_retirement_retired_by_id FOREIGN KEY (retired_by_id) REFERENCES "user" (id)
){strict};
CREATE INDEX ix_retirement_holder_id ON retirement (holder_id, id);
CREATE INDEX ix_retirement_posting_id ON retirement (posting_id);

CREATE TABLE retired_range (
    issuance_id {whole} NOT NULL,
    first {whole} NOT NULL,
    last {whole} NOT NULL,
    retirement_id {whole} NOT NULL,
    CONSTRAINT pk_retired_range PRIMARY KEY (issuance_id, first),
    CONSTRAINT uq_retired_range_issuance_id_last UNIQUE (issuance_id, last),
    CONSTRAINT fk_retired_range_issuance_id FOREIGN KEY (issuance_id) REFERENCES issuance_attributes (id),
    CONSTRAINT fk_retired_range_retirement_id FOREIGN KEY (retirement_id) REFERENCES retirement (id)
){strict};
CREATE INDEX ix_retired_range_retirement_id ON retired_range (retirement_id);

CREATE TABLE certificate (
    retirement_id {whole} NOT NULL,
    number TEXT NOT NULL,
    facts {blob} NOT NULL,
    document_sha256 TEXT,
    drawn_at {moment},
    CONSTRAINT pk_certificate PRIMARY KEY (retirement_id),
    CONSTRAINT ck_certificate_drawn_whole CHECK ((document_sha256 IS NULL) = (drawn_at IS NULL)),
    CONSTRAINT fk_certificate_retirement_id FOREIGN KEY (retirement_id) REFERENCES retirement (id),
    CONSTRAINT uq_certificate_number UNIQUE (number)
){strict};
"""

WORDS = {
    "sqlite": {
        "serial": "INTEGER NOT NULL",
        "whole": "INTEGER",
        "flag": "INTEGER",
        "day": "TEXT",
        "moment": "TEXT",
        "blob": "BLOB",
        "strict": " STRICT",
    },
    "postgresql": {
        "serial": "BIGSERIAL NOT NULL",
        "whole": "BIGINT",
        "flag": "BOOLEAN",
        "day": "DATE",
        "moment": "TIMESTAMP WITH TIME ZONE",
        "blob": "BYTEA",
        "strict": "",
    },
}

FINAL = ("holding", "issuance_attributes", "transfer_range", "retirement", "retired_range", "remark", "certificate")
# A bare connection's REPLACE would delete rows past their triggers.
CAREFUL = """(SELECT recursive_triggers FROM pragma_recursive_triggers)
    AND NOT (SELECT ignore_check_constraints FROM pragma_ignore_check_constraints)"""
DRAWN_ONCE = """(OLD.document_sha256 IS NOT NULL OR NEW.facts {differs} OLD.facts OR NEW.number {differs} OLD.number
                OR NEW.retirement_id {differs} OLD.retirement_id)"""
GUARDED = ("site", "licence", "assurance", "batch", "evidence", "transfer")


def changes(columns: str) -> str:
    """Whether an update changes one of these columns."""
    return "(" + " OR ".join(f"NEW.{column} {{differs}} OLD.{column}" for column in columns.split()) + ")"


# A posting may move neighbouring blocks by an entry each, and a range covers them all; and one posting may be behind
# many transfers or retirements. The subquery makes the look-up begin at the entry that the range begins in.
MOVED = """NEW.last - NEW.first + 1 {{differs}} (
    SELECT sum({{least}}(e.last, NEW.last) - {{greatest}}(e.first, NEW.first) + 1)
    FROM {owner} o JOIN entry e ON e.posting_id = o.{posting} AND e.issuance_id = o.issuance_id
    JOIN holding source ON source.account_id = e.from_account_id
    JOIN holding target ON target.account_id = e.to_account_id
    WHERE o.id = NEW.{owner}_id AND {{whose}} AND e.last >= NEW.first AND e.first <= NEW.last AND e.first >= (
        SELECT max(f.first) FROM entry f
        WHERE f.posting_id = o.{posting} AND f.issuance_id = o.issuance_id AND f.first <= NEW.first))"""
RETIRED = MOVED.format(owner="retirement", posting="posting_id").replace(
    "{whose}",
    """o.issuance_id = NEW.issuance_id
        AND source.organisation_id = o.holder_id AND target.kind = 'retired'""",
)
ON_ITS_WAY = MOVED.format(owner="transfer", posting="opening_posting_id").replace(
    "{whose}", "target.organisation_id = o.sender_id AND target.kind = 'pending'"
)
BEFORE_IT = """NEW.first <= (SELECT r.last FROM {table} r WHERE r.{same} = NEW.{same} AND r.first <= NEW.last
    ORDER BY r.first DESC LIMIT 1)"""
THREE_ORGANISATIONS = """NOT EXISTS (
    SELECT 1 FROM batch b JOIN site s ON s.id = b.site_id JOIN organisation producer ON producer.id = s.producer_id
    JOIN "user" submitter ON submitter.id = b.submitted_by_id
    JOIN "user" lead ON lead.id = b.verified_by_id JOIN organisation verifier ON verifier.id = lead.organisation_id
    JOIN "user" issuer ON issuer.id = NEW.issuer_id JOIN organisation registry ON registry.id = issuer.organisation_id
    WHERE b.id = NEW.batch_id AND b.state = 'verified' AND s.id = NEW.site_id AND producer.id = NEW.producer_id
      AND submitter.id = NEW.submitter_id AND submitter.organisation_id IN (producer.id, producer.group_manager_id)
      AND lead.id = NEW.verifier_id AND verifier.id = NEW.verifier_organisation_id AND verifier.kind = 'verifier'
      AND registry.id = NEW.issuer_organisation_id AND registry.kind = 'registry')"""
WHOLE = """(SELECT r.quantity FROM retirement r WHERE r.id = NEW.retirement_id) {differs} (
    SELECT sum(r.last - r.first + 1) FROM retired_range r WHERE r.retirement_id = NEW.retirement_id)"""
# Rolled back: whatever was issued from it is cancelled.
ROLLED_BACK = """EXISTS (SELECT 1 FROM issuance_attributes i WHERE i.batch_id = OLD.id) AND NOT EXISTS (
    SELECT 1 FROM issuance_attributes i JOIN block b ON b.issuance_id = i.id JOIN account a ON a.id = b.account_id
    WHERE i.batch_id = OLD.id AND a.kind <> 'cancelled')"""
STEPS = f"""CASE OLD.state
    WHEN 'draft' THEN NEW.state IN ('submitted', 'withdrawn')
    WHEN 'submitted' THEN NEW.state IN ('in_review', 'withdrawn')
    WHEN 'in_review' THEN NEW.state IN ('information_requested', 'verified', 'rejected', 'withdrawn')
    WHEN 'information_requested' THEN NEW.state IN ('in_review', 'rejected', 'withdrawn')
    WHEN 'verified' THEN NEW.state IN ('rejected', 'withdrawn')
        OR NEW.state = 'issued' AND EXISTS (SELECT 1 FROM issuance_attributes i WHERE i.batch_id = OLD.id)
    WHEN 'issued' THEN NEW.state = 'suspended' OR NEW.state = 'rejected' AND {ROLLED_BACK}
    WHEN 'suspended' THEN NEW.state = 'issued' OR NEW.state = 'rejected' AND {ROLLED_BACK}
    ELSE NEW.state <> NEW.state END"""
FIGURES = """mineral_code form produced_from produced_to gross_mg moisture_ppm dry_mg grade_ppm contained_ng
    sold_with_premium registered_elsewhere miners days_worked sold_to"""
NOT_ITS_WAY = f"""(NEW.state <> OLD.state AND NOT ({STEPS}))
    OR {changes("id site_id drafted_by_id drafted_at")}
    OR (OLD.state NOT IN ('draft', 'information_requested') AND {changes(FIGURES)})
    OR (OLD.state <> 'draft' AND {changes("submitted_by_id submitted_at")})
    OR (OLD.state <> 'submitted' AND {changes("reviewer_id")})
    OR (OLD.state <> 'in_review' AND {changes("verified_by_id verified_at independence assurance_id")})
    OR (OLD.state <> 'verified' AND {changes("carried_ng")})"""
ASSURED = """id site_id verifier_id standard version level visited_from visited_to remote_reason valid_from valid_to
    given_at"""
PAPER = "id batch_id kind reference number_key filename media_type size sha256 added_by_id added_at"
STILL_USED = """NEW.counts {differs} OLD.counts AND (NEW.counts OR NOT EXISTS (
    SELECT 1 FROM batch b WHERE b.id = OLD.batch_id AND b.state IN ('rejected', 'withdrawn')))"""
OFFER = (
    """id issuance_id quantity sender_id recipient_id note opening_posting_id proposed_by_id proposed_at expires_at"""
)

# (table, act, when it is refused, what is said then)
GUARDS = (
    (
        "retired_range",
        "INSERT",
        f"{BEFORE_IT.format(table='retired_range', same='issuance_id')} OR {RETIRED}",
        "serials are retired once, by their holder, in the posting of the retirement",
    ),
    (
        "transfer_range",
        "INSERT",
        f"{BEFORE_IT.format(table='transfer_range', same='transfer_id')} OR {ON_ITS_WAY}",
        "a transfer is of serials that its posting has frozen",
    ),
    (
        "issuance_attributes",
        "INSERT",
        THREE_ORGANISATIONS,
        "producer, verifier and registry each stand behind an issuance by a person of their own",
    ),
    ("certificate", "INSERT", WHOLE, "a certificate is of a retirement whose serials are all there"),
    ("batch", "INSERT", "NEW.state <> 'draft'", "a batch begins as a draft"),
    ("batch", "UPDATE", NOT_ITS_WAY, "a batch goes its way and not back"),
    ("assurance", "UPDATE", changes(ASSURED), "of an assurance only the state changes"),
    ("evidence", "UPDATE", f"{changes(PAPER)} OR ({STILL_USED})", "a paper stays as it was brought"),
    (
        "evidence",
        "DELETE",
        "NOT EXISTS (SELECT 1 FROM batch b WHERE b.id = OLD.batch_id AND b.state = 'draft')",
        "a paper that was submitted stays with its batch",
    ),
    (
        "transfer",
        "UPDATE",
        f"OLD.closing_posting_id IS NOT NULL OR {changes(OFFER)}",
        "a transfer is closed once, and otherwise stays as it was offered",
    ),
    *((table, "DELETE", "OLD.id = OLD.id", f"no {table} is ever deleted") for table in GUARDED if table != "evidence"),
)
# Serials are retired by one posting alone: whoever writes down what it retired, does so one at a time.
FIRST = {
    "retired_range": """PERFORM 1 FROM posting p JOIN retirement r ON r.posting_id = p.id
        WHERE r.id = NEW.retirement_id FOR NO KEY UPDATE OF p;"""
}
DIALECT = {
    "sqlite": {"differs": "IS NOT", "least": "min", "greatest": "max"},
    "postgresql": {"differs": "IS DISTINCT FROM", "least": "least", "greatest": "greatest"},
}
TABLES_NEWEST_FIRST = (
    "certificate",
    "retired_range",
    "retirement",
    "transfer_range",
    "transfer",
    "issuance_attributes",
    "holding",
    "site_vintage",
    "carried_remainder",
    "remark",
    "evidence",
    "batch",
    "assurance",
    "licence",
    "site",
    "site_observation",
    "observed_site",
)
REGISTRY_ACCOUNTS = ("buffer", "retired", "cancelled", "expired", "exported")


def final(dialect: str) -> list[str]:
    """The triggers by which what is written stays written."""
    statements = []
    for table in FINAL:
        differs = "IS NOT" if dialect == "sqlite" else "IS DISTINCT FROM"
        changed = f"WHEN {DRAWN_ONCE.format(differs=differs)}" if table == "certificate" else ""
        for act, when in (("DELETE", ""), ("UPDATE", changed)):
            name = f"{table}_never_{'deleted' if act == 'DELETE' else 'changed'}"
            body = (
                f"{when} BEGIN SELECT RAISE(ABORT, 'registry: {table} is final'); END"
                if dialect == "sqlite"
                else f"FOR EACH ROW {when} EXECUTE FUNCTION ledger_refuse('{table} is final')"
            )
            statements.append(f"CREATE TRIGGER {name} BEFORE {act} ON {table} {body}")
        statements.append(careful(table) if dialect == "sqlite" else never_emptied(table))
    return statements


def guards(dialect: str, schema: str) -> list[str]:
    """The triggers that ask what else the database knows before a row is written, changed or deleted."""
    statements = []
    for table, act, refused, says in GUARDS:
        name, condition = guard_name(table, act), refused.format(**DIALECT[dialect])
        if dialect == "sqlite":
            statements.append(
                f"""CREATE TRIGGER {name} BEFORE {act} ON {table} WHEN {condition}
                    BEGIN SELECT RAISE(ABORT, 'registry: {says}'); END"""
            )
            continue
        statements += [
            f"""CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql SET search_path = {schema}, pg_temp AS $$
                BEGIN
                    {FIRST.get(table, "")}
                    IF {condition} THEN
                        RAISE EXCEPTION 'registry: {says}' USING ERRCODE = 'integrity_constraint_violation';
                    END IF;
                    RETURN coalesce(NEW, OLD);
                END $$""",
            f"CREATE TRIGGER {name} BEFORE {act} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()",
        ]
    for table in GUARDED:
        statements.append(careful(table) if dialect == "sqlite" else never_emptied(table))
    return statements


def guard_name(table: str, act: str) -> str:
    return f"{table}_guarded_{act.lower()}"


def careful(table: str) -> str:
    return f"""CREATE TRIGGER {table}_carefully_insert BEFORE INSERT ON {table} WHEN NOT ({CAREFUL})
        BEGIN SELECT RAISE(ABORT, 'registry: this connection keeps no rules; see credits/db.py'); END"""


def never_emptied(table: str) -> str:
    return f"""CREATE TRIGGER {table}_never_emptied BEFORE TRUNCATE ON {table}
        EXECUTE FUNCTION ledger_refuse('{table} is final')"""


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    for statement in TABLES.format(**WORDS[dialect]).split(";\n"):
        if statement.strip():
            op.execute(statement)
    schema = "main" if dialect == "sqlite" else op.get_bind().scalar(text("SELECT quote_ident(current_schema())"))
    for statement in [*final(dialect), *guards(dialect, schema)]:
        op.execute(statement)
    for kind in REGISTRY_ACCOUNTS:
        op.execute(f"INSERT INTO account (kind) VALUES ('{kind}')")
        op.execute(
            f"""INSERT INTO holding (account_id, organisation_id, kind)
                SELECT max(id), NULL, '{kind}' FROM account WHERE kind = '{kind}'"""
        )


def downgrade() -> None:
    for table in TABLES_NEWEST_FIRST:
        op.execute(f"DROP TABLE {table}")
    if op.get_bind().dialect.name == "postgresql":
        for table, act, _, _ in GUARDS:
            op.execute(f"DROP FUNCTION {guard_name(table, act)}()")

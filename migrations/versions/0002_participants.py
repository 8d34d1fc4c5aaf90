"""Who takes part: organisations with what the registry knows of them, their people, roles and API tokens.

An address signs in one person however it is capitalised: it is kept in lower case, and unique. Nobody is ever deleted,
and nobody moves to another organisation: what they once did, they did for that one.
"""

from alembic import op

revision = "0002_participants"
down_revision = "0001_ledger"
branch_labels = None
depends_on = None

KINDS = "'cooperative', 'group_manager', 'verifier', 'manufacturer', 'reseller', 'registry'"
KYC = "'pending', 'approved', 'refused', 'suspended'"
LANGUAGES = "'en', 'fr', 'es', 'pt', 'sw'"
ROLES = "'clerk', 'manager', 'reviewer', 'lead', 'issuer', 'initiator', 'approver', 'reader', 'auditor'"

TABLES = """
CREATE TABLE organisation (
    id {serial},
    name TEXT NOT NULL,
    legal_form TEXT NOT NULL,
    kind TEXT NOT NULL,
    country TEXT NOT NULL,
    registration_number TEXT,
    address TEXT NOT NULL,
    contact_email TEXT NOT NULL,
    kyc TEXT NOT NULL,
    kyc_reason TEXT,
    kyc_decided_at {moment},
    kyc_decided_by {whole},
    group_manager_id {whole},
    registered_at {moment} NOT NULL,
    CONSTRAINT pk_organisation PRIMARY KEY (id),
    CONSTRAINT ck_organisation_kind_known CHECK (kind IN ({kinds})),
    CONSTRAINT ck_organisation_kyc_known CHECK (kyc IN ({kyc})),
    CONSTRAINT ck_organisation_country_alpha_3 CHECK (length(country) = 3 AND country = upper(country)),
    CONSTRAINT ck_organisation_kyc_decided CHECK ((kyc = 'pending') = (kyc_decided_at IS NULL)),
    CONSTRAINT ck_organisation_kyc_reasoned
        CHECK (kyc NOT IN ('refused', 'suspended') OR coalesce(kyc_reason, '') <> ''),
    CONSTRAINT ck_organisation_group_of_cooperatives CHECK (group_manager_id IS NULL OR kind = 'cooperative'),
    CONSTRAINT ck_organisation_group_manager_is_another CHECK (group_manager_id <> id),
    CONSTRAINT fk_organisation_group_manager_id FOREIGN KEY (group_manager_id) REFERENCES organisation (id){decider}
){strict};
CREATE INDEX ix_organisation_kyc_registered_at ON organisation (kyc, registered_at);
CREATE INDEX ix_organisation_country_registration_number ON organisation (country, registration_number);
CREATE INDEX ix_organisation_group_manager_id ON organisation (group_manager_id);

CREATE TABLE "user" (
    id {serial},
    organisation_id {whole} NOT NULL,
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    language TEXT NOT NULL,
    active {flag} NOT NULL,
    registered_at {moment} NOT NULL,
    password TEXT,
    fs_uniquifier TEXT NOT NULL,
    tf_primary_method TEXT,
    tf_totp_secret TEXT,
    mf_recovery_codes TEXT,
    current_login_at {moment},
    current_login_ip TEXT,
    last_login_at {moment},
    last_login_ip TEXT,
    login_count {whole},
    CONSTRAINT pk_user PRIMARY KEY (id),
    CONSTRAINT ck_user_language_known CHECK (language IN ({languages})),
    CONSTRAINT ck_user_email_lower_case CHECK (email = lower(email)),
    CONSTRAINT fk_user_organisation_id FOREIGN KEY (organisation_id) REFERENCES organisation (id),
    CONSTRAINT uq_user_email UNIQUE (email),
    CONSTRAINT uq_user_fs_uniquifier UNIQUE (fs_uniquifier)
){strict};
CREATE INDEX ix_user_organisation_id ON "user" (organisation_id);

CREATE TABLE role (
    user_id {whole} NOT NULL,
    name TEXT NOT NULL,
    CONSTRAINT pk_role PRIMARY KEY (user_id, name),
    CONSTRAINT ck_role_name_known CHECK (name IN ({roles})),
    CONSTRAINT fk_role_user_id FOREIGN KEY (user_id) REFERENCES "user" (id)
){strict};

CREATE TABLE api_token (
    id {serial},
    user_id {whole} NOT NULL,
    name TEXT NOT NULL,
    digest TEXT NOT NULL,
    prefix TEXT NOT NULL,
    created_at {moment} NOT NULL,
    last_used_at {moment},
    revoked_at {moment},
    CONSTRAINT pk_api_token PRIMARY KEY (id),
    CONSTRAINT ck_api_token_digest_sha256 CHECK (length(digest) = 64),
    CONSTRAINT fk_api_token_user_id FOREIGN KEY (user_id) REFERENCES "user" (id),
    CONSTRAINT uq_api_token_digest UNIQUE (digest)
){strict};
CREATE INDEX ix_api_token_user_id ON api_token (user_id);
"""

# An organisation is decided on by a person of another one: each table refers to the other.
DECIDER = 'CONSTRAINT fk_organisation_kyc_decided_by FOREIGN KEY (kyc_decided_by) REFERENCES "user" (id)'

WORDS = {
    "sqlite": {
        "serial": "INTEGER NOT NULL",
        "whole": "INTEGER",
        "flag": "INTEGER",
        "moment": "TEXT",
        "strict": " STRICT",
        "decider": ",\n    " + DECIDER,
    },
    "postgresql": {
        "serial": "BIGSERIAL NOT NULL",
        "whole": "BIGINT",
        "flag": "BOOLEAN",
        "moment": "TIMESTAMP WITH TIME ZONE",
        "strict": "",
        "decider": "",
    },
}


def kept(dialect: str) -> list[str]:
    """The triggers by which whoever acted can always be told, and for whom."""
    statements = []
    for table, act, name, when, says in (
        ("organisation", "DELETE", "organisation_never_deleted", "", "no organisation is ever deleted"),
        ('"user"', "DELETE", "user_never_deleted", "", "nobody is ever deleted"),
        ('"user"', "UPDATE", "user_never_moves", "WHEN (NEW.organisation_id <> OLD.organisation_id)", "nobody moves"),
    ):
        body = (
            f"{when} BEGIN SELECT RAISE(ABORT, 'registry: {says}'); END"
            if dialect == "sqlite"
            else f"FOR EACH ROW {when} EXECUTE FUNCTION ledger_refuse('{says}')"
        )
        statements.append(f"CREATE TRIGGER {name} BEFORE {act} ON {table} {body}")
    return statements


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    tables = TABLES.format(kinds=KINDS, kyc=KYC, languages=LANGUAGES, roles=ROLES, **WORDS[dialect])
    for statement in tables.split(";\n"):
        if statement.strip():
            op.execute(statement)
    if dialect == "postgresql":
        op.execute("ALTER TABLE organisation ADD " + DECIDER)
    for statement in kept(dialect):
        op.execute(statement)


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE organisation DROP CONSTRAINT fk_organisation_kyc_decided_by")
    for table in ("api_token", "role", '"user"', "organisation"):
        op.execute(f"DROP TABLE {table}")

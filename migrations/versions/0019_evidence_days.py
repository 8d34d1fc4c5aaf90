"""How many bytes an organisation adds a day is counted, and letters that were given up are found at once.

What was removed is gone from the papers, so their rows cannot say how much was sent; this row can.
"""

from alembic import op

revision = "0019_evidence_days"
down_revision = "0018_second_person"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE evidence_day (
    organisation_id {whole} NOT NULL,
    day {day} NOT NULL,
    bytes {whole} NOT NULL,
    CONSTRAINT pk_evidence_day PRIMARY KEY (organisation_id, day),
    CONSTRAINT ck_evidence_day_bytes_counted CHECK (bytes >= 0),
    CONSTRAINT fk_evidence_day_organisation_id FOREIGN KEY (organisation_id) REFERENCES organisation (id)
){strict}
"""
WORDS = {
    "sqlite": {"whole": "INTEGER", "day": "TEXT", "strict": " STRICT"},
    "postgresql": {"whole": "BIGINT", "day": "DATE", "strict": ""},
}
GIVEN_UP = "mail_tries > 0 AND mail_due_at IS NULL AND mailed_at IS NULL"


def upgrade() -> None:
    op.execute(TABLE.format(**WORDS[op.get_bind().dialect.name]))
    op.execute(f"CREATE INDEX ix_notice_given_up ON notice (mail_tries) WHERE {GIVEN_UP}")


def downgrade() -> None:
    op.execute("DROP INDEX ix_notice_given_up")
    op.execute("DROP TABLE evidence_day")

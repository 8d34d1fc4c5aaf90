"""What one person sends is summed by time; trust that has ended is not written again as if from before.

The index serves the sum of a sender's last transfers. A transfer proposed before the end of a trust, and accepted after
it, must not bring the trust back: whoever ended it has said no since.
"""

from alembic import op

revision = "0018_second_person"
down_revision = "0017_reviews"
branch_labels = None
depends_on = None

ENDED = """EXISTS (SELECT 1 FROM trust t
    WHERE t.holder_id = NEW.holder_id AND t.recipient_id = NEW.recipient_id AND t.ended_at > NEW.proposed_at)"""
SQLITE = [
    f"""CREATE TRIGGER trust_not_back BEFORE INSERT ON trust WHEN {ENDED}
        BEGIN SELECT RAISE(ABORT, 'registry: this trust has ended since'); END"""
]
POSTGRESQL = [
    f"""CREATE FUNCTION trust_not_back() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF {ENDED} THEN
            RAISE EXCEPTION 'registry: this trust has ended since' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW; END $$""",
    """CREATE TRIGGER trust_not_back BEFORE INSERT ON trust FOR EACH ROW EXECUTE FUNCTION trust_not_back()""",
]


def upgrade() -> None:
    op.execute("CREATE INDEX ix_transfer_sender_id_proposed_at ON transfer (sender_id, proposed_at)")
    for statement in SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRESQL:
        op.execute(statement)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER trust_not_back")
    else:
        op.execute("DROP TRIGGER trust_not_back ON trust")
        op.execute("DROP FUNCTION trust_not_back()")
    op.execute("DROP INDEX ix_transfer_sender_id_proposed_at")

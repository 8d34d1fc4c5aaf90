"""Let no event be longer than an entry of the published log can be.

A bundle of entries says each length in two bytes. The code refuses longer ones; this is the second lock on the door.
"""

from alembic import op

revision = "0011_event_size"
down_revision = "0010_trusted"
branch_labels = None
depends_on = None

REFUSE = {
    "sqlite": """CREATE TRIGGER event_fits_the_log BEFORE INSERT ON event WHEN length(NEW.body) > 65535
                 BEGIN SELECT RAISE(ABORT, 'ledger: an event has at most 65535 bytes'); END""",
    "postgresql": """CREATE TRIGGER event_fits_the_log BEFORE INSERT ON event FOR EACH ROW
                     WHEN (octet_length(NEW.body) > 65535)
                     EXECUTE FUNCTION ledger_refuse('an event has at most 65535 bytes')""",
}


def upgrade() -> None:
    op.execute(REFUSE[op.get_bind().dialect.name])


def downgrade() -> None:
    op.execute("DROP TRIGGER event_fits_the_log" + (" ON event" if op.get_bind().dialect.name == "postgresql" else ""))

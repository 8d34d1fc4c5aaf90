"""A posting in one trip finds its rows by their indexes, also where the tables were small when it was first planned.

PostgreSQL keeps the plan of a statement in a function, and reads a small table from end to end. The table grows, and
until it is analysed again each posting would read all of it.
"""

from alembic import op

revision = "0029_by_the_index"
down_revision = "0028_order_walls"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER FUNCTION ledger_post_once SET enable_seqscan = off")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER FUNCTION ledger_post_once RESET enable_seqscan")

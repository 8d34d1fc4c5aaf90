"""Read the history of an issuance backwards along an index, newest posting first.

It takes the place of the index by serials, which nothing looks things up in: the newest postings of a long history
were then found by reading all of it.
"""

from alembic import op

revision = "0012_history"
down_revision = "0011_event_size"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE INDEX ix_entry_issuance_id_posting_id ON entry (issuance_id, posting_id, first)")
    op.execute("DROP INDEX ix_entry_issuance_id_first")


def downgrade() -> None:
    op.execute("CREATE INDEX ix_entry_issuance_id_first ON entry (issuance_id, first)")
    op.execute("DROP INDEX ix_entry_issuance_id_posting_id")

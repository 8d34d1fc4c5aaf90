"""A posting in one trip."""

revision = "0029_ledger_one_trip"
down_revision = "0028_order_walls"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass

"""Claim, pick and write in one trip."""

revision = "0013_one_trip"
down_revision = "0012_history"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass

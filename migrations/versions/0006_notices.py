"""What people are told."""

revision = "0006_notices"
down_revision = "0005_movements"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass

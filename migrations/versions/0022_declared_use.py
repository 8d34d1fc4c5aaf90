"""What a manufacturer declares to use of a mineral in a year."""

revision = "0022_declared_use"
down_revision = "0021_premium"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass

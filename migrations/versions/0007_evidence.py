"""Evidence looked at by content."""

revision = "0007_evidence"
down_revision = "0006_notices"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass

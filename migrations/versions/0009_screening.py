"""Screening and plausibility."""

revision = "0009_screening"
down_revision = "0008_assurance"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass

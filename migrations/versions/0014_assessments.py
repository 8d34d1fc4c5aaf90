"""Assessments against a standard, findings, plans, and the state of a site over time."""

revision = "0014_assessments"
down_revision = "0013_one_trip"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass

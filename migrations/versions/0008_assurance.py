"""Standards, assessments, findings, grievances and groups."""

revision = "0008_assurance"
down_revision = "0007_evidence"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass

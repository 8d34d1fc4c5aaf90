"""Who verifies what: assignments, declarations, cycles; groups and grievances."""

revision = "0015_independence"
down_revision = "0014_assessments"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass

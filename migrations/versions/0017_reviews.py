"""Threads of a review, and the verification statement."""

revision = "0017_reviews"
down_revision = "0016_site_records"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass

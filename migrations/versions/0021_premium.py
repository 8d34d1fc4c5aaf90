"""Where the money of a sale belongs, what a site's committee decided, and what was paid out and spent."""

revision = "0021_premium"
down_revision = "0020_market"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass

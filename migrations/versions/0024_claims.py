"""What companies have published about their retirements."""

revision = "0024_claims"
down_revision = "0023_certificates"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass

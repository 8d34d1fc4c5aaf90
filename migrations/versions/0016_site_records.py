"""What a site keeps: training, members, accidents; files brought in many rows."""

revision = "0016_site_records"
down_revision = "0015_independence"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass

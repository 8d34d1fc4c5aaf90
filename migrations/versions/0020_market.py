"""What is offered, ordered and paid."""

revision = "0020_market"
down_revision = "0019_evidence_days"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass

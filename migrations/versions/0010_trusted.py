"""Trusted counterparties: a first or a large transfer needs a second person and a delay."""

revision = "0010_trusted"
down_revision = "0009_screening"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass

"""Certificates in five languages, signed under a checkpoint; what is said of them later."""

revision = "0023_certificates"
down_revision = "0022_declared_use"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass

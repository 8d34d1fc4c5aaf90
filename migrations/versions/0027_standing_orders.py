"""Orders by quantity that wait until credits that fit are offered."""

revision = "0027_standing_orders"
down_revision = "0026_market_walls"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass

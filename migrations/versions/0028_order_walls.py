"""What plain SQL could still change about an order's offer and payment."""

revision = "0028_order_walls"
down_revision = "0027_standing_orders"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass

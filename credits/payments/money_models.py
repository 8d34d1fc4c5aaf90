"""Money in double entry, beside the credits: every amount goes from one account to another.

Money is in minor units of its currency. A balance is a sum over entries and stands nowhere: so nothing can part from
it, and no delivery waits for a row that every other one writes too. Nothing is ever changed or deleted.
"""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from credits.db import Model, Word, one_of
from credits.payments.going_back.going_back_models import Dispute, Refund
from credits.payments.models import Currency, Order
from credits.payments.premiums.premium_models import Payout


class MoneyKind(StrEnum):
    """Where money is. Premium is a site's, the others are the registry's, one of each for a currency."""

    PAID_IN = "paid_in"  # outside: what buyers have paid
    REFUNDED = "refunded"  # outside: what went back to them
    PREMIUM_HELD = "premium_held"
    PREMIUM_DISBURSED = "premium_disbursed"
    VERIFICATION = "verification"
    REGISTRY_FEE = "registry_fee"
    TAX = "tax"
    SHORTFALL = "shortfall"  # what the registry pays itself, because a site's premium is paid out already


OF_A_SITE = "kind IN ('premium_held', 'premium_disbursed')"


class MoneyAccount(Model):
    __tablename__ = "money_account"
    __table_args__ = (
        one_of("kind", MoneyKind),
        one_of("currency", Currency),
        CheckConstraint(f"({OF_A_SITE}) = (site_id IS NOT NULL)", name="premium_of_a_site"),
        Index(
            "uq_money_account_of_site",
            "site_id",
            "kind",
            "currency",
            unique=True,
            sqlite_where=text("site_id IS NOT NULL"),
            postgresql_where=text("site_id IS NOT NULL"),
        ),
        Index(
            "uq_money_account_of_registry",
            "kind",
            "currency",
            unique=True,
            sqlite_where=text("site_id IS NULL"),
            postgresql_where=text("site_id IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[MoneyKind] = mapped_column(Word(MoneyKind))
    site_id: Mapped[int | None] = mapped_column(ForeignKey("site.id"))
    currency: Mapped[Currency] = mapped_column(Word(Currency))


class MoneyPostingKind(StrEnum):
    SALE = "sale"
    REFUND = "refund"
    SHORTFALL = "shortfall"  # a dispute that was lost
    DISBURSEMENT = "disbursement"


class MoneyPosting(Model):
    """Money that moved at once, under an event of the journal, and why."""

    __tablename__ = "money_posting"
    __table_args__ = (
        one_of("kind", MoneyPostingKind),
        CheckConstraint(
            "(kind = 'disbursement') = (disbursement_id IS NOT NULL) AND (kind = 'refund') = (refund_id IS NOT NULL)"
            " AND (kind = 'shortfall') = (dispute_id IS NOT NULL)"
            " AND (kind <> 'disbursement') = (order_id IS NOT NULL)",
            name="why_whole",
        ),
        UniqueConstraint("event_id"),
        UniqueConstraint("refund_id"),
        UniqueConstraint("dispute_id"),
        UniqueConstraint("disbursement_id"),
        Index(
            "uq_money_posting_sale",
            "order_id",
            unique=True,
            sqlite_where=text("kind = 'sale'"),
            postgresql_where=text("kind = 'sale'"),
        ),
        Index("ix_money_posting_order_id", "order_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[MoneyPostingKind] = mapped_column(Word(MoneyPostingKind))
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id"))
    order_id: Mapped[int | None] = mapped_column(ForeignKey("purchase.id"))
    refund_id: Mapped[int | None] = mapped_column(ForeignKey("refund.id"))
    dispute_id: Mapped[int | None] = mapped_column(ForeignKey("dispute.id"))
    disbursement_id: Mapped[int | None] = mapped_column(ForeignKey("disbursement.id"))
    at: Mapped[datetime]

    order: Mapped[Order | None] = relationship()
    refund: Mapped[Refund | None] = relationship()
    dispute: Mapped[Dispute | None] = relationship()
    payout: Mapped[Payout | None] = relationship()


class MoneyEntry(Model):
    """An amount from one account to another. line: of the order whose money it is; 0 for tax and what is no order's."""

    __tablename__ = "money_entry"
    __table_args__ = (
        CheckConstraint("amount > 0", name="amount_positive"),
        CheckConstraint("from_account_id <> to_account_id", name="moves"),
        CheckConstraint("line >= 0", name="line_sound"),
        UniqueConstraint("posting_id", "line", "from_account_id", "to_account_id"),
        Index("ix_money_entry_from_account_id", "from_account_id"),
        Index("ix_money_entry_to_account_id", "to_account_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    posting_id: Mapped[int] = mapped_column(ForeignKey("money_posting.id"))
    line: Mapped[int]
    from_account_id: Mapped[int] = mapped_column(ForeignKey("money_account.id"))
    to_account_id: Mapped[int] = mapped_column(ForeignKey("money_account.id"))
    amount: Mapped[int]

    posting: Mapped[MoneyPosting] = relationship()

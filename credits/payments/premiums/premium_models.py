"""The tables of what becomes of premium: what committees decided, what was paid out, and what was bought with it.

Money is in minor units of its currency. Nothing here is ever changed or deleted, but for the steps of a payout and
whether a paper may be shown.
"""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from credits.db import Model, Word, one_of
from credits.participants.models import User
from credits.payments.models import Currency
from credits.registry.production import Site


class Theme(StrEnum):
    """What premium is spent on. Each has a column of its own in a minute."""

    HEALTH_AND_SAFETY = "health_and_safety"
    CHILD_RIGHTS = "child_rights"
    GOVERNANCE = "governance"
    ENVIRONMENT = "environment"
    INCOME = "income"
    OTHER = "other"


class Committee(Model):
    """The people who decide on a site's premium: how many women and men they are, and since when. The newest counts.

    names: private.
    """

    __tablename__ = "premium_committee"
    __table_args__ = (
        CheckConstraint("women >= 0 AND men >= 0 AND women + men > 0", name="has_members"),
        CheckConstraint("trim(names) <> ''", name="names_not_blank"),
        Index("ix_premium_committee_site_id", "site_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    women: Mapped[int]
    men: Mapped[int]
    names: Mapped[str]
    since: Mapped[date]
    entered_by_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    entered_at: Mapped[datetime]

    site: Mapped[Site] = relationship()


class Minute(Model):
    """What a site's committee decided to spend premium on, by theme. `said` is public.

    women, men: members who were there. amount: the sum over the themes.
    """

    __tablename__ = "premium_decision"
    __table_args__ = (
        one_of("currency", Currency),
        CheckConstraint(" AND ".join(f"{theme.value} >= 0" for theme in Theme), name="themes_sound"),
        CheckConstraint(f"amount > 0 AND amount = {' + '.join(theme.value for theme in Theme)}", name="amount_whole"),
        CheckConstraint("women >= 0 AND men >= 0 AND women + men > 0", name="somebody_there"),
        CheckConstraint("trim(said) <> ''", name="said_not_blank"),
        Index("ix_premium_decision_site_id", "site_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    committee_id: Mapped[int] = mapped_column(ForeignKey("premium_committee.id"))
    currency: Mapped[Currency] = mapped_column(Word(Currency))
    amount: Mapped[int]
    health_and_safety: Mapped[int]
    child_rights: Mapped[int]
    governance: Mapped[int]
    environment: Mapped[int]
    income: Mapped[int]
    other: Mapped[int]
    women: Mapped[int]
    men: Mapped[int]
    said: Mapped[str]
    decided_on: Mapped[date]
    entered_by_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    entered_at: Mapped[datetime]

    site: Mapped[Site] = relationship()
    committee: Mapped[Committee] = relationship()
    revocation: Mapped["Revocation | None"] = relationship(back_populates="minute")
    payouts: Mapped[list["Payout"]] = relationship(back_populates="minute", order_by="Payout.id")
    papers: Mapped[list["PremiumPaper"]] = relationship(order_by="PremiumPaper.id")

    @property
    def number(self) -> str:
        return f"MINUTE-{self.id:06d}"

    @property
    def by_theme(self) -> dict[Theme, int]:
        """Minor units, of the themes that get any."""
        return {theme: getattr(self, theme.value) for theme in Theme if getattr(self, theme.value)}


class Revocation(Model):
    """The committee took a decision back: what is not asked for yet is paid out no more."""

    __tablename__ = "premium_revocation"
    __table_args__ = (CheckConstraint("trim(reason) <> ''", name="reason_not_blank"),)

    decision_id: Mapped[int] = mapped_column(ForeignKey("premium_decision.id"), primary_key=True, autoincrement=False)
    reason: Mapped[str]
    revoked_by_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    revoked_at: Mapped[datetime]

    minute: Mapped[Minute] = relationship(back_populates="revocation")


class PayoutMeans(StrEnum):
    MOBILE_MONEY = "mobile_money"
    BANK = "bank"
    CASH = "cash"  # against a receipt


class PayoutState(StrEnum):
    ASKED = "asked"
    PAID = "paid"
    WITHDRAWN = "withdrawn"


class Payout(Model):
    """Premium that is paid out to a site on a decision of its committee: recorded, since no provider pays it out.

    payee: private. reference: of the provider, the bank or the receipt; there is one of each in the whole registry.
    Proposed and approved by two issuers, after the cooperative has asked.
    """

    __tablename__ = "disbursement"
    __table_args__ = (
        one_of("means", PayoutMeans),
        one_of("state", PayoutState),
        CheckConstraint("amount > 0", name="amount_positive"),
        CheckConstraint("trim(payee) <> ''", name="payee_not_blank"),
        CheckConstraint(
            "(state = 'paid') = (reference IS NOT NULL) AND (state = 'paid') = (paid_on IS NOT NULL)"
            " AND (state = 'paid') = (approved_at IS NOT NULL) AND (state = 'paid') = (proposed_by_id IS NOT NULL)"
            " AND (state = 'paid') = (approved_by_id IS NOT NULL)",
            name="paid_whole",
        ),
        CheckConstraint("proposed_by_id <> approved_by_id", name="two_people"),
        CheckConstraint("reference <> ''", name="reference_not_blank"),
        UniqueConstraint("reference"),
        Index("ix_disbursement_decision_id", "decision_id", "id"),
        Index("ix_disbursement_state", "state", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    decision_id: Mapped[int] = mapped_column(ForeignKey("premium_decision.id"))
    amount: Mapped[int]
    means: Mapped[PayoutMeans] = mapped_column(Word(PayoutMeans))
    payee: Mapped[str]
    asked_by_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    asked_at: Mapped[datetime]
    state: Mapped[PayoutState] = mapped_column(Word(PayoutState))
    reference: Mapped[str | None]
    paid_on: Mapped[date | None]
    proposed_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    approved_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    approved_at: Mapped[datetime | None]

    minute: Mapped[Minute] = relationship(back_populates="payouts")
    asked_by: Mapped[User] = relationship(foreign_keys=[asked_by_id])
    uses: Mapped[list["PremiumUse"]] = relationship(back_populates="payout", order_by="PremiumUse.id")
    papers: Mapped[list["PremiumPaper"]] = relationship(order_by="PremiumPaper.id")

    @property
    def number(self) -> str:
        return f"PAYOUT-{self.id:06d}"

    @property
    def used(self) -> int:
        """Minor units that are accounted for."""
        return sum(use.counted for use in self.uses)


class PremiumUse(Model):
    """What was bought with premium that was paid out. `bought` is public.

    corrects: the earlier one that this takes back, whole; its amount then counts against.
    """

    __tablename__ = "premium_use"
    __table_args__ = (
        one_of("theme", Theme),
        CheckConstraint("amount > 0", name="amount_positive"),
        CheckConstraint("trim(bought) <> ''", name="bought_not_blank"),
        UniqueConstraint("corrects_id"),
        Index("ix_premium_use_disbursement_id", "disbursement_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    disbursement_id: Mapped[int] = mapped_column(ForeignKey("disbursement.id"))
    theme: Mapped[Theme] = mapped_column(Word(Theme))
    amount: Mapped[int]
    bought: Mapped[str]
    bought_on: Mapped[date]
    corrects_id: Mapped[int | None] = mapped_column(ForeignKey("premium_use.id"))
    entered_by_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    entered_at: Mapped[datetime]

    payout: Mapped[Payout] = relationship(back_populates="uses")
    corrects: Mapped["PremiumUse | None"] = relationship(remote_side=[id], back_populates="corrected_by")
    corrected_by: Mapped["PremiumUse | None"] = relationship(back_populates="corrects")
    papers: Mapped[list["PremiumPaper"]] = relationship(order_by="PremiumPaper.id")

    @property
    def number(self) -> str:
        return f"USE-{self.id:06d}"

    @property
    def counted(self) -> int:
        """Its amount, below 0 where it takes another one back."""
        return self.amount if self.corrects_id is None else -self.amount


class PaperKind(StrEnum):
    MINUTE = "minute"
    PROOF = "proof"  # of a payout
    RECEIPT = "receipt"
    PHOTO = "photo"


class PremiumPaper(Model):
    """A minute, a proof, a receipt or a photo: its hash is public, its pages are where the cooperative consents.

    counts: not where the use that it belongs to was taken back, so that it can stand behind the right one.
    """

    __tablename__ = "premium_paper"
    __table_args__ = (
        one_of("kind", PaperKind),
        CheckConstraint("length(sha256) = 64", name="sha256_whole"),
        CheckConstraint("size > 0", name="size_positive"),
        CheckConstraint("pages > 0", name="pages_positive"),
        CheckConstraint(
            "(kind = 'minute') = (decision_id IS NOT NULL) AND (kind = 'proof') = (disbursement_id IS NOT NULL)"
            " AND (kind IN ('receipt', 'photo')) = (use_id IS NOT NULL)",
            name="belongs_to_one",
        ),
        Index(
            "uq_premium_paper_sha256",
            "sha256",
            unique=True,
            sqlite_where=text("counts = 1"),
            postgresql_where=text("counts"),
        ),
        Index("ix_premium_paper_decision_id", "decision_id"),
        Index("ix_premium_paper_disbursement_id", "disbursement_id"),
        Index("ix_premium_paper_use_id", "use_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[PaperKind] = mapped_column(Word(PaperKind))
    decision_id: Mapped[int | None] = mapped_column(ForeignKey("premium_decision.id"))
    disbursement_id: Mapped[int | None] = mapped_column(ForeignKey("disbursement.id"))
    use_id: Mapped[int | None] = mapped_column(ForeignKey("premium_use.id"))
    filename: Mapped[str]
    media_type: Mapped[str]
    size: Mapped[int]
    sha256: Mapped[str]
    pages: Mapped[int]
    open_to_public: Mapped[bool]
    counts: Mapped[bool] = mapped_column(default=True)
    added_by_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    added_at: Mapped[datetime]

"""The tables of screening and plausibility: questions to a reviewer, limits of a site, sales, checks of a quantity."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from credits.db import Document, Model, Word, one_of
from credits.participants.models import User
from credits.registry.minerals import Mineral, mineral_of
from credits.registry.movements import Decision
from credits.registry.production import Batch, Licence, Site


class ReviewQuestion(Model):
    """What the data raise about a batch in review, and what the reviewer says to it. Answered once, never deleted.

    code: what kind of question; about: what raised it, so that new data raise it anew. Both, and the source, are
    for the verifiers and the registry: the open data would tell the exact position.
    """

    __tablename__ = "review_question"
    __table_args__ = (
        CheckConstraint("trim(text) <> ''", name="text_not_blank"),
        CheckConstraint("trim(answer) <> ''", name="answer_not_blank"),
        CheckConstraint("(answer IS NULL) = (answered_by_id IS NULL)", name="answered_by_somebody"),
        CheckConstraint("(answer IS NULL) = (answered_at IS NULL)", name="answered_at_a_time"),
        UniqueConstraint("batch_id", "code", "about"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("batch.id"))
    code: Mapped[str]
    about: Mapped[str]
    text: Mapped[str]
    source: Mapped[str]
    seen_on: Mapped[date | None]
    asked_at: Mapped[datetime]
    answer: Mapped[str | None]
    answered_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    answered_at: Mapped[datetime | None]

    batch: Mapped[Batch] = relationship()
    answered_by: Mapped[User | None] = relationship()


class LimitKind(StrEnum):
    LICENCE_CAP = "licence_cap"
    INSTALLED_CAPACITY = "installed_capacity"
    PRODUCTIVITY = "productivity"


class Basis(StrEnum):
    """What the quantity of a limit weighs."""

    ORE = "ore"  # the dry weight of what is delivered; of gold the doré
    CONTAINED = "contained"


class Per(StrEnum):
    DAY = "day"
    MONTH = "month"
    YEAR = "year"
    MINER_DAY = "miner_day"


class SiteLimit(Model):
    """How much a site may or can produce of a mineral, who says so, and where it is written. Never edited.

    Of a kind, the registry's word counts before a verifier's, and that before the producer's; then the newer.
    """

    __tablename__ = "site_limit"
    __table_args__ = (
        one_of("kind", LimitKind),
        one_of("basis", Basis),
        one_of("per", Per),
        CheckConstraint("milligrams > 0", name="milligrams_positive"),
        CheckConstraint("(kind = 'productivity') = (per = 'miner_day')", name="per_fits"),
        CheckConstraint("(kind = 'licence_cap') = (licence_id IS NOT NULL)", name="licence_fits"),
        CheckConstraint("trim(source) <> ''", name="source_not_blank"),
        Index("ix_site_limit_site_id", "site_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    licence_id: Mapped[int | None] = mapped_column(ForeignKey("licence.id"))
    kind: Mapped[LimitKind] = mapped_column(Word(LimitKind))
    mineral_code: Mapped[str]
    milligrams: Mapped[int]
    basis: Mapped[Basis] = mapped_column(Word(Basis))
    per: Mapped[Per] = mapped_column(Word(Per))
    counts_from: Mapped[date]
    source: Mapped[str]
    source_date: Mapped[date]
    entered_by_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    entered_at: Mapped[datetime]

    site: Mapped[Site] = relationship()
    licence: Mapped[Licence | None] = relationship()
    entered_by: Mapped[User] = relationship()

    @property
    def mineral(self) -> Mineral:
        return mineral_of(self.mineral_code)


class Sale(Model):
    """Mineral of a batch that was physically sold, by one invoice or receipt. Weights in mg, grade in ppm."""

    __tablename__ = "sale"
    __table_args__ = (
        CheckConstraint("weight_mg > 0", name="weight_positive"),
        CheckConstraint("grade_ppm BETWEEN 1 AND 1000000", name="grade_sound"),
        CheckConstraint("contained_ng = weight_mg * grade_ppm", name="contained_sound"),
        CheckConstraint("number_key <> ''", name="number_not_blank"),
        UniqueConstraint("batch_id", "number_key"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("batch.id"))
    number: Mapped[str]  # of the invoice or receipt
    number_key: Mapped[str]  # the number as it is compared
    buyer: Mapped[str]
    sold_on: Mapped[date]
    weight_mg: Mapped[int]
    grade_ppm: Mapped[int]
    contained_ng: Mapped[int]
    entered_by_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    entered_at: Mapped[datetime]

    batch: Mapped[Batch] = relationship()


class CeilingOverride(Model):
    """Two administrators let a batch through above its ceiling, with a public reason. Never edited.

    most: base units of this batch that they let through.
    """

    __tablename__ = "ceiling_override"
    __table_args__ = (
        CheckConstraint("most > 0 AND ceiling >= 0 AND most > ceiling", name="above_the_ceiling"),
        CheckConstraint("trim(reason) <> ''", name="reason_not_blank"),
        Index("ix_ceiling_override_batch_id", "batch_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("batch.id"))
    decision_id: Mapped[int] = mapped_column(ForeignKey("decision.id"), unique=True)
    ceiling: Mapped[int]
    most: Mapped[int]
    reason: Mapped[str]
    made_at: Mapped[datetime]

    batch: Mapped[Batch] = relationship()
    decision: Mapped[Decision] = relationship()


class PlausibilityCheck(Model):
    """A batch's quantity held against its ceiling when it was verified. Never edited (invariant 7).

    claimed, ceiling: base units; no ceiling where no bound is known. bounds: each with its source, as it was then.
    """

    __tablename__ = "plausibility_check"
    __table_args__ = (
        CheckConstraint("claimed >= 0 AND ceiling >= 0", name="quantities_sound"),
        CheckConstraint("claimed <= ceiling OR override_id IS NOT NULL", name="within_or_let_through"),
        Index("ix_plausibility_check_batch_id", "batch_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    batch_id: Mapped[int] = mapped_column(ForeignKey("batch.id"))
    contained_ng: Mapped[int]
    claimed: Mapped[int]
    ceiling: Mapped[int | None]
    bounds: Mapped[list[Any]] = mapped_column(Document())
    figures: Mapped[str]  # version of the default figures
    override_id: Mapped[int | None] = mapped_column(ForeignKey("ceiling_override.id"))
    checked_by_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    checked_at: Mapped[datetime]

    batch: Mapped[Batch] = relationship()
    override: Mapped[CeilingOverride | None] = relationship()

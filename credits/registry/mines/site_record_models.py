"""What is written down of a site over time: training, members, accidents, mercury, formalisation, miners.

Each record has its day. Nobody changes one: a wrong one is struck out, with the reason, and entered anew.
"""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from credits.db import Model, Word, one_of
from credits.registry.production import Answer


class Severity(StrEnum):
    MINOR = "minor"
    SERIOUS = "serious"
    FATAL = "fatal"


class Stage(StrEnum):
    """How far a producer has come on the way to a licence, and beyond."""

    INFORMAL = "informal"
    IN_PROCESS = "in_process"
    LICENSED = "licensed"
    CERTIFIED = "certified"


def struck_out() -> tuple[CheckConstraint, CheckConstraint]:
    return (
        CheckConstraint("(struck_by_id IS NULL) = (struck_at IS NULL)", name="struck_by_somebody"),
        CheckConstraint(
            "(struck_at IS NULL) = (struck_reason IS NULL) AND (struck_reason IS NULL OR trim(struck_reason) <> '')",
            name="struck_for_a_reason",
        ),
    )


def on_its_day(table: str, day: str) -> Index:
    return Index(f"ix_{table}_site_id", "site_id", day)


def once_a_day(table: str, day: str) -> Index:
    """Of two counts of one day only one stands."""
    standing = text("struck_at IS NULL")
    name = f"uq_{table}_site_id_{day}"
    return Index(name, "site_id", day, unique=True, sqlite_where=standing, postgresql_where=standing)


class Written:
    """Whose site, who wrote it and when, and who struck it out."""

    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("site.id"))
    entered_by_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    entered_at: Mapped[datetime]
    struck_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    struck_at: Mapped[datetime | None]
    struck_reason: Mapped[str | None]


class TrainingSession(Written, Model):
    """People of the site were taught something. Nobody is named."""

    __tablename__ = "training_session"
    __table_args__ = (
        *struck_out(),
        CheckConstraint("trim(topic) <> ''", name="topic_not_blank"),
        CheckConstraint("minutes BETWEEN 1 AND 60000", name="minutes_sound"),
        CheckConstraint("women >= 0 AND men >= 0 AND women + men BETWEEN 1 AND 100000", name="somebody_came"),
        on_its_day("training_session", "held_on"),
    )

    held_on: Mapped[date]
    topic: Mapped[str]
    minutes: Mapped[int]
    women: Mapped[int]
    men: Mapped[int]


class MembersCount(Written, Model):
    """How many people belonged to the producer at this site on a day. young: of them, those of 18 to 35 years."""

    __tablename__ = "members_count"
    __table_args__ = (
        *struck_out(),
        CheckConstraint("young_women >= 0 AND women BETWEEN young_women AND 100000", name="women_sound"),
        CheckConstraint("young_men >= 0 AND men BETWEEN young_men AND 100000", name="men_sound"),
        on_its_day("members_count", "counted_on"),
        once_a_day("members_count", "counted_on"),
    )

    counted_on: Mapped[date]
    women: Mapped[int]
    men: Mapped[int]
    young_women: Mapped[int]
    young_men: Mapped[int]


class Accident(Written, Model):
    """Somebody was hurt or killed at work. measures: what was done. Nobody is named."""

    __tablename__ = "accident"
    __table_args__ = (
        *struck_out(),
        one_of("severity", Severity),
        CheckConstraint("hurt BETWEEN 0 AND 10000 AND killed BETWEEN 0 AND 10000", name="people_counted"),
        CheckConstraint("(severity = 'fatal') = (killed > 0)", name="fatal_where_killed"),
        CheckConstraint("trim(measures) <> ''", name="measures_not_blank"),
        on_its_day("accident", "happened_on"),
    )

    happened_on: Mapped[date]
    severity: Mapped[Severity] = mapped_column(Word(Severity))
    hurt: Mapped[int]
    killed: Mapped[int]
    measures: Mapped[str]


class MercuryUse(Written, Model):
    """Whether mercury was used on a day. The newest day is the site's own answer."""

    __tablename__ = "mercury_use"
    __table_args__ = (
        *struck_out(),
        one_of("used", Answer),
        on_its_day("mercury_use", "seen_on"),
        once_a_day("mercury_use", "seen_on"),
    )

    seen_on: Mapped[date]
    used: Mapped[Answer] = mapped_column(Word(Answer))
    note: Mapped[str]


class Formalisation(Written, Model):
    """The stage that was reached on a day. source: which paper, or whose word, says so."""

    __tablename__ = "formalisation"
    __table_args__ = (
        *struck_out(),
        one_of("stage", Stage),
        CheckConstraint("trim(source) <> ''", name="source_not_blank"),
        on_its_day("formalisation", "reached_on"),
        once_a_day("formalisation", "reached_on"),
    )

    reached_on: Mapped[date]
    stage: Mapped[Stage] = mapped_column(Word(Stage))
    source: Mapped[str]


class MinersCount(Written, Model):
    """How many people mined there on a usual day. The newest count is the site's own number."""

    __tablename__ = "miners_count"
    __table_args__ = (
        *struck_out(),
        CheckConstraint("miners BETWEEN 0 AND 100000", name="miners_sound"),
        on_its_day("miners_count", "counted_on"),
        once_a_day("miners_count", "counted_on"),
    )

    counted_on: Mapped[date]
    miners: Mapped[int]


SiteRecord = TrainingSession | MembersCount | Accident | MercuryUse | Formalisation | MinersCount

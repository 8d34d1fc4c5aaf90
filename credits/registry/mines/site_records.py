"""What is written down of a site over time, struck out where it was wrong, and summed up for the public."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from credits.errors import Conflict, Invalid, Missing
from credits.journal import events
from credits.ledger.claims import claim, settle
from credits.participants.models import User
from credits.participants.permissions import may_register_for
from credits.participants.wording import day_shown, paragraphs, printed
from credits.registry.mines.site_record_models import (
    Accident,
    Formalisation,
    MembersCount,
    MercuryUse,
    MinersCount,
    Severity,
    SiteRecord,
    TrainingSession,
)
from credits.registry.mines.sites import MOST_MINERS, number_of
from credits.registry.production import Site
from credits.registry.stillness import keep_site_still

# By the word that addresses and events use: the table, the column of its day, whether a day has one record only.
KINDS: dict[str, Any] = {
    "training": TrainingSession,
    "members": MembersCount,
    "accidents": Accident,
    "mercury": MercuryUse,
    "formalisation": Formalisation,
    "miners": MinersCount,
}
DAYS = {
    "training": "held_on",
    "members": "counted_on",
    "accidents": "happened_on",
    "mercury": "seen_on",
    "formalisation": "reached_on",
    "miners": "counted_on",
}
FIELDS = {
    "training": ("topic", "minutes", "women", "men"),
    "members": ("women", "men", "young_women", "young_men"),
    "accidents": ("severity", "hurt", "killed", "measures"),
    "mercury": ("used", "note"),
    "formalisation": ("stage", "source"),
    "miners": ("miners",),
}
MOST_PEOPLE = {"hurt": 10_000, "killed": 10_000, "minutes": 60_000}
PRIVATE = ("measures", "note")  # people write names into free text, whatever they are told
EARLIEST = date(1990, 1, 1)


class BadRecord(Invalid):
    """A day or figures that cannot be."""

    code = "bad_record"


class DayTaken(Conflict):
    """There is a record of this day already."""

    code = "day_taken"


class NoSuchRecord(Missing):
    code = "no_such_record"


def enter(
    session: Session, *, site: Site, kind: str, day: date, figures: dict[str, Any], by: User, key: str, at: datetime
) -> SiteRecord:
    """Write a record of a site down. figures: the columns of its kind, see FIELDS.

    Flushes. Raises NotAllowed, BadRecord, DayTaken, UnsoundText.
    """
    may_register_for(by, site.producer)
    asked = {"act": "record.enter", "site": site.id, "kind": kind, "day": str(day)}
    asked |= {name: str(value) for name, value in figures.items()}
    if earlier := claim(session, caller=by.number, key=key, request=asked):
        again: SiteRecord = session.get_one(KINDS[kind], earlier["record"])
        return again
    keep_site_still(session, site)
    record = described(kind, day, figures, today=at.date())
    record.site_id, record.entered_by_id, record.entered_at = site.id, by.id, at
    try:
        with session.begin_nested():
            session.add(record)
            session.flush()
    except IntegrityError:
        raise taken(day) from None
    tell(session, "entered", kind, site, record, by, at)
    carry_along(session, site, kind)
    settle(session, {"record": record.id})
    return record


def described(kind: str, day: date, figures: dict[str, Any], *, today: date) -> SiteRecord:
    """A record by itself, of no site yet. Raises BadRecord, UnsoundText."""
    if not EARLIEST <= day <= today:
        raise BadRecord(
            "The day lies in the future, or too far back. Please check it.", field=DAYS[kind], asked=str(day)
        )
    values = dict(figures)
    for name, value in values.items():
        if isinstance(value, int) and not 0 <= value <= MOST_PEOPLE.get(name, MOST_MINERS):
            raise BadRecord(f"The number for {name.replace('_', ' ')} cannot be.", field=name)
    check = CHECKS.get(kind)
    if check is not None:
        check(values)
    made: SiteRecord = KINDS[kind](**{DAYS[kind]: day}, **values)
    return made


def check_training(values: dict[str, Any]) -> None:
    values["topic"] = printed(values["topic"], "Topic", 200)
    if values["minutes"] < 1:
        raise BadRecord("Say how long the training was.", field="minutes")
    if not 1 <= values["women"] + values["men"] <= MOST_MINERS:
        raise BadRecord("Say how many women and men came.", field="women")


def check_members(values: dict[str, Any]) -> None:
    for all_of, young in (("women", "young_women"), ("men", "young_men")):
        if values[young] > values[all_of]:
            raise BadRecord(
                f"More young {all_of} than {all_of}: the young ones are counted among all {all_of}.", field=young
            )


def check_accident(values: dict[str, Any]) -> None:
    values["measures"] = paragraphs(values["measures"], "What was done", 2000)
    if (values["severity"] is Severity.FATAL) is not (values["killed"] > 0):
        raise BadRecord(
            "An accident is fatal if somebody was killed, and only then. Correct one of the two.", field="killed"
        )
    if values["hurt"] + values["killed"] < 1 and values["severity"] is not Severity.MINOR:
        raise BadRecord("Say how many people were hurt.", field="hurt")


def check_mercury(values: dict[str, Any]) -> None:
    values["note"] = paragraphs(values["note"], "Note", 1000) if values["note"].strip() else ""


def check_formalisation(values: dict[str, Any]) -> None:
    values["source"] = printed(values["source"], "Paper that says so", 200)


CHECKS = {
    "training": check_training,
    "members": check_members,
    "accidents": check_accident,
    "mercury": check_mercury,
    "formalisation": check_formalisation,
}


def strike(session: Session, *, site: Site, kind: str, record: SiteRecord, reason: str, by: User, at: datetime) -> None:
    """Say that a record was wrong. It stays, struck out. Flushes. Raises NotAllowed, DayTaken, UnsoundText."""
    may_register_for(by, site.producer)
    keep_site_still(session, site)
    session.refresh(record, with_for_update=True)
    if record.struck_at is not None:
        return
    record.struck_reason = paragraphs(reason, "Reason", 500)
    record.struck_by_id, record.struck_at = by.id, at
    session.flush()
    tell(session, "struck", kind, site, record, by, at)
    carry_along(session, site, kind)


def tell(session: Session, act: str, kind: str, site: Site, record: SiteRecord, by: User, at: datetime) -> None:
    facts = {"kind": kind, "record": record.id, "day": str(getattr(record, DAYS[kind]))}
    facts |= {name: plain(getattr(record, name)) for name in FIELDS[kind] if name not in PRIVATE}
    private = {name: getattr(record, name) for name in PRIVATE if name in FIELDS[kind] and getattr(record, name)}
    if act == "struck":
        private["reason"] = str(record.struck_reason)
    subject = number_of(site)
    events.append(
        session, kind=f"record.{act}", subject=subject, actor=by.number, at=at, facts=facts, private=private or None
    )


def plain(value: Any) -> Any:
    return value if isinstance(value, int) else str(value)


def carry_along(session: Session, site: Site, kind: str) -> None:
    """Let the site itself say what its newest record says: screening, plausibility and pages read it there.

    After `keep_site_still`. What was verified before is issued as it was verified, see `issuance.confirmed_mercury`.
    """
    newest = next(iter(records_of(session, site, kind)), None)
    if isinstance(newest, MercuryUse):
        site.mercury = newest.used
    elif isinstance(newest, MinersCount):
        site.miners = newest.miners
    session.flush()


def records_of(session: Session, site: Site, kind: str, *, struck: bool = False) -> Sequence[SiteRecord]:
    """The records of a kind, the newest day first; struck: also those that were struck out."""
    table: Any = KINDS[kind]
    wanted = select(table).where(table.site_id == site.id)
    if not struck:
        wanted = wanted.where(table.struck_at.is_(None))
    return list(session.scalars(wanted.order_by(getattr(table, DAYS[kind]).desc(), table.id.desc())))


def record_of(session: Session, site: Site, kind: str, record_id: int) -> SiteRecord:
    """One record of the site. Raises NoSuchRecord."""
    found: SiteRecord | None = session.get(KINDS[kind], record_id) if kind in KINDS else None
    if found is None or found.site_id != site.id:
        raise NoSuchRecord("There is no such record.")
    return found


def taken(day: date) -> DayTaken:
    return DayTaken(
        f"There is a record of {day_shown(day)} already. If that one is wrong, strike it out first; otherwise choose "
        "another day.",
        day=str(day),
    )


@dataclass(frozen=True)
class Summary:
    """What anybody may know: numbers of people, never who. trained: sessions, hours, women and men of the last year."""

    members: MembersCount | None
    stage: Formalisation | None
    mercury: MercuryUse | None
    miners: MinersCount | None
    sessions: int
    minutes: int
    trained_women: int
    trained_men: int
    accidents: int
    killed: int
    since: date

    @property
    def empty(self) -> bool:
        return not (self.members or self.stage or self.mercury or self.miners or self.sessions or self.accidents)


def summary(session: Session, site: Site, *, today: date) -> Summary:
    """The newest counts of a site, and sums over the last twelve months."""
    since = date(today.year - 1, today.month, min(today.day, 28))
    newest: dict[str, Any] = {
        kind: next(iter(records_of(session, site, kind)), None)
        for kind in ("members", "formalisation", "mercury", "miners")
    }
    trainings: Any = records_of(session, site, "training")
    mishaps: Any = records_of(session, site, "accidents")
    sessions = [each for each in trainings if each.held_on >= since]
    accidents = [each for each in mishaps if each.happened_on >= since]
    return Summary(
        members=newest["members"],
        stage=newest["formalisation"],
        mercury=newest["mercury"],
        miners=newest["miners"],
        sessions=len(sessions),
        minutes=sum(each.minutes for each in sessions),
        trained_women=sum(each.women for each in sessions),
        trained_men=sum(each.men for each in sessions),
        accidents=len(accidents),
        killed=sum(each.killed for each in accidents),
        since=since,
    )

"""The history of a batch as one story: the journal's events, in words, for all who may see the batch.

Of the batch itself, of its site meanwhile, of its findings and of the credits that came of it. Staff read names of
people and what only staff may know; others read their colleagues' names and the organisations of the others.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from flask import json
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from credits.journal import events
from credits.journal.models import Event
from credits.participants.models import Organisation, User
from credits.participants.permissions import is_auditor, is_issuer, is_verifier
from credits.registry.assurance.assurance_models import Assessment, SiteFinding
from credits.registry.making.reckoning import shown
from credits.registry.minerals import Mineral
from credits.registry.mines.site_states import start_of
from credits.registry.mines.sites import number_of
from credits.registry.models import Issuance
from credits.registry.production import Batch
from credits.registry.queries import digits_of
from credits.story_words import event_words, fields

# Told to staff alone: the open data would tell the exact position, and who compared papers saw other people's.
FOR_STAFF = (
    "question.answered",
    "evidence.question_answered",
    "assessment.begun",
    "assessment.saved",
    "batch.likeness_answered",
)
OF_THE_CREDITS = (
    "issuance.issued",
    "issuance.suspended",
    "issuance.suspension_lifted",
    "issuance.rolled_back",
    "debit.opened",
    "expiry.expired",
)
# How the journal's whole numbers are read: decimal places and unit.
UNITS = {
    "gross_mg": (6, " kg"),
    "moisture_ppm": (4, " %"),
    "dry_mg": (6, " kg"),
    "contained_ng": (12, " kg"),
    "grade_ppm": (4, " %"),
}
STOPPED = ("batch.rejected", "batch.withdrawn", "site.suspended", "issuance.suspended", "batch.stopped")
# Which private texts are told, of those who may see the batch.
SAID = {
    "batch.information_requested": ("text",),
    "batch.question_answered": ("text",),
    "batch.answered": ("text",),
    "batch.rejected": ("text",),
    "batch.given_back": ("reason",),
    "batch.question_settled": ("question",),
    "question.answered": ("question", "answer"),
    "finding.opened": ("text",),
}
FINENESS = (3, " / 1000")  # how the grade of gold is read


def of_batch(session: Session, viewer: User, batch: Batch) -> list[dict[str, Any]]:
    """Everything that happened to a batch, oldest first, as steps of the component `timeline`, as `viewer` may read it.

    The door has seen that `viewer` may see the batch.
    """
    staff = is_staff(viewer)
    told = [*events.story(session, batch.number), *_meanwhile(session, batch)]
    if not staff:
        told = [event for event in told if event.kind not in FOR_STAFF]
    issuance = session.scalars(select(Issuance).where(Issuance.batch_id == batch.id)).one_or_none()
    if issuance is not None:
        told += [event for event in events.story(session, issuance.number) if event.kind in OF_THE_CREDITS]
    return steps(session, sorted(told, key=lambda event: event.id), batch.mineral, viewer=None if staff else viewer)


def is_staff(viewer: User) -> bool:
    return is_verifier(viewer) or is_issuer(viewer) or is_auditor(viewer)


def _meanwhile(session: Session, batch: Batch) -> list[Event]:
    """What happened to the site since the batch was begun: licences, limits, its state, findings about it."""
    findings = session.scalars(select(SiteFinding).where(SiteFinding.site_id == batch.site_id))
    assessments = session.scalars(select(Assessment).where(Assessment.site_id == batch.site_id))
    subjects = [number_of(batch.site), *(each.number for each in findings), *(each.number for each in assessments)]
    known = Event.kind.in_(event_words())
    # Of a suspicion the event has the day alone.
    since = Event.at >= batch.drafted_at
    since |= (Event.actor == events.WITHHELD) & (Event.at >= start_of(batch.drafted_at.date()))
    wanted = select(Event).where(Event.subject.in_(subjects), since, known)
    return list(session.scalars(wanted.order_by(Event.id)))


def steps(
    session: Session, told: Sequence[Event], mineral: Mineral, *, viewer: User | None = None
) -> list[dict[str, Any]]:
    """Events as steps of the component `timeline`. mineral: whose grade they tell.

    viewer: who reads the names of colleagues alone; none reads them all.
    """
    facts = [json.loads(event.body)["facts"] for event in told]
    parties = {said[end] for said in facts for end in ("from", "to") if "transfer" in said}
    private = events.private_of(session, told)
    actors = {event.id: private.get(event.id, {}).get("actor", event.actor) for event in told}
    names = _people(session, set(actors.values()), viewer) | _organisations(session, parties)
    words = event_words()
    return [
        {
            "label": words.get(event.kind, event.kind),
            "at": _moment(event, private.get(event.id, {})),
            "by": names.get(by := actors[event.id], _("the registry itself") if by == events.SYSTEM else by),
            "note": _note(event.kind, said | private.get(event.id, {}), names, mineral),
            "tone": "stop" if event.kind in STOPPED else "done",
        }
        for event, said in zip(told, facts, strict=True)
    ]


def _moment(event: Event, private: Mapping[str, str]) -> datetime:
    """When it happened; of a suspicion the event tells it in private alone."""
    return datetime.fromisoformat(private["at"]) if event.actor == events.WITHHELD else event.at


def _people(session: Session, actors: set[str], viewer: User | None) -> dict[str, str]:
    ids = [digits_of(actor, "USR-") for actor in actors]
    people = session.scalars(select(User).where(User.id.in_(ids)))
    return {person.number: _name(person, viewer) for person in people}


def _name(person: User, viewer: User | None) -> str:
    """Colleagues by name, others by their organisation; everybody by both for staff."""
    if viewer is None:
        return f"{person.name}, {person.organisation.name}"
    return person.name if person.organisation_id == viewer.organisation_id else person.organisation.name


def _organisations(session: Session, numbers: set[str]) -> dict[str, str]:
    ids = [digits_of(number, "ORG-") for number in numbers]
    found = session.scalars(select(Organisation).where(Organisation.id.in_(ids)))
    return {organisation.number: organisation.name for organisation in found}


def _note(kind: str, facts: dict[str, Any], names: dict[str, str], mineral: Mineral) -> str:
    """What a step adds to its heading."""
    if kind == "batch.amended":
        changed = sorted(json.loads(facts["changed"]).items())
        return "; ".join(_change(name, *values, mineral=mineral) for name, values in changed)
    if kind in ("evidence.added", "evidence.removed"):
        return f"{kinds_of_paper()[facts['evidence']]} · SHA-256 {facts['sha256'][:12]}…"
    if kind in SAID:
        return " – ".join(str(facts[name]) for name in SAID[kind] if facts.get(name))
    if kind == "batch.verified":
        said: str = _(
            "%(standard)s %(version)s, %(level)s; valid %(first)s to %(last)s",
            standard=facts["standard"],
            version=facts["version"],
            level=facts["level"],
            first=facts["valid_from"],
            last=facts["valid_to"],
        )
        return said
    return _moved(kind, facts, names)


def _moved(kind: str, facts: dict[str, Any], names: dict[str, str]) -> str:
    """Which serials a step is about and between whom; of a draw, who was drawn."""
    if kind == "lots.drawn":
        return "; ".join([facts["draw"], ", ".join(facts["drawn"]) or _("nobody was eligible")])
    if kind == "issuance.issued":
        return str(facts["serials"])
    if kind == "retirement.retired":
        return "; ".join([facts["beneficiary"], *facts["serials"]])
    if kind.startswith("transfer."):
        return "; ".join([f"{names[facts['from']]} → {names[facts['to']]}", *facts["serials"]])
    return ""


def _change(name: str, before: Any, after: Any, *, mineral: Mineral) -> str:
    return "{}: {} → {}".format(*figure_change(name, before, after, mineral=mineral))


def figure_change(name: str, before: Any, after: Any, *, mineral: Mineral) -> tuple[str, str, str]:
    """A changed figure as people read it: its name, the old and the new value. mineral: of the batch."""
    fineness = mineral.per_thousand and name == "grade_ppm"
    if name in UNITS:
        places, unit = FINENESS if fineness else UNITS[name]
        before, after = (f"{shown(int(value), places)}{unit}" for value in (before, after))
    return _("Fineness") if fineness else fields().get(name, name), str(before), str(after)


def kinds_of_paper() -> dict[str, str]:
    return {
        "scale_log": _("Scale log"),
        "assay": _("Assay"),
        "sales_invoice": _("Sales invoice"),
        "royalty_receipt": _("Royalty receipt"),
        "tag_log": _("Tag log"),
        "photo": _("Photo"),
        "other": _("Other paper"),
    }

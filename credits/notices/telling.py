"""Telling people: a notice for each person concerned, in the transaction of what they are told."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from credits.notices.models import Notice
from credits.notices.wordings import Kind
from credits.participants.models import Kind as OrganisationKind
from credits.participants.models import Organisation, Role, RoleName, User

AT_ONCE = 500  # values of one look-up; SQLite bounds them

To = Organisation | User | Sequence[Organisation] | Sequence[User]


def tell(session: Session, *, to: To, kind: Kind, facts: dict[str, Any], at: datetime) -> None:
    """Tell everybody concerned of one occurrence, each once: on the page "Notices" at the commit, then by mail.

    to: persons, or organisations: then all their people, and those of the group manager that acts for them.
    facts: plain values, by the names that the wording of `kind` uses. Flushes, never commits.
    """
    tell_each(session, kind=kind, told=[(to, facts)], at=at)


def tell_each(session: Session, *, kind: Kind, told: Sequence[tuple[To, dict[str, Any]]], at: datetime) -> None:
    """As `tell`, for many occurrences of one kind."""
    parties = [(to if isinstance(to, Sequence) else [to], facts) for to, facts in told]
    acting = {
        number
        for several, _ in parties
        for each in several
        if isinstance(each, Organisation)
        for number in behind(each)
    }
    people = people_of(session, acting)
    rows = []
    for several, facts in parties:
        concerned: dict[int, None] = {}  # each once, in order
        for each in several:
            if isinstance(each, User):
                concerned |= {each.id: None} if each.active else {}
            else:
                concerned |= {person: None for number in behind(each) for person in people.get(number, ())}
        rows += [
            {"person_id": person, "kind": kind, "facts": facts, "told_at": at, "mail_due_at": at, "mail_tries": 0}
            for person in concerned
        ]
    if rows:
        session.execute(insert(Notice), rows)


def behind(organisation: Organisation) -> list[int]:
    """The organisation, and the group manager that acts for it, by their ids."""
    return [each for each in (organisation.id, organisation.group_manager_id) if each is not None]


def people_of(session: Session, organisations: Collection[int]) -> dict[int, list[int]]:
    """The people with an open account, by the ids of their organisations."""
    found: dict[int, list[int]] = {}
    ordered = sorted(organisations)
    for start in range(0, len(ordered), AT_ONCE):
        rows = session.execute(
            select(User.organisation_id, User.id)
            .where(User.organisation_id.in_(ordered[start : start + AT_ONCE]), User.active)
            .order_by(User.id)
        )
        for organisation, person in rows:
            found.setdefault(organisation, []).append(person)
    return found


def issuers(session: Session, *, other_than: Collection[int] = ()) -> list[User]:
    """The registry's issuers, without the people whose ids are in `other_than`."""
    wanted = (
        select(User)
        .join(Organisation, Organisation.id == User.organisation_id)
        .join(Role, Role.user_id == User.id)
        .where(Organisation.kind == OrganisationKind.REGISTRY, Role.name == RoleName.ISSUER, User.active)
        .where(User.id.not_in(other_than))
        .order_by(User.id)
    )
    return list(session.scalars(wanted))

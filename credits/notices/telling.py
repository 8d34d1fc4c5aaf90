"""Telling people: a notice for each person concerned, in the transaction of what they are told."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, bindparam, insert, or_, select
from sqlalchemy.orm import Session

from credits.notices.models import Notice
from credits.notices.wordings import Kind
from credits.participants.models import Kind as OrganisationKind
from credits.participants.models import Organisation, Role, RoleName, User
from credits.worded import Worded

NOTICES = cast(Table, Notice.__table__)
# Put together once, and past the object layer: most changes tell a few people of one thing.
PEOPLE = (
    select(
        User.id,
        bindparam("of_kind", type_=NOTICES.c.kind.type),
        bindparam("of_facts", type_=NOTICES.c.facts.type),
        bindparam("of_at", type_=NOTICES.c.told_at.type),
        bindparam("of_at", type_=NOTICES.c.told_at.type),
        bindparam("of_tries", type_=NOTICES.c.mail_tries.type),
    )
    .where(User.active)
    .order_by(User.id)
)
CONCERNED = or_(
    User.organisation_id.in_(bindparam("organisations", expanding=True)),
    User.id.in_(bindparam("persons", expanding=True)),
)
NOTICE = ("person_id", "kind", "facts", "told_at", "mail_due_at", "mail_tries")
AT_ONE_GO = insert(NOTICES).from_select(NOTICE, PEOPLE.where(CONCERNED))
BEHIND_ONE = User.organisation_id.in_([bindparam(each, type_=User.id.type) for each in ("organisation", "manager")])
OF_ONE = Worded(insert(NOTICES).from_select(NOTICE, PEOPLE.where(BEHIND_ONE)).returning(NOTICES.c.id))
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
    if len(told) == 1:
        ((to, facts),) = told
        tell_at_once(session, to if isinstance(to, Sequence) else [to], kind, facts, at)
        return
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


def tell_at_once(
    session: Session, parties: Sequence[Organisation | User], kind: Kind, facts: dict[str, Any], at: datetime
) -> None:
    """Find the people and write their notices in one trip."""
    values = {"of_kind": kind, "of_facts": facts, "of_at": at, "of_tries": 0}
    if len(parties) == 1 and isinstance(only := parties[0], Organisation):
        OF_ONE.rows(session, **values, organisation=only.id, manager=only.group_manager_id)
        return
    session.flush()  # such a statement does not do so by itself
    organisations = {number for each in parties if isinstance(each, Organisation) for number in behind(each)}
    persons = {each.id for each in parties if isinstance(each, User)}
    session.execute(AT_ONE_GO, values | {"organisations": list(organisations), "persons": list(persons)})


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

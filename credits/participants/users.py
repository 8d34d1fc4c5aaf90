"""The people of an organisation: entered, given roles, let go."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from credits.errors import Conflict, Invalid, Missing
from credits.journal import events
from credits.journal.models import Event
from credits.participants.models import Language, Organisation, Role, RoleName, User
from credits.participants.permissions import ROLES_OF, OwnAffair, may_manage_members, must_head
from credits.participants.wording import email_address, line


class EmailTaken(Conflict):
    code = "email_taken"


class UnfitRole(Invalid):
    code = "unfit_role"


class NoSuchUser(Missing):
    code = "no_such_user"


def add(
    session: Session,
    *,
    organisation: Organisation,
    name: str,
    email: str,
    language: Language,
    roles: Iterable[RoleName],
    handle: str,
    by: User,
    at: datetime,
    password: str | None = None,
) -> User:
    """Add a person to the organisation of `by`, who heads it.

    handle: a random text of the door's, by which sessions name the person.
    password: an argon2id hash; without one the person chooses one through the link in the invitation.

    Flushes. Raises NotAllowed, EmailTaken, UnfitRole, UnsoundText.
    """
    may_manage_members(by, organisation)
    user = enter(
        session,
        organisation=organisation,
        name=name,
        email=email,
        language=language,
        roles=roles,
        password=password,
        handle=handle,
        at=at,
    )
    tell_of(session, user, actor=by.number, at=at)
    return user


def enter(
    session: Session,
    *,
    organisation: Organisation,
    name: str,
    email: str,
    language: Language,
    roles: Iterable[RoleName],
    password: str | None,
    handle: str,
    at: datetime,
) -> User:
    """Write a person down, without asking who does so and without an event: for the operations of this room.

    Flushes. Raises EmailTaken, UnfitRole, UnsoundText.
    """
    wanted = sorted(set(roles))
    if not wanted or not set(wanted) <= set(ROLES_OF[organisation.kind]):
        raise UnfitRole("Choose at least one role, of those that such an organisation has.", roles=wanted)
    name, email = line(name, "Name"), email_address(email)
    try:
        with session.begin_nested():
            user = User(
                organisation=organisation,
                name=name,
                email=email,
                language=language,
                password=password,
                fs_uniquifier=handle,
                registered_at=at,
                roles=[Role(name=role) for role in wanted],
            )
            session.add(user)
            session.flush()
    except IntegrityError as error:
        if "uq_user_email" in str(error.orig) or "user.email" in str(error.orig):
            raise EmailTaken("Somebody signs in with this address already.") from None
        raise
    return user


def tell_of(session: Session, user: User, *, actor: str, at: datetime) -> None:
    """Append that a person was added."""
    events.append(
        session,
        kind="user.added",
        subject=user.number,
        actor=actor,
        at=at,
        facts={"organisation": user.organisation.number, "roles": [role.name.value for role in user.roles]},
        private={"name": user.name, "email": user.email},
    )


def brought_in_by(session: Session, user: User) -> set[str]:
    """Public ids of who added the person, of who added that one, and so on, as the journal tells it."""
    found: set[str] = set()
    number: str | None = user.number
    while number is not None and number not in found:
        found.add(number)
        added = select(Event.actor).where(Event.subject == number, Event.kind == "user.added").limit(1)
        number = session.scalars(added).one_or_none()
    return found - {user.number, events.SYSTEM}


def close(session: Session, user: User, *, handle: str, by: User, at: datetime) -> None:
    """Close a person's account: their sessions and tokens end at once. Never one's own, so a head remains.

    Flushes. Raises NotAllowed, OwnAffair.
    """
    must_head(by, user.organisation)
    if by.id == user.id:
        raise OwnAffair("Nobody closes their own account.")
    # One at a time, and fresh: two heads could otherwise close each other's accounts.
    session.refresh(user.organisation, with_for_update={"key_share": True})
    session.refresh(by)
    must_head(by, user.organisation)
    user.active = False
    user.fs_uniquifier = handle
    for token in user.tokens:
        token.revoked_at = token.revoked_at or at
    session.flush()
    events.append(
        session,
        kind="user.closed",
        subject=user.number,
        actor=by.number,
        at=at,
        facts={"organisation": user.organisation.number},
    )


def numbered(session: Session, number: str) -> User:
    """The person with the public id `number`. Raises NoSuchUser."""
    digits = number.removeprefix("USR-")
    user = None
    if digits != number and digits.isascii() and digits.isdigit() and 6 <= len(digits) <= 18:
        user = session.get(User, int(digits))
    if user is None or user.number != number:
        raise NoSuchUser("There is no such person.")
    return user


def with_email(session: Session, email: str) -> User | None:
    """Who signs in with `email`, however it is capitalised."""
    return session.scalars(select(User).where(User.email == email.strip().lower())).one_or_none()

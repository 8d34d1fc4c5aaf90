"""Who may be the second person of a holder: for what one person alone must not do (invariant 13).

A stolen account could otherwise make its own second person. So that one has been here for some days, in which the
others see the newcomer, and neither of the two has brought the other in. Roles are given with the account and never
later: how long somebody has had one is how long the account has stood.
"""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from credits.errors import CreditsError, NotAllowed
from credits.participants.models import Organisation, User
from credits.participants.permissions import DISPOSERS, WrongRole, has_any, is_issuer, is_own, may_dispose_of
from credits.participants.users import brought_in_by
from credits.participants.wording import moment_shown
from credits.registry.policy import Policy


class SamePerson(NotAllowed):
    """Who proposed it cannot be the second person too."""

    code = "same_person"


class TooNew(NotAllowed):
    """The account was opened too short a time before the proposal."""

    code = "second_person_too_new"


class OfOneHand(NotAllowed):
    """One of the two has added the other, or somebody who did: they may be one person."""

    code = "second_person_of_one_hand"


def stood_since(policy: Policy, proposed_at: datetime) -> datetime | None:
    """Since when at the latest a second person's account must have stood; None where it is not asked."""
    return proposed_at - timedelta(days=policy.days_before_second) if policy.days_before_second else None


def must_be_second(session: Session, *, holder: Organisation, first: User, since: datetime | None, by: User) -> None:
    """Raise NotAllowed unless `by` may approve in the name of `holder` what `first` has proposed.

    Somebody else who disposes of its credits and is independent of `first`; where it has nobody such, an issuer of the
    registry. since: what `stood_since` says.
    """
    if by.id == first.id:
        raise SamePerson("You have proposed this yourself: a second person approves it.")
    if not is_issuer(by) or is_own(by, holder):
        may_dispose_of(by, holder)
        must_be_independent(session, first, by, since)
        return
    if second_people(session, holder, first, since):
        raise WrongRole(f"{holder.name} has somebody else who can approve this: the registry does it for nobody else.")


def must_be_independent(session: Session, first: User, by: User, since: datetime | None) -> None:
    """Raise TooNew or OfOneHand where `by` may be nobody else than `first`."""
    if since is None:
        return
    if by.registered_at > since:
        raise TooNew(
            f"Your account is too new: whoever approves this has been here since {moment_shown(since)}, which is "
            "some days before it was proposed. Where there is nobody else, the registry approves it.",
            since=f"{since:%Y-%m-%dT%H:%M:%SZ}",
        )
    if by.number in brought_in_by(session, first) or first.number in brought_in_by(session, by):
        raise OfOneHand(
            "One of you two has added the other to the registry, so you cannot be two people for this. "
            "Where there is nobody else, the registry approves it."
        )


def second_people(session: Session, holder: Organisation, first: User, since: datetime | None) -> list[User]:
    """Who, beside the registry, can approve what `first` has proposed, by an account that is open."""
    houses = [number for number in (holder.id, holder.group_manager_id) if number is not None]
    people = session.scalars(
        select(User).where(User.organisation_id.in_(houses), User.id != first.id, User.active).order_by(User.id)
    )
    return [each for each in people if has_any(each, *DISPOSERS) and is_independent(session, first, each, since)]


def is_independent(session: Session, first: User, by: User, since: datetime | None) -> bool:
    try:
        must_be_independent(session, first, by, since)
    except CreditsError:
        return False
    return True


def may_be_second(session: Session, *, holder: Organisation, first: User, since: datetime | None, by: User) -> bool:
    """Whether pages offer it."""
    try:
        must_be_second(session, holder=holder, first=first, since=since, by=by)
    except CreditsError:
        return False
    return True

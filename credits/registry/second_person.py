"""Who may be the second person of a holder: for what one person alone must not do (invariant 13)."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from credits.errors import CreditsError, NotAllowed
from credits.participants.models import Organisation, User
from credits.participants.permissions import DISPOSERS, WrongRole, has_any, is_issuer, is_own, may_dispose_of


class SamePerson(NotAllowed):
    """Who proposed it cannot be the second person too."""

    code = "same_person"


def must_be_second(session: Session, *, holder: Organisation, first: User, by: User) -> None:
    """Raise NotAllowed unless `by` may approve in the name of `holder` what `first` has proposed.

    Somebody else who disposes of its credits; where it has nobody else, an issuer of the registry.
    """
    if by.id == first.id:
        raise SamePerson("You have proposed this yourself: a second person approves it.")
    if not is_issuer(by) or is_own(by, holder):
        may_dispose_of(by, holder)
        return
    if has_second(session, holder, first):
        raise WrongRole(f"{holder.name} has somebody else who can approve this: the registry does it for nobody else.")


def has_second(session: Session, holder: Organisation, first: User) -> bool:
    """Whether anybody but `first` disposes of the credits of `holder`, with an account that is open."""
    houses = [number for number in (holder.id, holder.group_manager_id) if number is not None]
    people = session.scalars(select(User).where(User.organisation_id.in_(houses), User.id != first.id, User.active))
    return any(has_any(each, *DISPOSERS) for each in people)


def may_be_second(session: Session, *, holder: Organisation, first: User, by: User) -> bool:
    """Whether pages offer it."""
    try:
        must_be_second(session, holder=holder, first=first, by=by)
    except CreditsError:
        return False
    return True

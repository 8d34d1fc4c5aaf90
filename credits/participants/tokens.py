"""Keys to the JSON API. The door draws the secret and shows it once; the registry keeps its digest."""

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from credits.errors import Conflict, Missing
from credits.journal import events
from credits.participants.models import ORGANISATION_IN_BRIEF, ApiToken, Organisation, Role, User
from credits.participants.permissions import WrongRole
from credits.participants.wording import line
from credits.worded import Worded, at_hand, parted

MARK = "asmc_"  # how every secret begins, so that scanners for leaked keys can know it
SHOWN = len(MARK) + 6
MOST = 20  # tokens in use, a person
USE_NOTED_EVERY = timedelta(hours=1)
# What most requests ask of who sends them; the rest is asked for where somebody needs it.
TOKEN = ("id", "user_id", "last_used_at")
USER = ("id", "organisation_id", "name", "email", "language", "active")
KNOWN = (
    *(getattr(ApiToken, name) for name in TOKEN),
    *(getattr(User, name) for name in USER),
    *(getattr(Organisation, name) for name in ORGANISATION_IN_BRIEF),
)
IN_USE = Worded(
    select(Role.name, *KNOWN)
    .select_from(ApiToken)
    .join(ApiToken.user)
    .join(User.organisation)
    .outerjoin(User.roles)
    .where(ApiToken.digest == bindparam("digest"), ApiToken.revoked_at.is_(None), User.active)
    .order_by(Role.name)
)


class TooManyTokens(Conflict):
    code = "too_many_tokens"


class NoSuchToken(Missing):
    code = "no_such_token"


def create(session: Session, *, user: User, name: str, secret: str, at: datetime, actor: str | None = None) -> ApiToken:
    """Enter a key that acts as `user`.

    secret: `MARK` and at least 32 random characters of the door's. Only its SHA-256 is kept: with that much
    chance in it, a slow hash would protect nothing more.
    actor: public id of who asked, if not the user.

    Flushes. Raises NotAllowed for a closed account, TooManyTokens, UnsoundText.
    """
    if not user.active:
        raise WrongRole("The account is closed.")
    in_use = select(func.count()).where(ApiToken.user_id == user.id, ApiToken.revoked_at.is_(None))
    if session.scalars(in_use).one() >= MOST:
        raise TooManyTokens(f"At most {MOST} tokens a person: revoke one first.", most=MOST)
    token = ApiToken(
        user=user,
        name=line(name, "Name of the token", 80),
        digest=digest_of(secret),
        prefix=secret[:SHOWN],
        created_at=at,
    )
    session.add(token)
    session.flush()
    _tell(session, "token.created", token, actor or user.number, at)
    return token


def revoke(session: Session, token_id: int, *, by: User, at: datetime) -> ApiToken:
    """End a key of one's own for good. Flushes. Raises NoSuchToken, also for other people's."""
    token = session.scalars(
        select(ApiToken).where(ApiToken.id == token_id, ApiToken.user_id == by.id).with_for_update()
    ).one_or_none()
    if token is None:
        raise NoSuchToken("There is no such token.")
    if token.revoked_at is None:
        token.revoked_at = at
        session.flush()
        _tell(session, "token.revoked", token, by.number, at)
    return token


def find(session: Session, secret: str) -> ApiToken | None:
    """The key in use with this secret, of a person whose account is open.

    With whose it is and what decides what they may, in one trip.
    """
    rows = IN_USE.rows(session, digest=digest_of(secret))
    if not rows:
        return None
    token, person, whose = parted(rows[0][1:], TOKEN, USER, ORGANISATION_IN_BRIEF)
    organisation = at_hand(session, Organisation, whose)
    roles = [at_hand(session, Role, {"user_id": person["id"], "name": name}) for name, *_ in rows if name]
    user = at_hand(session, User, person, organisation=organisation, roles=roles)
    return at_hand(session, ApiToken, token, user=user)


def use_is_due(token: ApiToken, at: datetime) -> bool:
    """Whether it is time to write down again that a key is in use."""
    return token.last_used_at is None or at - token.last_used_at >= USE_NOTED_EVERY


def note_use(session: Session, token: ApiToken, at: datetime) -> None:
    """Remember, to the hour, when a key was last used. Flushes."""
    token.last_used_at = at
    session.flush()


def digest_of(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def _tell(session: Session, what: str, token: ApiToken, actor: str, at: datetime) -> None:
    events.append(
        session,
        kind=what,
        subject=token.user.number,
        actor=actor,
        at=at,
        facts={"token": token.id},
        private={"name": token.name},
    )

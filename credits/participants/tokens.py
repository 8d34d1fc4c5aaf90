"""Keys to the JSON API. The door draws the secret and shows it once; the registry keeps its digest."""

import hashlib
from datetime import datetime, timedelta
from functools import cache

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.orm import Session, contains_eager, defer, joinedload

from credits.errors import Conflict, Missing
from credits.journal import events
from credits.participants.models import ApiToken, User
from credits.participants.permissions import WrongRole
from credits.participants.wording import line

MARK = "asmc_"  # how every secret begins, so that scanners for leaked keys can know it
SHOWN = len(MARK) + 6
MOST = 20  # tokens in use, a person
USE_NOTED_EVERY = timedelta(hours=1)
HOW_THEY_SIGN_IN = (  # of no concern to a machine
    User.password,
    User.tf_primary_method,
    User.tf_totp_secret,
    User.mf_recovery_codes,
    User.current_login_at,
    User.current_login_ip,
    User.last_login_at,
    User.last_login_ip,
    User.login_count,
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
    """The key in use with this secret, of a person whose account is open."""
    return session.scalars(finding(), {"digest": digest_of(secret)}).unique().one_or_none()


@cache
def finding() -> Select[ApiToken]:
    """A token with whose it is and what decides what they may: in one trip, and put together once."""
    return (
        select(ApiToken)
        .join(ApiToken.user)
        .where(ApiToken.digest == bindparam("digest"), ApiToken.revoked_at.is_(None), User.active)
        .options(
            contains_eager(ApiToken.user).options(
                *map(defer, HOW_THEY_SIGN_IN),
                joinedload(User.organisation, innerjoin=True),
                joinedload(User.roles),
            )
        )
    )


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

"""Who is asking, and what time it is. The doors ask here; below them both are arguments."""

import secrets
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import wraps
from typing import ParamSpec, TypeVar, cast

from flask import g, has_request_context, request, session
from flask_security import current_user as session_user

from credits.db import begin_writing
from credits.errors import NotAllowed
from credits.extensions import db
from credits.journal.outside import ReadOnly
from credits.participants import tokens
from credits.participants.models import Kind, User
from credits.participants.permissions import (
    NotApproved,
    WrongRole,
    is_auditor,
    is_issuer,
    is_verifier,
    must_issue,
    must_verify,
)

P = ParamSpec("P")
R = TypeVar("R")

API = "/api/"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
# Are sent something to look at, and change nothing.
READING = frozenset(
    {"web.check_document", "web.check_claim", "api.claims.check_claim", "api.verification.check_document"}
)


class NotSignedIn(NotAllowed):
    code = "not_signed_in"


def now() -> datetime:
    return datetime.now(UTC)


def new_handle() -> str:
    """A random text by which sessions name a person; a new one ends all the old sessions."""
    return secrets.token_hex(32)


def new_secret() -> str:
    """The secret of a new API token."""
    return tokens.MARK + secrets.token_urlsafe(32)


def through_api() -> bool:
    """Whether the request came in at the machines' door, where sessions and pages mean nothing."""
    return request.path.startswith(API)


def through_session() -> bool:
    """Whether the answer is for somebody who is signed in, and so for nobody else."""
    return not through_api() and request.endpoint != "static" and "_user_id" in session


def writes() -> bool:
    """Whether the request may change something."""
    return request.method not in SAFE_METHODS and request.endpoint not in READING


def reads() -> bool:
    """Whether we answer a request that changes nothing."""
    return has_request_context() and not writes()


def visitor() -> User | None:
    """Who is asking, if they said."""
    if through_api():
        token = g.get("token")
        return token.user if token else None
    return cast(User, session_user._get_current_object()) if session_user.is_authenticated else None


def current_user() -> User:
    """Who is asking. Raises NotSignedIn: a page then leads to the sign-in, the API answers 401."""
    user = visitor()
    if user is None:
        raise NotSignedIn("Please sign in first.")
    return user


def signed_in(view: Callable[P, R]) -> Callable[P, R]:
    """Guard a view: for people with an account."""
    return _guarded(view, lambda user: None)


def verifiers_only(view: Callable[P, R]) -> Callable[P, R]:
    """Guard a view: for a verifier's reviewers and leads."""
    return _guarded(view, must_verify)


def issuers_only(view: Callable[P, R]) -> Callable[P, R]:
    """Guard a view: for the registry's issuers."""
    return _guarded(view, must_issue)


def must_be_staff(user: User) -> None:
    """Who may enter the admin panel at all."""
    organisation = user.organisation
    if organisation.kind in (Kind.VERIFIER, Kind.REGISTRY) and not organisation.approved:
        raise NotApproved(f"The registry has to approve {organisation.name} first.", organisation=organisation.number)
    if not (is_verifier(user) or is_issuer(user) or is_auditor(user)):
        raise WrongRole("This part is for verifiers and the registry.")


def staff_only(view: Callable[P, R]) -> Callable[P, R]:
    """Guard a view: for verifiers, issuers and auditors."""
    return _guarded(view, must_be_staff)


def registry_only(view: Callable[P, R]) -> Callable[P, R]:
    """Guard a view: for the registry's issuers and auditors."""
    return _guarded(view, must_be_of_registry)


def must_be_of_registry(user: User) -> None:
    """Who may read what concerns all organisations alike."""
    if not (is_issuer(user) or is_auditor(user)):
        raise WrongRole("This part is for the registry.")


def admit_bearer() -> None:
    """Let a machine in by `Authorization: Bearer …`, for this request alone. Raises NotSignedIn.

    No session, cookie, address parameter or other header counts, so a foreign page cannot borrow the sign-in.
    """
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    token = tokens.find(db.session(), secret.strip()) if scheme.lower() == "bearer" else None
    if token is None:
        raise NotSignedIn("Send a token in use in the header `Authorization: Bearer …`.")
    at = now()
    if tokens.use_is_due(token, at):
        with suppress(ReadOnly):  # reading goes on
            begin_writing(db.session)
            tokens.note_use(db.session, token, at)
            db.session.commit()
        if writes():
            begin_writing(db.session)
    g.token = token


def _guarded(view: Callable[P, R], must: Callable[[User], None]) -> Callable[P, R]:
    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        must(current_user())
        return view(*args, **kwargs)

    return guarded

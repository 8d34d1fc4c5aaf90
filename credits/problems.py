"""Errors meet HTTP, here and nowhere else: a kind becomes a status, as a page or as problem+json (RFC 9457)."""

import logging
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, flash, g, json, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from sqlalchemy import Table, UniqueConstraint
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, OperationalError
from werkzeug.exceptions import (
    HTTPException,
    InternalServerError,
    RequestEntityTooLarge,
    SecurityError,
    TooManyRequests,
)

from credits.db import Model
from credits.errors import Conflict, CreditsError, Invalid, Missing, NotAllowed
from credits.extensions import db, security
from credits.identity import NotSignedIn, through_api, visitor, writes
from credits.journal.outside import ReadOnly
from credits.ledger import remember_refusal

log = logging.getLogger(__name__)

STATUSES: dict[type[CreditsError], int] = {ReadOnly: 503, Invalid: 422, NotAllowed: 403, Missing: 404, Conflict: 409}
JSON = ("application/json", "application/problem+json")
# What a request that never reached a rule is told: public and stable, as the codes of the rules are.
CODES = {
    400: "malformed",
    404: "missing",
    405: "method_not_allowed",
    413: "too_large",
    415: "wrong_media_type",
    422: "invalid",
    429: "too_many_requests",
}

# What a person is told where two of them were equally fast and the database had to say no.
SENTENCES = {
    "uq_user_email": "Somebody signs in with this address already.",
    "uq_request_claim": "This request is being worked on already. Look at its result before you send it again.",
}
UNEXPECTED = "The present state of the registry refuses this. Load the page again and look before you try once more."


def status_of(refusal: CreditsError) -> int:
    """The HTTP status of a refusal, for a view that shows it beside its own form."""
    if isinstance(refusal, NotSignedIn):
        return 401
    return next((status for kind, status in STATUSES.items() if isinstance(refusal, kind)), 409)


def register(app: Flask) -> None:
    """Let `app` answer every error from here. Call it last: other parts bring handlers of their own."""
    app.register_error_handler(CreditsError, on_refusal)
    app.register_error_handler(HTTPException, on_http)
    app.register_error_handler(IntegrityError, on_integrity)
    app.register_error_handler(DataError, on_unstorable)
    app.register_error_handler(OverflowError, on_unstorable)
    app.register_error_handler(UnicodeEncodeError, on_unstorable)
    app.register_error_handler(OperationalError, on_busy)
    app.register_error_handler(InternalServerError, on_fault)


def on_refusal(refusal: CreditsError) -> ResponseReturnValue:
    """A rule said no. Where that was behind an idempotency key, the same is said whenever the key comes again."""
    refusal = remember_refusal(db.session, refusal)
    if isinstance(refusal, NotSignedIn) and not through_api():
        flash(_("Please sign in first."), "info")
        return redirect(url_for("security.login", next=None if writes() else request.full_path.rstrip("?")), 303)
    return answer(status_of(refusal), refusal.message, refusal.code, context=refusal.detail)


def on_http(error: HTTPException) -> ResponseReturnValue:
    if isinstance(error, SecurityError):
        return "This is not the address of the registry.", 400, {"Content-Type": "text/plain"}
    if error.code is None or error.code < 400:
        return error  # a redirect
    db.session.rollback()
    if isinstance(error, CSRFError) and visitor() is None and not is_open_to_strangers():
        where = urlsplit(way_back())
        back = f"{where.path}?{where.query}".rstrip("?") or None
        return render_template("errors/session_ended.html", back=back), 400
    headers = {name: value for name, value in error.get_headers() if name.lower() != "content-type"}
    details = getattr(error, "data", None) or {}
    sentence = details.get("message") or _sentence(error)
    return answer(error.code, sentence, CODES.get(error.code, ""), errors=details.get("messages"), headers=headers)


def on_integrity(error: IntegrityError) -> ResponseReturnValue:
    """A constraint of the database said no: the same sentence as the rule before it, if we know the constraint."""
    db.session.rollback()
    name = constraint_of(error)
    if name not in SENTENCES:
        log.error("The database refused what the rules had let through: %s", name or "unnamed", exc_info=error)
    return answer(409, SENTENCES.get(name, UNEXPECTED), "conflict")


def on_unstorable(error: Exception) -> ResponseReturnValue:
    """A number or a text that no column can hold: nothing is kept under it, and nothing can be."""
    if not (isinstance(error, DataError) or "SQLite INTEGER" in str(error) or "surrogates" in str(error)):
        raise error
    db.session.rollback()
    if writes():
        return answer(422, _("A number or a text in it is beyond what the registry can keep."), "invalid")
    return answer(404, "", "missing")


def on_busy(error: OperationalError) -> ResponseReturnValue:
    log.error("The database did not answer in time.", exc_info=error)
    return _after_fault(503, headers={"Retry-After": "5"})


def on_fault(error: InternalServerError) -> ResponseReturnValue:
    return _after_fault(500)


def answer(
    status: int,
    message: str,
    code: str = "",
    *,
    context: dict[str, object] | None = None,
    errors: Any = None,
    headers: dict[str, str] | None = None,
) -> ResponseReturnValue:
    """The refusal as the asker reads it: a page for people, problem+json at the API.

    context: plain values of the rule that refused; errors: what is wrong with which field.
    """
    if not (through_api() or asks_for_json()):
        page = render_template("errors/error.html", status=status, message=message, code=code, back=way_back())
        return page, status, headers or {}
    return as_problem(status, message, code, context=context, errors=errors, headers=headers)


def as_problem(
    status: int,
    message: str,
    code: str = "",
    *,
    context: dict[str, object] | None = None,
    errors: Any = None,
    headers: dict[str, str] | None = None,
) -> Response:
    """The refusal as programs read it (RFC 9457)."""
    headers = headers or {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    title = HTTPStatus(status).phrase
    problem: dict[str, Any] = {"type": "about:blank", "title": title, "status": status, "detail": message or title}
    problem["code"] = code or title.lower().replace(" ", "_")
    if context:
        problem["context"] = context
    if errors:
        problem["errors"] = errors
    body = json.dumps(problem, default=str)
    return current_app.response_class(body, status, headers, mimetype="application/problem+json")


def asks_for_json() -> bool:
    """Whether a program asks at a door for people, and would rather be told in its own way."""
    return request.accept_mimetypes.best_match(["text/html", *JSON]) in JSON


def is_open_to_strangers() -> bool:
    """Whether the form that was sent is one that people fill in before they sign in."""
    return request.blueprint == "security" or request.endpoint == "web.sign_up"


def way_back() -> str:
    """The page of ours that a form was sent from; empty where the browser does not say."""
    came, here = urlsplit(request.referrer or ""), urlsplit(current_app.config["PUBLIC_URL"])
    ours = (came.scheme, came.netloc) == (here.scheme, here.netloc)
    return request.referrer or "" if ours and writes() else ""


def constraint_of(error: IntegrityError) -> str:
    """The name of the constraint that refused, on either database; empty if it has none."""
    diagnosis = getattr(error.orig, "diag", None)
    if diagnosis is not None:
        return str(diagnosis.constraint_name or "")
    kind, _colon, named = str(error.orig).partition(" constraint failed: ")
    if kind != "UNIQUE":
        return named
    # SQLite names the columns of a broken key, not the key.
    columns = [column.rpartition(".") for column in named.split(", ")]
    table = Model.metadata.tables.get(columns[0][0])
    return _unique_over(table, {name for _table, _dot, name in columns}) if table is not None else ""


def _unique_over(table: Table, columns: set[str]) -> str:
    keys = [(key.name, key.columns) for key in table.constraints if isinstance(key, UniqueConstraint)]
    keys += [(index.name, index.columns) for index in table.indexes if index.unique]
    keys.append((table.primary_key.name, table.primary_key.columns))
    for name, over in keys:
        if {column.name for column in over} == columns:
            return str(name or "")
    return ""


def _sentence(error: HTTPException) -> str:
    """What a person is told; empty leaves it to the words of the page."""
    if isinstance(error, CSRFError):
        return str(_("This form is too old, or was not sent from here. Load the page again and send it once more."))
    if isinstance(error, TooManyRequests):
        return str(_("That was tried too often. Wait a while, then try again."))
    most = request.max_content_length or 0
    if isinstance(error, RequestEntityTooLarge) and (request.content_length or 0) > most:  # else it has too many fields
        megabytes = f"{most / 1024**2:g}"
        return str(_("This is more than %(most)s MB: the registry takes no more at once.", most=megabytes))
    return ""


def _after_fault(status: int, headers: dict[str, str] | None = None) -> ResponseReturnValue:
    """Say so without asking the database anything: it may be what is broken."""
    try:
        db.session.rollback()
    except DBAPIError:
        log.exception("The rollback failed as well.")
    g._login_user = security.login_manager.anonymous_user()
    return answer(status, "", headers=headers)

"""Files that a browser sends in pieces, so that a lost connection costs one piece and not the whole."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from flask import Response, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from credits import receiving
from credits.errors import CreditsError
from credits.extensions import db
from credits.identity import new_handle, signed_in
from credits.ledger import remember_refusal
from credits.problems import status_of
from credits.web.blueprint import bp

P = ParamSpec("P")


def in_words(view: Callable[P, Response]) -> Callable[P, ResponseReturnValue]:
    """Answer a refusal as the sentence alone: the script shows it on the page that it stands on."""

    @wraps(view)
    def answered(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        try:
            return view(*args, **kwargs)
        except CreditsError as refusal:
            remember_refusal(db.session, refusal)
            return str(refusal), status_of(refusal), {"Content-Type": "text/plain; charset=utf-8"}
        except HTTPException as error:
            db.session.rollback()
            headers = {"Content-Type": "text/plain; charset=utf-8"}
            return str(error.description), error.code or 400, headers

    return answered


@bp.post("/batches/<number>/uploads")
@signed_in
@in_words
def begin_upload(number: str) -> Response:
    return receiving.begin(number, new_handle(), lambda handle: url_for("web.append_piece", handle=handle))


@bp.route("/uploads/<handle>", methods=["HEAD"])
@signed_in
@in_words
def sent_so_far(handle: str) -> Response:
    return receiving.offset(handle)


@bp.patch("/uploads/<handle>")
@signed_in
@in_words
def append_piece(handle: str) -> Response:
    return receiving.append(handle)


@bp.delete("/uploads/<handle>")
@signed_in
@in_words
def drop_upload(handle: str) -> Response:
    return receiving.drop(handle)

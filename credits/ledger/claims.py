"""Idempotency keys: claimed before anything is read, in the transaction of the change itself.

A reader that looks before it claims tells a caller "insufficient" about a request of theirs that has just
succeeded. Whoever claims a key second waits for the first and is given the first one's answer, be it a
result or a refusal. Keys belong to their caller, cover the whole request and live for ever.
"""

from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import Table, Transaction, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, SessionTransaction, scoped_session

from credits.db import Work, begin_writing, connection_of, dialect_of, unwrapped
from credits.errors import Conflict, CreditsError, Invalid, Missing, NotAllowed
from credits.ledger.models import RequestClaim

KINDS: dict[str, type[CreditsError]] = {
    "Invalid": Invalid,
    "NotAllowed": NotAllowed,
    "Missing": Missing,
    "Conflict": Conflict,
}
LONGEST_KEY = 200
OPEN_CLAIM = "open_claim"
CLAIM_WAS_NEW = "claim_was_new"


class KeyReused(Conflict):
    """The key was used before, for another request."""

    code = "key_reused"


class KeyUnusable(Invalid):
    """The key is empty, too long or no plain text."""

    code = "key_unusable"


class KeyBusy(Conflict):
    """The key was claimed by a request that never said how it ended."""

    code = "key_busy"


@dataclass(frozen=True)
class OpenClaim:
    """What was asked under a key, and the transaction that claimed it."""

    caller: str
    key: str
    request: dict[str, Any]
    transaction: SessionTransaction | Transaction | None


CLAIMS = cast(Table, RequestClaim.__table__)
# Put together once: that takes longer than the database needs to answer.
CLAIMING = {
    dialect.dialect.name: dialect.insert(CLAIMS).on_conflict_do_nothing().returning(CLAIMS.c.key)
    for dialect in (postgresql, sqlite)
}
SETTLING = (
    update(CLAIMS)
    .where(CLAIMS.c.caller == bindparam("of_caller"), CLAIMS.c.key == bindparam("of_key"))
    .values(answer=bindparam("said"))
)


def claim(work: Work, *, caller: str, key: str | None, request: dict[str, Any]) -> dict[str, Any] | None:
    """Claim `key` for `caller` and `request`; None where it is now ours, otherwise the earlier result.

    request: all that was asked, as plain values (str, int, lists of them).
    Raises the earlier refusal again, or KeyReused where another request used the key, naming what differs.
    """
    asked = opening(work, caller=caller, key=key, request=request)
    return None if taken(work, asked, answer=None) else answered(work, asked)


def opening(work: Work, *, caller: str, key: str | None, request: dict[str, Any]) -> OpenClaim:
    """The claim that is about to be made: a refusal from now on is remembered under it. Raises KeyUnusable."""
    if not key or len(key) > LONGEST_KEY or not key.isprintable():
        raise KeyUnusable(f"An idempotency key has 1 to {LONGEST_KEY} printable characters.")
    asked = OpenClaim(caller, key, request, transaction_of(work))
    work.info[OPEN_CLAIM], work.info[CLAIM_WAS_NEW] = asked, True
    return asked


def taken(work: Work, asked: OpenClaim, *, answer: dict[str, Any] | None) -> bool:
    """Whether the key is ours by this very insertion. Whoever holds it in a running transaction is waited for."""
    row = {"caller": asked.caller, "key": asked.key, "request": asked.request, "answer": answer}
    return work.execute(CLAIMING[dialect_of(work)], row).one_or_none() is not None


def answered(work: Work, asked: OpenClaim) -> dict[str, Any]:
    """The result of the request that has the key. Raises its refusal, KeyReused or KeyBusy."""
    earlier = work.execute(
        select(RequestClaim.request, RequestClaim.answer).where(
            RequestClaim.caller == asked.caller, RequestClaim.key == asked.key
        )
    ).one()
    return said_again(work, asked, earlier.request, earlier.answer)


def said_again(work: Work, asked: OpenClaim, request: dict[str, Any], answer: dict[str, Any] | None) -> dict[str, Any]:
    """The result of the earlier `request`, which had this `answer`. Raises its refusal, KeyReused or KeyBusy."""
    work.info.pop(OPEN_CLAIM, None)
    work.info[CLAIM_WAS_NEW] = False
    if request != asked.request:
        names = sorted(name for name in {*asked.request, *request} if asked.request.get(name) != request.get(name))
        raise KeyReused(
            f"This idempotency key was used for another request; it differs in: {', '.join(names)}.",
            differs_in=names,
        )
    if answer is None:
        raise KeyBusy("An earlier request with this key has not ended. Please ask again in a moment.")
    if "refusal" in answer:
        raise refusal_again(answer["refusal"])
    result: dict[str, Any] = answer["result"]
    return result


def was_new(session: Session) -> bool:
    """Whether the last request claimed in this session was a new one, not an earlier one answered again."""
    return bool(session.info.get(CLAIM_WAS_NEW, True))


def settle(work: Work, result: dict[str, Any]) -> None:
    """Write down the result of the request whose key this transaction claimed. Flushes."""
    write_answer(work, work.info.pop(OPEN_CLAIM), result)


def write_answer(work: Work, claimed: OpenClaim, result: dict[str, Any]) -> None:
    """The result alone; a refusal that comes after it is still remembered instead."""
    said = {"result": result}
    connection_of(work).execute(SETTLING, {"of_caller": claimed.caller, "of_key": claimed.key, "said": said})


def transaction_of(work: Work | scoped_session[Session]) -> SessionTransaction | Transaction | None:
    """The transaction that runs now; the doors hand over the session of their request behind a proxy without it."""
    return unwrapped(work).get_transaction()


def remember_refusal(session: Session, refusal: CreditsError) -> CreditsError:
    """Undo all that was begun, write the refusal down under its key and commit; what is to be told. For doors.

    That is the refusal itself, unless the same request was sent twice at once and the other one, with its turn while
    ours was being undone, has an answer already: then nobody hears two things about one request.
    """
    claimed: OpenClaim | None = session.info.pop(OPEN_CLAIM, None)
    ours = claimed is not None and claimed.transaction is transaction_of(session)
    session.rollback()
    if claimed is None or not ours:
        return refusal
    begin_writing(session)
    kind = next(name for name, family in KINDS.items() if isinstance(refusal, family))
    said = {"kind": kind, "code": refusal.code, "message": refusal.message, "detail": refusal.detail}
    try:
        if not taken(session, claimed, answer={"refusal": said}):
            answered(session, claimed)
            refusal = KeyBusy("The same request has just been carried out. Please ask again to hear how it ended.")
    except CreditsError as earlier:
        refusal = earlier
    session.commit()
    return refusal


def refusal_again(said: dict[str, Any]) -> CreditsError:
    """The refusal that was written down, of the same kind and with the same code."""
    family = KINDS[said["kind"]]
    again: type[CreditsError] = type(family.__name__, (family,), {"code": said["code"]})
    return again(said["message"], **said["detail"])

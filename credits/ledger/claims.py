"""Idempotency keys: claimed before anything is read, in the transaction of the change itself.

A reader that looks before it claims tells a caller "insufficient" about a request of theirs that has just
succeeded. Whoever claims a key second waits for the first and is given the first one's answer, be it a
result or a refusal. Keys belong to their caller, cover the whole request and live for ever.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, SessionTransaction

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


@dataclass
class OpenClaim:
    """The claim of the running transaction, and the savepoint right behind it."""

    caller: str
    key: str
    savepoint: SessionTransaction


def claim(session: Session, *, caller: str, key: str | None, request: dict[str, Any]) -> dict[str, Any] | None:
    """Claim `key` for `caller` and `request`; None where it is now ours, otherwise the earlier result.

    request: all that was asked, as plain values (str, int, lists of them).
    Raises the earlier refusal again, or KeyReused where another request used the key, naming what differs.
    """
    if not key or len(key) > LONGEST_KEY or not key.isprintable():
        raise KeyUnusable(f"An idempotency key has 1 to {LONGEST_KEY} printable characters.")
    dialect = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    claiming = dialect.insert(RequestClaim).values(caller=caller, key=key, request=request).on_conflict_do_nothing()
    session.info[CLAIM_WAS_NEW] = session.scalars(claiming.returning(RequestClaim.key)).one_or_none() is not None
    if session.info[CLAIM_WAS_NEW]:
        session.info[OPEN_CLAIM] = OpenClaim(caller, key, session.begin_nested())
        return None
    earlier = session.execute(
        select(RequestClaim.request, RequestClaim.answer).where(RequestClaim.caller == caller, RequestClaim.key == key)
    ).one()
    if earlier.request != request:
        names = sorted(n for n in {*request, *earlier.request} if request.get(n) != earlier.request.get(n))
        raise KeyReused(
            f"This idempotency key was used for another request; it differs in: {', '.join(names)}.",
            differs_in=names,
        )
    if earlier.answer is None:
        raise KeyBusy("An earlier request with this key has not ended. Please ask again in a moment.")
    if "refusal" in earlier.answer:
        raise refusal_again(earlier.answer["refusal"])
    result: dict[str, Any] = earlier.answer["result"]
    return result


def was_new(session: Session) -> bool:
    """Whether the last request claimed in this session was a new one, not an earlier one answered again."""
    return bool(session.info.get(CLAIM_WAS_NEW, True))


def settle(session: Session, result: dict[str, Any]) -> None:
    """Write down the result of the request whose key this transaction claimed. Flushes."""
    claimed: OpenClaim = session.info.pop(OPEN_CLAIM)
    session.flush()
    claimed.savepoint.commit()
    write_answer(session, claimed, {"result": result})


def remember_refusal(session: Session, refusal: CreditsError) -> None:
    """Undo what was begun behind the claim, write the refusal down and commit. For doors, in place of a rollback."""
    claimed: OpenClaim | None = session.info.pop(OPEN_CLAIM, None)
    if claimed is None or not claimed.savepoint.is_active:
        session.rollback()
        return
    claimed.savepoint.rollback()
    kind = next(name for name, family in KINDS.items() if isinstance(refusal, family))
    said = {
        "kind": kind,
        "code": refusal.code,
        "message": refusal.message,
        "detail": refusal.detail,
    }
    write_answer(session, claimed, {"refusal": said})
    session.commit()


def refusal_again(said: dict[str, Any]) -> CreditsError:
    """The refusal that was written down, of the same kind and with the same code."""
    family = KINDS[said["kind"]]
    again: type[CreditsError] = type(family.__name__, (family,), {"code": said["code"]})
    return again(said["message"], **said["detail"])


def write_answer(session: Session, claimed: OpenClaim, answer: dict[str, Any]) -> None:
    session.execute(
        update(RequestClaim)
        .where(RequestClaim.caller == claimed.caller, RequestClaim.key == claimed.key)
        .values(answer=answer)
        .execution_options(synchronize_session=False)
    )

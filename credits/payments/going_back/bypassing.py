"""Refunds that somebody made at the provider, past the registry: told in the log when seen, and when they fail.

A part that went back so cannot be undone, nor booked as a refund, which is whole: an issuer notes that it is known.

While one stands nothing is delivered for its money. One that fails has left the money with us, as if it had never been.
"""

import json
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from credits.errors import Conflict
from credits.journal.models import Event
from credits.participants.models import User
from credits.participants.permissions import must_issue
from credits.payments.gateway import Refunded
from credits.payments.going_back.going_back_models import Refund, RefundState
from credits.payments.models import Order, Payment
from credits.payments.orders import tell

MADE, FAILED, NOTED = "refund.not_ours", "refund.not_ours_failed", "refund.not_ours_noted"


class NothingToNote(Conflict):
    """There is no such refund past the registry, it has failed, or somebody has noted it."""

    code = "nothing_to_note"


def stands(session: Session, order: Order) -> bool:
    """Whether money of the order went back past the registry and did not come back to us."""
    return bool(told(session, order, MADE) - told(session, order, FAILED))


def came_back(session: Session, order: Order, refunded: Refunded) -> bool:
    """Whether a refund past the registry has failed: by this look, or by one before it, which this one is older than.

    Such a one is never taken for a refund of ours, which has yet to be sent.
    """
    name = refunded.reference
    failed = refunded.state is RefundState.FAILED and name in told(session, order, MADE)
    return failed or name in told(session, order, FAILED)


def note(session: Session, *, payment: Payment, refunded: Refunded, at: datetime) -> str | None:
    """Tell once that a refund past the registry was made, and once that it has failed; a word if it is new. Flushes.

    One that had failed before anybody saw it has kept nothing from anybody, and is not told.
    """
    name, order = refunded.reference, payment.order
    made = told(session, order, MADE)
    if refunded.state is not RefundState.FAILED:
        kind, is_new = MADE, name not in made
    else:
        kind, is_new = FAILED, name in made and name not in told(session, order, FAILED)
    if not is_new:
        return None
    facts: dict[str, Any] = {"attempt": payment.attempt, "refund": name}
    tell(session, order, kind, None, at, None, **facts)
    return kind.replace(".", "_")


def unnoted(session: Session, order: Order) -> list[str]:
    """The provider's names of the refunds past the registry that stand, that are none of ours and nobody has noted."""
    ours = select(Refund.reference).join(Payment, Payment.id == Refund.payment_id).where(Payment.order_id == order.id)
    ended = told(session, order, FAILED) | told(session, order, NOTED) | set(session.scalars(ours))
    return sorted(told(session, order, MADE) - ended)


def acknowledge(session: Session, *, order: Order, name: str, reason: str, by: User, at: datetime) -> None:
    """Write down that an issuer knows of a refund past the registry. Flushes.

    It moves nothing: what is paid and waits for it waits on. Raises NotAllowed, NothingToNote.
    """
    must_issue(by)
    session.refresh(order, with_for_update=True)
    if name not in unnoted(session, order):
        raise NothingToNote("There is nothing to note: it has failed, or somebody has noted it already.", refund=name)
    tell(session, order, NOTED, by, at, {"reason": reason}, refund=name)


def noted(session: Session, order: Order) -> set[str]:
    """The provider's names of the refunds past the registry that an issuer has noted."""
    return told(session, order, NOTED)


def told(session: Session, order: Order, kind: str) -> set[str]:
    """The provider's names of the refunds that the log has under this kind."""
    bodies = session.scalars(select(Event.body).where(Event.subject == order.number, Event.kind == kind))
    return {json.loads(body)["facts"]["refund"] for body in bodies}

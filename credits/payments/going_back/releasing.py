"""What comes to somebody whose payment is disputed, by a hold that is released or from somebody who sends it back.

It is held or taken in the same moment: it is never free between two rounds of the worker.
"""

from datetime import datetime

from sqlalchemy.orm import Session

from credits.ledger.posting import Posted
from credits.participants.models import User
from credits.payments.delivering import Disputed
from credits.payments.going_back import disputes, recovering
from credits.registry import holds
from credits.registry import transfer as transferring
from credits.registry.models import Transfer
from credits.registry.movements import Decision
from credits.registry.policy import Policy
from credits.registry.stillness import keep_still


def release(session: Session, decision: Decision, policy: Policy, by: User, at: datetime) -> Posted:
    """What `holds.release` does, but what a dispute is about does not come free. Flushes. Raises LetGoAlready."""
    holder = holds.hold_numbered(session, decision.subject).holder_id
    # The orders before the hold, as everybody locks them.
    locked = recovering.locked_orders(session, recovering.to_follow(session, buyer_id=holder))
    posting = holds.release(session, decision, policy, by, at)
    for order in locked:
        disputes.follow(session, order=order, at=at)
    return posting


def accept(session: Session, *, transfer: Transfer, by: User, at: datetime) -> None:
    """What `transfer.accept` does, but what a dispute is about does not come free. Flushes.

    Raises what that does, and Disputed where a dispute has begun at this very moment.
    """
    asked = {"buyer_id": transfer.recipient_id, "issuance_id": transfer.issuance_id}
    locked = recovering.locked_orders(session, recovering.disputed_with(session, **asked))
    if locked:  # the batch before it is read, for who only reads it first and locks it then waits for the others
        keep_still(session, sorted({line.issuance_id for order in locked for line in order.lines}))
    transferring.accept(session, transfer=transfer, by=by, at=at)
    for order in locked:
        disputes.follow(session, order=order, at=at)
    if set(recovering.disputed_with(session, **asked)) - {order.id for order in locked}:
        raise Disputed("The payment of these credits is disputed since a moment ago. Try again.")

"""What orders, payments, the ledger and the books of money say of each other, each asked of the database.

Behind `flask money reconcile`. What a question finds is an order that two of them tell differently.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, text
from sqlalchemy.orm import Session, joinedload

from credits.payments import invariants
from credits.payments.going_back.going_back_models import Refund, RefundState
from credits.payments.models import Payment, order_number

SHOWN = 100  # of each kind; there should be none
PROMPTLY = timedelta(days=3)  # a refund that is asked for is sent in this time
BACK = """(SELECT coalesce(sum(r.amount), 0) FROM refund r WHERE r.payment_id = p.id AND r.state <> 'failed')
    + (SELECT coalesce(sum(d.amount), 0) FROM dispute d WHERE d.payment_id = p.id AND d.state = 'lost')"""


@dataclass(frozen=True)
class Disagreement:
    """Two books that tell one thing differently. subject: an order's number, or what the
    provider or the books of money call it.
    """

    kind: str
    subject: str
    says: str


ORDERS = {
    "delivered_unpaid": (
        "Credits were delivered, and no one payment of it has cleared.",
        """SELECT o.id FROM purchase o WHERE o.posting_id IS NOT NULL AND 1 <> (
               SELECT count(*) FROM payment p WHERE p.order_id = o.id AND p.state = 'paid')""",
    ),
    "paid_undelivered": (
        "The money has cleared, and the credits wait.",
        "SELECT o.id FROM purchase o WHERE o.state = 'paid'",
    ),
    "paid_and_closed": (
        "The money has cleared, and the order was cancelled.",
        """SELECT o.id FROM purchase o JOIN payment p ON p.order_id = o.id
           WHERE o.state = 'cancelled' AND p.state = 'paid'""",
    ),
    "other_amount": (
        "It was paid with another amount or currency than it costs.",
        """SELECT o.id FROM purchase o JOIN payment p ON p.order_id = o.id
           WHERE p.state IN ('paid', 'surplus') AND (p.amount <> o.total OR p.currency <> o.currency)""",
    ),
    "not_reserved": (
        "It awaits its payment, and its credits are not set apart for it.",
        """SELECT o.id FROM purchase o JOIN purchase_line l ON l.order_id = o.id
           WHERE o.state IN ('awaiting_payment', 'paid') AND l.quantity <> (
               SELECT coalesce(sum(r.last - r.first + 1), 0) FROM earmark e JOIN earmark_range r ON r.earmark_id = e.id
               WHERE e.id = l.earmark_id AND e.closing_posting_id IS NULL)""",
    ),
    "other_quantity": (
        "The ledger has moved other credits to the buyer than were ordered.",
        """SELECT o.id FROM purchase o JOIN purchase_line l ON l.order_id = o.id WHERE o.posting_id IS NOT NULL
           GROUP BY o.id, o.posting_id, o.buyer_id, l.issuance_id
           HAVING sum(l.quantity) <> (
               SELECT coalesce(sum(e.last - e.first + 1), 0)
               FROM entry e JOIN holding h ON h.account_id = e.to_account_id
               WHERE e.posting_id = o.posting_id AND e.issuance_id = l.issuance_id
                 AND h.organisation_id = o.buyer_id AND h.kind = 'available')""",
    ),
    "not_refunded": (
        "It is refunded, and not all of the money goes back.",
        f"""SELECT o.id FROM purchase o LEFT JOIN payment p ON p.order_id = o.id AND p.state = 'paid'
            WHERE o.state = 'refunded' AND (p.id IS NULL OR o.total > {BACK})""",  # noqa: S608  words of our own
    ),
    "surplus_kept": (
        "Money came that the order did not want, and it does not all go back.",
        f"""SELECT o.id FROM purchase o JOIN payment p ON p.order_id = o.id
            WHERE p.state = 'surplus' AND p.amount > {BACK}""",  # noqa: S608  words of our own
    ),
    "transfer_unconfirmed": (
        "It was paid by a transfer from a bank that no two people have confirmed.",
        """SELECT o.id FROM purchase o JOIN payment p ON p.order_id = o.id
           WHERE p.means = 'bank_transfer' AND p.state IN ('paid', 'surplus') AND NOT EXISTS (
               SELECT 1 FROM decision d WHERE d.kind = 'bank_payment' AND d.state = 'approved'
               AND d.decided_by_id <> d.proposed_by_id AND d.subject = 'ORDER-' || CASE WHEN o.id < 1000000
                   THEN substr('00000' || o.id, length('' || o.id)) ELSE '' || o.id END)""",
    ),
}
COUNTS = {
    "orders": "SELECT count(*) FROM purchase WHERE state <> 'open'",
    "payments": "SELECT count(*) FROM payment WHERE state IN ('paid', 'surplus')",
    "delivered": "SELECT count(*) FROM purchase WHERE delivered_at IS NOT NULL",
    "refunded": "SELECT count(*) FROM refund WHERE state = 'done'",
}


def disagreements(session: Session) -> Iterator[Disagreement]:
    """What the registry's own books tell differently."""
    for kind, (says, query) in ORDERS.items():
        for order in sorted(set(session.scalars(text(query))))[:SHOWN]:
            yield Disagreement(kind, order_number(order), says)
    for promise in invariants.check(session):
        for place in promise.broken:
            yield Disagreement(promise.name, place, promise.says)


def overdue(session: Session, at: datetime) -> Iterator[Disagreement]:
    """Refunds that were asked for and that nobody has sent in time, the oldest first."""
    wanted = select(Refund).where(Refund.state == RefundState.ASKED, Refund.asked_at < at - PROMPTLY)
    wanted = wanted.options(joinedload(Refund.payment).joinedload(Payment.order)).order_by(Refund.id).limit(SHOWN)
    for refund in session.scalars(wanted):
        says = f"Its refund was asked for more than {PROMPTLY.days} days ago, and is not sent."
        yield Disagreement("refund_overdue", refund.payment.order.number, says)


def counts(session: Session) -> dict[str, int]:
    """How many orders were placed for good, payments have cleared, orders were delivered, refunds were made."""
    return {name: session.scalars(text(query)).one() for name, query in COUNTS.items()}

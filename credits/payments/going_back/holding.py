"""While a payment is disputed, what is left of what it bought is held; once that is won, it is free."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from credits.ledger.models import AccountKind
from credits.ledger.serials import SerialRange
from credits.payments import orders
from credits.payments.going_back import recovering
from credits.payments.going_back.concerning import ahead_of, concerned, held_of, moves_of, told
from credits.payments.going_back.going_back_models import Dispute, DisputeState
from credits.payments.models import Order
from credits.payments.orders import tell
from credits.payments.premiums.tracing import quantity_of
from credits.registry import earmarks
from credits.registry.accounts import account_of
from credits.registry.movements import Earmark, EarmarkKind


def hold(session: Session, order: Order, dispute: Dispute, at: datetime) -> Earmark | None:
    """Hold what the buyer still has of the order, as far as the dispute goes; None where nothing is left. Flushes."""
    wanted = concerned(order, dispute, ahead_of(session, dispute))
    return hold_these(session, order, recovering.within_reach(session, order, wanted, at), "dispute.opened", at)


def hold_these(
    session: Session, order: Order, ranges: Mapping[int, Sequence[SerialRange]], kind: str, at: datetime
) -> Earmark | None:
    """Hold these of the buyer's available serials, given by line; kind: of the event. Flushes."""
    source, target = (account_of(session, order.buyer, kind) for kind in (AccountKind.AVAILABLE, AccountKind.HELD))
    moves = moves_of(order, ranges, source, target)
    if not moves:
        return None
    facts = orders.facts_of(order) | {"holder": order.buyer.number}
    return earmarks.set_apart(
        session,
        kind=EarmarkKind.HELD,
        holder=order.buyer,
        why=f"The payment of {order.number} is disputed.",
        moves=moves,
        record=told(session, order, kind, facts, at),
        by=order.placed_by,  # nobody of the registry: it follows from their payment
        at=at,
    )


def hold_more(session: Session, order: Order, dispute: Dispute, at: datetime) -> bool:
    """Hold what is within reach now besides what is held: all of it under one new hold. Flushes."""
    held = dispute.earmark if dispute.earmark is not None and dispute.earmark.closing_posting_id is None else None
    mine = {line.line: held_of(session, line, held) if held else [] for line in order.lines}
    about = concerned(order, dispute, ahead_of(session, dispute))
    wanted = {number: max(0, quantity - quantity_of(mine[number])) for number, quantity in about.items()}
    more = recovering.within_reach(session, order, wanted, at)
    if not any(more.values()):
        return False
    if held is not None:
        session.refresh(held, with_for_update=True)
        earmarks.let_go(session, held, record=told(session, order, "dispute.extended", {}, at), by=None, at=at)
    together = {number: sorted((*mine[number], *ranges)) for number, ranges in more.items()}
    dispute.earmark = hold_these(session, order, together, "dispute.extended", at)
    session.flush()
    return True


def give_free(session: Session, order: Order, held: Earmark | None, at: datetime) -> None:
    """A dispute that was won: what was held is where it was."""
    if held is not None:
        session.refresh(held, with_for_update=True)
    outcome = {"outcome": DisputeState.WON.value}
    if held is None or held.closing_posting_id is not None:
        tell(session, order, "dispute.closed", None, at, None, **outcome)
        return
    earmarks.let_go(session, held, record=told(session, order, "dispute.closed", outcome, at), by=None, at=at)

"""After a dispute that was lost: what is left of its credits is taken, and what is not leaves a shortfall.

It goes back to the sellers as far as their sites still hold its premium. What of the premium is paid out is the
registry's loss, so those credits come into its buffer: else they would be sold, and their premium paid, twice.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from math import ceil

from sqlalchemy.orm import Session

from credits import ledger
from credits.ledger.models import AccountKind
from credits.payments.going_back import recovering
from credits.payments.going_back.concerning import concerned, held_of, lost_of, moves_of, share_of, told
from credits.payments.going_back.going_back_models import Dispute, DisputeState
from credits.payments.going_back.recovering import cut
from credits.payments.models import Order, Payment
from credits.payments.orders import tell
from credits.payments.premiums import premium
from credits.payments.premiums.tracing import gone_back, quantity_of, returned, without
from credits.registry.accounts import account_of, registry_account
from credits.registry.stillness import keep_still


def take_back(session: Session, order: Order, dispute: Dispute, at: datetime) -> int:
    """Take what is left of what a lost dispute is about; the shortfall, in minor units. Flushes."""
    keep_still(session, sorted({line.issuance_id for line in order.lines}))  # before the hold is locked
    if dispute.earmark is not None:
        session.refresh(dispute.earmark, with_for_update=True)
    kept = dispute.earmark if dispute.earmark is not None and dispute.earmark.closing_posting_id is None else None
    lost = lost_of(session, dispute.payment)
    wanted = due(session, order, dispute.payment, lost + dispute.amount)
    held = {line.line: held_of(session, line, kept) if kept else [] for line in order.lines}
    mine = {number: cut(ranges, wanted[number]) for number, ranges in held.items()}
    more = {number: quantity - quantity_of(mine[number]) for number, quantity in wanted.items()}
    free = recovering.within_reach(session, order, more, at)
    # What comes above its own was another one's, which could not reach it: the registry bore that, and gets it.
    about = concerned(order, dispute, lost)
    back = {number: min(about[number], quantity_of([*mine[number], *free[number]])) for number in mine}
    own = shortfall(order, dispute, about, back)
    covered = premium.covered(session, dispute=dispute, own=own)
    available, frozen = (account_of(session, order.buyer, kind) for kind in (AccountKind.AVAILABLE, AccountKind.HELD))
    buffer = registry_account(session, AccountKind.BUFFER)
    # What others that were won or lost meanwhile leave over of the hold is the buyer's own.
    spare = {number: without(ranges, mine[number]) for number, ranges in held.items()}
    moves = moves_of(order, spare, frozen, available)
    for line in order.lines:
        seller = account_of(session, line.seller, AccountKind.AVAILABLE)
        there = [(units, frozen) for units in mine[line.line]] + [(units, available) for units in free[line.line]]
        left = int(back[line.line] * covered.get(line.line, Fraction(1)))  # the seller's own again
        for units, source in there:
            to_seller = cut([units], left)
            left -= quantity_of(to_seller)
            moves += [ledger.Move(line.issuance_id, part, source, seller) for part in to_seller]
            moves += [ledger.Move(line.issuance_id, part, source, buffer) for part in without([units], to_seller)]
    if not moves:
        tell(session, order, "dispute.closed", None, at, None, outcome=DisputeState.LOST.value)
        return own
    kept_back = sum(each.units.quantity for each in moves if each.target == buffer)
    facts = {"outcome": DisputeState.LOST.value} | ({"to_buffer": kept_back} if kept_back else {})
    posting = ledger.move(session, moves, at=at, record=told(session, order, "dispute.closed", facts, at))
    if kept is not None:
        kept.closing_posting_id, kept.closed_at = posting.id, at
    return own


def take_more(session: Session, order: Order, lost: Sequence[Dispute], at: datetime) -> bool:
    """Put what is within reach now of what lost disputes are about into the registry's buffer. Flushes."""
    wanted = due(session, order, lost[0].payment, sum(dispute.amount for dispute in lost))
    more = recovering.within_reach(session, order, wanted, at)
    buffer = registry_account(session, AccountKind.BUFFER)
    moves = moves_of(order, more, account_of(session, order.buyer, AccountKind.AVAILABLE), buffer)
    if not moves:
        return False
    facts = {"holder": order.buyer.number, "to_buffer": sum(each.units.quantity for each in moves)}
    ledger.move(session, moves, at=at, record=told(session, order, "dispute.recovered", facts, at))
    return True


def due(session: Session, order: Order, payment: Payment, lost: int) -> dict[int, int]:
    """Base units by line that so many lost minor units of a payment are of, besides what has come back already.

    In whichever order its disputes end: what one could not reach, because another one held it, comes with the other.
    """
    wanted = {}
    for line in order.lines:
        gone = gone_back(session, [order.id], line.issuance).get(order.id, [])
        wanted[line.line] = max(0, share_of(line, lost, payment) - returned(session, line, gone))
    return wanted


def shortfall(order: Order, dispute: Dispute, about: Mapping[int, int], back: Mapping[int, int]) -> int:
    """Minor units of the disputed amount that what came back does not cover: in proportion, rounded up.

    about, back: base units by line. A line of which nothing is concerned lacks nothing.
    """
    share = sum(
        (
            Fraction(line.amount) * (1 - Fraction(back[line.line], about[line.line]))
            for line in order.lines
            if about[line.line]
        ),
        Fraction(0),
    )
    return ceil(share * dispute.amount / order.subtotal)

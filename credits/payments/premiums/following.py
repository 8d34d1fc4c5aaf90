"""Following money: which payouts a sale's premium went into, and which sale a unit was bought with.

Money has no serial numbers, so premium is attributed: what was collected first is paid out first, within a site and a
currency, less what went back. That is said wherever it is shown.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar

from sqlalchemy import Select, Subquery, func, select
from sqlalchemy.orm import Session, joinedload

from credits.ledger.serials import SerialRange
from credits.payments.models import Currency, Order, OrderLine
from credits.payments.money_models import MoneyAccount, MoneyEntry, MoneyKind, MoneyPosting, MoneyPostingKind
from credits.payments.premiums.premium_models import Minute, Payout
from credits.payments.premiums.tracing import MOST_LINES, Line, Purchase, purchases_of
from credits.registry.models import Issuance

K = TypeVar("K")
P = TypeVar("P")


@dataclass(frozen=True)
class Collected:
    """Premium of one order line, in minor units, less what went back. paid_on: when the buyer's money had cleared."""

    order_id: int
    line: int
    amount: int
    paid_on: date


@dataclass(frozen=True)
class Piece:
    """So much of a line's premium went into this payout."""

    payout: Payout
    amount: int


@dataclass(frozen=True)
class Followed:
    """A line's premium and where it is: paid out in pieces, the oldest first, and what is still held."""

    collected: Collected
    pieces: tuple[Piece, ...]

    @property
    def paid_out(self) -> int:
        return sum(piece.amount for piece in self.pieces)

    @property
    def held(self) -> int:
        return self.collected.amount - self.paid_out

    @property
    def days(self) -> int | None:
        """From the buyer's payment until the last of it was paid out; None while some is held."""
        if self.held or not self.pieces:
            return None
        last = max(piece.payout.paid_on or self.collected.paid_on for piece in self.pieces)
        return max(0, (last - self.collected.paid_on).days)


@dataclass(frozen=True)
class Trail:
    """Units that were bought in one order line, what they brought the site, and what became of it.

    units: base units. share, pieces: minor units, those of these units alone, rounded down.
    """

    order: Order
    line: OrderLine
    units: int
    share: int
    pieces: tuple[Piece, ...] = field(default=())

    @property
    def held(self) -> int:
        return self.share - sum(piece.amount for piece in self.pieces)


def attributed(came: Sequence[tuple[K, int]], went: Sequence[tuple[P, int]]) -> Iterator[tuple[K, P, int]]:
    """First in, first out: which part of what came went where. Both in their order; pure."""
    waiting = iter(came)
    source, left = next(waiting, (None, 0))
    for target, amount in went:
        while amount and source is not None:
            part = min(left, amount)
            if part:
                yield source, target, part
            amount, left = amount - part, left - part
            if not left:
                source, left = next(waiting, (None, 0))


def follow(session: Session, site_id: int, currency: Currency) -> list[Followed]:
    """All premium of a site in a currency, the oldest first."""
    collected = collected_by(session, site_id, currency)
    payouts = session.scalars(
        select(Payout)
        .join(MoneyPosting, MoneyPosting.disbursement_id == Payout.id)
        .join(Minute, Minute.id == Payout.decision_id)
        .where(Minute.site_id == site_id, Minute.currency == currency)
        .order_by(MoneyPosting.id)
        .options(joinedload(Payout.minute))
    ).all()
    pieces: dict[Collected, list[Piece]] = {}
    for source, payout, part in attributed(
        [(each, each.amount) for each in collected], [(payout, payout.amount) for payout in payouts]
    ):
        pieces.setdefault(source, []).append(Piece(payout, part))
    return [Followed(each, tuple(pieces.get(each, ()))) for each in collected]


def collected_by(session: Session, site_id: int, currency: Currency) -> list[Collected]:
    """What a site's sales brought it less what went back, line by line, in the order of the sales."""
    held = holding(site_id, currency)
    back = {(order, line): int(amount) for order, line, amount in session.execute(gone_from(held))}
    came = session.execute(
        select(MoneyPosting.order_id, MoneyEntry.line, MoneyEntry.amount, Order.paid_at)
        .join(MoneyPosting, MoneyPosting.id == MoneyEntry.posting_id)
        .join(Order, Order.id == MoneyPosting.order_id)
        .where(MoneyEntry.to_account_id.in_(held))
        .order_by(MoneyPosting.id, MoneyEntry.line)
    )
    return [
        Collected(order, line, amount - back.get((order, line), 0), paid_at.date())
        for order, line, amount, paid_at in came
        if order is not None and paid_at is not None
    ]


def holding(site_id: int | None = None, currency: Currency | None = None) -> Select[int]:
    """The accounts that hold premium: of one site, in one currency, or of all."""
    wanted = select(MoneyAccount.id).where(MoneyAccount.kind == MoneyKind.PREMIUM_HELD)
    if site_id is not None:
        wanted = wanted.where(MoneyAccount.site_id == site_id)
    return wanted.where(MoneyAccount.currency == currency) if currency is not None else wanted


def brought(held: Select[int]) -> Subquery:
    """What each line of a sale brought such an account, less what went back; `upto`: the sum of all up to this one."""
    back = gone_from(held).subquery()
    net = (MoneyEntry.amount - func.coalesce(back.c.amount, 0)).label("amount")
    account_id = MoneyEntry.to_account_id
    upto = func.sum(net).over(partition_by=account_id, order_by=(MoneyPosting.id, MoneyEntry.line))
    return (
        select(account_id.label("account_id"), MoneyPosting.order_id, MoneyEntry.line, net, upto.label("upto"))
        .join(MoneyPosting, MoneyPosting.id == MoneyEntry.posting_id)
        .outerjoin(back, (back.c.order_id == MoneyPosting.order_id) & (back.c.line == MoneyEntry.line))
        .where(account_id.in_(held))
        .subquery()
    )


def gone_from(held: Select[int]) -> Select[int | None, int, int]:
    """What went back to buyers out of such accounts: order, line, minor units."""
    return (
        select(MoneyPosting.order_id, MoneyEntry.line, func.sum(MoneyEntry.amount).label("amount"))
        .join(MoneyPosting, MoneyPosting.id == MoneyEntry.posting_id)
        .where(MoneyEntry.from_account_id.in_(held), MoneyPosting.kind != MoneyPostingKind.DISBURSEMENT)
        .group_by(MoneyPosting.order_id, MoneyEntry.line)
    )


def followed_lines(session: Session, site_id: int, currency: Currency, lines: Collection[Line]) -> dict[Line, Followed]:
    """As `follow`, of these lines alone: what came before them is added up by the database."""
    placed = placed_among(session, site_id, currency, lines)
    if not placed:
        return {}
    payouts = payouts_between(
        session,
        site_id,
        currency,
        min(before for _, before in placed),
        max(before + each.amount for each, before in placed),
    )
    found = {}
    for each, before in placed:
        pieces = []
        for payout, gone in payouts:
            part = min(before + each.amount, gone + payout.amount) - max(before, gone)
            if part > 0:
                pieces.append(Piece(payout, part))
        found[each.order_id, each.line] = Followed(each, tuple(pieces))
    return found


def placed_among(
    session: Session, site_id: int, currency: Currency, lines: Collection[Line]
) -> list[tuple[Collected, int]]:
    """What these lines brought a site, each with how much the site had been brought before it."""
    came = brought(holding(site_id, currency))
    rows = session.execute(
        select(came.c.order_id, came.c.line, came.c.amount, came.c.upto, Order.paid_at)
        .join(Order, Order.id == came.c.order_id)
        .where(came.c.order_id.in_({order_id for order_id, _ in lines}))
    )
    return [
        (Collected(order_id, line, int(amount), paid_at.date()), int(upto) - int(amount))
        for order_id, line, amount, upto, paid_at in rows
        if paid_at is not None and (order_id, line) in lines
    ]


def payouts_between(
    session: Session, site_id: int, currency: Currency, first: int, last: int
) -> list[tuple[Payout, int]]:
    """The payouts of a site that the premium between these two sums went into, each with what was paid out before."""
    paid = (
        select(Payout.id, Payout.amount)
        .add_columns(func.sum(Payout.amount).over(order_by=MoneyPosting.id).label("upto"))
        .join(MoneyPosting, MoneyPosting.disbursement_id == Payout.id)
        .join(Minute, Minute.id == Payout.decision_id)
        .where(Minute.site_id == site_id, Minute.currency == currency)
        .subquery()
    )
    rows = session.execute(
        select(Payout, paid.c.upto)
        .join(paid, paid.c.id == Payout.id)
        .where(paid.c.upto > first, paid.c.upto - paid.c.amount < last)
        .order_by(paid.c.upto)
        .options(joinedload(Payout.minute))
    )
    return [(payout, int(upto) - payout.amount) for payout, upto in rows]


def trails_of(session: Session, issuance: Issuance, ranges: Sequence[SerialRange]) -> list[Trail]:
    """What the premium of the orders became in which these units were bought, the oldest first.

    Of more than MOST_LINES purchases the newest.
    """
    bought = purchases_of(session, issuance, ranges, MOST_LINES)
    followed: dict[Line, Followed] = {}
    for currency in {each.line.order.currency for each in bought}:
        lines = {(each.line.order_id, each.line.line) for each in bought if each.line.order.currency is currency}
        followed |= followed_lines(session, issuance.site_id, currency, lines)
    return [trail_of(each, followed.get((each.line.order_id, each.line.line))) for each in bought]


def trails_of_order(session: Session, order: Order) -> list[Trail]:
    """What the premium of each line of an order became."""
    followed: dict[Line, Followed] = {}
    for site_id in {line.issuance.site_id for line in order.lines}:
        lines = {(order.id, line.line) for line in order.lines if line.issuance.site_id == site_id}
        followed |= followed_lines(session, site_id, order.currency, lines)
    return [
        trail_of(Purchase(line, line.quantity, line.quantity), followed.get((order.id, line.line)))
        for line in order.lines
    ]


def trail_of(bought: Purchase, followed: Followed | None) -> Trail:
    """The part of a line's money that these base units of it stand for."""
    amount = followed.collected.amount if followed else 0
    pieces = tuple(
        Piece(piece.payout, piece.amount * bought.units // bought.kept)
        for piece in (followed.pieces if followed else ())
    )
    return Trail(bought.line.order, bought.line, bought.units, amount * bought.units // bought.kept, pieces)

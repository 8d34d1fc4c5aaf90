"""What a sale divides into, and what of it goes back: booked in the transaction of the delivery, refund or loss.

The premium of an order line belongs to the site of the line's issuance. What goes back comes first out of what the
site still holds; what is paid out already stays with the miners, and the registry bears it (the shortfall).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from credits.journal import events
from credits.payments.booking import Part, account_of, enter, holds, lock_account
from credits.payments.going_back.going_back_models import Dispute, DisputeState, Refund, RefundState
from credits.payments.models import Order, Payment
from credits.payments.money_models import MoneyAccount, MoneyEntry, MoneyKind, MoneyPosting, MoneyPostingKind
from credits.registry.mines.sites import number_of
from credits.registry.production import Site

BACK = (MoneyPostingKind.REFUND, MoneyPostingKind.SHORTFALL)


@dataclass(frozen=True)
class Share:
    """What one account got of one order line, in minor units, and what of it has gone back already."""

    account: int
    kind: MoneyKind
    site_id: int | None
    line: int
    amount: int
    back: int

    @property
    def left(self) -> int:
        return self.amount - self.back


def book_sale(session: Session, *, order: Order, payment: Payment, at: datetime) -> MoneyPosting:
    """Divide what was paid for an order: premium to each line's site, verification share, registry fee, tax.

    payment: the order's, whose money has cleared. Once: asked again, the same posting. Flushes.
    """
    if earlier := sale_of(session, order):
        return earlier
    sites: dict[str, int] = {}
    parts = []
    paid_in = account_of(session, MoneyKind.PAID_IN, order.currency)
    # In the order of their sites: two first sales never wait for each other's new accounts.
    for line in sorted(order.lines, key=lambda line: (line.issuance.site_id, line.line)):
        site = session.get_one(Site, line.issuance.site_id)
        sites[number_of(site)] = sites.get(number_of(site), 0) + line.premium
        for kind, amount, site_id in (
            (MoneyKind.PREMIUM_HELD, line.premium, site.id),
            (MoneyKind.VERIFICATION, line.verification_share, None),
            (MoneyKind.REGISTRY_FEE, line.registry_fee, None),
        ):
            parts.append(Part(paid_in, account_of(session, kind, order.currency, site_id), line.line, amount))
    parts.append(Part(paid_in, account_of(session, MoneyKind.TAX, order.currency), 0, order.tax))
    event_id = tell(session, "premium.collected", order, sites, {"payment": payment.attempt}, at)
    posting = MoneyPosting(kind=MoneyPostingKind.SALE, order=order, event_id=event_id, at=at)
    return enter(session, posting, parts)


def book_refund(session: Session, *, refund: Refund, at: datetime) -> MoneyPosting | None:
    """Take back what an order had brought, as its money goes back to the buyer. Flushes.

    Nothing where nothing of it was booked, as for an order that was never delivered, or where all of it went back
    before, as for a refund that is tried again. Asked again, the same posting.
    """
    wanted = select(MoneyPosting).where(MoneyPosting.refund_id == refund.id)
    if earlier := session.scalars(wanted).one_or_none():
        return earlier
    order = refund.payment.order
    if not (shares := open_shares(session, order)):
        return None
    posting = MoneyPosting(kind=MoneyPostingKind.REFUND, order=order, refund=refund, at=at)
    return send_back(session, posting, shares, refund.amount, at)


def book_shortfall(session: Session, *, dispute: Dispute, at: datetime) -> MoneyPosting | None:
    """Book a dispute that was lost, whether or not it leaves a shortfall. Flushes. Asked again, the same posting.

    What is not covered because credits were retired or passed on (`dispute.shortfall`) is the registry's loss: the
    premium stays with the site. The rest goes back as a refund does. Nothing where it is booked as a refund that was
    never sent: the money went back once.
    """
    wanted = select(MoneyPosting).where(MoneyPosting.dispute_id == dispute.id)
    if earlier := session.scalars(wanted).one_or_none():
        return earlier
    order = dispute.payment.order
    if sale_of(session, order) is None or booked_before(session, dispute):
        return None
    posting = MoneyPosting(kind=MoneyPostingKind.SHORTFALL, order=order, dispute=dispute, at=at)
    return send_back(session, posting, open_shares(session, order), dispute.amount, at, dispute.shortfall)


def booked_before(session: Session, dispute: Dispute) -> bool:
    """Whether the books have it already that all of this payment went back which is gone."""
    payment = dispute.payment
    refunds = session.scalars(select(Refund).where(Refund.payment_id == payment.id)).all()
    losses = session.scalars(select(Dispute).where(Dispute.payment_id == payment.id)).all()
    entered = session.execute(
        select(MoneyPosting.refund_id, MoneyPosting.dispute_id).where(
            MoneyPosting.order_id == payment.order_id, MoneyPosting.kind.in_(BACK)
        )
    ).all()
    by_refund, by_dispute = {refund for refund, _ in entered}, {lost for _, lost in entered}
    booked = sum(each.amount for each in refunds if each.id in by_refund)
    booked += sum(each.amount for each in losses if each.id in by_dispute)
    gone = sum(each.amount for each in refunds if each.reference and each.state is not RefundState.FAILED)
    gone += sum(each.amount for each in losses if each.state is DisputeState.LOST)
    return gone <= booked


def send_back(
    session: Session, posting: MoneyPosting, shares: Sequence[Share], amount: int, at: datetime, own: int = 0
) -> MoneyPosting:
    """Enter `amount` minor units as gone back to the buyer, `own` of them at the registry's loss from the start."""
    order = posting.order
    assert order is not None
    pieces = asked_of(session, shares, amount - own)
    refunded = account_of(session, MoneyKind.REFUNDED, order.currency)
    lost = amount - sum(taken for _, _, taken in pieces)
    parts: list[Part] = []
    sites: dict[str, int] = {}
    for share, _, taken in pieces:
        parts.append(Part(share.account, refunded, share.line, taken))
        if share.site_id is not None:
            number = number_of(session.get_one(Site, share.site_id))
            sites[number] = sites.get(number, 0) + taken
    parts.append(Part(account_of(session, MoneyKind.SHORTFALL, order.currency), refunded, 0, lost))
    posting.event_id = tell(session, "premium.returned", order, sites, {"why": posting.kind.value}, at)
    return enter(session, posting, parts)


def asked_of(session: Session, shares: Sequence[Share], amount: int) -> list[tuple[Share, int, int]]:
    """What of `amount` each share would have to give back, and what of that its account still holds. Locks them."""
    there: dict[int, int] = {}
    for account in sorted({share.account for share in shares}):
        lock_account(session, account)
        there[account] = holds(session, account)
    pieces = []
    wanted = divided(min(amount, sum(share.left for share in shares)), [share.left for share in shares])
    for share, piece in zip(shares, wanted, strict=True):
        taken = min(piece, there[share.account])
        there[share.account] -= taken
        pieces.append((share, piece, taken))
    return pieces


def covered(session: Session, *, dispute: Dispute, own: int) -> dict[int, Fraction]:
    """By line: which part of the premium that a lost dispute takes back its site still holds. Locks the accounts.

    own: the shortfall of the dispute, in minor units, which takes nothing back.
    """
    pieces = asked_of(session, open_shares(session, dispute.payment.order), dispute.amount - own)
    return {share.line: Fraction(taken, piece) for share, piece, taken in pieces if share.site_id is not None and piece}


def paid_out(session: Session, order: Order) -> int:
    """Minor units of an order's premium that its sites hold no more: what a refund would be at the registry's loss."""
    wanted: dict[int, int] = {}
    for share in open_shares(session, order):
        if share.site_id is not None:
            wanted[share.account] = wanted.get(share.account, 0) + share.left
    return sum(max(0, amount - holds(session, account)) for account, amount in wanted.items())


def divided(amount: int, by: Sequence[int]) -> list[int]:
    """`amount`, at most the sum of `by`, in the proportions of `by`: whole parts that sum to it, none above its own."""
    whole, before, given, parts = sum(by), 0, 0, []
    for each in by:
        before += each
        upto = amount * before // whole
        parts.append(upto - given)
        given = upto
    return parts


def sale_of(session: Session, order: Order) -> MoneyPosting | None:
    """The posting that divided an order's money, if it was delivered."""
    return session.scalars(
        select(MoneyPosting).where(MoneyPosting.order_id == order.id, MoneyPosting.kind == MoneyPostingKind.SALE)
    ).one_or_none()


def open_shares(session: Session, order: Order) -> list[Share]:
    """What each account has of an order's money and has not given back."""
    return [share for share in shares_of(session, order) if share.left]


def shares_of(session: Session, order: Order) -> list[Share]:
    """Who got what of an order's money, line by line, and what went back."""
    came = session.execute(
        select(MoneyAccount, MoneyEntry.line, MoneyEntry.amount)
        .join(MoneyEntry, MoneyEntry.to_account_id == MoneyAccount.id)
        .join(MoneyPosting, MoneyPosting.id == MoneyEntry.posting_id)
        .where(MoneyPosting.order_id == order.id, MoneyPosting.kind == MoneyPostingKind.SALE)
        .order_by(MoneyEntry.line, MoneyAccount.id)
    ).all()
    went = session.execute(
        select(MoneyEntry.from_account_id, MoneyEntry.line, func.sum(MoneyEntry.amount))
        .join(MoneyPosting, MoneyPosting.id == MoneyEntry.posting_id)
        .where(MoneyPosting.order_id == order.id, MoneyPosting.kind.in_(BACK))
        .group_by(MoneyEntry.from_account_id, MoneyEntry.line)
    ).all()
    back = {(account, line): int(amount) for account, line, amount in went}
    return [
        Share(account.id, account.kind, account.site_id, line, amount, back.get((account.id, line), 0))
        for account, line, amount in came
    ]


def tell(
    session: Session, kind: str, order: Order, sites: dict[str, int], facts: dict[str, object], at: datetime
) -> int:
    """The event of money that moved with an order. Amounts are public where the buyer consents."""
    premium = " ".join(f"{number}:{amount}" for number, amount in sorted(sites.items()))
    told = facts | {"sites": sorted(sites), "currency": order.currency.value}
    if order.open_to_public:
        told["premium"] = premium
    private = None if order.open_to_public else {"premium": premium}
    return events.append(
        session, kind=kind, subject=order.number, actor=events.SYSTEM, at=at, facts=told, private=private
    )

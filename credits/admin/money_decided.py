"""What the second person sees of the money that a decision is about: the payout with its papers, or the order."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from credits.participants.models import User
from credits.payments import looking, references
from credits.payments.models import Order, OrderLine, PaymentState
from credits.payments.premiums import disbursing
from credits.payments.premiums.premium_models import Payout, PremiumPaper
from credits.payments.premiums.site_premium import Premium, premium_in
from credits.premium_words import PREMIUM_WORDS
from credits.registry import earmarks
from credits.registry.mines.sites import number_of
from credits.registry.movements import Decision, DecisionKind, DecisionState
from credits.registry.production import Site


@dataclass(frozen=True)
class LineBack:
    """A line of an order whose money is to go back. held: what its site holds of premium now, of all its sales."""

    line: OrderLine
    site: Site
    serials: list[str]
    held: Premium


def money_concerned(session: Session, found: Decision, by: User) -> dict[str, Any]:
    """The payout with the proof that is approved, or the order, where it is about money."""
    payout: Payout | None = None
    order: Order | None = None
    proof: list[PremiumPaper] = []
    back: list[LineBack] = []
    if found.kind is DecisionKind.DISBURSEMENT:
        payout = disbursing.payout_numbered(session, by, found.subject)
        proof = [paper for paper in payout.papers if paper.sha256 == found.request["sha256"]]
    elif found.kind in (DecisionKind.BANK_PAYMENT, DecisionKind.REFUND):
        order = looking.order_known_as(session, found.subject)
    if order is not None and found.kind is DecisionKind.REFUND:
        back = [line_back(session, order, line) for line in order.lines]
    return {
        "payout": payout,
        "there": premium_in(session, payout.minute.site, payout.minute.currency) if payout else None,
        "order": order,
        "came_as": came_as(session, order) if order else "",
        "back": back,
        "proof": proof,
        "typed": references.shown(found.request),
        "number_of": number_of,
        "words": PREMIUM_WORDS,
    }


def line_back(session: Session, order: Order, line: OrderLine) -> LineBack:
    site = line.issuance.batch.site
    serials = earmarks.serials_of(session, line.earmark) if line.earmark else []
    return LineBack(line, site, serials, premium_in(session, site, order.currency))


def came_as(session: Session, order: Order) -> str:
    """What the money of an order is called: on the bank's statement as it was typed, or by the provider."""
    confirmed = select(Decision).where(
        Decision.kind == DecisionKind.BANK_PAYMENT,
        Decision.subject == order.number,
        Decision.state == DecisionState.APPROVED,
    )
    if decision := session.scalars(confirmed.order_by(Decision.id.desc())).first():
        return references.shown(decision.request)
    paid = next((each for each in order.payments if each.state is PaymentState.PAID), None)
    return (paid.payment or paid.reference or "") if paid else ""

"""What was ordered in the demo world: paid, refunded and open, by transfers and through the payment provider."""

from datetime import date
from typing import Any

from flask import current_app

from credits import delivered, market_jobs, market_rounds, provider
from credits.cli.demo_market import OnSale
from credits.cli.demo_people import DOMAIN
from credits.cli.demo_world import World
from credits.db import begin_writing
from credits.participants.models import Organisation, User
from credits.payments import placing, reserving
from credits.payments.billing import Billing
from credits.payments.going_back import refunding, sending_back
from credits.payments.models import Means, Offer, Order, Payment, Use
from credits.payments.placing import Asked
from credits.registry import decisions
from credits.registry.movements import DecisionKind
from credits.registry.retirement import Claim


def order_by_transfer(world: World, sale: OnSale) -> None:
    """One order in every state that a transfer can bring it to. Flushes."""
    maker, reseller = (world.maker, world.ingrid), (world.broker, world.maya)
    ordered(world, *maker, sale.old_cobalt, 250, Means.BANK_TRANSFER)
    begun(world, ordered(world, *maker, sale.new_cobalt, 300, Means.BANK_TRANSFER))
    kept = ordered(world, *reseller, sale.gold, 50_000, Means.BANK_TRANSFER, open_to_public=True)
    transferred(world, kept)
    claim = claim_of(world, sale.new_cobalt.issuance.vintage)
    transferred(world, ordered(world, *maker, sale.new_cobalt, 400, Means.BANK_TRANSFER, claim, open_to_public=True))
    regretted = ordered(world, *reseller, sale.old_cobalt, 100, Means.BANK_TRANSFER)
    transferred(world, regretted)
    decided(world, DecisionKind.REFUND, regretted, {}, "Ordered for the wrong year, and not used.")
    (refund,) = refunding.refunds_of(world.session, regretted)
    sending_back.sent(world.session, refund=refund, reference="DEMO OUT 1", by=world.ana, at=world.at)


def order_through_provider(world: World, sale: OnSale) -> None:
    """The same through the stand-in for the payment provider: paid, refunded, and one that waits. Commits."""
    settings = current_app.extensions["settings"]
    with provider.at_hand(settings) as stand_in:
        till = market_jobs.Till(stand_in.gateway(), world.policy, provider.addresses, delivered.certify)
        maker, second = (world.maker, world.ingrid), (world.second, world.ken)
        for quantity, buyer, paid, goes_back in (
            (200, maker, True, False),
            (150, second, True, True),
            (120, second, False, False),
        ):
            begin_writing(world.session)
            made = ordered(world, *buyer, sale.old_cobalt, quantity, Means.STRIPE)
            payment_id = begun(world, made).id
            world.session.commit()
            asked: dict[str, Any] = {"payment_id": payment_id, "till": till, "at": world.at}
            market_jobs.open_checkout(world.session, **asked)
            if paid:
                stand_in.pay(str(world.session.get_one(Payment, payment_id).reference), "card")
                market_jobs.ask_about(world.session, **asked)
            if goes_back:
                begin_writing(world.session)
                decided(world, DecisionKind.REFUND, made, {}, "Ordered twice by mistake.")
                world.session.commit()
        market_rounds.send_refunds(world.session, gateway=till.gateway, at=world.at)


def ordered(
    world: World,
    buyer: Organisation,
    by: User,
    offer: Offer,
    quantity: int,
    means: Means,
    claim: Claim | None = None,
    *,
    open_to_public: bool = False,
) -> Order:
    use = Use.KEEP if claim is None else Use.RETIRE
    asked = Asked([(offer, quantity)], means, use, claim, billing_of(buyer), open_to_public)
    key = next(world.keys)
    return placing.place(world.session, buyer=buyer, asked=asked, policy=world.policy, by=by, key=key, at=world.at)


def billing_of(buyer: Organisation) -> Billing:
    return Billing(buyer.name, "Demo Street 1\n00000 Demo Town", buyer.country, "", f"invoices@{DOMAIN}")


def begun(world: World, order: Order) -> Payment:
    return reserving.begin_payment(
        world.session,
        order=order,
        seen=order.revision,
        policy=world.policy,
        by=order.placed_by,
        key=next(world.keys),
        at=world.at,
    )


def transferred(world: World, order: Order) -> None:
    """The money was sent, and two issuers have seen it."""
    begun(world, order)
    seen = {"amount": order.total, "currency": order.currency.value, "value_date": str(world.day(0))}
    seen["reference"] = f"DEMO {order.number}"
    decided(world, DecisionKind.BANK_PAYMENT, order, seen, "On the statement of today.")


def decided(world: World, kind: DecisionKind, order: Order, request: dict[str, Any], reason: str) -> None:
    """Proposed by one issuer and approved by the other."""
    made = decisions.propose(
        world.session,
        kind=kind,
        subject=order.number,
        request=request,
        reason=reason,
        by=world.ana,
        key=next(world.keys),
        at=world.at,
    )
    decisions.approve(
        world.session, decision=made, policy=world.policy, by=world.tomas, key=next(world.keys), at=world.at
    )


def claim_of(world: World, year: int) -> Claim:
    return Claim(
        beneficiary=world.maker.name,
        country=world.maker.country,
        identifier=world.maker.registration_number or "",
        purpose=f"Cobalt in the cells of model N2, product year {year}",
        claim_from=date(year, 1, 1),
        claim_to=date(year, 12, 31),
    )

"""What is for sale in the demo world: floors, and offers of cobalt and gold by their producers."""

from dataclasses import dataclass

from credits.cli.demo_world import World
from credits.participants.models import Organisation, User
from credits.payments.models import Currency, Offer
from credits.payments.offering import floors, offers
from credits.registry.models import Issuance
from credits.registry.reviews import verification


@dataclass(frozen=True)
class OnSale:
    """The offers of the demo world. old_cobalt was produced before new_cobalt, and costs more."""

    old_cobalt: Offer
    new_cobalt: Offer
    gold: Offer


def open_market(world: World) -> OnSale:
    """Set the known floors, issue some cobalt more, and put a part of everything on offer. Flushes."""
    floors.seed(world.session, by=world.ana, at=world.at)
    floors.set_floor(
        world.session,
        mineral_code="CO",
        currency=Currency.EUR,
        price=450_000,
        source="Board of the demo world: 10 % of the average price of three years, in euros",
        by=world.ana,
        key=next(world.keys),
        at=world.at,
    )
    old, new = cobalt_issued(world, 205, 165, "9000", "28"), cobalt_issued(world, 160, 125, "8000", "27.5")
    return OnSale(
        old_cobalt=on_offer(world, world.coop, world.chantal, old, 1_800, 540_000, Currency.USD),
        new_cobalt=on_offer(world, world.coop, world.chantal, new, 1_500, 520_000, Currency.USD),
        gold=on_offer(world, world.gold_coop, world.luz, world.gold, 400_000, 450, Currency.USD),
    )


def cobalt_issued(world: World, first: int, last: int, gross_kg: str, grade: str) -> Issuance:
    batch = world.batch(world.kamilombe, world.cobalt(first, last, gross_kg, grade), by=world.clerk)
    verification.take(world.session, batch=batch, by=world.lead, at=world.at)
    return world.verified_and_issued(batch)


def on_offer(
    world: World, seller: Organisation, by: User, issuance: Issuance, quantity: int, price: int, currency: Currency
) -> Offer:
    return offers.offer(
        world.session,
        seller=seller,
        issuance=issuance,
        quantity=quantity,
        price=price,
        currency=currency,
        policy=world.policy,
        by=by,
        key=next(world.keys),
        at=world.at,
    )

"""Who waits for credits in the demo world: a standing order of which a part was found, and is to be paid."""

from datetime import timedelta

from credits.cli.demo_market import OnSale, on_offer
from credits.cli.demo_orders import billing_of
from credits.cli.demo_world import World
from credits.payments.models import Currency, Means
from credits.payments.offering import serving, standing
from credits.payments.offering.catalogue import Sorting
from credits.payments.offering.standing import Wanted


def wait_for_cobalt(world: World, sale: OnSale) -> None:
    """A manufacturer waits for cobalt in euros; 150 of 400 kg have come on offer. Flushes."""
    wanted = Wanted(
        mineral_code="CO",
        quantity=400,
        smallest=50,
        price=470_000,
        currency=Currency.EUR,
        sorting=Sorting.OLDEST,
        until=world.day(0) + timedelta(days=180),
        means=Means.BANK_TRANSFER,
        billing=billing_of(world.second),
    )
    left = standing.leave(
        world.session,
        buyer=world.second,
        wanted=wanted,
        policy=world.policy,
        by=world.ken,
        key=next(world.keys),
        at=world.at,
    )
    on_offer(world, world.coop, world.chantal, sale.new_cobalt.issuance, 150, 460_000, Currency.EUR)
    serving.serve(world.session, standing_id=left.id, policy=world.policy, means=[Means.BANK_TRANSFER], at=world.at)

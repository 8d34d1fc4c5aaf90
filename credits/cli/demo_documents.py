"""Signed documents of the demo world besides the certificates: one of each, asked for by those whom they concern."""

from datetime import date, timedelta

from credits.certificates import issuing, records
from credits.certificates.account_facts import Days
from credits.certificates.records import Asking
from credits.cli.demo_world import Told, World
from credits.participants.models import Language
from credits.registry import bulk
from credits.registry.bulk_lines import RetirementLine
from credits.registry.retirement import Claim

PRODUCTS = (("Traction batteries T4", 60), ("Stationary storage S2", 40))  # kg of cobalt


def ask_for_documents(world: World, told: Told) -> None:
    """A statement of a bulk retirement, a certificate of the issuance, a statement of account. Flushes."""
    made, session = told.issuance, world.session
    lines = [
        RetirementLine(
            made.number,
            quantity,
            Claim(
                beneficiary=world.second.name,
                country=world.second.country,
                identifier=world.second.registration_number or world.second.number,
                purpose=f"Cobalt in {product}, product year {made.vintage}",
                claim_from=date(made.vintage, 1, 1),
                claim_to=date(made.vintage, 12, 31),
            ),
        )
        for product, quantity in PRODUCTS
    ]
    statement = bulk.retire(
        session,
        holder=world.second,
        lines=lines,
        policy=world.policy,
        by=world.ken,
        key=next(world.keys),
        at=world.at,
    )
    issuing.freeze_all(session, statement=statement, issuer=world.issuer)
    buyer = Asking(world.issuer, Language.EN, world.ken, world.at)
    records.of_bulk(session, statement=statement, asking=buyer)
    producer = Asking(world.issuer, Language.FR, world.chantal, world.at)
    records.of_issuance(session, issuance=made, asking=producer)
    today = world.at.date()
    days = Days(today - timedelta(days=90), today)
    records.of_account(session, holder=world.second, days=days, asking=buyer, key=next(world.keys))

"""What the demo manufacturer says: what it uses of cobalt in a year, and in public what it has retired for."""

from credits.certificates.claiming import claims, publishing
from credits.certificates.claiming.claim_entries import Placement
from credits.certificates.issuing import certificate_numbered, facts_in
from credits.cli.demo_people import DOMAIN, People
from credits.participants.models import Language
from credits.registry.minerals import mineral_of
from credits.registry.models import Retirement
from credits.registry.use import use_declaring

LINE = "Cells of model N1"


def declare_cobalt(world: People, year: int) -> None:
    """12.5 g of cobalt in each of 180,000 cells: more than is retired, so that some is still missing. Flushes."""
    use_declaring.declare(
        world.session,
        organisation=world.maker,
        mineral_code="CO",
        year=year,
        product_line=LINE,
        use=use_declaring.worked_out(mineral_of("CO"), "12.5", 180_000),
        end_user=None,
        by=world.ingrid,
        key=next(world.keys),
        at=world.at,
    )


def publish_claim(world: People, retired: Retirement) -> None:
    """The allowed sentence about one retirement, in the annual report. Flushes."""
    facts = facts_in(certificate_numbered(world.session, retired.number))
    publishing.publish(
        world.session,
        organisation=world.maker,
        parts=[(retired, retired.quantity)],
        about=LINE,
        placement=Placement(
            medium="Annual report",
            address=f"https://{DOMAIN}/annual-report",
            published_on=world.at.date(),
            language=Language.EN,
            text=claims.sentences([facts], Language.EN.value)[0].text,
        ),
        by=world.ingrid,
        key=next(world.keys),
        at=world.at,
    )

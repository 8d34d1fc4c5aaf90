"""What became of the demo premium: a committee decides, two people pay out, receipts show what was bought."""

import io

from PIL import Image, ImageDraw

from credits.cli.demo_world import World
from credits.files import Files
from credits.payments.premiums import committees, disbursing, spending
from credits.payments.premiums.committees import Decided
from credits.payments.premiums.premium_models import Minute, PaperKind, Payout, PayoutMeans, Theme
from credits.payments.premiums.site_premium import premium_of
from credits.payments.premiums.spending import Bought, Shown
from credits.registry import decisions
from credits.registry.papers.evidence_looking import Looked, look

SAID = (
    "Helmets and lamps for everybody underground, and a teacher for the children of the camp until the end of the year."
)


def spend_premium(world: World, files: Files) -> None:
    """Decide on half of what the cobalt site holds, pay most of it out, and account for a part. Flushes.

    Nothing where nothing of the site was sold.
    """
    site = world.kamilombe
    premium = next(iter(premium_of(world.session, site)), None)
    if premium is None or premium.free < 10_000:
        return
    committees.name_committee(
        world.session,
        site=site,
        women=3,
        men=4,
        names="Amina Kasongo\nJean Mukendi\nClarisse Ilunga",
        since=world.day(120),
        by=world.chantal,
        key=next(world.keys),
        at=world.at,
    )
    tenth = premium.free // 20
    minute = committees.decide(
        world.session,
        site=site,
        decided=Decided(
            currency=premium.currency,
            by_theme={Theme.HEALTH_AND_SAFETY: 6 * tenth, Theme.CHILD_RIGHTS: 4 * tenth},
            women=2,
            men=3,
            said=SAID,
            decided_on=world.day(0),
        ),
        minute=paper(world, "minute", ["Comité de la prime, Kamilombe", "Décision du jour", "Signatures: 5"]),
        open_to_public=False,
        files=files,
        policy=world.policy,
        by=world.chantal,
        key=next(world.keys),
        at=world.at,
    )
    bought(world, paid_out(world, minute, 8 * tenth, files), 5 * tenth, files)


def paid_out(world: World, minute: Minute, amount: int, files: Files) -> Payout:
    """Asked for by the cooperative, recorded by one issuer and approved by another."""
    payout = disbursing.ask(
        world.session,
        minute=minute,
        amount=amount,
        means=PayoutMeans.MOBILE_MONEY,
        payee="Amina Kasongo, treasurer, mobile number on file",
        by=world.chantal,
        key=next(world.keys),
        at=world.at,
    )
    decision = disbursing.record(
        world.session,
        payout=payout,
        reference="MP-DEMO-0001",
        paid_on=world.day(0),
        proof=paper(world, "confirmation", ["Mobile money", "Sent", "MP-DEMO-0001"]),
        open_to_public=False,
        files=files,
        policy=world.policy,
        by=world.ana,
        key=next(world.keys),
        at=world.at,
    )
    decisions.approve(
        world.session, decision=decision, policy=world.policy, by=world.tomas, key=next(world.keys), at=world.at
    )
    return payout


def bought(world: World, payout: Payout, amount: int, files: Files) -> None:
    receipt = paper(world, "receipt", ["Quincaillerie de Kolwezi", "Helmets with lamps", "Paid"])
    photo = paper(world, "photo", ["Helmets and lamps", "in their boxes"])
    spending.use(
        world.session,
        payout=payout,
        bought=Bought(Theme.HEALTH_AND_SAFETY, amount, "Helmets with lamps", world.day(0)),
        papers=[Shown(PaperKind.RECEIPT, receipt, True), Shown(PaperKind.PHOTO, photo, True)],
        files=files,
        policy=world.policy,
        by=world.chantal,
        key=next(world.keys),
        at=world.at,
    )


def paper(world: World, name: str, lines: list[str]) -> Looked:
    """A made-up paper as a picture."""
    picture = Image.new("RGB", (600, 400), "#fbf7ef")
    drawn = ImageDraw.Draw(picture)
    for place, text in enumerate(lines):
        drawn.text((40, 60 + 60 * place), text, fill="#33302b")
    file = io.BytesIO()
    picture.save(file, "PNG")
    return look(f"{name}.png", file.getvalue(), world.policy)

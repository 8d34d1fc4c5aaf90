"""`flask --app wsgi plausibility`: what a site can have produced, each bound with its source."""

import json
from datetime import datetime

import click
from flask.cli import with_appcontext
from sqlalchemy import select

from credits.errors import CreditsError
from credits.extensions import db
from credits.registry.calendar import checked_period
from credits.registry.doubts import plausibility as rules
from credits.registry.doubts.plausibility import Plausibility
from credits.registry.minerals import mineral_of
from credits.registry.production import Site

DAY = click.DateTime(formats=["%Y-%m-%d"])


@click.command("plausibility", short_help="What a site can have produced, each bound with its source.")
@click.argument("site")
@click.option("--from", "first", type=DAY, required=True, help="First day, such as 2026-01-01.")
@click.option("--to", "last", type=DAY, required=True, help="Last day.")
@click.option("--mineral", help="One mineral alone: AU, CO, CU, LI, SN, TA, W or REE.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of sentences.")
@with_appcontext
def plausibility(site: str, first: datetime, last: datetime, mineral: str | None, as_json: bool) -> None:
    """Hold all that SITE (such as COD-KAM001) claims for some days against what is plausible.

    Every batch that counts and has a day in the period is taken whole. A bound that nobody has entered or measured
    is unknown, and never guessed. Quantities are in base units of the mineral.
    """
    try:
        checked_period(first.date(), last.date(), "Period")
        code = mineral_of(mineral.strip().upper()).code if mineral else None
    except CreditsError as refusal:
        raise click.UsageError(str(refusal)) from None
    session = db.session()
    country, _, coded = site.strip().upper().partition("-")
    found = session.scalars(select(Site).where(Site.country == country, Site.code == coded)).one_or_none()
    if found is None:
        raise click.ClickException(f"There is no site {site[:40]}. Sites are numbered as COD-KAM001.")
    codes = [code] if code else rules.minerals_at(session, found)
    weighed = [rules.of_period(session, found, each, first.date(), last.date()) for each in codes]
    click.echo(json.dumps(_told(site, first, last, weighed)) if as_json else _in_words(weighed))


def _told(site: str, first: datetime, last: datetime, weighed: list[Plausibility]) -> dict[str, object]:
    return {
        "site": site.strip().upper(),
        "from": str(first.date()),
        "to": str(last.date()),
        "minerals": [
            {
                "mineral": each.claim.mineral.code,
                "unit": each.claim.mineral.base_unit,
                "batches": [batch.number for batch in each.claim.batches],
                "claimed": each.claimed,
                "ceiling": each.ceiling,
                "exceeded": [bound.name.value for bound in each.exceeded],
                "warnings": [bound.name.value for bound in each.warnings],
                "figures": each.figures,
            }
            for each in weighed
        ],
        "bounds": [
            {"mineral": each.claim.mineral.code, "unit": each.claim.mineral.base_unit, **bound.told()}
            for each in weighed
            for bound in each.bounds
        ],
    }


def _in_words(weighed: list[Plausibility]) -> str:
    if not weighed:
        return "The site has no batch and no limit of any mineral: name one with --mineral to see its bounds."
    lines = []
    for each in weighed:
        mineral = each.claim.mineral
        ceiling = "unknown" if each.ceiling is None else mineral.quantity(each.ceiling)
        state = "ABOVE THE CEILING" if each.exceeded else "within every known bound"
        lines.append(f"{mineral.name}: {mineral.quantity(each.claimed)} claimed, ceiling {ceiling}: {state}")
        for bound in each.bounds:
            value = "unknown" if bound.value is None else mineral.quantity(bound.value)
            source = f" Source: {bound.source}{f', {bound.dated}' if bound.dated else ''}." if bound.source else ""
            name = bound.name.value.replace("_", " ")
            lines.append(f"  {name} ({'bound' if bound.hard else 'warning'}): {value}. {bound.arithmetic}.{source}")
    return "\n".join(lines).replace("..", ".")

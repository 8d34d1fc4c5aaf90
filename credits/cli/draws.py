"""`flask --app wsgi draws`: lots drawn again, from what is published."""

import json

import click
from flask.cli import with_appcontext

from credits.extensions import db
from credits.registry.reviews import draws as rules
from credits.registry.reviews import redrawing


@click.group("draws")
def draws() -> None:
    """Draw lots again: of one seed, or all that were ever drawn."""


@draws.command("again", short_help="The lot of one seed.")
@click.argument("seed")
@click.argument("candidates", nargs=-1, required=True)
@click.option("--take", default=1, show_default=True, type=click.IntRange(1), help="How many are drawn.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of sentences.")
def again(seed: str, candidates: tuple[str, ...], take: int, as_json: bool) -> None:
    """Draw from SEED among CANDIDATES, such as ORG-000003 ORG-000007. Needs no database."""
    found = rules.tickets(seed.strip().lower(), candidates)
    if as_json:
        answer = {"drawn": [each.candidate for each in found[:take]], "tickets": [vars(each) for each in found]}
        click.echo(json.dumps(answer))
        return
    for place, each in enumerate(found):
        click.echo(f"{each.ticket}  {each.candidate}{'  drawn' if place < take else ''}")


@draws.command("check", short_help="All that were drawn.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of sentences.")
@with_appcontext
def check(as_json: bool) -> None:
    """Draw every lot again and hold it against what was kept and published. Exit status 1 where one differs."""
    total, earlier, wrong = 0, 0, {}
    for each in redrawing.all_again(db.session()):
        total += 1
        earlier += each.draw.seed == redrawing.NO_SEED
        if each.differs:
            wrong[each.draw.number] = each.differs
    if as_json:
        click.echo(json.dumps({"draws": total, "before_lots": earlier, "differ": wrong}))
    else:
        click.echo(f"{total} draws, {len(wrong)} of them do not come out again.")
        if earlier:
            click.echo(f"{earlier} of them stand for reviews that were begun before verifiers were drawn by lot.")
        for number, what in wrong.items():
            click.echo(f"  {number}: {', '.join(what)}")
    if wrong:
        raise SystemExit(1)

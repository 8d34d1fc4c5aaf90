"""How lots were drawn, for everybody to draw them again."""

from flask import render_template
from flask.typing import ResponseReturnValue

from credits.errors import CreditsError
from credits.extensions import db
from credits.journal import proving
from credits.participants.models import Organisation
from credits.registry.queries import digits_of
from credits.registry.reviews import redrawing
from credits.web.blueprint import bp


@bp.get("/draws")
def how_lots_are_drawn() -> ResponseReturnValue:
    return render_template("draws/how_lots_are_drawn.html")


@bp.get("/draws/<number>")
def draw(number: str) -> ResponseReturnValue:
    found = redrawing.again(db.session(), redrawing.draw_numbered(db.session(), number))
    try:
        place: int | None = proving.place_of(db.session(), found.draw.event_id)
    except CreditsError:
        place = None  # its minute is not over yet
    return render_template("draws/draw.html", again=found, draw=found.draw, names=_names(found), place=place)


def _names(found: redrawing.Again) -> dict[str, str]:
    """What the candidates are called."""
    wanted = (db.session.get(Organisation, digits_of(number, "ORG-")) for number in found.draw.candidates)
    return {each.number: each.name for each in wanted if each is not None}

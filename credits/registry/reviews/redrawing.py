"""Drawing again what was drawn: from the published events alone, whoever doubts a lot gets the same one."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from credits.errors import Missing
from credits.journal import events
from credits.journal.canonical import encode
from credits.journal.merkle import leaf_hash
from credits.journal.models import RegistryIdentity
from credits.registry.queries import digits_of
from credits.registry.reviews import draws
from credits.registry.reviews.assigned import Draw

KIND = "lots.drawn"
NO_SEED = "0" * 64  # of a review that was begun before verifiers were drawn: no lot stands behind it


class NoSuchDraw(Missing):
    code = "no_such_draw"


@dataclass(frozen=True)
class Again:
    """A draw done once more. differs: what does not agree with what was kept, none where all does."""

    draw: Draw
    registry: str
    leaf: str
    tickets: list[draws.Ticket]
    differs: list[str]


def draw_numbered(session: Session, number: str) -> Draw:
    """The draw with this public number. Raises NoSuchDraw."""
    found = session.get(Draw, digits_of(number, "DRAW-"))
    if found is None or found.number != number:
        raise NoSuchDraw("There is no such draw.")
    return found


def again(session: Session, draw: Draw) -> Again:
    """Compute the seed and the tickets anew, and hold them against what was kept and what the journal tells."""
    registry = session.scalars(select(RegistryIdentity.registry_id)).one()
    if draw.seed == NO_SEED:
        return Again(draw, registry, "", [], [])
    leaf = leaf_hash(draw.event.body).hex()
    seed = draws.seed_of(registry=registry, about=draw.about, round=draw.round, leaf=leaf)
    differs = []
    if seed != draw.seed:
        differs.append("seed")
    if draws.draw(draw.seed, draw.candidates, draw.take) != draw.drawn:
        differs.append("drawn")
    facts = {"draw": draw.number, "round": draw.round, "leaf": leaf, "seed": draw.seed, "take": draw.take}
    facts |= {"candidates": draw.candidates, "drawn": draw.drawn, "reason": draw.reason}
    told = [event for event in events.story(session, draw.about) if event.kind == KIND]
    if not any(encode({"facts": facts})[1:-1] in event.body for event in told):
        differs.append("journal")
    return Again(draw, registry, leaf, draws.tickets(draw.seed, draw.candidates), differs)


def all_again(session: Session) -> Iterator[Again]:
    """Every draw there was, done once more, oldest first."""
    for draw in session.scalars(select(Draw).order_by(Draw.id)):
        yield again(session, draw)

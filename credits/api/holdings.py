"""What a holder has."""

from collections.abc import Sequence
from typing import Any

from credits.api.blueprint import Area
from credits.api.doing import With, acting, cut
from credits.api.schemas.market import Held, HeldInFull, HoldingQuery, HoldingsQuery
from credits.extensions import db
from credits.registry import queries
from credits.registry.accounts import OWN
from credits.registry.queries import NoSuchIssuance

area = Area("holdings", "What a holder has.")


@area.get("/holdings", takes=HoldingsQuery, gives=Held(many=True))
def list_holdings(asked: dict[str, Any]) -> tuple[Sequence[With], dict[str, str]]:
    """What your organisation, or a cooperative of its group, has of each issuance, oldest first."""
    rows, headers = cut(queries.holdings_of(db.session, acting(asked["holder"])), asked)
    return [told(held) for held in rows], headers


@area.get("/holdings/<number>", takes=HoldingQuery, gives=HeldInFull)
def show_holding(asked: dict[str, Any], number: str) -> With:
    """What your organisation, or a cooperative of its group, has of one issuance, with the serials."""
    holder = acting(asked["holder"])
    issuance = queries.issuance_numbered(db.session, number)
    held = queries.held_of(db.session, holder, issuance)
    if not held.by_kind:
        raise NoSuchIssuance("There is nothing of this issuance in your holdings.")
    serials = queries.serials_held(db.session, holder, issuance)
    return With(told(held), serials=[{"serials": serial, "state": kind.value} for kind, serial in serials])


def told(held: queries.Held) -> With:
    return With(held, **{kind.value: held.by_kind.get(kind, 0) for kind in OWN})

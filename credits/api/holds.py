"""Holds: credits that the registry freezes at once. Two issuers release them, by a decision."""

from typing import Any

from credits.api.blueprint import Area
from credits.api.doing import Sent, With, created
from credits.api.schemas.movements import Frozen, Hold, HoldPeriodsRequest, HoldRequest
from credits.extensions import db
from credits.identity import current_user, now
from credits.registry import earmarks, holds, movements, public, queries

area = Area("holds", "Holds: credits that the registry freezes at once. Two issuers release them, by a decision.")


@area.post("/holds", takes=HoldRequest, gives=Hold, creates=True)
def hold_credits(key: str, asked: dict[str, Any]) -> Sent:
    """Freeze available credits of one holder. For the registry's issuers."""
    made = holds.hold(
        db.session,
        issuance=queries.issuance_numbered(db.session, asked["issuance"]),
        holder=public.organisation_known_as(db.session, asked["holder"]),
        quantity=asked["quantity"],
        reason=asked["reason"],
        by=current_user(),
        key=key,
        at=now(),
    )
    db.session.commit()
    return created(told(made), "api.holds.show_hold", number=made.number)


@area.post("/holds/periods", takes=HoldPeriodsRequest, gives=Frozen)
def hold_periods(key: str, asked: dict[str, Any]) -> dict[str, Any]:
    """Zero tolerance: freeze every unsold unit of a site's production in these days. For the registry's issuers."""
    site = public.site_known_as(db.session, asked.pop("site"))
    frozen = holds.hold_periods(db.session, site=site, **asked, by=current_user(), key=key, at=now())
    db.session.commit()
    return {
        "hold": frozen.hold.number if frozen.hold else None,
        "transfers": [each.number for each in frozen.transfers],
        "tell": frozen.tell,
    }


@area.get("/holds/<number>", gives=Hold)
def show_hold(number: str) -> With:
    """One hold, for its holder and the registry."""
    return told(holds.hold_seen(db.session, current_user(), number))


def told(made: movements.Earmark) -> With:
    return With(made, serials=earmarks.serials_of(db.session, made))

"""How long credits can be used. Pure but for its refusal."""

from datetime import date, datetime

from credits.errors import Conflict
from credits.participants.wording import day_shown
from credits.registry.calendar import months_before
from credits.registry.models import Issuance
from credits.registry.policy import Policy


class Expired(Conflict):
    """The credits are past their last day, whether or not they were taken out yet (invariant 16)."""

    code = "expired"


def last_day(issuance: Issuance, policy: Policy) -> date:
    """The last day on which credits of an issuance can be used: so many months after the last production day."""
    return months_before(date.fromisoformat(issuance.facts["production"]["to"]), -policy.months_valid)


def must_not_have_expired(issuance: Issuance, policy: Policy, at: datetime) -> None:
    """Raise Expired after the last day."""
    until = last_day(issuance, policy)
    if at.date() > until:
        raise Expired(f"The credits of {issuance.number} expired on {day_shown(until)}.", issuance=issuance.number)

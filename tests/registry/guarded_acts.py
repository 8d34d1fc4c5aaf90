"""The acts about a guarded transfer and a trusted recipient, under the house's own policy."""

from datetime import timedelta

from config import ROOT
from credits.registry import guarding, policy, transfer, trust
from credits.registry.trusted import Trust

HOUSE = policy.read(ROOT / "policy.toml")
DELAY = timedelta(hours=HOUSE.hours_to_wait)
TRUST = timedelta(days=HOUSE.days_to_trust)
STANDING = timedelta(days=HOUSE.days_before_second)
WINDOW = timedelta(hours=HOUSE.hours_to_sum)


def approve(stage, offer, **bent):
    asked = {"transfer": offer, "policy": stage.policy, "by": stage.partner, "at": stage.at}
    guarding.approve(stage.session, **asked | bent)


def accept(stage, offer, after=timedelta(0), by=None):
    transfer.accept(stage.session, transfer=offer, by=by or stage.buyer, at=stage.at + after)


def cause(stage, offer):
    found = offer.guard
    return found.cause if found else None


def trusted(stage, recipient=None, **bent) -> Trust:
    asked = {"holder": stage.coop, "recipient": recipient or stage.buyer.organisation, "by": stage.manager}
    return trust.propose(stage.session, **asked | {"key": stage.key(), "at": stage.at} | bent)


def approve_trust(stage, made, **bent):
    asked = {"trust": made, "policy": stage.policy, "by": stage.partner, "at": stage.at}
    trust.approve(stage.session, **asked | bent)

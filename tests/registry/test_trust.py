"""A recipient whom a holder trusts by two people, to whom transfers go without a second one."""

from datetime import timedelta

import pytest

from credits.journal import events
from credits.participants.permissions import WrongRole
from credits.registry import guarding, trust
from credits.registry.models import Cause
from credits.registry.second_person import SamePerson
from credits.registry.transfer import CannotHold, ToOneself
from credits.registry.trust import DecidedAlready, NoSuchTrust, TrustedAlready
from tests.registry.guarded_acts import DELAY, TRUST, accept, approve, approve_trust, cause, trusted


class TestTrust:
    def test_lets_transfers_go_once_it_is_in_force(self, guarded):
        made, issued = trusted(guarded), guarded.issued()
        assert cause(guarded, guarded.offered(issued, 1)) is Cause.FIRST
        approve_trust(guarded, made)
        assert cause(guarded, guarded.offered(issued, 1)) is Cause.FIRST
        guarded.at += TRUST
        assert cause(guarded, guarded.offered(issued, 1)) is None
        trust.end(guarded.session, trust=made, by=guarded.manager, at=guarded.at)

        assert cause(guarded, guarded.offered(issued, 1)) is Cause.FIRST
        told = [event.kind for event in events.story(guarded.session, guarded.coop.number) if "trust" in event.kind]
        assert told == ["trust.proposed", "trust.approved", "trust.ended"]

    def test_is_of_one_holder_alone(self, guarded):
        approve_trust(guarded, trusted(guarded))
        guarded.at += TRUST
        issued = guarded.issued()
        accept(guarded, guarded.offered(issued, 100))
        back = {"sender": guarded.buyer.organisation, "by": guarded.buyer}

        assert cause(guarded, guarded.offered(issued, 10, to=guarded.manager, **back)) is Cause.FIRST

    def test_does_not_come_back_by_itself(self, guarded):
        offer = guarded.offered(guarded.issued(), 10)
        approve(guarded, offer)
        made = trusted(guarded)
        approve_trust(guarded, made)
        guarded.at += TRUST
        trust.end(guarded.session, trust=made, by=guarded.manager, at=guarded.at)
        accept(guarded, offer)

        recipient = guarded.buyer.organisation_id
        assert guarding.trusted_by(guarded.session, guarded.coop.id, [recipient], guarded.at) == set()
        later = guarded.offered(offer.issuance, 10, at=guarded.at + timedelta(seconds=1))
        assert cause(guarded, later) is Cause.FIRST
        approve(guarded, later)
        accept(guarded, later, DELAY)
        assert guarding.trusted_by(guarded.session, guarded.coop.id, [recipient], guarded.at + DELAY) == {recipient}

    def test_needs_two_people(self, guarded):
        made = trusted(guarded)
        with pytest.raises(SamePerson):
            approve_trust(guarded, made, by=guarded.manager)
        with pytest.raises(WrongRole):
            approve_trust(guarded, made, by=guarded.clerk)
        approve_trust(guarded, made)
        with pytest.raises(DecidedAlready):
            approve_trust(guarded, made)

    def test_is_proposed_once_under_a_key_and_once_at_all(self, guarded):
        first = trusted(guarded, key="once")

        assert trusted(guarded, key="once") is first
        with pytest.raises(TrustedAlready):
            trusted(guarded)
        trust.end(guarded.session, trust=first, by=guarded.partner, at=guarded.at)
        with pytest.raises(DecidedAlready):
            trust.end(guarded.session, trust=first, by=guarded.partner, at=guarded.at)
        assert trusted(guarded) is not first

    def test_is_for_those_who_can_hold_credits(self, guarded):
        with pytest.raises(ToOneself):
            trusted(guarded, guarded.coop)
        with pytest.raises(CannotHold):
            trusted(guarded, guarded.lead.organisation)
        with pytest.raises(WrongRole):
            trusted(guarded, by=guarded.clerk)

    def test_is_seen_by_its_holder_and_the_registry(self, guarded):
        made = trusted(guarded)
        for by in (guarded.manager, guarded.issuer):
            assert trust.trust_numbered(guarded.session, by, made.number) is made
        for by in (guarded.buyer, guarded.lead):
            with pytest.raises(NoSuchTrust):
                trust.trust_numbered(guarded.session, by, made.number)

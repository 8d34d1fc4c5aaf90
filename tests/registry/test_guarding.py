"""Invariant 13: a first transfer to a recipient, or a large one, needs a second person and a delay."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from credits.journal import events
from credits.journal.canonical import encode
from credits.ledger.models import AccountKind
from credits.registry import bulk, guarding, transfer, trust
from credits.registry.bulk_lines import TransferLine
from credits.registry.guarding import NothingToApprove, NotYetOpen
from credits.registry.models import Cause, TransferGuard, TransferState
from credits.registry.transfer import AlreadyClosed
from credits.registry.trusted import Trust
from tests.registry.guarded_acts import DELAY, HOUSE, TRUST, WINDOW, accept, approve, approve_trust, cause, trusted


class TestFirstTransfer:
    def test_waits_for_a_second_person_and_a_delay(self, guarded):
        made = guarded.issued()
        offer = guarded.offered(made, 1_000)
        with pytest.raises(NotYetOpen, match="second person"):
            accept(guarded, offer)
        approve(guarded, offer)
        with pytest.raises(NotYetOpen, match="from 2 Jul 2026, 14:00 UTC") as early:
            accept(guarded, offer, DELAY - timedelta(seconds=1))
        assert early.value.detail == {"cause": "first", "open_from": "2026-07-02T14:00:00Z"}

        accept(guarded, offer, DELAY)
        assert guarded.balance(made, guarded.buyer.organisation) == {AccountKind.AVAILABLE: 1_000}
        guarded.must_be_sound()

    def test_makes_its_recipient_known(self, guarded):
        made = guarded.issued()
        offer = guarded.offered(made, 1_000)
        approve(guarded, offer)
        accept(guarded, offer, DELAY)
        guarded.at += DELAY
        second = guarded.offered(made, 500)
        accept(guarded, second)

        assert cause(guarded, second) is None
        assert cause(guarded, guarded.offered(made, 500, to=guarded.second)) is Cause.FIRST

    def test_may_be_one_of_two_that_are_accepted_at_once(self, guarded):
        made = guarded.issued()
        for offer in [guarded.offered(made, 10), guarded.offered(made, 10)]:
            approve(guarded, offer)
            accept(guarded, offer, DELAY)

        assert guarded.session.query(Trust).count() == 1

    def test_can_be_rejected_and_withdrawn_at_once(self, guarded):
        made = guarded.issued()
        one, two = guarded.offered(made, 10), guarded.offered(made, 10)
        transfer.reject(guarded.session, transfer=one, reason="No.", by=guarded.buyer, at=guarded.at)
        transfer.withdraw(guarded.session, transfer=two, by=guarded.manager, at=guarded.at)
        with pytest.raises(NothingToApprove):
            approve(guarded, one)

        assert guarded.balance(made) == {AccountKind.AVAILABLE: 2_500}

    def test_leaves_its_mark_in_the_log(self, guarded):
        offer = guarded.offered(guarded.issued(), 1_000)
        approve(guarded, offer)
        told = events.story(guarded.session, offer.number)

        assert [event.kind for event in told] == ["transfer.guarded", "transfer.approved"]
        assert [event.actor for event in told] == [guarded.manager.number, guarded.partner.number]
        assert json.loads(told[1].body)["facts"] == {
            "cause": "first",
            "open_from": "2026-07-02T14:00:00Z",
            "proposed_by": guarded.manager.number,
        }

    def test_needs_nobody_where_the_policy_says_so(self, guarded):
        guarded.policy = replace(HOUSE, guarded=())
        accept(guarded, guarded.offered(guarded.issued(), 1_000))

    def test_still_expires(self, guarded):
        offer = guarded.offered(guarded.issued(), 1_000)
        approve(guarded, offer)
        with pytest.raises(AlreadyClosed):
            accept(guarded, offer, timedelta(days=HOUSE.days_to_answer))
        guarded.unanswered(guarded.at + timedelta(days=HOUSE.days_to_answer))

        assert offer.state is TransferState.EXPIRED


class TestLargeTransfer:
    def test_waits_also_to_a_known_recipient(self, guarded):
        guarded.policy = replace(HOUSE, large_credits=(("CO", 1),))
        approve_trust(guarded, trusted(guarded))
        guarded.at += TRUST
        made = guarded.issued()
        small, large = guarded.offered(made, 1_000), guarded.offered(made, 1_001)

        assert (cause(guarded, small), cause(guarded, large)) == (None, Cause.LARGE)
        accept(guarded, small)
        with pytest.raises(NotYetOpen):
            accept(guarded, large)
        approve(guarded, large)
        accept(guarded, large, DELAY)

    def test_is_not_split_into_several(self, guarded):
        guarded.policy = replace(HOUSE, large_credits=(("CO", 1),))
        for recipient in (guarded.buyer, guarded.second):
            approve_trust(guarded, trusted(guarded, recipient.organisation))
        guarded.at += TRUST
        made = guarded.issued()
        first, taken_back = guarded.offered(made, 600), guarded.offered(made, 400)
        accept(guarded, first)
        transfer.withdraw(guarded.session, transfer=taken_back, by=guarded.manager, at=guarded.at)
        whole, more = guarded.offered(made, 400), guarded.offered(made, 1)
        elsewhere = guarded.offered(made, 900, to=guarded.second)

        assert [cause(guarded, each) for each in (first, whole, more)] == [None, None, Cause.LARGE]
        assert cause(guarded, elsewhere) is None
        guarded.at += WINDOW
        assert cause(guarded, guarded.offered(made, 500)) is None

    def test_is_none_where_the_policy_names_no_number(self, guarded):
        guarded.policy = replace(HOUSE, guarded=(Cause.LARGE,), large_credits=(("AU", 1),))

        assert cause(guarded, guarded.offered(guarded.issued(), 2_500)) is None


class TestBulk:
    def test_guards_each_line_by_itself(self, guarded):
        approve_trust(guarded, trusted(guarded))
        guarded.at += TRUST
        made = guarded.issued()
        lines = [TransferLine(made.number, 5, each.organisation.number, "") for each in (guarded.buyer, guarded.second)]
        asked = {"sender": guarded.coop, "lines": lines, "policy": HOUSE, "by": guarded.manager}
        statement = bulk.transfer(guarded.session, **asked, key=guarded.key(), at=guarded.at)
        offers = guarded.session.query(transfer.Transfer).filter_by(bulk_id=statement.id).order_by("id").all()

        assert [cause(guarded, offer) for offer in offers] == [None, Cause.FIRST]

    def test_sums_the_lines_of_a_recipient(self, guarded):
        guarded.policy = replace(HOUSE, large_credits=(("CO", 1),))
        for recipient in (guarded.buyer, guarded.second):
            approve_trust(guarded, trusted(guarded, recipient.organisation))
        guarded.at += TRUST
        made = guarded.issued()
        to = [(1_000, guarded.buyer), (1_000, guarded.second), (500, guarded.buyer)]
        lines = [TransferLine(made.number, quantity, each.organisation.number, "") for quantity, each in to]
        asked = {"sender": guarded.coop, "lines": lines, "policy": guarded.policy, "by": guarded.manager}
        statement = bulk.transfer(guarded.session, **asked, key=guarded.key(), at=guarded.at)
        offers = guarded.session.query(transfer.Transfer).filter_by(bulk_id=statement.id).order_by("id").all()

        assert [cause(guarded, offer) for offer in offers] == [Cause.LARGE, None, Cause.LARGE]


class TestDatabase:
    """What the rules above keep, the database keeps too."""

    ATTACKS = (
        "UPDATE transfer SET state = 'accepted', closing_posting_id = opening_posting_id, closed_at = '{early}'",
        "UPDATE transfer_guard SET open_from = '{early}'",
        "UPDATE transfer_guard SET approved_by_id = proposed_by_id + 1000000",
        "UPDATE transfer_guard SET cause = 'large'",
        "UPDATE transfer_guard SET proposed_by_id = approved_by_id",
        "DELETE FROM transfer_guard",
        "DELETE FROM trust",
        "UPDATE trust SET in_force_from = '{early}'",
        "UPDATE trust SET recipient_id = recipient_id + 1",
        "UPDATE trust SET approved_by_id = NULL, approved_at = NULL, in_force_from = NULL",
    )

    @pytest.mark.parametrize("attack", ATTACKS)
    def test_refuses_to_go_round_it(self, guarded, attack):
        offer = guarded.offered(guarded.issued(), 1_000)
        approve(guarded, offer)
        approve_trust(guarded, trusted(guarded))
        early = guarded.at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        guarded.session.commit()
        with pytest.raises(DBAPIError):
            guarded.session.execute(text(attack.format(early=early)))

    def test_refuses_a_second_person_who_is_the_first(self, guarded):
        offer = guarded.offered(guarded.issued(), 1_000)
        found = guarded.session.get(TransferGuard, offer.id)
        found.approved_by_id, found.approved_at, found.open_from = found.proposed_by_id, guarded.at, guarded.at
        with pytest.raises(DBAPIError, match="two_people"):
            guarded.session.flush()

    def test_refuses_trust_from_before_its_end(self, guarded):
        made = trusted(guarded)
        trust.end(guarded.session, trust=made, by=guarded.manager, at=guarded.at + timedelta(seconds=2))
        parties = {"holder_id": made.holder_id, "recipient_id": made.recipient_id}
        before = {"proposed_by_id": guarded.manager.id, "proposed_at": guarded.at + timedelta(seconds=1)}
        guarded.session.add(Trust(**parties, **before))
        with pytest.raises(DBAPIError, match="has ended since"):
            guarded.session.flush()

    def test_refuses_a_guard_that_names_another_first_person(self, guarded):
        guarded.policy = replace(HOUSE, guarded=())
        offer = guarded.offered(guarded.issued(), 1_000)
        guarded.session.add(TransferGuard(transfer_id=offer.id, cause=Cause.LARGE, proposed_by_id=guarded.partner.id))
        with pytest.raises(DBAPIError, match="not who proposed"):
            guarded.session.flush()


def test_facts_of_the_log_are_plain(guarded):
    assert encode({"cause": Cause.FIRST.value, "open_from": guarding.told(guarded.at)})

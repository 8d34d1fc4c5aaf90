from datetime import date

import pytest

from credits.journal.models import Event
from credits.ledger.models import AccountKind, Entry, Posting
from credits.ledger.posting import BadQuantity, InsufficientBalance
from credits.participants.permissions import WrongRole
from credits.participants.wording import UnsoundText
from credits.registry import reservation, transfer
from credits.registry.calendar import BadPeriod
from credits.registry.earmarks import LetGoAlready, NoSuchEarmark
from credits.registry.holds import NotAHold, NothingToHold
from credits.registry.models import TransferState
from credits.registry.movements import DecisionKind


class TestHold:
    def test_freezes_all_that_is_available(self, stage):
        made = stage.issued()
        stage.handed_over(made, 1_000)
        held = stage.held(made, holder=stage.buyer.organisation)

        assert held.number.startswith("HOLD-")
        assert stage.balance(made, stage.buyer.organisation) == {AccountKind.HELD: 1_000}
        stage.must_be_sound()

    def test_freezes_just_so_much(self, stage):
        made = stage.issued()
        stage.held(made, 300)

        assert stage.serials(made) == [("held", 1, 300), ("available", 301, 2_500)]

    def test_leaves_nothing_to_the_holder(self, stage):
        made = stage.issued()
        stage.held(made)
        with pytest.raises(InsufficientBalance):
            stage.offered(made, 1)

    def test_refuses_where_nothing_is_available(self, stage):
        made = stage.issued()
        stage.held(made)
        with pytest.raises(NothingToHold):
            stage.held(made)

    @pytest.mark.parametrize("quantity", [0, -1, True, 2**63, "1"])
    def test_refuses_what_is_no_quantity(self, stage, quantity):
        with pytest.raises(BadQuantity):
            stage.held(stage.issued(), quantity)

    @pytest.mark.parametrize("who", ["manager", "buyer", "lead"])
    def test_is_for_issuers(self, stage, who):
        with pytest.raises(WrongRole):
            stage.held(stage.issued(), by=getattr(stage, who))

    def test_needs_a_reason(self, stage):
        with pytest.raises(UnsoundText):
            stage.held(stage.issued(), reason=" ")

    def test_happens_once_a_key(self, stage):
        made = stage.issued()

        assert stage.held(made, 5, key="once").id == stage.held(made, 5, key="once").id
        assert stage.balance(made)[AccountKind.HELD] == 5


class TestRelease:
    def test_puts_every_serial_back_where_it_was(self, stage):
        made = stage.issued()
        stage.reserved((made, 200))
        offer = stage.offered(made, 300)
        held = stage.frozen(made).hold
        stage.decided(DecisionKind.RELEASE, held.number)

        assert offer.state is TransferState.WITHDRAWN
        assert stage.serials(made) == [("reserved", 1, 200), ("available", 201, 2_500)]
        stage.must_be_sound()

    def test_happens_once(self, stage):
        held = stage.held(stage.issued(), 5)
        again = stage.proposed(DecisionKind.RELEASE, held.number)
        stage.decided(DecisionKind.RELEASE, held.number)
        with pytest.raises(LetGoAlready):
            stage.approve(again)
        with pytest.raises(LetGoAlready):
            stage.proposed(DecisionKind.RELEASE, held.number)

    def test_knows_holds_from_reservations(self, stage):
        with pytest.raises(NotAHold):
            stage.proposed(DecisionKind.RELEASE, stage.reserved((stage.issued(), 5)).number)

    @pytest.mark.parametrize("number", ["HOLD-000099", "HOLD-", "", "HOLD-1"])
    def test_knows_no_other_number(self, stage, number):
        with pytest.raises(NoSuchEarmark):
            stage.proposed(DecisionKind.RELEASE, number)


class TestHoldPeriods:
    def test_freezes_every_unsold_unit_in_one_posting(self, stage):
        made = stage.issued()
        stage.handed_over(made, 400)
        stage.reserved((made, 200))
        offer = stage.offered(made, 300)
        frozen = stage.frozen(made)

        assert stage.balance(made) == {AccountKind.HELD: 2_100}
        assert frozen.transfers == [offer]
        assert (offer.state, offer.closed_by_id) == (TransferState.WITHDRAWN, stage.issuer.id)
        assert offer.closing_posting_id == frozen.hold.opening_posting_id
        stage.must_be_sound()

    def test_takes_all_issuances_that_overlap_and_no_other(self, stage):
        site = stage.site()
        one = stage.issued(site)
        two = stage.issued(site, produced_from=date(2026, 6, 1), produced_to=date(2026, 6, 15))
        three = stage.issued(site, produced_from=date(2026, 6, 16), produced_to=date(2026, 6, 20))
        frozen = stage.frozen(one, first_day=date(2026, 5, 31), last_day=date(2026, 6, 15))
        posting = stage.session.get_one(Posting, frozen.hold.opening_posting_id)

        assert [stage.balance(each) for each in (one, two)] == [{AccountKind.HELD: 2_500}] * 2
        assert stage.balance(three) == {AccountKind.AVAILABLE: 2_500}
        assert stage.session.query(Entry).filter_by(posting_id=posting.id).count() == 2
        assert stage.session.get_one(Event, posting.event_id).kind == "hold.zero_tolerance"

    def test_names_who_else_is_to_be_told(self, stage):
        made = stage.issued()
        stage.handed_over(made, 400)
        stage.retired(made, 400)
        stage.handed_over(made, 1, to=stage.second)
        frozen = stage.frozen(made)

        assert {each.id for each in frozen.tell} == {stage.buyer.organisation_id, stage.second.organisation_id}
        assert stage.balance(made, stage.second.organisation) == {AccountKind.AVAILABLE: 1}

    def test_leaves_the_offers_of_others_alone(self, stage):
        made = stage.issued()
        stage.handed_over(made, 400)
        resold = stage.offered(made, 10, to=stage.second, sender=stage.buyer.organisation, by=stage.buyer)

        assert stage.frozen(made).transfers == []
        assert resold.state is TransferState.PENDING

    def test_holds_nothing_where_all_was_sold(self, stage):
        made = stage.issued()
        stage.handed_over(made, 2_500)
        frozen = stage.frozen(made)

        assert frozen.hold is None
        assert [each.id for each in frozen.tell] == [stage.buyer.organisation_id]

    def test_takes_a_suspended_issuance_too(self, stage):
        made = stage.suspended(stage.issued())

        assert stage.frozen(made).hold is not None

    def test_gives_one_answer_a_key(self, stage):
        made = stage.issued()
        stage.offered(made, 5)
        first, again = stage.frozen(made, key="once"), stage.frozen(made, key="once")

        assert first == again

    def test_refuses_days_for_which_nothing_was_issued(self, stage):
        with pytest.raises(NothingToHold):
            stage.frozen(stage.issued(), first_day=date(2025, 1, 1), last_day=date(2025, 2, 1))
        with pytest.raises(BadPeriod):
            stage.frozen(stage.issued(), first_day=date(2026, 2, 1), last_day=date(2026, 1, 1))

    def test_is_for_issuers(self, stage):
        with pytest.raises(WrongRole):
            stage.frozen(stage.issued(), by=stage.lead)

    def test_ends_what_was_offered_for_good(self, stage):
        made = stage.issued()
        offer = stage.offered(made, 5)
        stage.frozen(made)
        with pytest.raises(transfer.AlreadyClosed):
            transfer.accept(stage.session, transfer=offer, by=stage.buyer, at=stage.at)

    def test_leaves_a_reservation_open_for_later(self, stage):
        made = stage.issued()
        reserved = stage.reserved((made, 200))
        stage.decided(DecisionKind.RELEASE, stage.frozen(made).hold.number)
        reservation.release(stage.session, reservation=reserved, by=stage.manager, at=stage.at)

        assert stage.balance(made) == {AccountKind.AVAILABLE: 2_500}

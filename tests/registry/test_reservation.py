from datetime import date

import pytest

from credits.errors import Missing
from credits.ledger.models import AccountKind
from credits.ledger.posting import BadQuantity, InsufficientBalance
from credits.participants.permissions import WrongRole
from credits.registry import reservation
from credits.registry.earmarks import LetGoAlready
from credits.registry.reservation import NotAReservation, NothingChosen, OnHold
from credits.registry.transfer import Suspended
from credits.registry.validity import Expired


class TestReserve:
    def test_sets_the_lowest_serials_of_each_issuance_apart(self, stage):
        site = stage.site()
        one = stage.issued(site)
        two = stage.issued(site, produced_from=date(2026, 6, 1), produced_to=date(2026, 6, 15))
        made = stage.reserved((two, 100), (one, 2_500))

        assert made.number.startswith("RESERVATION-")
        assert stage.balance(one) == {AccountKind.RESERVED: 2_500}
        assert stage.serials(two) == [("reserved", 1, 100), ("available", 101, 2_500)]
        stage.must_be_sound()

    def test_takes_all_lines_or_none(self, stage):
        site = stage.site()
        one = stage.issued(site)
        two = stage.issued(site, produced_from=date(2026, 6, 1), produced_to=date(2026, 6, 15))
        with stage.session.begin_nested() as attempt:
            with pytest.raises(InsufficientBalance):
                stage.reserved((one, 1), (two, 2_501))
            attempt.rollback()

        assert stage.balance(one) == {AccountKind.AVAILABLE: 2_500}

    def test_refuses_no_line_and_one_issuance_twice(self, stage):
        made = stage.issued()
        for chosen in ((), ((made, 1), (made, 1))):
            with pytest.raises(NothingChosen):
                stage.reserved(*chosen)

    @pytest.mark.parametrize("quantity", [0, -1, True, 2**63, 0.5, "1"])
    def test_refuses_what_is_no_quantity(self, stage, quantity):
        with pytest.raises(BadQuantity):
            stage.reserved((stage.issued(), quantity))

    def test_stops_while_the_issuance_is_suspended(self, stage):
        with pytest.raises(Suspended):
            stage.reserved((stage.suspended(stage.issued()), 1))

    def test_stops_after_the_last_day(self, stage):
        with pytest.raises(Expired):
            stage.reserved((stage.issued(), 1), at=stage.at.replace(year=2029, month=6, day=1))

    def test_is_the_holder_s(self, stage):
        made = stage.issued()
        with pytest.raises(Missing):
            stage.reserved((made, 1), by=stage.buyer)
        with pytest.raises(WrongRole):
            stage.reserved((made, 1), by=stage.clerk)

    def test_happens_once_a_key(self, stage):
        made = stage.issued()

        assert stage.reserved((made, 10), key="once").id == stage.reserved((made, 10), key="once").id
        assert stage.balance(made)[AccountKind.RESERVED] == 10


class TestRelease:
    def test_makes_the_serials_available_again(self, stage):
        made = stage.issued()
        reserved = stage.reserved((made, 10))
        reservation.release(stage.session, reservation=reserved, by=stage.manager, at=stage.at)

        assert stage.serials(made) == [("available", 1, 2_500)]
        assert reserved.closed_by_id == stage.manager.id
        stage.must_be_sound()

    def test_is_done_by_the_system_too(self, stage):
        reserved = stage.reserved((stage.issued(), 10))
        reservation.release(stage.session, reservation=reserved, by=None, at=stage.at)

        assert (reserved.closed_by_id, reserved.closed_at) == (None, stage.at)

    def test_happens_once(self, stage):
        reserved = stage.reserved((stage.issued(), 10))
        reservation.release(stage.session, reservation=reserved, by=None, at=stage.at)
        with pytest.raises(LetGoAlready):
            reservation.release(stage.session, reservation=reserved, by=None, at=stage.at)

    def test_refuses_what_the_registry_holds_itself(self, stage):
        with pytest.raises(NotAReservation):
            reservation.release(stage.session, reservation=stage.held(stage.issued(), 1), by=stage.manager, at=stage.at)

    def test_waits_for_a_hold_on_it(self, stage):
        made = stage.issued()
        reserved = stage.reserved((made, 10))
        stage.frozen(made)
        with pytest.raises(OnHold):
            reservation.release(stage.session, reservation=reserved, by=stage.manager, at=stage.at)

    def test_is_the_holder_s(self, stage):
        reserved = stage.reserved((stage.issued(), 10))
        with pytest.raises(Missing):
            reservation.release(stage.session, reservation=reserved, by=stage.buyer, at=stage.at)

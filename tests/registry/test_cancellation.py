from datetime import date

import pytest
from sqlalchemy.exc import IntegrityError

from credits import ledger
from credits.journal import events
from credits.ledger.models import AccountKind
from credits.ledger.posting import BadQuantity, InsufficientBalance
from credits.ledger.serials import SerialRange
from credits.participants.permissions import NoSuchOrganisation
from credits.registry import cancellation, public
from credits.registry.accounts import account_of, registry_account
from credits.registry.earmarks import LetGoAlready
from credits.registry.movements import DecisionKind
from credits.registry.queries import NoSuchIssuance
from credits.registry.reservation import OnHold

CANCELLATION = DecisionKind.CANCELLATION


def gone(stage, made) -> int:
    """Base units of an issuance that are cancelled."""
    found = {share.holding.kind: share.quantity for share in public.shares(stage.session, made)}
    return found.get(AccountKind.CANCELLED, 0)


class TestCancel:
    def test_takes_available_units_for_good(self, stage):
        made = stage.issued()
        stage.decided(CANCELLATION, made.number, holder=stage.coop.number, quantity=500)

        assert stage.serials(made) == [("available", 501, 2_500)]
        assert gone(stage, made) == 500
        stage.must_be_sound()

    def test_is_final(self, stage):
        made = stage.issued()
        stage.decided(CANCELLATION, made.number, holder=stage.coop.number, quantity=500)
        source = registry_account(stage.session, AccountKind.CANCELLED)
        back = ledger.Move(made.id, SerialRange(1, 500), source, account_of(stage.session, stage.coop, "available"))
        told = {"kind": "test.undone", "subject": made.number, "actor": "system", "at": stage.at, "facts": {}}
        with pytest.raises(IntegrityError, match="final"):
            ledger.move(stage.session, [back], at=stage.at, record=lambda _: events.drafted(stage.session, **told))

    def test_refuses_what_is_gone_when_it_is_approved(self, stage):
        made = stage.issued()
        waiting = stage.proposed(CANCELLATION, made.number, holder=stage.coop.number, quantity=2_500)
        stage.handed_over(made, 1)
        with pytest.raises(InsufficientBalance):
            stage.approve(waiting)

    @pytest.mark.parametrize("quantity", [0, -1, True, 2**63, "1", None, 0.5])
    def test_refuses_what_is_no_quantity(self, stage, quantity):
        with pytest.raises(BadQuantity):
            stage.proposed(CANCELLATION, stage.issued().number, holder=stage.coop.number, quantity=quantity)

    def test_refuses_what_nobody_knows(self, stage):
        with pytest.raises(NoSuchIssuance):
            stage.proposed(CANCELLATION, "ASMC-X", holder=stage.coop.number, quantity=1)
        with pytest.raises(NoSuchOrganisation):
            stage.proposed(CANCELLATION, stage.issued().number, holder="ORG-999999", quantity=1)


class TestCancelHeld:
    def test_takes_all_of_a_hold(self, stage):
        made = stage.issued()
        held = stage.held(made, 300)
        stage.decided(CANCELLATION, held.number)

        assert stage.serials(made) == [("available", 301, 2_500)]
        assert held.closing_posting_id is not None
        with pytest.raises(LetGoAlready):
            stage.proposed(DecisionKind.RELEASE, held.number)
        stage.must_be_sound()

    def test_ends_reservations_that_lose_by_it(self, stage):
        site = stage.site()
        one = stage.issued(site)
        two = stage.issued(site, produced_from=date(2026, 6, 1), produced_to=date(2026, 6, 15))
        reserved = stage.reserved((one, 200), (two, 50))
        stage.decided(CANCELLATION, stage.frozen(one).hold.number)

        assert gone(stage, one) == 2_500
        assert stage.serials(two) == [("available", 1, 2_500)]
        assert reserved.closing_posting_id is not None
        stage.must_be_sound()

    def test_waits_for_another_hold_on_the_same_reservation(self, stage):
        site = stage.site()
        one = stage.issued(site)
        two = stage.issued(site, produced_from=date(2026, 6, 1), produced_to=date(2026, 6, 15))
        stage.reserved((one, 200), (two, 50))
        first, second = stage.frozen(one), stage.frozen(two)
        waiting = stage.proposed(CANCELLATION, first.hold.number)
        with pytest.raises(OnHold):
            stage.approve(waiting)
        stage.decided(DecisionKind.RELEASE, second.hold.number)
        stage.approve(waiting)

        assert stage.serials(two) == [("available", 1, 2_500)]
        stage.must_be_sound()


class TestWithout:
    @pytest.mark.parametrize(
        "taken, left",
        [
            ([], [(10, 20)]),
            ([(1, 9), (21, 30)], [(10, 20)]),
            ([(10, 20)], []),
            ([(1, 30)], []),
            ([(12, 13), (15, 15)], [(10, 11), (14, 14), (16, 20)]),
            ([(18, 30), (1, 11)], [(12, 17)]),
        ],
    )
    def test_is_what_is_left(self, taken, left):
        found = cancellation.without(SerialRange(10, 20), [SerialRange(*each) for each in taken])

        assert [(units.first, units.last) for units in found] == left

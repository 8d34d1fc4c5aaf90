"""Several disputes about one payment, each about a part of it."""

from dataclasses import replace

import pytest

from credits.ledger.models import AccountKind
from credits.payments import comparing
from credits.payments.gateway import Disputed
from credits.payments.going_back.disputes import disputes_of
from credits.payments.going_back.going_back_models import DisputeState
from credits.payments.models import OrderState


class TestTakeIn:
    @pytest.mark.parametrize("after", [(DisputeState.LOST, DisputeState.OPEN), (DisputeState.OPEN, DisputeState.LOST)])
    def test_of_two_parts_takes_no_unit_more_than_of_both_together(self, stage, issuance, buy, tell, after):
        order, payment, seen = buy()
        tell(payment, seen)

        for states in ((DisputeState.OPEN, DisputeState.OPEN), after, (DisputeState.LOST, DisputeState.LOST)):
            parts = [
                Disputed(reference=f"du_{number}", amount=order.total // 3, state=state)
                for number, state in enumerate(states)
            ]
            tell(payment, replace(seen, disputes=tuple(parts)))

        assert stage.balance(issuance, stage.buyer.organisation) == {
            AccountKind.AVAILABLE: 33
        }  # 66.67 of 100 are of the disputed money
        stage.must_be_sound()

    def test_takes_no_more_than_its_own_where_an_earlier_one_was_won(self, stage, issuance, buy, tell):
        order, payment, seen = buy()  # 520 minor units a base unit
        tell(payment, seen)

        def told(*states):
            parts = zip((364, 156, 780), states, strict=False)
            each = [Disputed(reference=f"du_{amount}", amount=amount, state=state) for amount, state in parts]
            tell(payment, replace(seen, disputes=tuple(each)))

        told(DisputeState.OPEN, DisputeState.OPEN, DisputeState.OPEN)
        assert stage.balance(issuance, stage.buyer.organisation)[AccountKind.HELD] == 3
        told(DisputeState.WON, DisputeState.OPEN, DisputeState.OPEN)
        told(DisputeState.WON, DisputeState.LOST, DisputeState.LOST)

        assert stage.balance(issuance, stage.buyer.organisation) == {AccountKind.AVAILABLE: 98}  # of 1.8 units
        assert [each.shortfall for each in disputes_of(stage.session, order)] == [0, 0, 0]
        stage.must_be_sound()

    @pytest.mark.parametrize("first, left", [(DisputeState.LOST, 0), (DisputeState.WON, 99)])
    def test_takes_the_part_of_a_unit_that_an_earlier_one_held(self, stage, issuance, buy, tell, first, left):
        order, payment, seen = buy()  # 520 minor units a base unit
        tell(payment, seen)

        def told(*states):
            parts = zip((order.total - 260, 260), states, strict=True)
            each = [Disputed(reference=f"du_{amount}", amount=amount, state=state) for amount, state in parts]
            tell(payment, replace(seen, disputes=tuple(each)))

        told(DisputeState.OPEN, DisputeState.OPEN)
        told(DisputeState.OPEN, DisputeState.LOST)
        told(first, DisputeState.LOST)

        assert stage.balance(issuance, stage.buyer.organisation).get(AccountKind.AVAILABLE, 0) == left
        if first is DisputeState.LOST:  # the registry bears what the other one could not reach, and gets it
            assert [each.shortfall for each in disputes_of(stage.session, order)] == [0, 260]
            assert stage.balance(issuance) == {AccountKind.AVAILABLE: 2_499}
        stage.must_be_sound()

    @pytest.mark.parametrize("after", [(DisputeState.OPEN, DisputeState.LOST), (DisputeState.LOST, DisputeState.OPEN)])
    def test_of_two_parts_lacks_no_more_than_was_retired(self, stage, issuance, buy, tell, after):
        order, payment, seen = buy()
        tell(payment, seen)
        stage.retired(issuance, 50)
        for states in ((DisputeState.OPEN, DisputeState.OPEN), after, (DisputeState.LOST, DisputeState.LOST)):
            each = [
                Disputed(reference=f"du_{n}", amount=order.total // 2, state=state) for n, state in enumerate(states)
            ]
            tell(payment, replace(seen, disputes=tuple(each)))

        assert [each.shortfall for each in disputes_of(stage.session, order)] == [0, order.total // 2]
        assert stage.balance(issuance) == {AccountKind.AVAILABLE: 2_450}
        stage.must_be_sound()

    def test_ends_an_order_with_the_last_of_its_money(self, stage, issuance, buy, tell):
        order, payment, seen = buy()
        tell(payment, seen)

        def told(part, rest):
            amounts = {"du_1": (1_000, part), "du_2": (order.total - 1_000, rest)}
            each = [Disputed(reference=name, amount=amount, state=state) for name, (amount, state) in amounts.items()]
            tell(payment, replace(seen, disputes=tuple(each)))
            return order.state

        assert told(DisputeState.LOST, DisputeState.OPEN) is OrderState.DELIVERED
        assert told(DisputeState.LOST, DisputeState.LOST) is OrderState.REFUNDED
        assert stage.serials(issuance, stage.buyer.organisation) == []
        assert [each.kind for each in comparing.disagreements(stage.session)] == []
        stage.must_be_sound()

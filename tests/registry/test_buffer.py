from dataclasses import replace
from datetime import date

import pytest

from credits.ledger.models import AccountKind
from credits.ledger.posting import BadQuantity, InsufficientBalance
from credits.registry import buffer, public
from credits.registry.buffer import NotOwed
from credits.registry.debits import NoSuchDebit
from credits.registry.movements import Debit, DecisionKind


@pytest.fixture
def sharing(stage):
    """The stage under a policy that gives 10 % of each issuance to the buffer."""
    stage.policy = replace(stage.policy, buffer_share_ppm=100_000)
    return stage


def debited(stage, made, quantity) -> Debit:
    stage.handed_over(made, 1)
    stage.decided(DecisionKind.DEBIT, made.number, quantity=quantity)
    return stage.session.query(Debit).filter_by(issuance_id=made.id).one()


class TestContribute:
    def test_is_nothing_under_the_house_s_policy(self, stage):
        made = stage.issued()

        assert stage.policy.buffer_share_ppm == 0
        assert stage.balance(made) == {AccountKind.AVAILABLE: 2_500}

    def test_takes_the_last_serials_of_an_issuance(self, sharing):
        made = sharing.issued()

        assert sharing.serials(made) == [("available", 1, 2_250)]
        assert buffer.in_buffer(sharing.session, "CO") == {made.id: 250}
        sharing.must_be_sound()

    @pytest.mark.parametrize("ppm, share", [(399, 0), (400, 1), (799, 1), (999_999, 2_499)])
    def test_rounds_down_to_whole_base_units(self, stage, ppm, share):
        stage.policy = replace(stage.policy, buffer_share_ppm=ppm)
        made = stage.issued()

        assert stage.balance(made) == {AccountKind.AVAILABLE: 2_500 - share}


class TestDraw:
    def test_covers_a_debit_with_the_oldest_units(self, sharing):
        site = sharing.site()
        one = sharing.issued(site)
        two = sharing.issued(site, produced_from=date(2026, 6, 1), produced_to=date(2026, 6, 15))
        debit = debited(sharing, one, 300)
        sharing.decided(DecisionKind.BUFFER_DRAW, debit.number, quantity=300)
        shares = {share.holding.kind: share.quantity for share in public.shares(sharing.session, two)}

        assert debit.still_open == 0
        assert buffer.in_buffer(sharing.session, "CO") == {two.id: 200}
        assert shares[AccountKind.CANCELLED] == 50
        sharing.must_be_sound()

    def test_covers_a_part(self, sharing):
        debit = debited(sharing, sharing.issued(), 300)
        sharing.decided(DecisionKind.BUFFER_DRAW, debit.number, quantity=100)

        assert (debit.quantity, debit.still_open) == (300, 200)

    def test_refuses_more_than_is_open(self, sharing):
        debit = debited(sharing, sharing.issued(), 10)
        again = sharing.proposed(DecisionKind.BUFFER_DRAW, debit.number, quantity=10)
        sharing.decided(DecisionKind.BUFFER_DRAW, debit.number, quantity=10)
        for step in (
            lambda: sharing.approve(again),
            lambda: sharing.proposed(DecisionKind.BUFFER_DRAW, debit.number, quantity=1),
        ):
            with pytest.raises(NotOwed):
                step()

    def test_refuses_more_than_the_buffer_has(self, sharing):
        debit = debited(sharing, sharing.issued(), 300)
        with pytest.raises(InsufficientBalance) as refusal:
            sharing.decided(DecisionKind.BUFFER_DRAW, debit.number, quantity=251)

        assert refusal.value.detail == {"asked": 251, "available": 250}

    def test_refuses_units_of_another_mineral(self, sharing):
        debit = debited(sharing, sharing.issued(), 300)
        sharing.issued(mineral_code="SN", form="cassiterite")
        with pytest.raises(InsufficientBalance):
            sharing.decided(DecisionKind.BUFFER_DRAW, debit.number, quantity=300)

    def test_refuses_what_nobody_knows(self, stage):
        with pytest.raises(NoSuchDebit):
            stage.proposed(DecisionKind.BUFFER_DRAW, "DEBIT-000009", quantity=1)
        with pytest.raises(BadQuantity):
            stage.proposed(DecisionKind.BUFFER_DRAW, "DEBIT-000009", quantity=0)

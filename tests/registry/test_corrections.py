from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy.exc import IntegrityError

from credits.ledger.models import AccountKind
from credits.ledger.posting import BadQuantity
from credits.registry import issuance, public
from credits.registry.corrections import AllWithProducer, NotAllWithProducer, TooLargeADebit
from credits.registry.issuance import NothingToIssue
from credits.registry.issuance_counts import CarriedRemainder
from credits.registry.making.batches import WrongState
from credits.registry.movements import Debit, DebitSettlement, DecisionKind
from credits.registry.production import BatchState

JUNE = {"produced_from": date(2026, 6, 1), "produced_to": date(2026, 6, 15)}


def debits(stage) -> list[tuple[int, int]]:
    """Quantity and what is still open of every debit, oldest first."""
    return [(each.quantity, each.still_open) for each in stage.session.query(Debit).order_by(Debit.id)]


class TestRollBack:
    def test_cancels_everything_and_frees_the_days(self, stage):
        site = stage.site()
        made = stage.issued(site)
        stage.decided(DecisionKind.ROLL_BACK, made.number)
        again = stage.issued(site, grade="25")

        assert made.batch.state is BatchState.REJECTED
        assert [(share.holding.kind, share.quantity) for share in public.shares(stage.session, made)] == [
            (AccountKind.CANCELLED, 2_500)
        ]
        assert (again.quantity, again.number) == (2_000, "ASMC-CO-COD-KAM001-2026-0002")
        stage.must_be_sound()

    def test_takes_the_buffer_s_share_too(self, stage):
        stage.policy = replace(stage.policy, buffer_share_ppm=100_000)
        made = stage.issued()
        stage.decided(DecisionKind.ROLL_BACK, made.number)

        assert stage.balance(made) == {}
        stage.must_be_sound()

    def test_takes_a_suspended_issuance(self, stage):
        made = stage.suspended(stage.issued())
        stage.decided(DecisionKind.ROLL_BACK, made.number)

        assert made.batch.state is BatchState.REJECTED

    @pytest.mark.parametrize("step", ["handed_over", "offered", "held", "reserved", "cancelled"])
    def test_needs_all_units_with_the_producer(self, stage, step):
        made = stage.issued()
        waiting = stage.proposed(DecisionKind.ROLL_BACK, made.number)
        if step == "reserved":
            stage.reserved((made, 1))
        elif step == "cancelled":
            stage.decided(DecisionKind.CANCELLATION, made.number, holder=stage.coop.number, quantity=1)
        else:
            getattr(stage, step)(made, 1)
        for again in (lambda: stage.approve(waiting), lambda: stage.proposed(DecisionKind.ROLL_BACK, made.number)):
            with pytest.raises(NotAllWithProducer) as refusal:
                again()
            assert refusal.value.detail == {"quantity": 2_500, "left": 2_499}

    def test_happens_once(self, stage):
        made = stage.issued()
        again = stage.proposed(DecisionKind.ROLL_BACK, made.number)
        stage.decided(DecisionKind.ROLL_BACK, made.number)
        with pytest.raises((NotAllWithProducer, WrongState)):
            stage.approve(again)

    def test_puts_the_carried_remainder_back(self, stage):
        site = stage.site()
        first = stage.issued(site, gross_kg="1240", moisture="0", grade="31.2")  # 386.88 kg
        carried = stage.session.get_one(CarriedRemainder, (stage.coop.id, "CO"))
        second = stage.issued(site, gross_kg="10", moisture="0", grade="11.2", **JUNE)  # takes the 0.88 kg up
        stage.decided(DecisionKind.ROLL_BACK, second.number)
        assert carried.nanograms == 880_000_000_000

        stage.decided(DecisionKind.ROLL_BACK, first.number)
        assert (carried.nanograms, debits(stage)) == (0, [])

    def test_debits_a_remainder_that_was_used_up(self, stage):
        site = stage.site()
        first = stage.issued(site, gross_kg="1240", moisture="0", grade="31.2")  # leaves 0.88 kg
        stage.issued(site, gross_kg="10", moisture="0", grade="11.2", **JUNE)  # with which 1.12 kg are two whole ones
        stage.decided(DecisionKind.ROLL_BACK, first.number)
        carried = stage.session.get_one(CarriedRemainder, (stage.coop.id, "CO"))

        # Of 1.12 kg two units were issued: one too many, less the 0.12 kg that are carried again.
        assert (carried.nanograms, debits(stage)) == (120_000_000_000, [(1, 1)])

    def test_opens_again_what_it_had_made_good(self, stage):
        site = stage.site()
        wrong = stage.issued(site)
        stage.handed_over(wrong, 1)
        stage.decided(DecisionKind.DEBIT, wrong.number, quantity=100)
        second = stage.issued(site, **JUNE)
        assert (second.quantity, debits(stage)) == (2_400, [(100, 0)])

        stage.decided(DecisionKind.ROLL_BACK, second.number)
        assert debits(stage) == [(100, 0), (100, 100)]


class TestDebit:
    def test_is_missing_from_the_next_issuance(self, stage):
        site = stage.site()
        wrong = stage.issued(site)
        stage.handed_over(wrong, 1)
        stage.decided(DecisionKind.DEBIT, wrong.number, quantity=100)
        stage.decided(DecisionKind.DEBIT, wrong.number, quantity=20)
        batch = stage.verified(site, **JUNE)
        assert issuance.expected(stage.session, batch).base_units == 2_380

        made = stage.issue(batch)
        paid = stage.session.query(DebitSettlement).order_by(DebitSettlement.id).all()
        assert (made.quantity, debits(stage)) == (2_380, [(100, 0), (20, 0)])
        assert [(each.quantity, each.posting_id) for each in paid] == [(100, made.posting_id), (20, made.posting_id)]
        stage.must_be_sound()

    def test_leaves_what_is_in_the_world_alone(self, stage):
        wrong = stage.issued()
        stage.handed_over(wrong, 2_500)
        stage.retired(wrong, 2_500)
        stage.decided(DecisionKind.DEBIT, wrong.number, quantity=2_500)

        assert public.shares(stage.session, wrong)[0].holding.kind is AccountKind.RETIRED

    def test_is_of_one_mineral(self, stage):
        wrong = stage.issued()
        stage.handed_over(wrong, 1)
        stage.decided(DecisionKind.DEBIT, wrong.number, quantity=100)

        assert stage.issued(mineral_code="SN", form="cassiterite").quantity == 2_500_000

    def test_stops_an_issuance_that_it_would_swallow(self, stage):
        site = stage.site()
        wrong = stage.issued(site)
        stage.handed_over(wrong, 1)
        stage.decided(DecisionKind.DEBIT, wrong.number, quantity=2_500)
        with pytest.raises(NothingToIssue) as refusal:
            stage.issue(stage.verified(site, **JUNE))

        assert refusal.value.detail == {"debits": 2_500}

    def test_is_not_for_what_can_be_rolled_back(self, stage):
        with pytest.raises(AllWithProducer):
            stage.proposed(DecisionKind.DEBIT, stage.issued().number, quantity=1)

    def test_never_comes_to_more_than_was_issued(self, stage):
        wrong = stage.issued()
        stage.handed_over(wrong, 1)
        stage.decided(DecisionKind.DEBIT, wrong.number, quantity=2_000)
        with pytest.raises(TooLargeADebit) as refusal:
            stage.proposed(DecisionKind.DEBIT, wrong.number, quantity=501)

        assert refusal.value.detail == {"most": 500}

    @pytest.mark.parametrize("quantity", [0, -1, True, 2**53, "1", None])
    def test_refuses_what_is_no_quantity(self, stage, quantity):
        with pytest.raises(BadQuantity):
            stage.proposed(DecisionKind.DEBIT, stage.issued().number, quantity=quantity)

    def test_only_ever_shrinks(self, stage):
        wrong = stage.issued()
        stage.handed_over(wrong, 1)
        stage.decided(DecisionKind.DEBIT, wrong.number, quantity=100)
        debit = stage.session.query(Debit).one()
        debit.still_open = 50
        stage.session.commit()
        debit.still_open = 60
        with pytest.raises(IntegrityError):
            stage.session.flush()

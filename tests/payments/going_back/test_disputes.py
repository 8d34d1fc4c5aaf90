from dataclasses import replace

import pytest
from sqlalchemy import select

from credits import market_rounds
from credits.journal import events
from credits.ledger.models import AccountKind
from credits.ledger.serials import LARGEST, SerialRange
from credits.notices.models import Notice
from credits.notices.occurrences import tell_of_events
from credits.notices.wordings import Kind
from credits.participants.models import User
from credits.payments import acts, comparing, receiving
from credits.payments.delivering import Disputed as UnderDispute
from credits.payments.gateway import Disputed, Refunded
from credits.payments.going_back import refunding, releasing, sending_back
from credits.payments.going_back.disputes import TAKEN_BACK, disputes_of
from credits.payments.going_back.going_back_models import DisputeState, RefundState
from credits.payments.models import Means, OrderState, Payment, Use
from credits.payments.money_models import MoneyPosting, MoneyPostingKind
from credits.payments.premiums import following, premium
from credits.payments.receiving import Terms
from credits.registry import public, transfer
from credits.registry.models import Transfer
from credits.registry.movements import DecisionKind
from tests.market_stage import certify
from tests.payments.house import House
from tests.payments.selling import checkout_of
from tests.stage import CLAIM


@pytest.fixture
def issuance(stage):
    acts.register(certify)
    return stage.issued()


@pytest.fixture
def buy(stage, issuance):
    """An order paid through the provider, and how its checkout looks."""

    def bought(**bent):
        order = stage.ordered((stage.for_sale(issuance), 100), means=Means.STRIPE, **bent)
        payment = stage.begun(order)
        return order, payment, checkout_of(order, payment)

    return bought


@pytest.fixture
def tell(stage):
    def told(payment, seen, state=None, amount=None):
        if state is not None:
            of = Disputed(reference="du_1", amount=amount or seen.amount, state=state)
            seen = replace(seen, disputes=(of,))
        asked = {"payment": payment, "seen": seen, "terms": Terms(False, stage.policy, certify), "at": stage.at}
        return receiving.settle_seen(stage.session, **asked)

    return told


class TestTakeIn:
    def test_holds_what_is_left_and_lets_it_go_when_won(self, stage, issuance, buy, tell):
        order, payment, seen = buy()
        buyer = stage.buyer.organisation
        tell(payment, seen)
        stage.retired(issuance, 30)
        assert [tell(payment, seen, DisputeState.OPEN) for _ in range(2)] == ["disputed", "nothing"]

        (dispute,) = disputes_of(stage.session, order)
        assert (dispute.amount, dispute.state) == (order.total, DisputeState.OPEN)
        assert stage.serials(issuance, buyer) == [("held", 31, 100)]
        with pytest.raises(UnderDispute):
            stage.proposed(DecisionKind.REFUND, order.number)
        assert tell(payment, seen, DisputeState.WON) == "dispute_won"
        assert stage.serials(issuance, buyer) == [("available", 31, 100)]
        assert (dispute.state, dispute.shortfall) == (DisputeState.WON, 0)
        stage.must_be_sound()

    def test_gives_back_what_is_left_when_lost_and_books_the_rest(self, stage, issuance, buy, tell):
        order, payment, seen = buy()
        tell(payment, seen)
        stage.retired(issuance, 33)
        tell(payment, seen, DisputeState.OPEN)
        tell(payment, seen, DisputeState.LOST)

        (dispute,) = disputes_of(stage.session, order)
        assert stage.balance(issuance) == {AccountKind.AVAILABLE: 2_467}
        assert stage.balance(issuance, stage.buyer.organisation) == {}
        assert (dispute.state, dispute.shortfall) == (DisputeState.LOST, 17_160)  # 33 % of USD 520.00
        assert (order.state, order.reason) == (OrderState.REFUNDED, TAKEN_BACK)
        (trail,) = following.trails_of(stage.session, issuance, [SerialRange(1, 33)])
        assert (trail.order, trail.units, trail.share) == (order, 33, 15_101)  # 33 % of USD 457.60, which stays
        assert [each.kind for each in comparing.disagreements(stage.session)] == []
        posted = stage.session.query(MoneyPosting).filter_by(kind=MoneyPostingKind.SHORTFALL).count()
        assert posted == 1
        (back, *_) = public.history(stage.session, issuance, SerialRange(34, 100), before=LARGEST, limit=1)
        assert (back.event, back.target.organisation_id) == ("dispute.closed", stage.coop.id)
        stage.must_be_sound()

    def test_never_undoes_a_retirement(self, stage, issuance, buy, tell):
        order, payment, seen = buy(use=Use.RETIRE, claim=CLAIM)
        tell(payment, seen)
        tell(payment, seen, DisputeState.LOST)  # that it was opened was never told

        (dispute,) = disputes_of(stage.session, order)
        assert (dispute.earmark, dispute.shortfall) == (None, order.total)
        assert stage.balance(issuance) == {AccountKind.AVAILABLE: 2_400}
        assert [event.kind for event in events.story(stage.session, order.number)][-4:] == [
            "dispute.opened",
            "dispute.closed",
            "order.charged_back",
            "premium.returned",
        ]
        stage.must_be_sound()

    def test_concerns_the_part_that_is_disputed(self, stage, issuance, buy, tell):
        order, payment, seen = buy()
        tell(payment, seen)
        tell(payment, seen, DisputeState.OPEN, order.total // 3)
        assert stage.serials(issuance, stage.buyer.organisation) == [("held", 1, 34), ("available", 35, 100)]
        tell(payment, seen, DisputeState.LOST, order.total // 3)

        assert stage.serials(issuance, stage.buyer.organisation) == [("available", 35, 100)]
        assert disputes_of(stage.session, order)[0].shortfall == 0
        assert order.state is OrderState.DELIVERED  # two thirds of it are paid
        stage.must_be_sound()

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

    def test_keeps_from_delivery_what_waits(self, stage, issuance, buy, tell):
        order, payment, seen = buy()
        stage.suspended(issuance)
        tell(payment, seen)
        assert order.state is OrderState.PAID
        tell(payment, seen, DisputeState.OPEN)
        tell(payment, seen, DisputeState.LOST)

        assert order.state is OrderState.REFUNDED
        assert stage.balance(issuance) == {AccountKind.AVAILABLE: 2_500}
        stage.must_be_sound()

    def test_takes_no_more_of_what_waits_than_is_disputed(self, stage, issuance, buy, tell):
        order, payment, seen = buy()
        stage.suspended(issuance)
        tell(payment, seen)
        tell(payment, seen, DisputeState.OPEN, 1_000)
        assert order.state is OrderState.PAID
        tell(payment, seen, DisputeState.LOST, 1_000)

        (rest,) = refunding.refunds_of(stage.session, order)
        assert (order.state, rest.amount, rest.state) == (OrderState.REFUNDED, order.total - 1_000, RefundState.ASKED)
        assert [each.amount for each in sending_back.due(stage.session)] == [rest.amount]
        assert [each.kind for each in comparing.disagreements(stage.session)] == []
        sending_back.refused(stage.session, refund_id=rest.id, at=stage.at)
        assert [each.kind for each in comparing.disagreements(stage.session)] == ["not_refunded"]
        again = sending_back.ask_again(stage.session, refund=rest, by=stage.issuer, at=stage.at)
        assert again.amount == rest.amount
        stage.must_be_sound()

    @pytest.mark.parametrize("part", [1, 4])
    def test_is_booked_once_with_a_refund_that_was_not_sent(self, stage, buy, tell, part):
        order, payment, seen = buy()
        tell(payment, seen)
        stage.decided(DecisionKind.REFUND, order.number)
        (refund,) = refunding.refunds_of(stage.session, order)
        tell(payment, seen, DisputeState.OPEN, order.total // part)
        assert sending_back.due(stage.session) == []  # the bank may take the same money
        tell(payment, seen, DisputeState.LOST, order.total // part)

        assert refund.state is RefundState.FAILED
        rest = order.total - order.total // part
        assert [each.amount for each in sending_back.due(stage.session)] == ([rest] if rest else [])
        with pytest.raises(refunding.NotRefundable):
            sending_back.ask_again(stage.session, refund=refund, by=stage.issuer, at=stage.at)
        kinds = [posting.kind for posting in stage.session.query(MoneyPosting).order_by(MoneyPosting.id)]
        assert kinds == [MoneyPostingKind.SALE, MoneyPostingKind.REFUND]
        assert [each.kind for each in comparing.disagreements(stage.session)] == []
        stage.must_be_sound()

    def test_is_a_loss_where_the_refund_was_sent_before(self, stage, buy, tell):
        order, payment, seen = buy()
        tell(payment, seen)
        stage.decided(DecisionKind.REFUND, order.number)
        tell(payment, replace(seen, refunds=(Refunded(reference="re_1", amount=order.total, state=RefundState.DONE),)))
        tell(payment, seen, DisputeState.LOST)

        kinds = [posting.kind for posting in stage.session.query(MoneyPosting).order_by(MoneyPosting.id)]
        assert kinds == [MoneyPostingKind.SALE, MoneyPostingKind.REFUND, MoneyPostingKind.SHORTFALL]
        assert sending_back.due(stage.session) == []
        stage.must_be_sound()

    @pytest.mark.parametrize("way", ["offered", "reserved"])
    def test_reaches_what_is_on_its_way_or_reserved(self, stage, issuance, buy, tell, way):
        order, payment, seen = buy()
        buyer = stage.buyer.organisation
        tell(payment, seen)
        if way == "offered":
            stage.offered(issuance, 60, to=stage.second, sender=buyer, by=stage.buyer)
        else:
            stage.reserved((issuance, 60), holder=buyer, by=stage.buyer)
        tell(payment, seen, DisputeState.OPEN)
        assert stage.serials(issuance, buyer) == [("held", 1, 100)]
        tell(payment, seen, DisputeState.LOST)

        assert stage.balance(issuance) == {AccountKind.AVAILABLE: 2_500}
        assert disputes_of(stage.session, order)[0].shortfall == 0
        stage.must_be_sound()

    @pytest.mark.parametrize("lost", [False, True])
    def test_reaches_what_the_registry_lets_go_meanwhile(self, stage, issuance, buy, tell, lost):
        order, payment, seen = buy()
        buyer = stage.buyer.organisation
        tell(payment, seen)
        held = stage.held(issuance, 60, holder=buyer)
        tell(payment, seen, DisputeState.OPEN)
        if lost:
            tell(payment, seen, DisputeState.LOST)
            assert disputes_of(stage.session, order)[0].shortfall == 31_200
        stage.decided(DecisionKind.RELEASE, held.number)

        if lost:  # the registry bears the shortfall, so what comes back is its own
            assert stage.serials(issuance, buyer) == []
            assert stage.balance(issuance) == {AccountKind.AVAILABLE: 2_440}
        else:
            assert stage.serials(issuance, buyer) == [("held", 1, 100)]
            tell(payment, seen, DisputeState.WON)
            assert stage.serials(issuance, buyer) == [("available", 1, 100)]
        stage.must_be_sound()

    @pytest.mark.parametrize("lost", [False, True])
    def test_reaches_what_somebody_sends_back_in_the_same_moment(self, stage, issuance, buy, tell, lost):
        order, payment, seen = buy()
        buyer, friend = stage.buyer.organisation, stage.second.organisation
        tell(payment, seen)
        sent = stage.offered(issuance, 60, to=stage.second, sender=buyer, by=stage.buyer)
        releasing.accept(stage.session, transfer=sent, by=stage.second, at=stage.at)
        tell(payment, seen, DisputeState.LOST if lost else DisputeState.OPEN)
        back = stage.offered(issuance, 60, to=stage.buyer, sender=friend, by=stage.second)
        tell_of_events(stage.session)
        releasing.accept(stage.session, transfer=back, by=stage.buyer, at=stage.at)
        tell_of_events(stage.session)

        assert stage.serials(issuance, buyer) == ([] if lost else [("held", 1, 100)])
        kind = Kind.DISPUTE_RECOVERED if lost else Kind.DISPUTE_EXTENDED
        told = stage.session.scalars(select(Notice.person_id).where(Notice.kind == kind)).all()
        assert sorted(told) == sorted(each.id for each in (stage.buyer, stage.issuer, stage.colleague))
        stage.session.commit()
        assert market_rounds.follow_disputes(stage.session, at=stage.at) == 0
        if not lost:
            tell(payment, seen, DisputeState.WON)
            assert stage.serials(issuance, buyer) == [("available", 1, 100)]
        assert (order.state is OrderState.REFUNDED) is lost
        stage.must_be_sound()

    def test_takes_what_comes_back_otherwise_with_the_next_round(self, stage, issuance, buy, tell):
        _order, payment, seen = buy()
        buyer, friend = stage.buyer.organisation, stage.second.organisation
        tell(payment, seen)
        sent = stage.offered(issuance, 60, to=stage.second, sender=buyer, by=stage.buyer)
        transfer.accept(stage.session, transfer=sent, by=stage.second, at=stage.at)
        tell(payment, seen, DisputeState.LOST)
        back = stage.offered(issuance, 60, to=stage.buyer, sender=friend, by=stage.second)
        transfer.accept(stage.session, transfer=back, by=stage.buyer, at=stage.at)
        stage.session.commit()

        assert market_rounds.follow_disputes(stage.session, at=stage.at) == 1
        assert stage.serials(issuance, buyer) == []
        assert market_rounds.follow_disputes(stage.session, at=stage.at) == 0
        stage.must_be_sound()


def test_never_sells_twice_what_is_paid_out(stage):
    acts.register(certify)
    house = House(stage)
    order = stage.ordered((stage.for_sale(house.made, 2_500), 100), means=Means.STRIPE)
    payment = stage.begun(order)
    seen = checkout_of(order, payment)
    asked = {"payment": payment, "terms": Terms(False, stage.policy, certify), "at": stage.at}
    receiving.settle_seen(stage.session, seen=seen, **asked)
    house.paid(house.decided(income=order.premium // 4), order.premium // 4)
    assert premium.paid_out(stage.session, order) == order.premium // 4
    lost = Disputed(reference="du_1", amount=order.total, state=DisputeState.LOST)
    receiving.settle_seen(stage.session, seen=replace(seen, disputes=(lost,)), **asked)

    assert stage.serials(house.made, stage.buyer.organisation) == []
    assert stage.balance(house.made) == {AccountKind.AVAILABLE: 2_475}  # 25 are in the registry's buffer
    told = [event for event in events.story(stage.session, order.number) if event.kind == "dispute.closed"]
    assert b'"to_buffer":25' in told[0].body
    assert house.figures[3] == 0
    house.must_be_sound()
    stage.must_be_sound()


def test_frees_nothing_where_somebody_sends_back_at_the_same_moment(stage, issuance, buy, tell, at_once):
    _order, payment, seen = buy()
    tell(payment, seen)
    sent = stage.offered(issuance, 60, to=stage.second, sender=stage.buyer.organisation, by=stage.buyer)
    releasing.accept(stage.session, transfer=sent, by=stage.second, at=stage.at)
    back = stage.offered(issuance, 60, to=stage.buyer, sender=stage.second.organisation, by=stage.second)
    offered, paid, buyer, terms = back.id, payment.id, stage.buyer.id, Terms(False, stage.policy, certify)
    stage.session.commit()
    disputed = replace(seen, disputes=(Disputed(reference="du_1", amount=seen.amount, state=DisputeState.OPEN),))

    def act(session, place):
        if place:
            payment = session.get_one(Payment, paid)
            return receiving.settle_seen(session, payment=payment, seen=disputed, terms=terms, at=stage.at)
        asked = {"transfer": session.get_one(Transfer, offered), "by": session.get_one(User, buyer)}
        return releasing.accept(session, **asked, at=stage.at)

    came = at_once(2, act)
    assert came[1] == "disputed"
    assert came[0] is None or came[0].code == "payment_disputed"
    stage.session.expire_all()
    there = stage.serials(issuance, stage.buyer.organisation)
    assert there == ([("held", 1, 100)] if came[0] is None else [("held", 61, 100)])
    stage.must_be_sound()

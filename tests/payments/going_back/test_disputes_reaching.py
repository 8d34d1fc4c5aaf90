"""What a dispute reaches that was not at hand when it came: on its way, reserved, held, or sent back."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from credits import market_rounds
from credits.ledger.models import AccountKind
from credits.notices.models import Notice
from credits.notices.occurrences import tell_of_events
from credits.notices.wordings import Kind
from credits.participants.models import User
from credits.payments import receiving
from credits.payments.gateway import Disputed
from credits.payments.going_back import releasing
from credits.payments.going_back.disputes import disputes_of
from credits.payments.going_back.going_back_models import DisputeState
from credits.payments.models import OrderState, Payment
from credits.payments.receiving import Terms
from credits.registry import transfer
from credits.registry.models import Transfer
from credits.registry.movements import DecisionKind
from tests.market_stage import certify


class TestTakeIn:
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

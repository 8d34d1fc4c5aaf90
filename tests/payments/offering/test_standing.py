from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from credits import ledger, standing_jobs
from credits.certificates.models import Certificate
from credits.journal import events
from credits.notices.models import Notice
from credits.notices.occurrences import tell_of_events
from credits.notices.wordings import Kind as Told
from credits.notices.wordings import wording
from credits.participants.models import Kyc, Language
from credits.participants.permissions import NoSuchOrganisation, WrongRole
from credits.payments import cancelling, invariants, reserving, settling
from credits.payments.limiting import TooManyUnpaid
from credits.payments.models import Currency, Means, Offer, Order, OrderState, PaymentState, Use
from credits.payments.offering import choosing_use, serving, standing
from credits.payments.offering.catalogue import Sorting
from credits.payments.offering.floors import BelowFloor
from credits.payments.offering.standing import BadDay, BadPart, NoSuchStandingOrder, StandingClosed, Wanted
from credits.payments.offering.standing_models import StandingOrder, StandingPart, StandingState
from credits.payments.orders import OrderClosed
from tests.checker_market import market
from tests.market_stage import BILLING
from tests.stage import CLAIM

WAITING, PAUSED, FULFILLED = StandingState.WAITING, StandingState.PAUSED, StandingState.FULFILLED
EARLY = {"produced_from": date(2026, 1, 5), "produced_to": date(2026, 1, 30)}


@pytest.fixture
def leave(stage):
    """What the buyer waits for: 1,000 kg of cobalt at USD 5,200 or less."""
    stage.floor()

    def left(by=None, at=None, **bent):
        by = by or stage.buyer
        asked = Wanted(
            "CO", 1_000, 1, 520_000, Currency.USD, Sorting.OLDEST, date(2026, 12, 31), Means.BANK_TRANSFER, BILLING
        )
        return standing.leave(
            stage.session,
            buyer=by.organisation,
            wanted=replace(asked, **bent),
            policy=stage.policy,
            by=by,
            key=stage.key(),
            at=at or stage.at,
        )

    return left


@pytest.fixture
def serve(stage):
    def served(at=None, means=tuple(Means)):
        stage.session.commit()
        return standing_jobs.serve_waiting(stage.session, policy=stage.policy, means=means, at=at or stage.at)

    return served


@pytest.fixture
def resume(stage):
    def resumed(left, by=None, at=None):
        asked = {"policy": stage.policy, "by": by or stage.buyer, "at": at or stage.at}
        standing.resume(stage.session, standing=left, **asked)

    return resumed


def orders_in(session):
    return session.scalars(select(Order).order_by(Order.id)).all()


class TestLeave:
    def test_waits_with_nothing_reserved_and_keeps_its_price_to_itself(self, stage, leave, serve):
        left = leave()

        assert (left.number, left.state, left.missing) == ("STANDING-000001", WAITING, 1_000)
        assert serve() == 0
        (told,) = events.story(stage.session, left.number)
        assert b"5,200" not in told.body
        assert events.private_of(stage.session, [told])[told.id] == {"price": "USD 5,200.00"}
        assert standing.standing_orders_of(stage.issuer).whereclause is None
        with pytest.raises(NoSuchStandingOrder):
            standing.standing_order_numbered(stage.session, stage.second, left.number)

    def test_refuses_what_could_never_be_filled(self, stage, leave):
        untaxed = replace(BILLING, country="FRA", vat_number="FRXX999999999")
        by_card = {"means": Means.STRIPE, "quantity": 200_000, "smallest": 190_000, "billing": untaxed}
        assert leave(**by_card).state is WAITING
        by_card["billing"] = replace(untaxed, vat_number="")
        for bent, refused in (
            ({"price": 499_999}, BelowFloor),
            ({"until": date(2026, 6, 30)}, BadDay),
            ({"until": date(2030, 1, 1)}, BadDay),
            ({"smallest": 1_001}, BadPart),
            (by_card, BadPart),  # with a fifth of tax it is more than is paid at once
            ({"by": stage.manager}, WrongRole),
        ):
            with pytest.raises(refused):
                leave(**bent)


class TestServe:
    def test_orders_and_reserves_what_fits_and_goes_on_waiting(self, stage, leave, serve):
        left = leave()
        offer = stage.for_sale(stage.issued(), 600)
        dear = stage.for_sale(offer.issuance, 500, 520_001)

        assert (serve(), serve()) == (1, 0)
        (order,) = orders_in(stage.session)
        assert (order.state, order.subtotal, order.placed_by) == (OrderState.AWAITING_PAYMENT, 312_000, stage.buyer)
        assert (left.filled, left.state, offer.remaining, dear.remaining) == (600, WAITING, 0, 500)
        tell_of_events(stage.session)
        assert serve() == 0
        cheap = stage.for_sale(stage.issued(**EARLY), 2_000, 500_000)
        assert serve() == 1
        assert (left.filled, left.state, cheap.remaining) == (1_000, FULFILLED, 1_600)
        assert serve() == 0
        stage.must_be_sound()

    def test_is_not_kept_from_it_by_a_key_of_the_person(self, stage, leave, serve):
        left = leave()
        key = f"{left.number}/1"
        ledger.claim(stage.session, caller=stage.buyer.number, key=key, request={"act": "other"})
        stage.for_sale(stage.issued(), 600)

        assert serve() == 1

    def test_takes_parts_that_are_large_enough_and_of_the_vintage(self, stage, leave, serve):
        left = leave(smallest=700)
        other = leave(vintage=2025)
        offer = stage.for_sale(stage.issued(), 600)
        assert serve() == 0
        stage.for_sale(offer.issuance, 100)

        assert serve() == 1
        assert (left.filled, left.missing, other.filled) == (700, 300, 0)
        stage.for_sale(offer.issuance, 300)  # the rest may be smaller
        assert serve() == 1
        assert left.state is FULFILLED

    def test_serves_who_has_waited_longest(self, stage, leave, serve):
        second = leave(by=stage.second, at=stage.at + timedelta(minutes=1))
        first = leave()
        stage.for_sale(stage.issued(), 1_200)

        assert serve() == 2
        assert (first.filled, second.filled) == (1_000, 200)

    def test_passes_over_what_cannot_be_ordered_now(self, stage, leave, serve):
        left = leave()
        stage.for_sale(stage.issued(), 600)
        assert serve(means=[Means.STRIPE]) == 0
        stage.buyer.organisation.kyc, stage.buyer.organisation.kyc_reason = Kyc.SUSPENDED, "Why."
        assert serve() == 0
        assert (left.state, orders_in(stage.session)) == (PAUSED, [])
        assert "has to approve" in left.reason

    def test_waits_a_day_for_a_checkout(self, stage, leave, serve):
        leave(means=Means.STRIPE)
        stage.for_sale(stage.issued(), 600)
        serve()
        assert orders_in(stage.session)[0].pay_until == stage.at + timedelta(days=1)

    def test_closes_what_is_past_its_last_day(self, stage, leave, serve):
        left = leave(until=stage.at.date())
        stage.for_sale(stage.issued(), 600)
        assert serve(at=stage.at + timedelta(days=1)) == 0
        assert (left.state, left.filled) == (StandingState.EXPIRED, 0)


class TestUnpaid:
    def test_puts_its_quantity_back_and_pauses(self, stage, leave, serve, resume):
        left = leave()
        offer = stage.for_sale(stage.issued(), 2_000)
        serve()
        (order,) = orders_in(stage.session)
        cancelling.cancel(stage.session, order=order, by=stage.buyer, at=stage.at)

        assert (left.state, left.filled, offer.remaining) == (PAUSED, 0, 2_000)
        assert left.reason == "ORDER-000001 of a standing order was cancelled by the buyer."
        assert serve() == 0
        other = leave(by=stage.second)
        resume(left, stage.buyer, stage.at + timedelta(minutes=1))
        standing.end(stage.session, standing=other, by=stage.second, at=stage.at)
        with pytest.raises(StandingClosed):
            resume(other, stage.second)
        assert serve() == 1
        assert left.state is FULFILLED
        kinds = [event.kind for event in events.story(stage.session, left.number)]
        assert kinds == [f"standing.{done}" for done in ("left", "filled", "paused", "resumed", "filled")]

    def test_pauses_all_that_wait_for_the_buyer_and_ends_what_is_never_paid(self, stage, leave, serve, resume):
        stage.policy = replace(stage.policy, market=replace(stage.policy.market, unpaid_checkouts=2))
        means = {"means": Means.STRIPE, "quantity": 2_000}
        mine, others = [leave(**means), leave(**means, at=stage.at + timedelta(minutes=1))], leave(by=stage.second)
        stage.for_sale(stage.issued(), 2_000)
        for left in mine:
            serve()
            order = orders_in(stage.session)[-1]
            order.payments[0].reference = f"cs_{order.id}"
            at = stage.at + timedelta(days=1)
            state = {"payment": order.payments[0], "state": PaymentState.EXPIRED, "why": "Late.", "by": None, "at": at}
            settling.came_to_nothing(stage.session, order=order, **state)
            assert [each.state for each in mine] == [PAUSED, PAUSED]
            assert mine[1].reason == f"{order.number} of a standing order was not paid."
            if left is mine[0]:
                resume(mine[1])

        assert others.state is not PAUSED
        with pytest.raises(TooManyUnpaid, match=r"2 payments by card of .* Pay by bank transfer"):
            resume(mine[0], at=stage.at + timedelta(days=14))
        resume(mine[0], at=stage.at + timedelta(days=15))  # both are forgotten
        stage.must_be_sound()

    def test_is_told_with_the_way_to_pay(self, stage, leave, serve):
        leave()
        stage.for_sale(stage.issued(), 600)
        tell_of_events(stage.session)
        stage.session.commit()
        order = serving.serve(stage.session, standing_id=1, policy=stage.policy, means=tuple(Means), at=stage.at)
        tell_of_events(stage.session)
        to_buyer = select(Notice).where(Notice.person_id == stage.buyer.id)
        (notice,) = stage.session.scalars(to_buyer).all()  # not twice: the order's own notice says the same
        said = wording(notice.kind, notice.facts, str)
        assert (notice.kind, said.path) == (Told.STANDING_FILLED, f"/orders/{order.number}")
        assert said.title == "STANDING-000001 has found credits: please pay ORDER-000001"
        assert "600 kg of cobalt that fit are reserved" in said.happened
        cancelling.cancel(stage.session, order=order, by=stage.buyer, at=stage.at)
        tell_of_events(stage.session)
        *_, paused = stage.session.scalars(to_buyer.order_by(Notice.id)).all()
        assert wording(paused.kind, paused.facts, str).happened.startswith("You cancelled ORDER-000001. 1,000 kg")


class TestChooseUse:
    def choose(self, stage, order, claim, **bent):
        asked = {"order": order, "claim": claim, "language": Language.FR, "policy": stage.policy, "by": stage.buyer}
        choosing_use.choose_use(stage.session, **asked | {"at": stage.at} | bent)

    def test_retires_with_the_certificate_what_its_buyer_says_before_paying(self, stage, leave, serve):
        leave()
        stage.for_sale(stage.issued(), 1_000)
        serve()
        (order,) = orders_in(stage.session)
        self.choose(stage, order, CLAIM)
        assert (order.use, order.claim["language"]) == (Use.RETIRE, "fr")
        self.choose(stage, order, None)
        assert (order.use, order.claim) == (Use.KEEP, None)
        self.choose(stage, order, CLAIM)
        with pytest.raises(NoSuchOrganisation):
            self.choose(stage, order, None, by=stage.second)
        stage.approve(stage.money_seen(order))

        assert order.state is OrderState.DELIVERED
        certificate = stage.session.scalars(select(Certificate)).one()
        assert (certificate.number, certificate.language) == (order.claim["retirements"][0], Language.FR)
        with pytest.raises(OrderClosed):
            self.choose(stage, order, None)
        stage.must_be_sound()

    def test_is_not_for_what_was_ordered_by_hand(self, stage):
        order = stage.ordered((stage.for_sale(stage.issued()), 100))
        stage.begun(order)
        with pytest.raises(OrderClosed):
            self.choose(stage, order, CLAIM)
        stage.session.commit()
        with pytest.raises(DBAPIError):
            stage.session.execute(text("UPDATE purchase SET use = 'retire', claim = '{}'"))


class TestWalls:
    def test_refuse_what_nobody_wanted(self, stage, leave, serve):
        left = leave()
        offer = stage.for_sale(stage.issued(), 1_800, 510_000)
        serve()
        other = stage.ordered((offer, 100))
        stage.begun(other)
        session = stage.session
        session.commit()
        for hostile in (
            "UPDATE standing_order SET filled = 900, state = 'waiting'",
            "UPDATE standing_order SET price = 900000",
            "UPDATE standing_order SET state = 'ended', closed_at = placed_at",
            "DELETE FROM standing_order",
            "DELETE FROM standing_part",
            "UPDATE standing_part SET quantity = 1",
            f"INSERT INTO standing_part VALUES ({other.id}, {left.id}, 100)",  # fulfilled: nothing is missing
        ):
            with pytest.raises(DBAPIError):
                session.execute(text(hostile))
            session.rollback()
        cheap = leave(price=500_000)
        session.commit()
        with pytest.raises(DBAPIError, match="at no higher price"):
            session.execute(text(f"INSERT INTO standing_part VALUES ({other.id}, {cheap.id}, 100)"))
        session.rollback()
        for bent in ({"country": "PER"}, {"level": "Another"}):
            elsewhere = leave(**bent)
            session.commit()
            with pytest.raises(DBAPIError, match="country and the level"):
                session.execute(text(f"INSERT INTO standing_part VALUES ({other.id}, {elsewhere.id}, 100)"))
            session.rollback()

    def test_refuse_a_claim_that_comes_too_late_and_a_turn_that_was_not_waited_for(self, stage, leave, serve):
        left = leave(means=Means.STRIPE)
        stage.for_sale(stage.issued(), 600)
        serve()
        order, session = orders_in(stage.session)[0].id, stage.session
        for said, hostile in (
            ("names no retirement", """SET use = 'retire', claim = '{"retirements": ["R"]}'"""),
            ("stands still once", "SET use = 'retire', claim = '{}'"),
        ):
            with pytest.raises(DBAPIError, match=said):
                session.connection().exec_driver_sql(f"UPDATE purchase {hostile} WHERE id = {order}")
            session.rollback()
            session.execute(text("UPDATE payment SET state = 'processing'"))
            session.commit()
        for hostile in (f"acting_id = {stage.second.id}", "waiting_since = '2026-01-01'"):
            with pytest.raises(DBAPIError, match="by being resumed"):
                session.connection().exec_driver_sql(f"UPDATE standing_order SET {hostile} WHERE id = {left.id}")
            session.rollback()


def test_rounds_and_a_buyer_at_once_order_no_more_than_is_wanted_or_there(stage, leave, at_once):
    left, second = leave(), leave(by=stage.second)
    offer = stage.for_sale(stage.issued(), 1_500)
    mine = stage.ordered((offer, 700))
    ids, order_id, offer_id = (left.id, second.id), mine.id, offer.id
    stage.session.commit()

    def act(session: Session, number: int) -> object:
        asked = {"policy": stage.policy, "at": stage.at}
        if number < 5:
            return standing_jobs.served_or_not(session, ids[number % 2], **asked, means=tuple(Means))
        order = session.get_one(Order, order_id)
        return reserving.begin_payment(session, order=order, seen=1, by=order.placed_by, key="mine", **asked).id

    at_once(6, act)
    stage.session.expire_all()
    reserved = [order for order in orders_in(stage.session) if order.state is OrderState.AWAITING_PAYMENT]
    taken = {order.id: sum(line.quantity for line in order.lines) for order in reserved}
    parts = {part.order_id: part.quantity for part in stage.session.scalars(select(StandingPart))}
    found = stage.session.scalars(select(StandingOrder)).all()
    assert parts == {order: quantity for order, quantity in taken.items() if order != order_id}
    assert sum(parts.values()) == sum(each.filled for each in found)
    assert stage.session.get_one(Offer, offer_id).remaining == 1_500 - sum(taken.values())
    stage.must_be_sound()
    assert [promise.name for promise in invariants.check(stage.session) if not promise.holds] == []
    assert market(stage.session.connection().connection.driver_connection) == []

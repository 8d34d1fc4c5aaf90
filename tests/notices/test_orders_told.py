from sqlalchemy import select

from credits.notices.models import Notice
from credits.notices.occurrences import tell_of_events
from credits.notices.wordings import Kind, wording
from credits.payments import acts, receiving
from credits.registry.movements import DecisionKind
from tests.market_stage import certify


def told(stage):
    """Who was told what since the last time, and in which words."""
    tell_of_events(stage.session)
    found = stage.session.scalars(select(Notice).where(Notice.read_at.is_(None)).order_by(Notice.id)).all()
    said = {(each.person_id, each.kind): wording(each.kind, each.facts, str) for each in found}
    for each in found:
        each.read_at = stage.at
    stage.session.flush()
    return said


def test_both_sides_hear_of_an_order_that_cannot_be_delivered_and_is_refunded(stage):
    acts.register(certify)
    issuance = stage.issued()
    offer = stage.for_sale(issuance)
    told(stage)
    order = stage.ordered((offer, 100))
    stage.begun(order)
    to_pay = told(stage)[stage.buyer.id, Kind.ORDER_TO_PAY]
    assert to_pay.title == "Please send USD 520.00 for ORDER-000001"
    assert to_pay.path == "/orders/ORDER-000001"

    waits = stage.money_seen(order)
    stage.suspended(issuance)
    stage.approve(waits)
    said = told(stage)
    for person, page in (
        (stage.buyer, "/orders/ORDER-000001"),
        (stage.manager, "/sold"),
        (stage.issuer, "/admin/orders/ORDER-000001"),
    ):
        assert "is suspended" in said[person.id, Kind.ORDER_WAITS].happened
        assert said[person.id, Kind.ORDER_WAITS].path == page

    stage.decided(DecisionKind.REFUND, order.number)
    said = told(stage)
    assert (stage.buyer.id, Kind.ORDER_REFUNDED) in said
    assert (stage.manager.id, Kind.ORDER_REFUNDED) in said
    assert (stage.issuer.id, Kind.DECISION_APPROVED) in said


def test_what_asked_to_pay_is_read_once_it_is_paid(stage):
    offer = stage.for_sale(stage.issued())
    order, other = stage.ordered((offer, 100)), stage.ordered((offer, 50))
    for each in (order, other):
        stage.begun(each)
    tell_of_events(stage.session)
    stage.approve(stage.money_seen(order))
    tell_of_events(stage.session)
    asked = select(Notice.facts).where(Notice.kind == Kind.ORDER_TO_PAY, Notice.person_id == stage.buyer.id)

    (unread,) = stage.session.scalars(asked.where(Notice.read_at.is_(None)))
    assert unread["order"] == other.number


def test_the_buyer_hears_of_the_delivery(stage):
    order = stage.bought((stage.for_sale(stage.issued()), 100))
    said = told(stage)

    assert said[stage.buyer.id, Kind.ORDER_DELIVERED].title == f"{order.number} is paid and delivered"
    assert (stage.manager.id, Kind.PREMIUM_ARRIVED) in said


def test_the_issuers_hear_of_what_the_provider_tells_otherwise(stage):
    order = stage.ordered((stage.for_sale(stage.issued()), 100))
    payment = stage.begun(order)
    told(stage)
    receiving.mismatched(stage.session, order, payment, ["amount", "currency"], stage.at)
    said = told(stage)

    assert list(said) == [(person.id, Kind.PAYMENT_ODD) for person in (stage.issuer, stage.colleague)]
    assert "amount currency" in said[stage.issuer.id, Kind.PAYMENT_ODD].happened

from contextlib import nullcontext
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from credits.errors import Missing
from credits.journal import events
from credits.ledger.models import AccountKind
from credits.ledger.posting import BadQuantity
from credits.participants.models import Kind, RoleName
from credits.participants.permissions import WrongRole
from credits.participants.wording import UnsoundText
from credits.payments import cancelling, placing
from credits.payments.billing import BadVatNumber
from credits.payments.gateway import NotByProvider, must_be_payable
from credits.payments.models import Currency, Means, Offer, Order, OrderState, PaymentState, Use
from credits.payments.orders import ChangedMeanwhile, OrderClosed
from credits.payments.placing import Asked, NoClaim, NoLines, NotForSale, OneCurrency, OwnCredits
from credits.payments.prices import split, tax
from credits.payments.reserving import begin_payment
from credits.registry.retirement import OutsideClaimWindow
from tests.factories import UserFactory
from tests.market_stage import BILLING
from tests.stage import CLAIM


@pytest.fixture
def issuance(stage):
    return stage.issued()


@pytest.fixture
def offer(stage, issuance):
    return stage.for_sale(issuance)


def amended(stage, order, seen=None, **bent):
    asked = replace(placing.asked_in(order), **bent)
    seen = order.revision if seen is None else seen
    placing.amend(
        stage.session, order=order, seen=seen, asked=asked, policy=stage.policy, by=order.placed_by, at=stage.at
    )


class TestPlace:
    def test_costs_to_the_cent_and_reserves_nothing(self, stage, issuance, offer):
        order = stage.ordered((offer, 333), billing=replace(BILLING, country="DEU"))

        assert (order.number, order.state, order.currency) == ("ORDER-000001", OrderState.OPEN, Currency.USD)
        assert order.subtotal == 173_160  # 0.333 credits at USD 5,200.00
        assert order.premium + order.verification_share + order.registry_fee == order.subtotal
        assert (order.tax_ppm, order.tax) == (190_000, tax(173_160, 190_000))
        assert order.total == order.subtotal + order.tax
        assert order.premium == split(173_160, stage.policy.market).premium
        assert (offer.remaining, stage.balance(issuance)) == (2_500, {AccountKind.AVAILABLE: 2_500})
        assert "1,731" not in events.story(stage.session, order.number)[0].body.decode()

    def test_says_the_amount_in_the_open_where_the_buyer_wants_that(self, stage, offer):
        order = stage.ordered((offer, 1_000), open_to_public=True)

        assert '"total":"USD 5,200.00"' in events.story(stage.session, order.number)[0].body.decode()

    def test_counts_once_and_charges_no_tax_to_whom_owes_it_at_home(self, stage, offer):
        placed = [stage.ordered((offer, 5), key="same") for _ in range(2)]
        assert placed[0].id == placed[1].id
        order = stage.ordered((offer, 5), billing=replace(BILLING, country="DEU", vat_number="de 123.456.789"))

        assert (order.tax, order.billing["vat_number"]) == (0, "DE123456789")

    def test_refuses_what_cannot_be_bought(self, stage, offer):
        long_ago = replace(CLAIM, claim_from=date(2020, 1, 1), claim_to=date(2020, 12, 31))
        for refusal, quantity, bent in (
            (BadQuantity, 0, {}),
            (BadQuantity, 2**63, {}),
            (NotForSale, 2_501, {}),
            (NoClaim, 5, {"use": Use.RETIRE}),
            (NoClaim, 5, {"claim": CLAIM}),
            (OutsideClaimWindow, 5, {"use": Use.RETIRE, "claim": long_ago}),
            (UnsoundText, 5, {"billing": replace(BILLING, name=" ")}),
            (BadVatNumber, 5, {"billing": replace(BILLING, country="DEU", vat_number="DE1")}),
        ):
            with pytest.raises(refusal):
                stage.ordered((offer, quantity), **bent)
        with pytest.raises(NoLines):
            stage.ordered()

    @pytest.mark.parametrize(
        ("currency", "amount", "refused"),
        [
            (Currency.USD, 49, "USD 0.50 to USD 999,999.99 at once, and this order costs USD 0.49"),
            (Currency.USD, 50, ""),
            (Currency.GBP, 30, ""),
            (Currency.JPY, 49, "JPY 50 to"),
            (Currency.CHF, 99_999_999, ""),
            (Currency.EUR, 100_000_000, "costs EUR 1,000,000.00"),
        ],
    )
    def test_is_paid_by_the_provider_within_what_it_takes(self, currency, amount, refused):
        with pytest.raises(NotByProvider, match=refused) if refused else nullcontext():
            must_be_payable(amount, currency)

    def test_is_paid_by_transfer_beyond_what_a_provider_takes(self, stage, issuance):
        dear = stage.for_sale(issuance, price=100_000_000)
        with pytest.raises(NotByProvider):
            stage.ordered((dear, 1_000), means=Means.STRIPE)
        assert stage.ordered((dear, 1_000)).total == 100_000_000

    def test_is_in_one_currency(self, stage, issuance):
        stage.floor(currency=Currency.EUR)
        dollars, euros = stage.for_sale(issuance, 100), stage.for_sale(issuance, 100, currency=Currency.EUR)
        with pytest.raises(OneCurrency):
            stage.ordered((dollars, 1), (euros, 1))

    def test_is_for_buyers_alone_and_never_of_ones_own(self, stage, offer):
        reader = UserFactory(organisation=stage.buyer.organisation, may=[RoleName.READER])
        with pytest.raises(WrongRole):
            stage.ordered((offer, 1), by=reader)
        with pytest.raises(WrongRole):
            stage.ordered((offer, 1), buyer=stage.coop, by=stage.manager)
        with pytest.raises(Missing):
            stage.ordered((offer, 1), by=stage.second)
        offer.seller  # noqa: B018
        mine = Asked([(offer, 1)], Means.BANK_TRANSFER, Use.KEEP, None, BILLING, False)
        with pytest.raises(OwnCredits):
            placing.checked(stage.session, stage.coop, mine, stage.policy, stage.at)


class TestAmend:
    def test_counts_revisions_and_refuses_what_another_window_has_changed(self, stage, offer):
        order = stage.ordered((offer, 100))
        amended(stage, order, lines=[(offer, 200)])

        assert (order.revision, [line.quantity for line in order.lines], order.subtotal) == (2, [200], 104_000)
        with pytest.raises(ChangedMeanwhile):
            amended(stage, order, seen=1, lines=[(offer, 300)])
        with pytest.raises(ChangedMeanwhile):
            stage.begun(order, seen=1)

    def test_ends_with_the_payment(self, stage, offer):
        order = stage.ordered((offer, 100))
        stage.begun(order)
        with pytest.raises(OrderClosed):
            amended(stage, order, lines=[(offer, 200)])
        with pytest.raises(DBAPIError, match="stays as it was agreed"), stage.session.begin_nested():
            stage.session.execute(text("UPDATE purchase SET total = total + 1, tax = tax + 1"))


class TestBeginPayment:
    def test_reserves_every_line_before_anybody_can_pay(self, stage, issuance, offer):
        order = stage.ordered((offer, 100))
        payment = stage.begun(order)

        assert (order.state, payment.state) == (OrderState.AWAITING_PAYMENT, PaymentState.OPEN)
        assert (payment.amount, payment.reference) == (order.total, "ORDER-000001")
        assert order.pay_until == stage.at + timedelta(days=14)
        assert offer.remaining == 2_400
        assert stage.serials(issuance) == [("reserved", 1, 100), ("available", 101, 2_500)]
        stage.must_be_sound()

    def test_takes_all_lines_or_none(self, stage, issuance):
        site = issuance.batch.site
        other = stage.issued(site, produced_from=date(2026, 6, 1), produced_to=date(2026, 6, 15))
        first, second = stage.for_sale(issuance), stage.for_sale(other)
        order, rival = stage.ordered((first, 100), (second, 2_500)), stage.ordered((second, 1))
        stage.begun(rival)
        with pytest.raises(NotForSale), stage.session.begin_nested():
            stage.begun(order)

        stage.session.refresh(first)
        assert first.remaining == 2_500
        assert stage.balance(issuance) == {AccountKind.AVAILABLE: 2_500}

    def test_lets_one_of_twelve_have_the_last_credits(self, stage, engine, offer, at_once):
        buyers = [UserFactory(kind=Kind.MANUFACTURER) for _ in range(12)]
        placed = [stage.ordered((offer, 2_000), buyer=buyer.organisation, by=buyer).id for buyer in buyers]
        stage.session.commit()

        def begin(session: Session, number: int) -> None:
            order = session.get_one(Order, placed[number])
            asked = {"policy": stage.policy, "by": order.placed_by, "key": "mine", "at": stage.at}
            begin_payment(session, order=order, seen=1, **asked)

        refusals = at_once(12, begin)

        assert sorted(type(each).__name__ for each in refusals) == ["NoneType"] + ["NotForSale"] * 11
        stage.session.expire_all()
        assert stage.session.scalars(select(Offer.remaining)).one() == 500
        stage.must_be_sound()


class TestCancel:
    def test_gives_everything_back(self, stage, issuance, offer):
        for begun in (False, True):
            order = stage.ordered((offer, 100))
            payment = stage.begun(order) if begun else None
            cancelling.cancel(stage.session, order=order, by=stage.buyer, at=stage.at)

            assert (order.state, offer.remaining) == (OrderState.CANCELLED, 2_500)
            assert stage.balance(issuance) == {AccountKind.AVAILABLE: 2_500}
            assert payment is None or payment.state is PaymentState.EXPIRED
            with pytest.raises(OrderClosed):
                cancelling.cancel(stage.session, order=order, by=stage.buyer, at=stage.at)
        stage.must_be_sound()

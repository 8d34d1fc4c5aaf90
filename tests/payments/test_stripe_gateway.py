"""The gateway against the stand-in, over real HTTP, as against Stripe itself."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
import stripe

from credits.payments.gateway import (
    CheckoutState,
    EventKind,
    NoSuchCheckout,
    ProviderRefused,
    ProviderUnreachable,
    Unreadable,
)
from credits.payments.going_back.going_back_models import DisputeState, RefundState
from credits.payments.stripe_gateway import API_VERSION, StripeGateway
from tests.payments.stripe_door import ASKED, AT, gateway_to, paid
from tests.stripe_standin.deliveries import as_sent, signature
from tests.stripe_standin.in_process import KEY, SECRET
from tests.stripe_standin.params import Refused
from tests.stripe_standin.server import Fault


def unknown_but(known: str, find):
    """A provider that shows things of one kind alone by themselves."""

    def found(kind, reference):
        if kind != known:
            raise Refused(404, "Unrecognized request URL.")
        return find(kind, reference)

    return found


class TestOpenCheckout:
    def test_makes_a_page_to_pay_on(self, gateway, standin):
        made = gateway.open_checkout(ASKED, "key")

        seen = gateway.look(made.reference)
        assert made.url == f"{standin.address}/c/pay/{made.reference}"
        assert made.expires_at == ASKED.expires_at
        assert (seen.state, seen.amount, seen.currency) == (CheckoutState.OPEN, 2_082_500, "USD")
        assert (seen.order_number, seen.attempt) == ("ORDER-000007", 2)
        assert (seen.livemode, seen.account, seen.payment, seen.created) == (False, None, None, AT)

    def test_does_without_times(self, gateway, standin, monkeypatch):
        shown = standin.provider.shown

        def bare(thing, expand):
            return {name: said for name, said in shown(thing, expand).items() if name not in ("created", "expires_at")}

        monkeypatch.setattr(standin.provider, "shown", bare)

        made = gateway.open_checkout(ASKED, "key")

        assert made.expires_at == ASKED.expires_at
        assert [(each.reference, each.created) for each in gateway.payments_since(AT)] == [(made.reference, None)]

    def test_counts_yen_as_they_are(self, gateway):
        asked = replace(ASKED, lines=[("1 credit of gold", 640)], tax=None, currency="JPY", total=640)

        seen = gateway.look(gateway.open_checkout(asked, "key").reference)

        assert (seen.amount, seen.currency) == (640, "JPY")

    def test_makes_one_however_often_the_key_comes(self, gateway, standin):
        first = gateway.open_checkout(ASKED, "key")

        assert gateway.open_checkout(ASKED, "key") == first
        assert len(standin.provider.things["checkout.session"]) == 1

    def test_refuses_other_words_under_the_same_key(self, gateway):
        gateway.open_checkout(ASKED, "key")

        with pytest.raises(ProviderRefused, match="same parameters"):
            gateway.open_checkout(replace(ASKED, attempt=3), "key")

    @pytest.mark.parametrize("do", ["lose", "hang"])
    @pytest.mark.parametrize("when, made", [("before", 0), ("after", 1)])
    def test_finds_the_same_checkout_after_a_lost_answer(self, gateway, standin, do, when, made):
        standin.faults = [Fault("POST /v1/checkout/sessions", do, when, seconds=0.5)]

        with pytest.raises(ProviderUnreachable):
            gateway.open_checkout(ASKED, "key")
        assert len(standin.provider.things["checkout.session"]) == made

        gateway.open_checkout(ASKED, "key")
        assert len(standin.provider.things["checkout.session"]) == 1

    @pytest.mark.parametrize(
        "status, error", [(400, ProviderRefused), (402, ProviderRefused), (409, ProviderUnreachable)]
    )
    def test_tells_a_refusal_from_silence(self, gateway, standin, status, error):
        standin.faults = [Fault("POST", status=status)]

        with pytest.raises(error):
            gateway.open_checkout(ASKED, "key")

    @pytest.mark.parametrize("status", [429, 500, 503])
    def test_has_the_library_ask_again(self, standin, status, monkeypatch):
        monkeypatch.setattr(stripe.HTTPClient, "INITIAL_DELAY", 0.01)
        standin.faults = [Fault("POST", status=status, times=1 if status != 429 else 0)]

        gateway = StripeGateway(api_key=KEY, webhook_secret=SECRET, api_base=standin.address)

        assert gateway.open_checkout(ASKED, "key").url

    def test_is_refused_with_another_key_to_the_account(self, standin):
        with pytest.raises(ProviderRefused, match="API Key"):
            gateway_to(standin.address, "sk_test_other").open_checkout(ASKED, "key")

    def test_says_where_nobody_answers(self):
        with pytest.raises(ProviderUnreachable):
            gateway_to("http://127.0.0.1:9").open_checkout(ASKED, "key")

    def test_takes_no_amount_that_nobody_can_charge(self, gateway):
        with pytest.raises(ProviderRefused, match="too large"):
            gateway.open_checkout(replace(ASKED, lines=[("Everything", 100_000_000)], tax=None), "key")


class TestLook:
    @pytest.mark.parametrize(
        "how, at_once, later",
        [
            ("card", CheckoutState.PAID, CheckoutState.PAID),
            ("declines", CheckoutState.OPEN, CheckoutState.EXPIRED),
            ("debit", CheckoutState.PROCESSING, CheckoutState.PAID),
            ("debit_fails", CheckoutState.PROCESSING, CheckoutState.FAILED),
        ],
    )
    def test_sees_whether_the_money_has_cleared(self, gateway, standin, how, at_once, later):
        reference = paid(gateway, standin, how)

        assert gateway.look(reference).state is at_once
        standin.provider.advance(4 * 86_400)
        assert gateway.look(reference).state is later

    @pytest.mark.parametrize("reference", ["cs_test_unknown", "../v1/events", "", "cs é"])
    def test_knows_no_other(self, gateway, reference):
        with pytest.raises(NoSuchCheckout):
            gateway.look(reference)

    def test_understands_an_answer_that_names_the_payment_alone(self, gateway, standin, monkeypatch):
        reference = paid(gateway, standin)
        payment = standin.provider.things["checkout.session"][reference]["payment_intent"]
        gateway.refund(payment, 500, "key", "asked for")
        shown = standin.provider.shown
        names_alone = lambda thing, expand: shown(thing, [] if thing["object"] == "checkout.session" else expand)  # noqa: E731
        monkeypatch.setattr(standin.provider, "shown", names_alone)

        seen = gateway.look(reference)

        assert (seen.state, seen.payment, seen.refunded) == (CheckoutState.PAID, payment, 500)

    @pytest.mark.parametrize("lists", [True, False])
    def test_asks_what_went_back_where_the_charge_does_not_say(self, gateway, standin, monkeypatch, lists):
        reference = paid(gateway, standin)
        intent = gateway.look(reference).payment
        gateway.refund(intent, 500, "key", "asked for")
        standin.provider.dispute(reference)
        shown = standin.provider.shown
        if not lists:
            monkeypatch.setattr(standin.provider, "find", unknown_but("checkout.session", standin.provider.find))
            monkeypatch.setattr("tests.stripe_standin.server.LISTS", {})
        monkeypatch.setattr(standin.provider, "shown", lambda thing, _expand: shown(thing, []))

        seen = gateway.look(reference)

        assert (seen.state, seen.payment) == (CheckoutState.PAID, intent)
        assert (seen.refunded, seen.disputed) == ((500, True) if lists else (0, False))

    def test_asks_what_went_back_where_it_is_told_that_something_did(self, gateway, standin):
        reference = paid(gateway, standin)
        seen = gateway.look(reference)
        standin.provider.dispute(reference)
        (charge,) = standin.provider.things["charge"].values()
        charge["disputed"] = False  # of a moment ago

        assert gateway.look_at_payment(seen.payment).disputed
        assert gateway.look_at_charge(charge["id"]).disputed

    def test_finds_the_checkout_of_a_payment(self, gateway, standin):
        seen = gateway.look(paid(gateway, standin))

        assert gateway.look_at_payment(seen.payment) == seen
        with pytest.raises(NoSuchCheckout):
            gateway.look_at_payment("pi_other")


class TestForeignCheckout:
    """One that asks for no money, of the same account."""

    @pytest.fixture
    def reference(self, gateway, standin):
        reference = paid(gateway, standin)
        standin.provider.find("checkout.session", reference).update(mode="setup", amount_total=None, currency=None)
        return reference

    def test_is_passed_over(self, gateway, standin, reference):
        ours = gateway.open_checkout(ASKED, "another").reference
        payment = standin.provider.find("checkout.session", reference)["payment_intent"]

        assert [each.reference for each in gateway.payments_since(AT)] == [ours]
        with pytest.raises(NoSuchCheckout):
            gateway.look_at_payment(payment)
        with pytest.raises(Unreadable):
            gateway.look(reference)

    def test_tells_nothing(self, gateway, standin, reference):
        event = as_sent(list(standin.provider.things["event"].values())[-1])
        event["data"]["object"] |= {"amount_total": None, "currency": None}
        body = json.dumps(event).encode()

        told = gateway.read_event(body, signature(body, SECRET, int(AT.timestamp())), AT)

        assert (told.kind, told.seen) == (EventKind.OTHER, None)


class TestExpire:
    def test_ends_an_open_checkout(self, gateway, standin):
        reference = gateway.open_checkout(ASKED, "key").reference

        assert gateway.expire(reference).state is CheckoutState.EXPIRED
        assert gateway.expire(reference).state is CheckoutState.EXPIRED
        with pytest.raises(Exception, match="all done"):
            standin.provider.pay(reference, "card")

    def test_comes_too_late_for_one_that_was_paid(self, gateway, standin):
        assert gateway.expire(paid(gateway, standin)).state is CheckoutState.PAID


class TestRefund:
    def test_sends_a_part_or_all_back_once(self, gateway, standin):
        reference = paid(gateway, standin)
        payment = gateway.look(reference).payment

        first = gateway.refund(payment, 82_500, "one", "too many")
        assert gateway.refund(payment, 82_500, "one", "too many") == first
        gateway.refund(payment, 2_000_000, "two", "all of it")

        seen = gateway.look(reference)
        assert (first.amount, first.state) == (82_500, RefundState.DONE)
        assert (seen.refunded, len(seen.refunds)) == (2_082_500, 2)
        with pytest.raises(ProviderRefused, match="already"):
            gateway.refund(payment, 1, "three", "more")

    def test_sees_one_that_failed(self, gateway, standin):
        reference = paid(gateway, standin)
        standin.provider.let_refunds_fail(True)
        gateway.refund(gateway.look(reference).payment, 500, "key", "asked for")

        seen = gateway.look(reference)

        assert seen.refunded == 0
        assert [refund.state for refund in seen.refunds] == [RefundState.FAILED]

    def test_sends_nothing_back_that_has_not_come(self, gateway, standin):
        payment = gateway.look(paid(gateway, standin, "debit")).payment

        with pytest.raises(ProviderRefused):
            gateway.refund(payment, 500, "key", "asked for")


@pytest.mark.parametrize("outcome, away", [("won", False), ("lost", True)])
def test_a_dispute_is_seen_until_its_end(gateway, standin, outcome, away):
    reference = paid(gateway, standin)
    dispute = standin.provider.dispute(reference)

    seen = gateway.look(reference)
    assert seen.disputed
    assert [(each.reference, each.amount) for each in seen.disputes] == [(dispute["id"], ASKED.total)]

    standin.provider.close_dispute(dispute["id"], outcome)
    seen = gateway.look(reference)
    assert seen.disputed is away
    assert seen.disputes[0].state is DisputeState(outcome)


def test_payments_since_reads_page_after_page(gateway, standin, monkeypatch):
    monkeypatch.setattr("credits.payments.stripe_gateway.A_PAGE", 2)
    made = []
    for number in range(5):
        made.append(gateway.open_checkout(ASKED, f"key {number}").reference)
        standin.provider.advance(60)

    assert [seen.reference for seen in gateway.payments_since(AT)] == made[::-1]
    assert [seen.reference for seen in gateway.payments_since(AT + timedelta(seconds=180))] == made[:2:-1]


def test_asks_in_the_version_that_it_was_written_for(standin, gateway, monkeypatch):
    sent = []
    answer = standin.answer
    monkeypatch.setattr(standin, "answer", lambda *asked: (sent.append(asked[2]), answer(*asked))[1])

    gateway.open_checkout(ASKED, "key")

    assert [headers["Stripe-Version"] for headers in sent] == [API_VERSION]
    assert [headers["Idempotency-Key"] for headers in sent] == ["checkout-key"]


def test_knows_whether_real_money_moves():
    keys = {"sk_test_1": False, "rk_test_1": False, "sk_live_1": True, "rk_live_1": True}

    assert {key: gateway_to("https://api.stripe.com", key).livemode for key in keys} == keys

"""The gateway against the stand-in, over real HTTP, as against Stripe itself."""

import hmac
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
import stripe

from credits.payments.gateway import (
    BadEvent,
    CheckoutAsked,
    CheckoutState,
    EventKind,
    NoSuchCheckout,
    ProviderRefused,
    ProviderUnreachable,
    Unreadable,
)
from credits.payments.going_back.going_back_models import DisputeState, RefundState
from credits.payments.stripe_gateway import API_VERSION, StripeGateway
from tests.stripe_standin.deliveries import as_sent, signature
from tests.stripe_standin.in_process import KEY, SECRET
from tests.stripe_standin.params import Refused
from tests.stripe_standin.provider import Provider
from tests.stripe_standin.server import Fault, Server, Standin, serve

AT = datetime(2026, 3, 31, 12, tzinfo=UTC)
ASKED = CheckoutAsked(
    order_number="ORDER-000007",
    attempt=2,
    lines=[("2.5 credits of cobalt", 1_250_000), ("1 credit of cobalt", 500_000)],
    tax=("VAT", 332_500),
    currency="USD",
    total=2_082_500,
    email="buyer@example.org",
    success_url="http://localhost:8000/orders/ORDER-000007/paid?checkout={CHECKOUT_SESSION_ID}",
    cancel_url="http://localhost:8000/orders/ORDER-000007",
    expires_at=AT + timedelta(hours=2),
)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    made = serve(lambda address: Standin(Provider(AT.timestamp), api_key=KEY, address=address), 0)
    thread = threading.Thread(target=made.serve_forever, args=(0.05,))
    thread.start()
    yield made
    made.shutdown()
    thread.join()
    made.server_close()


@pytest.fixture
def standin(server: Server) -> Standin:
    """A stand-in in which nothing has happened yet, at noon of the last of March."""
    address = server.standin.address
    server.standin = Standin(Provider(AT.timestamp), api_key=KEY, address=address)
    return server.standin


@pytest.fixture
def gateway(standin: Standin) -> StripeGateway:
    return gateway_to(standin.address)


def gateway_to(address: str, api_key: str = KEY) -> StripeGateway:
    impatient = stripe.RequestsClient(timeout=0.3, proxy={"http": "", "https": ""})
    return StripeGateway(api_key=api_key, webhook_secret=SECRET, api_base=address, retries=0, http_client=impatient)


def paid(gateway: StripeGateway, standin: Standin, how: str = "card") -> str:
    """The reference of a checkout in which the buyer has paid."""
    reference = gateway.open_checkout(ASKED, "key").reference
    standin.provider.pay(reference, how)
    return reference


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


class TestReadEvent:
    @pytest.fixture
    def body(self, gateway, standin) -> bytes:
        paid(gateway, standin)
        return json.dumps(as_sent(list(standin.provider.things["event"].values())[-1])).encode()

    def test_reads_what_was_signed(self, gateway, body):
        told = gateway.read_event(body, signature(body, SECRET, int(AT.timestamp())), AT)

        assert told.kind is EventKind.COMPLETED
        assert (told.order_number, told.livemode, told.account, told.created) == ("ORDER-000007", False, None, AT)
        assert told.seen is not None
        assert told.seen.reference == told.reference
        assert (told.seen.state, told.seen.amount, told.seen.payment) == (CheckoutState.PAID, 2_082_500, told.payment)

    def test_takes_one_good_signature_among_several(self, gateway, body):
        good = signature(body, SECRET, int(AT.timestamp()))

        assert gateway.read_event(body, f"{good.replace('v1=', 'v1=0')},{good.partition(',')[2]},v0=1", AT).id

    def test_names_somebody_elses_account_and_real_money(self, gateway, body):
        other = json.dumps(json.loads(body) | {"account": "acct_other", "livemode": True}).encode()

        told = gateway.read_event(other, signature(other, SECRET, int(AT.timestamp())), AT)

        assert (told.account, told.livemode, told.seen.account) == ("acct_other", True, "acct_other")

    @pytest.mark.parametrize(
        "left_out, bent, expected",
        [
            ("created", {}, {"created": AT}),
            ("created", {"created": 1.5}, {"created": AT}),
            ("livemode", {}, {"livemode": False}),
            ("account", {"account": ""}, {"account": None}),
            ("id", {"id": "evt-1.a_2"}, {"id": "evt-1.a_2"}),
        ],
    )
    def test_reads_what_is_written_more_loosely(self, gateway, body, left_out, bent, expected):
        event = {name: value for name, value in json.loads(body).items() if name != left_out} | bent
        sent = json.dumps(event).encode()

        told = gateway.read_event(sent, signature(sent, SECRET, int(AT.timestamp())), AT)

        assert {name: getattr(told, name) for name in expected} == expected
        assert told.seen.state is CheckoutState.PAID

    def test_takes_the_mode_of_what_it_is_about_else_our_own(self, standin, body):
        event = {name: value for name, value in json.loads(body).items() if name != "livemode"}
        about = event["data"]["object"]
        modes = []
        for mode in ({"livemode": True}, {}):
            event["data"]["object"] = {name: value for name, value in about.items() if name != "livemode"} | mode
            sent = json.dumps(event).encode()
            signed = signature(sent, SECRET, int(AT.timestamp()))
            keys = (KEY, "sk_live_1")
            modes.append([gateway_to(standin.address, key).read_event(sent, signed, AT).livemode for key in keys])

        assert modes == [[True, True], [False, True]]

    @pytest.mark.parametrize(
        "seconds, good", [(-301, False), (-300, True), (-1, True), (2, True), (3, False), (9e8, False)]
    )
    def test_takes_what_was_signed_within_five_minutes(self, gateway, body, seconds, good):
        header = signature(body, SECRET, int(AT.timestamp() + seconds))

        if good:
            assert gateway.read_event(body, header, AT).id
        else:
            with pytest.raises(BadEvent, match="too long ago"):
                gateway.read_event(body, header, AT)

    @pytest.mark.parametrize(
        "header",
        [
            *("", "t=1", "v1=abc", "t=,v1=", "t=x,v1=abc", "t={t},v1=", "t={t},v0={v}", "t={t},v1={v}0"),
            *("t={t},v1=é", "t={t},t={t},v1={v}", "t=١,v1={v}", "t={t}", "{v}", "t={t};v1={v}", "v1={v}"),
            "t=" + "9" * 40 + ",v1={v}",
        ],
    )
    def test_refuses_every_other_header(self, gateway, body, header):
        t = int(AT.timestamp())
        v = hmac.new(SECRET.encode(), f"{t}.".encode() + body, sha256).hexdigest()

        with pytest.raises(BadEvent):
            gateway.read_event(body, header.replace("{t}", str(t)).replace("{v}", v), AT)

    def test_refuses_another_body_or_secret(self, gateway, body):
        t = int(AT.timestamp())

        for sent, secret in [(body + b" ", SECRET), (body, "whsec_other"), (body, "")]:
            with pytest.raises(BadEvent):
                gateway.read_event(sent, signature(body, secret, t), AT)

    @pytest.mark.parametrize(
        "sent",
        [
            *(b"", b"\xff\xfe{}", b"[]", b"{}", b"null", b'"evt"', b"[" * 30_000),
            b'{"id":"evt_1","type":"x","data":{}}',
            b'{"id":"evt 1","type":"x","livemode":false,"created":1,"data":{"object":{}}}',
            b'{"id":"evt_1","type":"x","livemode":false,"created":"1","data":{"object":{}}}',
            b'{"id":"evt_1","type":["x"],"livemode":false,"created":1,"data":{"object":{}}}',
            b'{"id":"evt_1","type":"x","livemode":false,"created":1,"data":{"object":{}},"account":{"id":"acct_1"}}',
            rb'{"id":"evt_1","type":"x","livemode":false,"created":1,"data":{"object":{"payment_intent":"pi_\ud800"}}}',
            (
                b'{"id":"evt_1","type":"x","livemode":false,"created":1,"data":{"object":'
                rb'{"object":"checkout.session","id":"cs_\ud800"}}}'
            ),
        ],
    )
    def test_refuses_what_says_nothing_even_if_signed(self, gateway, sent):
        with pytest.raises(BadEvent):
            gateway.read_event(sent, signature(sent, SECRET, int(AT.timestamp())), AT)

    def test_tells_refunds_and_disputes_by_their_payment(self, gateway, standin):
        reference = paid(gateway, standin)
        payment = gateway.look(reference).payment
        gateway.refund(payment, 500, "key", "asked for")
        standin.provider.dispute(reference)
        told = []
        for event in standin.provider.things["event"].values():
            sent = json.dumps(as_sent(event)).encode()
            told.append(gateway.read_event(sent, signature(sent, SECRET, int(AT.timestamp())), AT))

        assert [each.kind for each in told][-4:] == [EventKind.REFUNDED] * 2 + [EventKind.DISPUTED] * 2
        assert {each.payment for each in told[-4:]} == {payment}
        assert {each.order_number for each in told} == {"ORDER-000007", None}


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

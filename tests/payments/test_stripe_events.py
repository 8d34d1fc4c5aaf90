"""What the provider signs and sends, read as the door does."""

import hmac
import json
from hashlib import sha256

import pytest

from credits.payments.gateway import (
    BadEvent,
    CheckoutState,
    EventKind,
)
from tests.payments.stripe_door import AT, gateway_to, paid
from tests.stripe_standin.deliveries import as_sent, signature
from tests.stripe_standin.in_process import KEY, SECRET


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

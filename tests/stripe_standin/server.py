"""The stand-in's API, its page to pay on and its control, as one answer a request; and all of that over HTTP."""

import json
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from stripe.params import (
    ChargeRetrieveParams,
    DisputeListParams,
    DisputeRetrieveParams,
    EventListParams,
    EventRetrieveParams,
    PaymentIntentListParams,
    PaymentIntentRetrieveParams,
    RefundCreateParams,
    RefundListParams,
    RefundRetrieveParams,
)
from stripe.params.checkout import (
    SessionCreateParams,
    SessionExpireParams,
    SessionListParams,
    SessionRetrieveParams,
)

from tests.stripe_standin.deliveries import Deliveries
from tests.stripe_standin.hosted import page
from tests.stripe_standin.params import Refused, check, read
from tests.stripe_standin.provider import Provider
from tests.stripe_standin.shelf import Thing

KEY_LIVES = 24 * 3600  # seconds that an idempotency key is remembered
SESSIONS, INTENTS, CHARGES = "/v1/checkout/sessions", "/v1/payment_intents", "/v1/charges"
REFUNDS, DISPUTES, EVENTS = "/v1/refunds", "/v1/disputes", "/v1/events"
LISTS = {
    SESSIONS: ("checkout.session", SessionListParams),
    INTENTS: ("payment_intent", PaymentIntentListParams),
    REFUNDS: ("refund", RefundListParams),
    DISPUTES: ("dispute", DisputeListParams),
    EVENTS: ("event", EventListParams),
}
ONES = {
    SESSIONS: ("checkout.session", SessionRetrieveParams),
    INTENTS: ("payment_intent", PaymentIntentRetrieveParams),
    CHARGES: ("charge", ChargeRetrieveParams),
    REFUNDS: ("refund", RefundRetrieveParams),
    DISPUTES: ("dispute", DisputeRetrieveParams),
    EVENTS: ("event", EventRetrieveParams),
}
ERRORS = {
    402: ("card_error", "Your card was declined."),
    409: ("idempotency_error", "There is currently another in-progress request using this Idempotent Key."),
    429: ("invalid_request_error", "Request rate limit exceeded."),
}


class Lost(Exception):
    """The answer does not arrive. after: whether what was asked for has happened."""


@dataclass
class Fault:
    """What goes wrong with the next `times` requests whose `METHOD /path` begins with `match`.

    do: `error` answers `status`; `lose` closes the connection; `hang` answers after `seconds`. when: `before` or
    `after` what was asked for has happened.
    """

    match: str
    do: str = "error"
    when: str = "before"
    status: int = 500
    seconds: float = 30.0
    times: int = 1


@dataclass
class Answer:
    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


class Standin:
    """The stand-in as a function of requests. Threads take turns, but for the time that a fault makes them wait."""

    def __init__(self, provider: Provider, *, api_key: str, address: str, deliveries: Deliveries | None = None) -> None:
        self.provider = provider
        self.deliveries = deliveries
        self.api_key = api_key
        self.address = address
        self.faults: list[Fault] = []
        self.asked: deque[str] = deque(maxlen=10_000)  # what the API was asked, for tests
        self.remembered: dict[str, tuple[str, int, Answer]] = {}  # by idempotency key: request, time, answer
        self.lock = threading.RLock()

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Raises Lost where the connection is to be closed without an answer."""
        path = urlsplit(target).path
        try:
            if path == "/_standin/deliver":
                return self._deliver(json.loads(body))
            if path.startswith("/_standin/"):
                with self.lock:
                    return as_json(200, self._control(path.removeprefix("/_standin/"), json.loads(body or b"{}")))
            if matched := re.fullmatch(r"/c/pay/(\w+)", path):
                with self.lock:
                    return self._page(matched[1], method, dict(parse_qsl(body.decode())))
            if not path.startswith("/v1/"):
                return Answer(404, b"")
            return self._api(method, target, headers, body)
        except Refused as refused:
            return as_json(refused.status, {"error": refused.error})

    def _api(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        parts = urlsplit(target)
        with self.lock:
            self.asked.append(f"{method} {parts.path}")
            fault = self._fault_for(f"{method} {parts.path}")
        if fault is not None and fault.when == "before":
            return suffer(fault)
        with self.lock:
            if headers.get("Authorization") != f"Bearer {self.api_key}":
                raise Refused(401, "Invalid API Key provided.")
            asked = read((body.decode() if method == "POST" else parts.query) or "")
            key = headers.get("Idempotency-Key") if method == "POST" else None
            answer = self._once(key, f"{method} {parts.path} {sorted(asked.items())}", method, parts.path, asked, fault)
        if fault is not None and fault.do != "error":
            return suffer(fault)
        return answer

    def _once(self, key: str | None, request: str, method: str, path: str, asked: Thing, fault: Fault | None) -> Answer:
        """The answer, or the one that the key was given before."""
        known = self.remembered.get(key) if key else None
        if known is not None and self.provider.now() - known[1] < KEY_LIVES:
            if known[0] != request:
                message = (
                    "Keys for idempotent requests can only be used with the same parameters they were first used with."
                )
                raise Refused(400, message, "idempotency_error")
            return Answer(known[2].status, known[2].body, known[2].headers | {"Idempotent-Replayed": "true"})
        answer = as_json(200, self._do(method, path, asked))
        if fault is not None and fault.do == "error":
            answer = suffer(fault)  # Stripe repeats such an answer for the same key as well
        if key:
            self.remembered[key] = (request, self.provider.now(), answer)
        return answer

    def _do(self, method: str, path: str, asked: Thing) -> Thing:
        if (method, path) == ("POST", SESSIONS):
            asked = check(asked, SessionCreateParams)
            made = self.provider.open_session(asked, self.address)
        elif (method, path) == ("POST", REFUNDS):
            asked = check(asked, RefundCreateParams)
            made = self.provider.refund(asked)
        elif method == "POST" and (matched := re.fullmatch(rf"{SESSIONS}/(\w+)/expire", path)):
            asked = check(asked, SessionExpireParams)
            made = self.provider.expire(matched[1])
        elif method == "GET" and path in LISTS:
            kind, params = LISTS[path]
            asked = check(asked, params)
            made = self.provider.listed(kind, asked)
        elif method == "GET" and path.rpartition("/")[0] in ONES:
            kind, params = ONES[path.rpartition("/")[0]]
            asked = check(asked, params)
            made = self.provider.find(kind, path.rpartition("/")[2])
        else:
            raise Refused(404, f"Unrecognized request URL ({method}: {path}).")
        return self.provider.shown(made, asked.get("expand", []))

    def _fault_for(self, request: str) -> Fault | None:
        for fault in self.faults:
            if request.startswith(fault.match) and fault.times > 0:
                fault.times -= 1
                return fault
        return None

    def _control(self, act: str, said: Thing) -> Thing:
        acts: dict[str, Callable[[Thing], Thing]] = {
            "state": lambda _said: self._state(),
            "clock": lambda said: self._advance(float(said["advance"])),
            "faults": lambda said: self._arm(said["faults"]),
            "pay": lambda said: self.provider.pay(said["session"], said["how"]),
            "refunds": lambda said: self.provider.let_refunds_fail(bool(said["fail"]), float(said.get("after", 0))),
            "dispute": lambda said: self.provider.dispute(said["session"], said.get("amount")),
            "close_dispute": lambda said: self.provider.close_dispute(said["dispute"], said["outcome"]),
        }
        if act not in acts:
            raise Refused(404, f"This stand-in does not know how to {act}.")
        return acts[act](said)

    def _state(self) -> Thing:
        return {"now": self.provider.now(), "asked": list(self.asked)} | self.provider.things

    def _advance(self, seconds: float) -> Thing:
        self.provider.advance(seconds)
        return {"now": self.provider.now()}

    def _arm(self, faults: list[Thing]) -> Thing:
        self.faults = [Fault(**fault) for fault in faults]
        return {"armed": len(self.faults)}

    def _deliver(self, said: Thing) -> Answer:
        """Send an event now, whatever was planned; outside of the lock, since the receiver may ask us back."""
        with self.lock:
            event = self.provider.find("event", said["event"])
        if self.deliveries is None:
            raise Refused(404, "This stand-in was told of nobody to send events to.")
        return as_json(200, {"statuses": self.deliveries.send(event, said.get("times", 1))})

    def _page(self, reference: str, method: str, form: dict[str, str]) -> Answer:
        session = self.provider.find("checkout.session", reference)
        said = ""
        if method == "POST" and form.get("how") == "cancel":
            return Answer(303, b"", {"Location": session["cancel_url"] or session["success_url"]})
        if method == "POST" and session["status"] == "open":
            self.provider.pay(reference, form.get("how", ""))
            said = "Your card was declined." if form.get("how") == "declines" else ""
        if session["status"] == "complete":
            back = session["success_url"].replace("{CHECKOUT_SESSION_ID}", reference)
            return Answer(303, b"", {"Location": back})
        return Answer(200, page(session, said).encode(), {"Content-Type": "text/html; charset=utf-8"})


def suffer(fault: Fault) -> Answer:
    if fault.do == "lose":
        raise Lost
    if fault.do == "hang":
        time.sleep(fault.seconds)
        raise Lost
    kind, message = ERRORS.get(fault.status, ("api_error", "An unknown error occurred."))
    return as_json(fault.status, {"error": {"type": kind, "message": message}})


def as_json(status: int, thing: Thing) -> Answer:
    return Answer(status, json.dumps(thing).encode(), {"Content-Type": "application/json"})


class Server(ThreadingHTTPServer):
    daemon_threads = True
    standin: Standin


class Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            answer = self.server.standin.answer(self.command, self.path, self.headers, body)
        except Lost:
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the library's name
        """Says nothing: the registry's own output is what people watch."""


def serve(make: Callable[[str], Standin], port: int) -> Server:
    """Listen on 127.0.0.1, on any free port for 0. `serve_forever` of the answer does the work."""
    server = Server(("127.0.0.1", port), Handler)
    server.standin = make(f"http://127.0.0.1:{server.server_port}")
    return server

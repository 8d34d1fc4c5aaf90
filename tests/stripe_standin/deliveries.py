"""Webhooks: each event is signed and posted, again and again with growing pauses until somebody answers 2xx."""

import hmac
import json
import time
from collections.abc import Callable, Iterable
from hashlib import sha256
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, Request, build_opener

from tests.stripe_standin.provider import Provider
from tests.stripe_standin.shelf import Thing

MINUTE, HOUR = 60, 3600
PAUSES = (5, MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, *[12 * HOUR] * 4)
TOLD = ("checkout.session.", "charge.refund", "charge.dispute.", "refund.")  # what the endpoint has asked for


class Deliveries:
    """What is on its way to one endpoint. sign_time: seconds since 1970, as the receiver's clock has them."""

    def __init__(
        self, provider: Provider, *, secret: str, url: str, sign_time: Callable[[], float] = time.time
    ) -> None:
        self.provider = provider
        self.secret = secret
        self.url = url
        self.sign_time = sign_time
        self.tries: dict[str, tuple[int, float]] = {}  # an event's id: how many tries, and when the next is due

    def due(self) -> list[Thing]:
        """The events to be sent now. To be asked under the provider's lock, and sent outside of it."""
        self.provider.catch_up()
        now = self.provider.now()
        waiting = [event for event in self.provider.things["event"].values() if event["pending_webhooks"]]
        ready = []
        for event in waiting:
            if not event["type"].startswith(TOLD):
                event["pending_webhooks"] = 0
                continue
            tried, due = self.tries.get(event["id"], (0, 0.0))
            if due <= now:
                pause = PAUSES[tried] if tried < len(PAUSES) else float("inf")
                self.tries[event["id"]] = (tried + 1, now + pause)
                ready.append(event)
        return ready

    def send(self, event: Thing, times: int = 1) -> list[int]:
        """Post an event; the statuses of the answers, 0 for none."""
        body = json.dumps(as_sent(event)).encode()
        return [self._post(event, body) for _ in range(times)]

    def send_all(self, events: Iterable[Thing]) -> None:
        for event in events:
            self.send(event)

    def _post(self, event: Thing, body: bytes) -> int:
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Stripe-Signature": signature(body, self.secret, int(self.sign_time())),
        }
        try:
            with build_opener(ProxyHandler({})).open(Request(self.url, body, headers), timeout=20) as answer:
                status = int(answer.status)
        except HTTPError as error:
            status = error.code
            error.close()
        except (URLError, OSError):
            return 0
        if 200 <= status < 300:
            event["pending_webhooks"] = 0
        return status


def as_sent(event: Thing) -> Thing:
    return event | {"api_version": "2026-10-28.endive", "request": {"id": None, "idempotency_key": None}}


def signature(body: bytes, secret: str, at: int) -> str:
    """The header Stripe-Signature of `body`, signed at `at`."""
    signed = hmac.new(secret.encode(), f"{at}.".encode() + body, sha256).hexdigest()
    return f"t={at},v1={signed}"

"""The stand-in without a network between: for thousands of schedules, and for a clock that only tests move."""

from collections.abc import Mapping
from typing import Any

import stripe

from credits.payments.stripe_gateway import StripeGateway
from tests.stripe_standin.provider import Provider
from tests.stripe_standin.server import Lost, Standin

KEY, SECRET = "sk_test_standin", "whsec_standin"
ADDRESS = "http://127.0.0.1:1"


class InProcess(stripe.HTTPClient):
    """What the library asks goes to a stand-in by a call."""

    name = "in_process"

    def __init__(self, standin: Standin) -> None:
        super().__init__()
        self.standin = standin

    def request(
        self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None, **_more: Any
    ) -> tuple[str, int, Mapping[str, str]]:
        body = (post_data or "").encode()
        try:
            answer = self.standin.answer(method.upper(), url.removeprefix(ADDRESS), headers or {}, body)
        except Lost:
            raise stripe.APIConnectionError("The answer was lost.", should_retry=True) from None
        return answer.body.decode(), answer.status, answer.headers

    def close(self) -> None:
        """Nothing is open."""


def standin_at(clock: Any) -> tuple[Standin, StripeGateway]:
    """A stand-in on `clock`, and a gateway that asks it by calls and never a second time by itself."""
    standin = Standin(Provider(clock), api_key=KEY, address=ADDRESS)
    gateway = StripeGateway(
        api_key=KEY, webhook_secret=SECRET, api_base=ADDRESS, retries=0, http_client=InProcess(standin)
    )
    return standin, gateway

"""Stripe as a payment provider: the only module that imports its library, and none of its objects leave it.

Hosted Checkout: no card number ever reaches the registry. Which means of payment are offered is set up at Stripe; some
clear days later. https://docs.stripe.com/payments/checkout/fulfillment
"""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import stripe
from stripe import StripeObject

from credits.payments.gateway import (
    BadEvent,
    Checkout,
    CheckoutAsked,
    NoSuchCheckout,
    ProviderAtFault,
    ProviderRefused,
    ProviderUnreachable,
    Refunded,
    Seen,
    Told,
    Unreadable,
    is_here,
)
from credits.payments.stripe_words import (
    Words,
    addressable,
    charge_of,
    moment_of,
    named,
    reference_of,
    refund_of,
    seen_of,
    takes_money,
    text_of,
    told_of,
)

if TYPE_CHECKING:
    from stripe.params.checkout import SessionCreateParams, SessionCreateParamsLineItem


API_VERSION = "2026-10-28.endive"  # what the words below mean; a newer library must not change it unseen
PAGES = "https://checkout.stripe.com"
PATIENCE = (3.0, 10.0)  # seconds to connect, and between two bytes of an answer
RETRIES = 2  # by the library, with the same key and a growing pause
TOLERANCE = timedelta(seconds=300)
AHEAD = timedelta(seconds=2)  # of two good clocks, by rounding and drift
A_PAGE = 100
# The charge, what went back of it and whether it is disputed, in the same answer.
WHOLE = "payment_intent.latest_charge.refunds"
TIMESTAMP = re.compile(r"(?:^|,)t=([0-9]{1,11})(?=,|$)")


class StripeGateway:
    """A `Gateway`. api_base: where the API is. retries: how often the library itself asks once more.

    http_client: another way there than over the network, for tests.
    """

    def __init__(
        self,
        *,
        api_key: str,
        webhook_secret: str,
        api_base: str,
        retries: int = RETRIES,
        http_client: stripe.HTTPClient | None = None,
    ) -> None:
        self._livemode = "_live_" in api_key
        self._pages = api_base if is_here(api_base) else PAGES
        self._webhook_secret = webhook_secret
        # A proxy of the environment is for what is far away.
        proxy = {"http": "", "https": ""} if is_here(api_base) else None
        self._client = stripe.StripeClient(
            api_key,
            stripe_version=API_VERSION,
            base_addresses={"api": api_base},
            max_network_retries=retries,
            http_client=http_client or stripe.RequestsClient(timeout=PATIENCE, proxy=proxy),  # type: ignore[arg-type]
        )

    @property
    def livemode(self) -> bool:
        return self._livemode

    @property
    def pages(self) -> str:
        return self._pages

    # An idempotency key counts in the whole account, so each kind of request has its own.

    def open_checkout(self, asked: CheckoutAsked, key: str) -> Checkout:
        params = session_params(asked)
        once: Any = {"idempotency_key": f"checkout-{key}"}
        made = answered(lambda: self._client.v1.checkout.sessions.create(params, once))
        reference, url = text_of(made, "id"), text_of(made, "url")
        if reference is None or url is None:
            raise Unreadable("The payment provider's answer names no page to pay on.")
        ends = moment_of(made, "expires_at") if made.get("expires_at") is not None else asked.expires_at
        return Checkout(reference=reference, url=url, expires_at=ends)

    def look(self, reference: str) -> Seen:
        params: Any = {"expand": [WHOLE]}
        return self._seen(answered(lambda: self._client.v1.checkout.sessions.retrieve(addressable(reference), params)))

    def look_at_payment(self, payment: str) -> Seen:
        params: Any = {"payment_intent": payment, "limit": 1, "expand": [f"data.{WHOLE}"]}
        found = answered(lambda: self._client.v1.checkout.sessions.list(params)).get("data") or []
        if not (found and takes_money(found[0])):
            raise NoSuchCheckout("The payment provider knows no checkout of this payment.", payment=payment)
        return self._seen(found[0], gone_back=True)

    def look_at_charge(self, charge: str) -> Seen:
        charged = answered(lambda: self._client.v1.charges.retrieve(addressable(charge)))
        payment = reference_of(charged, "payment_intent")
        if payment is None:
            raise NoSuchCheckout("The payment provider knows no payment of this charge.", charge=charge)
        return self.look_at_payment(payment)

    def expire(self, reference: str) -> Seen:
        try:
            answered(lambda: self._client.v1.checkout.sessions.expire(addressable(reference)))
        except NoSuchCheckout:
            raise
        except ProviderRefused:
            pass  # it was no longer open: what it is instead, we see
        return self.look(reference)

    def refund(self, payment: str, amount: int, key: str, reason: str) -> Refunded:
        # Stripe's own `reason` is one of three words; ours is for whoever reads its dashboard.
        params: Any = {"payment_intent": payment, "amount": amount, "reason": "requested_by_customer"}
        params["metadata"] = {"reason": reason[:500]}
        once: Any = {"idempotency_key": f"refund-{key}"}
        made = answered(lambda: self._client.v1.refunds.create(params, once))
        return refund_of(made)

    def payments_since(self, moment: datetime) -> Iterator[Seen]:
        params: Any = {"created": {"gte": int(moment.timestamp())}, "limit": A_PAGE, "expand": [f"data.{WHOLE}"]}
        for session in filter(takes_money, paged(self._client.v1.checkout.sessions.list, params)):
            with suppress(Unreadable, ProviderAtFault):  # looked at by itself where it is ours
                yield self._seen(session)

    def gone_back_since(self, moment: datetime) -> Iterator[str]:
        params: Any = {"created": {"gte": int(moment.timestamp())}, "limit": A_PAGE}
        for listed in (self._client.v1.refunds.list, self._client.v1.disputes.list):
            for each in paged(listed, params):
                if (payment := each.get("payment_intent")) is not None:
                    yield named(payment)

    def read_event(self, body: bytes, signature: str, at: datetime) -> Told:
        signed = self._signed(body, signature, at)
        try:
            return told_of(json.loads(body), signed=signed, livemode=self._livemode)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, ProviderUnreachable):
            raise BadEvent("This is no event that we know how to read.") from None

    def _signed(self, body: bytes, signature: str, at: datetime) -> datetime:
        """When it was signed with our secret. Raises BadEvent.

        The library's own check of the time lets a future one pass, and asks its own clock.
        """
        times = TIMESTAMP.findall(signature)
        if len(times) != 1 or not signature.isascii():
            raise BadEvent("The signature's header does not say when it was made.")
        try:
            stripe.WebhookSignature.verify_header(body, signature, self._webhook_secret)
        except (stripe.SignatureVerificationError, UnicodeDecodeError):
            raise BadEvent("This was not signed with our secret.") from None
        signed = datetime.fromtimestamp(int(times[0]), UTC)
        if not -AHEAD <= at - signed <= TOLERANCE:
            raise BadEvent("This was signed too long ago, or has yet to be.")
        return signed

    def _seen(self, session: Words, *, gone_back: bool = False) -> Seen:
        """gone_back: money did, as far as we know; else it is asked what did only where the charge does not say."""
        payment = self._payment_of(session)
        if payment is None:
            return seen_of(session, None)
        charge, name = charge_of(payment), named(payment)
        refunds = None if gone_back else refunds_in(charge)
        if refunds is None:
            refunds = of_payment(self._client.v1.refunds.list, name)
        disputes: list[Words] = []
        if gone_back or charge.get("disputed") is not False:
            disputes = of_payment(self._client.v1.disputes.list, name)
        return seen_of(session, payment, refunds=refunds, disputes=disputes)

    def _payment_of(self, session: Words) -> Words | str | None:
        """The payment with its charge; asked for by itself where the session only names it.

        Its name alone where the provider shows no payments by themselves.
        """
        payment = session.get("payment_intent")
        if payment is None or (isinstance(payment, dict) and isinstance(payment.get("latest_charge"), dict | None)):
            return payment
        params: Any = {"expand": ["latest_charge.refunds"]}
        try:
            return answered(lambda: self._client.v1.payment_intents.retrieve(named(payment), params))
        except NoSuchCheckout:
            return named(payment)


def session_params(asked: CheckoutAsked) -> "SessionCreateParams":
    """What Stripe is asked for. It gets the order's number everywhere, so that every later event names it."""
    named = asked.metadata | {"order": asked.order_number, "attempt": str(asked.attempt)}
    lines = [*asked.lines, *([asked.tax] if asked.tax else [])]
    return {
        "mode": "payment",
        "client_reference_id": asked.order_number,
        "customer_email": asked.email,
        "line_items": [line_item(label, amount, asked.currency) for label, amount in lines if amount],
        "success_url": asked.success_url,
        "cancel_url": asked.cancel_url,
        "expires_at": int(asked.expires_at.timestamp()),
        "metadata": named,
        "payment_intent_data": {"metadata": named, "description": asked.order_number},
        "adaptive_pricing": {"enabled": False},  # what is paid is what was ordered, in its currency
    }


def line_item(label: str, amount: int, currency: str) -> "SessionCreateParamsLineItem":
    """One line of the bill. Stripe counts in the same minor units as we do, a yen being its own."""
    product: Any = {"name": label[:250]}
    return {
        "quantity": 1,
        "price_data": {"currency": currency.lower(), "unit_amount": amount, "product_data": product},
    }


def paged(listed: Callable[[Any], StripeObject], params: Any) -> Iterator[Words]:
    """Everything that a list has, a page at a time."""
    while True:
        page = answered(partial(listed, params))
        found = page.get("data") or []
        yield from found
        if not (found and page.get("has_more")):
            return
        params = params | {"starting_after": found[-1]["id"]}


def of_payment(listed: Callable[[Any], StripeObject], payment: str) -> list[Words]:
    """What a list has of one payment, to its end; nothing where the provider keeps no such list."""
    try:
        found = list(paged(listed, {"payment_intent": payment, "limit": A_PAGE}))
    except NoSuchCheckout:
        return []
    return [each for each in found if reference_of(each, "payment_intent") in (None, payment)]


def refunds_in(charge: Words) -> list[Words] | None:
    """What went back of a charge, by its own words; None where it does not say, or not all."""
    refunds = charge.get("refunds")
    if not isinstance(refunds, dict) or refunds.get("has_more"):
        return None
    return refunds.get("data")


def answered(call: Callable[[], StripeObject]) -> dict[str, Any]:
    """What Stripe answers, as plain words.

    Raises ProviderUnreachable, Unreadable, ProviderAtFault, ProviderRefused, NoSuchCheckout.
    """
    try:
        return call().to_dict()
    except stripe.InvalidRequestError as error:
        if error.http_status == 404:
            raise NoSuchCheckout("The payment provider does not know this payment.") from error
        raise ProviderRefused(f"The payment provider refused: {error.user_message}") from error
    except (stripe.IdempotencyError, stripe.CardError, stripe.AuthenticationError, stripe.PermissionError) as error:
        raise ProviderRefused(f"The payment provider refused: {error.user_message}") from error
    except stripe.StripeError as error:  # 409, 429, 5xx, no answer, one that is no JSON
        if error.http_status is not None and error.http_status < 400:
            raise Unreadable("The payment provider's answer cannot be read.") from error
        its_own = error.http_status is not None and (error.http_status == 409 or error.http_status >= 500)
        kind = ProviderAtFault if its_own else ProviderUnreachable
        raise kind("The payment provider does not answer now. Please try again in a minute.") from error

"""What the registry asks of a payment provider, and what it is told, in its own words. No provider is named here.

What moves an order is always a `Seen`: a checkout as the provider describes it, by a webhook that it signed, asked for
after a webhook, by the poller, or by the reconciliation. Each is a fact that is never taken back (what was paid stays
paid, what has expired stays expired), so it does not matter in which order, how late or how often they arrive.

A provider is a network call: it is asked before a transaction begins, or after it has ended, never within.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from ipaddress import ip_address
from typing import Protocol
from urllib.parse import urlsplit

from credits.errors import Conflict, CreditsError, Invalid
from credits.payments.going_back.going_back_models import DisputeState, RefundState
from credits.payments.models import Currency
from credits.payments.prices import written


class ProviderUnreachable(CreditsError):
    """No answer, or none that says anything. It may or may not have happened: ask again, with the same key."""

    code = "provider_unreachable"


class Unreadable(ProviderUnreachable):
    """An answer came and lacks what we need of it: that is about this one thing, and others can still be asked for."""

    code = "provider_unreadable"


class ProviderAtFault(ProviderUnreachable):
    """An answer came, and the provider itself has a fault: for long perhaps with this one thing, and no other."""


class ProviderRefused(Conflict):
    """The provider has understood and will not do it: asking again in the same words changes nothing."""

    code = "provider_refused"


class NoSuchCheckout(ProviderRefused):
    """The provider knows no checkout or payment of this reference."""

    code = "no_such_checkout"


class BadEvent(Invalid):
    """What was delivered as an event was not signed by the provider, not now, or says nothing: 400."""

    code = "bad_event"


class NotByProvider(Invalid):
    """No payment provider takes so little, or so much, at once: it is paid by a bank transfer."""

    code = "not_by_provider"


# What a payment provider takes at once, in minor units. https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts
# Where its account is kept in another currency it may want a little more: then it refuses, and the order ends.
LEAST = {Currency.USD: 50, Currency.EUR: 50, Currency.GBP: 30, Currency.CHF: 50, Currency.JPY: 50}
MOST = 99_999_999


def must_be_payable(amount: int, currency: Currency) -> None:
    """Raise NotByProvider where a payment provider does not take this amount, in minor units, at once."""
    if not LEAST[currency] <= amount <= MOST:
        raise NotByProvider(
            f"The payment provider takes {written(LEAST[currency], currency)} to {written(MOST, currency)} at once, "
            f"and this order costs {written(amount, currency)}. Pay it by bank transfer, or order another quantity.",
            least=LEAST[currency],
            most=MOST,
            total=amount,
        )


class CheckoutState(StrEnum):
    """OPEN may still be paid. The others are final, but for PROCESSING, which becomes PAID or FAILED, days later."""

    OPEN = "open"
    PROCESSING = "processing"  # the buyer has done their part; the money has not cleared
    PAID = "paid"  # the money has cleared
    EXPIRED = "expired"  # nobody can pay any more
    FAILED = "failed"  # the money did not come, and this checkout takes none any more


class EventKind(StrEnum):
    COMPLETED = "completed"  # the buyer has done their part; whether the money has cleared is in `seen`
    CLEARED = "cleared"
    FAILED = "failed"
    EXPIRED = "expired"
    REFUNDED = "refunded"  # a refund was made, has changed or has failed
    DISPUTED = "disputed"  # a dispute was opened, has changed or has ended
    OTHER = "other"  # nothing that concerns an order


@dataclass(frozen=True, kw_only=True)
class CheckoutAsked:
    """One attempt to have one order paid.

    Amounts in minor units of `currency` (an ISO 4217 code in capitals; a yen has none smaller). `total` is the sum of
    `lines` and `tax`. expires_at: 30 minutes to 24 hours from now. metadata: at most 50 short texts.
    """

    order_number: str
    attempt: int
    lines: list[tuple[str, int]]  # what the buyer reads, and its amount
    tax: tuple[str, int] | None
    currency: str
    total: int
    email: str
    success_url: str
    cancel_url: str
    expires_at: datetime
    metadata: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Checkout:
    """A checkout that stands: `url` is where the buyer pays."""

    reference: str
    url: str
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class Refunded:
    """Money on its way back to the buyer, in minor units. One that failed has stayed with us."""

    reference: str
    amount: int
    state: RefundState


@dataclass(frozen=True, kw_only=True)
class Disputed:
    """A payment that the buyer's bank wants back, in minor units."""

    reference: str
    amount: int
    state: DisputeState


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A checkout as the provider describes it.

    amount: minor units. payment: the provider's name of the payment, for refunds; None before there is one.
    account: None is our own; anything else is somebody else's.
    """

    reference: str
    order_number: str | None
    attempt: int | None
    state: CheckoutState
    amount: int
    currency: str
    payment: str | None
    livemode: bool
    account: str | None
    created: datetime | None = None
    refunds: tuple[Refunded, ...] = ()
    disputes: tuple[Disputed, ...] = ()

    @property
    def refunded(self) -> int:
        """Minor units that went back to the buyer, or are on their way."""
        return sum(refund.amount for refund in self.refunds if refund.state is not RefundState.FAILED)

    @property
    def disputed(self) -> bool:
        """Whether the buyer's bank has the money back, or may get it."""
        return any(dispute.state is not DisputeState.WON for dispute in self.disputes)


@dataclass(frozen=True, kw_only=True)
class Told:
    """One event, whose signature was good.

    A checkout's event carries `seen`, as it was when the event was made. One of a refund or a dispute names the
    payment alone, or its charge, so the provider is asked what has become of it.
    """

    id: str
    kind: EventKind
    reference: str | None
    payment: str | None
    order_number: str | None
    livemode: bool
    account: str | None
    created: datetime
    seen: Seen | None = None
    charge: str | None = None


class Gateway(Protocol):
    """A payment provider. Every call but `read_event` goes over the network.

    Each raises ProviderUnreachable or ProviderRefused. livemode: whether real money moves. pages: the beginning of the
    addresses where buyers pay.
    """

    @property
    def livemode(self) -> bool: ...

    @property
    def pages(self) -> str: ...

    def open_checkout(self, asked: CheckoutAsked, key: str) -> Checkout:
        """Make the page on which an order is paid.

        The same key and words give the same checkout, however often, within a day; the same key and others are
        refused: so everything in `asked`, `expires_at` too, is kept before the first try.
        """

    def look(self, reference: str) -> Seen:
        """What a checkout is now. Raises NoSuchCheckout."""

    def look_at_payment(self, payment: str) -> Seen:
        """The checkout that a payment belongs to, as it is now. Raises NoSuchCheckout."""

    def look_at_charge(self, charge: str) -> Seen:
        """The checkout whose payment was charged so, as it is now. Raises NoSuchCheckout."""

    def expire(self, reference: str) -> Seen:
        """End a checkout so that nobody can pay it any more, and say what it is now.

        Only EXPIRED and FAILED free what was reserved: somebody may have paid a moment before.
        """

    def refund(self, payment: str, amount: int, key: str, reason: str) -> Refunded:
        """Send `amount` minor units of a payment back. The same key sends them once. reason: for our own books."""

    def payments_since(self, moment: datetime) -> Iterator[Seen]:
        """The checkouts that were begun since then, the newest first, a page at a time.

        Without those that ask for no money: an account may be used for something else, too.
        """

    def gone_back_since(self, moment: datetime) -> Iterator[str]:
        """The payments of which money went back since then, by a refund or a dispute, a page at a time.

        However long ago they were made: a payer's bank takes money back for more than a year.
        """

    def read_event(self, body: bytes, signature: str, at: datetime) -> Told:
        """Read what was delivered, byte for byte, under its signature. Raises BadEvent."""


def is_here(address: str) -> bool:
    """Whether an address is on this machine."""
    host = urlsplit(address).hostname or ""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False

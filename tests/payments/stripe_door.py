"""What the tests of the gateway ask the stand-in for, over real HTTP, as they would ask Stripe itself."""

from datetime import UTC, datetime, timedelta

import stripe

from credits.payments.gateway import CheckoutAsked
from credits.payments.stripe_gateway import StripeGateway
from tests.stripe_standin.in_process import KEY, SECRET
from tests.stripe_standin.server import Standin

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


def gateway_to(address: str, api_key: str = KEY) -> StripeGateway:
    impatient = stripe.RequestsClient(timeout=0.3, proxy={"http": "", "https": ""})
    return StripeGateway(api_key=api_key, webhook_secret=SECRET, api_base=address, retries=0, http_client=impatient)


def paid(gateway: StripeGateway, standin: Standin, how: str = "card") -> str:
    """The reference of a checkout in which the buyer has paid."""
    reference = gateway.open_checkout(ASKED, "key").reference
    standin.provider.pay(reference, how)
    return reference

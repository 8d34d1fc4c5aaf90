"""Something sold, how it is paid through the provider, and what the provider tells later."""

from dataclasses import replace

import pytest

from credits.payments import acts, receiving
from credits.payments.gateway import Disputed
from credits.payments.models import Means
from credits.payments.receiving import Terms
from tests.market_stage import certify
from tests.payments.selling import checkout_of


@pytest.fixture
def issuance(stage):
    acts.register(certify)
    return stage.issued()


@pytest.fixture
def order(stage, issuance):
    return stage.bought((stage.for_sale(issuance), 100))


@pytest.fixture
def buy(stage, issuance):
    """An order paid through the provider, and how its checkout looks."""

    def bought(**bent):
        order = stage.ordered((stage.for_sale(issuance), 100), means=Means.STRIPE, **bent)
        payment = stage.begun(order)
        return order, payment, checkout_of(order, payment)

    return bought


@pytest.fixture
def tell(stage):
    def told(payment, seen, state=None, amount=None):
        if state is not None:
            of = Disputed(reference="du_1", amount=amount or seen.amount, state=state)
            seen = replace(seen, disputes=(of,))
        asked = {"payment": payment, "seen": seen, "terms": Terms(False, stage.policy, certify), "at": stage.at}
        return receiving.settle_seen(stage.session, **asked)

    return told

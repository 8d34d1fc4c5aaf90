"""An order with the payment provider's stand-in behind it, for the tests of what the market does over the network."""

import json
from datetime import timedelta

from credits import market_jobs, market_rounds
from credits.market_jobs import Till
from credits.payments.models import Means
from tests.market_stage import certify
from tests.stripe_standin.deliveries import as_sent, signature
from tests.stripe_standin.in_process import SECRET, standin_at


class Shop:
    """An order of a tonne of cobalt, to be paid by the provider, on a clock that the test moves."""

    def __init__(self, stage, **bent):
        self.stage, self.at = stage, stage.at
        self.session = stage.session
        self.standin, gateway = standin_at(self.clock)
        self.till = Till(
            gateway, stage.policy, lambda number: (f"http://localhost/{number}?paid=1", "http://localhost"), certify
        )
        self.order = stage.ordered((stage.for_sale(stage.issued(), 1_000), 1_000), means=Means.STRIPE, **bent)
        self.payment = stage.begun(self.order)
        self.session.commit()

    def clock(self):
        return self.at.timestamp()

    def open(self):
        return market_jobs.open_checkout(self.session, payment_id=self.payment.id, till=self.till, at=self.at)

    def pay(self, how="card"):
        self.standin.provider.pay(self.payment.reference, how)

    def pass_time(self, **time):
        self.at += timedelta(**time)
        self.standin.provider.catch_up()

    def told(self, kind):
        """What the provider would post of its newest event of a kind, read as the door does."""
        event = [each for each in self.standin.provider.things["event"].values() if each["type"] == kind][-1]
        body = json.dumps(as_sent(event)).encode()
        return self.till.gateway.read_event(body, signature(body, SECRET, int(self.at.timestamp())), self.at)

    def take_in(self, kind):
        return market_jobs.take_in(self.session, told=self.told(kind), till=self.till, at=self.at)

    def poll(self, **asked):
        return market_rounds.poll(self.session, till=self.till, at=self.at, **asked)

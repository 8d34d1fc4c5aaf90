"""Buyers, their payment provider and the accidents between them, on a clock that goes from act to act."""

import json
import random
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count, islice
from typing import Any

from sqlalchemy import select

from credits import market_jobs
from credits.db import begin_writing
from credits.errors import CreditsError
from credits.market_jobs import Till
from credits.payments.gateway import BadEvent, ProviderRefused, ProviderUnreachable
from credits.payments.models import Means, Offer, Order, Payment
from credits.registry.models import Issuance
from credits.registry.movements import DecisionKind
from tests.market_stage import certify
from tests.stage import Stage
from tests.stripe_standin.deliveries import TOLD, as_sent, signature
from tests.stripe_standin.in_process import SECRET, standin_at
from tests.stripe_standin.params import Refused
from tests.stripe_standin.server import Fault
from tests.stripe_standin.shelf import Thing

CREDIT = 1_000  # mg of gold
MINUTE, HOUR, DAY = 60.0, 3600.0, 86_400.0
LATEST = 3 * DAY  # that an event may be late


@dataclass
class Chaos:
    """One registry, its provider, and a clock that goes from act to act."""

    stage: Stage
    issuance: Issuance
    dice: random.Random
    counted: Counter[str]
    now: float = 0.0
    acts: list[tuple[float, int, Callable[[], Any]]] = field(default_factory=list)
    numbers: count = field(default_factory=count)
    told: int = 0  # events of the provider that have their plan

    def __post_init__(self) -> None:
        self.session = self.stage.session
        self.begun = self.stage.at.timestamp()
        self.standin, gateway = standin_at(lambda: self.begun + self.now)
        self.till = Till(
            gateway,
            self.stage.policy,
            lambda number: (f"http://localhost/{number}?paid=1", "http://localhost"),
            certify,
        )

    @property
    def at(self) -> datetime:
        return self.stage.at + timedelta(seconds=self.now)

    def plan(self, when: float, act: Callable[[], Any]) -> None:
        heappush(self.acts, (max(when, self.now), next(self.numbers), act))

    def chance(self, probability: float) -> bool:
        return self.dice.random() < probability

    def run(self) -> None:
        """Let everything happen in its order, and what follows from it."""
        while self.acts:
            self.now, _, act = heappop(self.acts)
            self.standin.provider.catch_up()
            with suppress(ProviderUnreachable):
                act()
            self.session.rollback()
            self.plan_events()

    def plan_events(self) -> None:
        """Decide when, how often, and whether at all, what the provider has just noted is told to the registry."""
        events = self.standin.provider.things["event"].values()
        for event in list(islice(events, self.told, None)):
            if event["type"].startswith(TOLD):
                self.plan_deliveries(event)
        self.told = len(events)

    def plan_deliveries(self, event: Thing) -> None:
        copies = self.dice.choices((0, 1, 2, 3), (20, 40, 10, 30))[0]
        self.counted["events that never came"] += not copies
        sent = json.dumps(as_sent(event)).encode()
        for _ in range(copies):
            late = self.dice.choice(
                (0.0, self.dice.uniform(0, MINUTE), self.dice.uniform(0, HOUR), self.dice.uniform(0, LATEST))
            )
            self.plan(self.now + late, lambda: self.deliver(sent))
        if self.chance(0.3):
            self.plan(self.now + self.dice.uniform(0, HOUR), lambda: self.forge(sent))

    def deliver(self, sent: bytes) -> None:
        """The provider posts an event, signed now; what is not taken in comes once more."""
        told = self.till.gateway.read_event(sent, signature(sent, SECRET, int(self.begun + self.now)), self.at)
        if self.chance(0.1):
            self.standin.faults = [Fault("GET", "lose", times=2)]
        try:
            market_jobs.take_in(self.session, told=told, till=self.till, at=self.at)
            self.counted["events taken in"] += 1
        except ProviderUnreachable:
            self.plan(self.now + HOUR, lambda: self.deliver(sent))
        finally:
            self.standin.faults = []

    def forge(self, sent: bytes) -> None:
        """Somebody else posts what looks like an event."""
        now = int(self.begun + self.now)
        forged = (
            (sent, signature(sent, "whsec_other", now)),
            (sent, signature(sent, SECRET, now - 301)),
            (sent, signature(sent, SECRET, now + 60)),
            (sent.replace(b'"paid"', b'"paid "') + b" ", signature(sent, SECRET, now)),
            (b"\xff" + sent, signature(sent, SECRET, now)),
        )
        body, header = self.dice.choice(forged)
        try:
            self.till.gateway.read_event(body, header, self.at)
        except BadEvent:
            self.counted["forged events refused"] += 1
        else:
            raise AssertionError("a forged event was read")

    def ask(self, job: Callable[..., Any], order: Order, **more: Any) -> Any:
        """One of the market's jobs about the payment of an order, with a line that may break."""
        payment = self.session.scalars(select(Payment).where(Payment.order_id == order.id)).one()
        if self.chance(0.2):
            when = self.dice.choice(("before", "after"))
            self.standin.faults = [
                self.dice.choice((Fault("", "lose", when), Fault("", "error", when, self.dice.choice((429, 500)))))
            ]
            self.counted["answers lost"] += 1
        try:
            with suppress(ProviderRefused):
                return job(self.session, payment_id=payment.id, till=self.till, at=self.at, **more)
        finally:
            self.standin.faults = []


@dataclass
class Schedule:
    """One order, and what its buyer does."""

    chaos: Chaos
    offer: Offer
    order: Order | None = None

    def begin(self) -> None:
        """The buyer orders and goes to pay."""
        chaos = self.chaos
        stage = chaos.stage
        begin_writing(chaos.session)
        stage_at, stage.at = stage.at, chaos.at
        try:
            # At least 51 cents: no provider takes less.
            quantity = chaos.dice.choice((84, 500, CREDIT, CREDIT, 2 * CREDIT))
            self.order = stage.ordered((self.offer, quantity), means=Means.STRIPE)
            stage.begun(self.order)
            chaos.session.commit()
        except CreditsError as refusal:
            chaos.session.rollback()
            chaos.counted[f"refused: {refusal.code}"] += 1
            return
        finally:
            stage.at = stage_at
        chaos.counted["orders"] += 1
        chaos.dice.choice(
            (self.pays, self.pays, self.pays_late, self.dithers, self.cancels, self.leaves, self.debits, self.debits)
        )()
        self.open()

    def open(self) -> None:
        self.chaos.ask(market_jobs.open_checkout, self.must)

    @property
    def must(self) -> Order:
        assert self.order is not None
        return self.order

    def soon(self, least: float, most: float, act: Callable[[], Any]) -> None:
        self.chaos.plan(self.chaos.now + self.chaos.dice.uniform(least, most), act)

    def pays(self) -> None:
        if self.chaos.chance(0.5):
            self.soon(0, MINUTE, self.open)  # presses the button again, in another tab
        self.soon(2 * MINUTE, 58 * MINUTE, lambda: self.by("card"))
        self.comes_back()

    def pays_late(self) -> None:
        """Around the moment of expiry."""
        self.soon(HOUR - 3, HOUR + 2, lambda: self.by("card"))
        self.soon(HOUR - 3, HOUR + 2, self.look)

    def dithers(self) -> None:
        self.soon(MINUTE, 20 * MINUTE, lambda: self.by("declines"))
        if self.chaos.chance(0.7):
            self.soon(20 * MINUTE, 59 * MINUTE, lambda: self.by("card"))
        self.comes_back()

    def cancels(self) -> None:
        """In one tab, while another one may pay."""
        when = self.chaos.dice.uniform(MINUTE, 50 * MINUTE)
        self.soon(when, when + 1, lambda: self.chaos.ask(market_jobs.end_checkout, self.must))
        if self.chaos.chance(0.7):
            self.soon(when, when + 1, lambda: self.by("card"))

    def leaves(self) -> None:
        self.soon(0, HOUR, self.look)

    def debits(self) -> None:
        self.soon(MINUTE, 59 * MINUTE, lambda: self.by(self.chaos.dice.choice(("debit", "debit_fails"))))
        self.comes_back()

    def comes_back(self) -> None:
        """Or calls the page by hand, before anything was paid, or never."""
        for _ in range(self.chaos.dice.choice((0, 0, 1, 2))):
            self.soon(0, 2 * HOUR, self.look)

    def look(self) -> None:
        self.chaos.ask(market_jobs.ask_about, self.must)

    def by(self, how: str) -> None:
        """Pay at the provider, where there is a page that the buyer was shown."""
        chaos = self.chaos
        payment = chaos.session.scalars(select(Payment).where(Payment.order_id == self.must.id)).one()
        reference, url = payment.reference, payment.url
        chaos.session.rollback()
        if url is None or reference is None or reference not in chaos.standin.provider.open:
            return
        chaos.standin.provider.pay(reference, how)
        chaos.counted[how] += 1
        if how == "card" and chaos.chance(0.15):
            self.soon(HOUR, 3 * DAY, self.is_refunded)
        if how == "card" and chaos.chance(0.15):
            for _ in range(chaos.dice.choice((1, 1, 2))):
                self.soon(0, 3 * DAY, lambda: self.is_disputed(reference))

    def is_refunded(self) -> None:
        """Two issuers decide it; the money follows."""
        chaos = self.chaos
        begin_writing(chaos.session)
        try:
            chaos.stage.decided(DecisionKind.REFUND, self.must.number)
            chaos.session.commit()
            chaos.counted["refunds"] += 1
        except CreditsError as refusal:
            chaos.session.rollback()
            chaos.counted[f"no refund: {refusal.code}"] += 1

    def is_disputed(self, reference: str) -> None:
        """The buyer's bank wants all of the money back, or a part of it."""
        chaos = self.chaos
        part = chaos.dice.choice((None, None, 7, 30))
        try:
            dispute = chaos.standin.provider.dispute(reference, part)
        except Refused:
            return  # the money went back before
        chaos.counted["disputes of a part" if part else "disputes"] += 1
        outcome = chaos.dice.choice(("won", "lost"))
        self.soon(HOUR, 3 * DAY, lambda: chaos.standin.provider.close_dispute(dispute["id"], outcome))

"""Chaos: everything that can go wrong between a buyer, a payment provider and the registry, on a clock of its own.

    make chaos SCHEDULES=10000

A schedule is one order with its accidents, drawn by a number: answers lost before and after their effect, events
doubled, shuffled, three days late, forged or never sent, payments around the moment of expiry, a buyer who cancels
while paying, never returns, or calls the return page by hand, refunds and disputes. A score of them share an offer that
is too small for all. In the end the provider's books decide: who has paid has the credits once, or the money back, and
nobody else. Then everybody asks at once, in threads, for the last credit. The judge looks at all of it.
"""

import argparse
import logging
import random
import sqlite3
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import select
from sqlalchemy.orm import Session

from credits import market_jobs, market_rounds
from credits.db import begin_writing
from credits.errors import CreditsError
from credits.payments import reserving
from credits.payments.going_back import sending_back
from credits.payments.going_back.going_back_models import Refund, RefundState
from credits.payments.going_back.refunding import NotRefundable
from credits.payments.models import Means, Order, PaymentState
from tests import servers
from tests.checker_market import paid
from tests.stripe_standin.shelf import Things
from tests.suites import trial
from tests.suites.chaos_http import over_http
from tests.suites.comparison import wrong
from tests.suites.ground import Ground
from tests.suites.turmoil import CREDIT, DAY, HOUR, MINUTE, Chaos, Schedule
from tests.suites.workers import processes

TOGETHER = 20  # schedules that share an offer
END = 9 * DAY
PATIENCE = 120  # seconds


@dataclass
class Ended:
    """What came of some schedules."""

    schedules: int = 0
    seconds: float = 0.0
    counted: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def part(url: str, papers: Path, schedules: int, seed: int) -> Ended:
    """So many schedules in one database, by scores, each judged in the end."""
    ended = Ended(schedules)
    ground = Ground(url, papers)
    started = time.monotonic()
    for start in range(0, schedules, TOGETHER):
        if start:
            ground.again()
        dice = random.Random(f"{seed} {start}")
        chaos = Chaos(ground.stage, ground.issuance, dice, ended.counted)
        said = play(chaos, min(TOGETHER, schedules - start))
        found = market_rounds.reconcile(ground.session, gateway=chaos.till.gateway, at=chaos.at)
        said += [f"{each.subject}: {each.says}" for each in found.disagreements]
        said += judged(url, chaos.standin.provider.things)
        ended.wrong += [f"score {start} of seed {seed}: {each}" for each in said]
    ended.seconds = time.monotonic() - started
    ground.close()
    return ended


def play(chaos: Chaos, schedules: int) -> list[str]:
    """A score of buyers and an offer that is too small for them; what is wrong in the end."""
    stage, dice = chaos.stage, chaos.dice
    begin_writing(chaos.session)
    offer = stage.for_sale(chaos.issuance, quantity=CREDIT * max(1, schedules * 3 // 4), price=600)
    chaos.session.commit()
    for _ in range(schedules):
        chaos.plan(dice.uniform(0, 30 * MINUTE), Schedule(chaos, offer).begin)
    for _ in range(6):
        chaos.plan(dice.uniform(0, 3 * HOUR), lambda: market_rounds.poll(chaos.session, till=chaos.till, at=chaos.at))
    for _ in range(3):
        chaos.plan(dice.uniform(0, 4 * DAY), lambda: tend(chaos))
    banks = chaos.standin.provider
    for _ in range(2):
        begun = dice.uniform(0, 4 * DAY)
        chaos.plan(begun, lambda: banks.let_refunds_fail(True, after=dice.choice((0, HOUR, DAY))))
        chaos.plan(begun + DAY, lambda: banks.let_refunds_fail(False))
    chaos.plan(END - 2 * DAY, lambda: banks.let_refunds_fail(False))
    for _ in range(2):
        chaos.plan(END, lambda: tend(chaos))
    chaos.run()
    return wrong(chaos, offer)


def tend(chaos: Chaos) -> None:
    """What the worker does by the clock."""
    session, till, at = chaos.session, chaos.till, chaos.at
    market_rounds.poll(session, till=till, at=at)
    market_rounds.poll(session, till=till, at=at, states=[PaymentState.PROCESSING])
    if chaos.now == END:
        market_rounds.catch_up(session, till=till, at=at)
    send_once_more(chaos)
    market_rounds.send_refunds(session, gateway=till.gateway, at=at)
    market_rounds.deliver_waiting(session, policy=till.policy, certify=till.certify, at=at)


def send_once_more(chaos: Chaos) -> None:
    """An issuer looks at the refunds that came back, or that the provider has refused."""
    session = chaos.session
    begin_writing(session)
    for refund in session.scalars(select(Refund).where(Refund.state == RefundState.FAILED).order_by(Refund.id)).all():
        with suppress(NotRefundable):
            sending_back.ask_again(session, refund=refund, by=chaos.stage.issuer, at=chaos.at)
            chaos.counted["refunds sent once more"] += 1
    session.commit()


def judged(url: str, things: Things) -> list[str]:
    """What the judge says, who trusts the tables and the provider's books alone."""
    path = url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path) if path != url else psycopg.connect(url)) as connection:
        return [*trial.judged(url, []), *paid(connection, things)]


@dataclass(frozen=True)
class Crowd:
    """Everybody at once, each with a connection and a session of their own."""

    chaos: Chaos
    url: str
    at_once: int

    def rush(self, act: Callable[[Session, int], Any]) -> list[Any]:
        """What each was told; a refusal by its code."""
        engine = trial.engine_of(self.url, self.at_once)
        gate = threading.Barrier(self.at_once)

        def go(who: int) -> Any:
            with Session(engine) as session:
                gate.wait(PATIENCE)
                try:
                    return act(session, who)
                except CreditsError as refusal:
                    session.rollback()
                    return refusal.code

        with ThreadPoolExecutor(self.at_once) as threads:
            told = list(threads.map(go, range(self.at_once), timeout=PATIENCE))
        engine.dispose()
        return told

    def round(self) -> list[str]:
        """All want the last credit; whoever gets it pays, and everybody tells of it at once."""
        chaos, stage = self.chaos, self.chaos.stage
        begin_writing(chaos.session)
        offer = stage.for_sale(chaos.issuance, quantity=CREDIT, price=600)
        orders = [stage.ordered((offer, CREDIT), means=Means.STRIPE).id for _ in range(self.at_once)]
        chaos.session.commit()

        def begin(session: Session, who: int) -> int:
            begin_writing(session)
            order = session.get_one(Order, orders[who])
            asked = {"policy": stage.policy, "by": order.placed_by, "key": f"rush {order.id}", "at": stage.at}
            payment = reserving.begin_payment(session, order=order, seen=order.revision, **asked)
            session.commit()
            return payment.id

        winners = [told for told in self.rush(begin) if isinstance(told, int)]
        if len(winners) != 1:
            return [f"{offer.number}: {len(winners)} buyers have reserved the last credit"]
        asked = {"payment_id": winners[0], "till": chaos.till, "at": chaos.at}
        pages = set(self.rush(lambda session, _: market_jobs.open_checkout(session, **asked)))
        if len(pages) != 1:
            return [f"{offer.number}: the buyer was shown {pages}"]
        chaos.standin.provider.pay(pages.pop().rpartition("/")[2], "card")
        effects = Counter(self.rush(lambda session, _: market_jobs.ask_about(session, **asked)))
        return [] if effects["delivered"] == 1 else [f"{offer.number} was delivered: {dict(effects)}"]


def rush(url: str, papers: Path, rounds: int, at_once: int) -> Ended:
    """Rounds of everybody at once in one database, judged in the end."""
    ground = Ground(url, papers)
    chaos = Chaos(ground.stage, ground.issuance, random.Random(1), Counter())
    crowd = Crowd(chaos, url, at_once)
    started = time.monotonic()
    found = [each for _ in range(rounds) for each in crowd.round()]
    ended = Ended(rounds, time.monotonic() - started, wrong=found)
    ground.close()
    ended.wrong += judged(url, chaos.standin.provider.things)
    return ended


def main() -> int:
    from tests.conftest import migrate  # brings pytest, which only the migrated database needs

    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--schedules", type=int, default=10_000)
    asked.add_argument("--threads", type=int, default=64)
    asked.add_argument("--rounds", type=int, default=20, help="of everybody at once, on each database")
    given = asked.parse_args()
    sound = True
    with tempfile.TemporaryDirectory(dir=servers.in_memory()) as home, servers.postgresql() as server:
        places = {"SQLite": f"sqlite:///{home}/credits.db", "PostgreSQL": server.fresh_database()}
        rushed = {"SQLite": f"sqlite:///{home}/rush.db", "PostgreSQL": server.fresh_database()}
        spoken = f"sqlite:///{home}/spoken.db"
        for url in (*places.values(), *rushed.values(), spoken):
            migrate(url)
        shares = {"SQLite": given.schedules - given.schedules // 4, "PostgreSQL": given.schedules // 4}
        quiet()
        with ProcessPoolExecutor(2, processes, quiet) as pool:
            ways = [pool.submit(part, url, Path(home) / name, shares[name], 1) for name, url in places.items()]
            for name, way in zip(places, ways, strict=True):
                sound &= say(f"{name}: schedules", way.result())
        counted, wrong, provider = over_http(spoken, Path(home) / "http", 200)
        said = Ended(200, 0, counted, [*wrong, *judged(spoken, provider.things)])
        sound &= say("Over HTTP: orders", said)
        for name, url in rushed.items():
            ended = rush(url, Path(home) / f"{name} rush", given.rounds, given.threads)
            sound &= say(f"{name}: rounds of {given.threads} buyers", ended)
    return 0 if sound else 1


def quiet() -> None:
    """Refusals and silence are what is tried here: nobody has to read of each."""
    for name in ("credits", "werkzeug"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def say(what: str, ended: Ended) -> bool:
    print(f"{what}: {ended.schedules} in {ended.seconds:.0f} s")
    print(*(f"  {count:>7} {name}" for name, count in sorted(ended.counted.items())), sep="\n")
    print(*(ended.wrong[:20] or ["The judge: every promise holds."]), sep="\n", flush=True)
    return not ended.wrong


if __name__ == "__main__":
    sys.exit(main())

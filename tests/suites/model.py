"""A model: the ledger and a far simpler one do the same at random, and must never differ.

    make model STEPS=1000000

The simpler ledger knows for each single serial who has it. Issued, moved lowest first or by name, asked for too much,
out of final accounts, with keys sent twice, and undone half way: after each step both must have said the same, and at
every look have the same. In the end the judge replays the whole history.
"""

import argparse
import logging
import multiprocessing
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from credits import ledger
from credits.db import begin_writing
from credits.errors import CreditsError
from credits.ledger.balances import balance, standings
from credits.ledger.models import AccountKind
from credits.ledger.serials import SerialRange
from tests import servers
from tests.checker import join
from tests.ledger import book
from tests.suites import trial

LARGEST = 40  # serials of an issuance
LIVE = 12  # issuances that are worked on at a time
TOGETHER = 25  # steps of a transaction
ACCOUNTS = (AccountKind.AVAILABLE,) * 5 + (AccountKind.HELD, AccountKind.CANCELLED, AccountKind.EXPORTED)
FINAL = (AccountKind.CANCELLED, AccountKind.EXPORTED)


class Differs(AssertionError):
    """The ledger and its model say different things."""


@dataclass
class Model:
    """Who has each serial: issuance → owners, the first of them of serial 1."""

    owners: dict[int, list[int]] = field(default_factory=dict)
    answers: dict[str, tuple[dict[str, Any], str]] = field(default_factory=dict)

    def lowest(self, issuance: int, source: int, quantity: int) -> list[int]:
        """The places of the lowest serials of an account; fewer where it has too few."""
        return [place for place, owner in enumerate(self.owners[issuance]) if owner == source][:quantity]

    def blocks(self, issuance: int) -> list[book.Held]:
        """(first, last, owner), neighbours of one owner as one."""
        joined, start = [], 1
        for owner, serials in groupby(self.owners[issuance]):
            size = len(list(serials))
            joined.append((start, start + size - 1, owner))
            start += size
        return joined


class Twins:
    """A ledger in a database and its model, which take each step together."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.session = Session(engine)
        begin_writing(self.session)
        self.accounts = [(book.open_account(self.session, kind), kind) for kind in ACCOUNTS]
        self.kinds = dict(self.accounts)
        self.model = Model()
        self.live: list[int] = []
        self.done: list[int] = []  # left alone, and forgotten with the next commit
        self.caller = f"USR-{self.accounts[0][0]:06d}"
        self.keys = 0
        self.keep()

    # steps

    def issue(self, quantity: int, target: int) -> None:
        made = book.issue(self.session, quantity, target)
        self.model.owners[made] = [target] * quantity
        self.live.append(made)
        if len(self.live) > LIVE:
            done = self.live.pop(0)
            self.compare(done)
            self.done.append(done)

    def post(self, issuance: int, source: int, target: int, quantity: int) -> str:
        """The lowest serials of an account; how it ended."""
        places = self.model.lowest(issuance, source, quantity)
        expected = "insufficient_balance" if len(places) < quantity else self.lawful(source, target)
        said = self.said(lambda: book.post(self.session, issuance, source, target, quantity))
        self.must_agree(said, expected, f"post {quantity} of {issuance} from {source} to {target}")
        if said == "done":
            self.give(issuance, places, target)
        return said

    def move(self, issuance: int, units: tuple[int, int], source: int, target: int) -> str:
        """Serials by name."""
        places = list(range(units[0] - 1, units[1]))
        owners = self.model.owners[issuance]
        held = units[1] <= len(owners) and all(owners[place] == source for place in places)
        expected = self.lawful(source, target) if held else "not_held"
        said = self.said(lambda: book.move(self.session, issuance, units, source, target))
        self.must_agree(said, expected, f"move {units} of {issuance} from {source} to {target}")
        if said == "done":
            self.give(issuance, places, target)
        return said

    def ask(self, key: str, issuance: int, source: int, target: int, quantity: int) -> str:
        """What a door does: claim, post, settle, all of it committed; or the refusal is remembered."""
        request = {"issuance": issuance, "from": source, "to": target, "quantity": str(quantity)}
        earlier = self.model.answers.get(key)
        if earlier is not None:
            expected = earlier[1] if earlier[0] == request else "key_reused"
        else:
            places = self.model.lowest(issuance, source, quantity)
            expected = "insufficient_balance" if len(places) < quantity else "done"
        self.keep()
        try:
            if ledger.claim(self.session, caller=self.caller, key=key, request=request) is None:
                book.post(self.session, issuance, source, target, quantity)
                ledger.settle(self.session, {"done": True})
            said = "done"
            self.session.commit()
        except CreditsError as refusal:
            said = ledger.remember_refusal(self.session, refusal).code
        begin_writing(self.session)
        self.must_agree(said, expected, f"ask {key} for {request}")
        if earlier is None:
            self.model.answers[key] = (request, said)
            if said == "done":
                self.give(issuance, places, target)
        self.kept = copied(self.model.owners), list(self.live)
        return said

    def look(self, issuance: int, first: int, last: int) -> None:
        """Where these serials stand, and what everybody has of the issuance."""
        found = standings(self.session, issuance_id=issuance, units=SerialRange(first, last), limit=LARGEST)
        expected = [
            (max(start, first), min(end, last), owner)
            for start, end, owner in self.model.blocks(issuance)
            if start <= last and end >= first
        ]
        self.must_agree([(each.units.first, each.units.last, each.account_id) for each in found], expected, "look")

    def count(self, issuance: int) -> None:
        """What each account has of an issuance."""
        held = Counter(self.model.owners[issuance])
        found = {each: balance(self.session, accounts=[each], issuance_id=issuance) for each in held}
        self.must_agree(found, dict(held), f"balances of {issuance}")

    def keep(self) -> None:
        """Commit: what was done stays."""
        self.session.commit()
        while self.done:
            del self.model.owners[self.done.pop()]
        self.kept = copied(self.model.owners), list(self.live)
        begin_writing(self.session)

    def undo(self) -> None:
        """Roll back to the last commit."""
        owners, live = self.kept
        self.model.owners, self.live, self.done = copied(owners), list(live), []
        begin_writing(self.session)

    # what both must agree on

    def lawful(self, source: int, target: int) -> str:
        return "refused by the database" if source == target or self.kinds[source] in FINAL else "done"

    def said(self, act: Callable[[], Any]) -> str:
        """How an act ends that is undone alone where it is refused."""
        attempt = self.session.begin_nested()
        try:
            act()
            attempt.commit()
        except CreditsError as refusal:
            attempt.rollback()
            return refusal.code
        except DBAPIError:
            attempt.rollback()
            return "refused by the database"
        return "done"

    def give(self, issuance: int, places: list[int], target: int) -> None:
        owners = self.model.owners[issuance]
        for place in places:
            owners[place] = target

    def compare(self, issuance: int) -> None:
        """Every serial of an issuance; it is then left alone."""
        self.must_agree(
            join(book.holdings(self.session, issuance)), self.model.blocks(issuance), f"issuance {issuance}"
        )

    def must_agree(self, found: object, expected: object, what: str) -> None:
        if found != expected:
            raise Differs(f"{what}: the ledger says {found}, its model {expected}")

    def end(self) -> None:
        for issuance in self.live:
            self.compare(issuance)
        self.keep()
        self.session.close()


def copied(owners: dict[int, list[int]]) -> dict[int, list[int]]:
    return {issuance: list(each) for issuance, each in owners.items()}


def step(twins: Twins, chance: random.Random) -> str:
    """One step at random; what it was, and how it ended."""
    source, target = chance.choice(twins.accounts)[0], chance.choice(twins.accounts)[0]
    if not twins.live or chance.random() < 0.01:
        twins.issue(chance.randint(1, LARGEST), twins.accounts[chance.randrange(5)][0])
        return "issue"
    issuance = chance.choice(twins.live)
    size = len(twins.model.owners[issuance])
    if chance.random() < 0.7:  # out of an account that has some, mostly
        source = chance.choice(twins.model.owners[issuance])
    if chance.random() < 0.8 and twins.kinds[target] in FINAL:
        target = chance.choice(twins.accounts[:5])[0]
    what = chance.choices(["post", "move", "ask", "look", "count", "keep", "undo"], [40, 30, 3, 16, 6, 4, 1])[0]
    first = chance.randint(1, size)
    if what == "post":
        return "post: " + twins.post(issuance, source, target, chance.randint(1, chance.choice([2, 5, size])))
    if what == "move":
        last = min(first + chance.choice([0, 1, 4]), size + chance.choice([0, 0, 0, 1]))
        if chance.random() < 0.8:
            source = twins.model.owners[issuance][first - 1]
        return "move: " + twins.move(issuance, (first, last), source, target)
    if what == "ask":
        source, target = (account for account, _ in chance.sample(twins.accounts[:5], 2))
        twins.keys += 1
        key = f"key-{chance.randint(max(1, twins.keys - 5), twins.keys)}"
        return "ask: " + twins.ask(key, issuance, source, target, chance.randint(1, 5))
    if what == "look":
        twins.look(issuance, first, chance.randint(first, size))
    elif what == "count":
        twins.count(issuance)
    else:
        getattr(twins, what)()
    return what


def walk(url: str, steps: int, seed: int) -> Counter[str]:
    """So many steps at random, all alike for one seed; how they ended. Raises Differs."""
    logging.getLogger("psycopg").setLevel(logging.ERROR)  # what the database refuses is a part of it
    chance = random.Random(seed)
    engine = trial.engine_of(url)
    twins = Twins(engine)
    ended: Counter[str] = Counter()
    for number in range(steps):
        try:
            ended[step(twins, chance)] += 1
        except Differs as difference:
            raise Differs(f"seed {seed}, step {number}: {difference}") from difference
        if number % TOGETHER == 0:
            twins.keep()
    twins.end()
    engine.dispose()
    return ended


def main() -> int:
    from tests.conftest import migrate  # brings pytest, which only the migrated database needs

    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--steps", type=int, default=1_000_000)
    asked.add_argument("--seed", type=int, default=1)
    given = asked.parse_args()
    sound = True
    with tempfile.TemporaryDirectory(dir=servers.in_memory()) as home, servers.postgresql() as server:
        # Most of them on SQLite, where a step costs less; the database's own part is another on PostgreSQL.
        places = [(f"sqlite:///{home}/{n}.db", given.steps * 4 // 10, given.seed + n) for n in range(2)]
        places.append((server.fresh_database(), given.steps - sum(steps for _, steps, _ in places), given.seed + 2))
        for url, _, _ in places:
            migrate(url)
        started = time.monotonic()
        with ProcessPoolExecutor(len(places), multiprocessing.get_context("forkserver")) as walkers:
            ended = sum(walkers.map(walk, *zip(*places, strict=True)), Counter())
        print(f"{ended.total()} steps without a difference in {time.monotonic() - started:.0f} s:")
        print(", ".join(f"{number} {what}" for what, number in sorted(ended.items())), flush=True)
        for url, _, _ in places:
            sentences = trial.judged(url, [])
            print(*(sentences or [f"{url.partition(':')[0]}, the judge: every promise holds."]), sep="\n", flush=True)
            sound &= not sentences
    return 0 if sound else 1


if __name__ == "__main__":
    sys.exit(main())

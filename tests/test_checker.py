"""The judge of the ledger is itself proven: bugs are planted, and it must see each of them.

Where a wall of the database refuses the damage, the wall is seen to do so, and then taken away.
"""

import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from credits import ledger
from credits.db import WRITING
from credits.ledger import posting
from credits.ledger.posting import InsufficientBalance
from credits.participants.models import User
from credits.registry import transfer
from credits.registry.models import Transfer
from tests.factories import AT
from tests.suites import trial
from tests.suites.trial import Act, accept, ask, available, judged, line


class Registry:
    """A world, an engine, and what everybody who asked was told."""

    def __init__(self, database, papers):
        self.url = database
        self.world = trial.build(database, papers)
        self.engine = trial.engine_of(database)
        self.told = []

    def ask(self, kind, key, quantity, by=None):
        act = Act(kind, by or self.world.producer, key, quantity, self.world.buyer)
        answer = ask(self.engine, self.world, act)
        self.told.append(line(act, answer))
        return answer

    def run(self, *statements):
        with self.engine.begin() as connection:
            for statement in statements:
                connection.execute(text(statement))

    def judged(self):
        return judged(self.url, self.told)

    def let_entries_name_serials_that_are_elsewhere(self):
        """Take away the walls that look where serials stand before an entry moves them, and at a closed transfer."""
        if self.engine.dialect.name == "sqlite":
            with self.engine.begin() as connection:
                guards = text(
                    "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name IN ('block', 'transfer')"
                )
                for name in [*connection.scalars(guards), "entry_sound"]:
                    connection.execute(text(f"DROP TRIGGER {name}"))
            return
        self.run("ALTER TABLE transfer DISABLE TRIGGER USER")
        with self.engine.begin() as connection:
            found = connection.scalar(text("SELECT pg_get_functiondef('ledger_move'::regproc)"))
            looks = "held.account_id IS DISTINCT FROM NEW.from_account_id OR held.last < NEW.last"
            assert looks in found
            connection.connection.driver_connection.execute(found.replace(looks, "false"))

    def let_movements_stand_without_an_event(self):
        """Take away the reference from posting to event, and what keeps events."""
        if self.engine.dialect.name == "postgresql":
            self.run(
                "ALTER TABLE posting DROP CONSTRAINT fk_posting_event_id",
                "ALTER TABLE event DISABLE TRIGGER event_never_deleted",
            )
            return
        self.run("DROP TRIGGER event_never_deleted")
        with self.engine.begin() as connection:
            careful = connection.scalars(
                text("SELECT name FROM sqlite_master WHERE name LIKE '%\\_carefully\\_%' ESCAPE '\\'")
            )
            for name in careful.all():
                connection.execute(text(f"DROP TRIGGER {name}"))
        event.listen(self.engine, "connect", lambda connection, _: connection.execute("PRAGMA foreign_keys=OFF"))
        self.engine.dispose()


@pytest.fixture
def registry(database, tmp_path):
    made = Registry(database, tmp_path / "papers")
    yield made
    made.engine.dispose()


class TestSoundTrial:
    def test_has_no_sentence(self, registry):
        world = registry.world
        handed = registry.ask("transfer", "one", 100)
        accept(registry.engine, handed.number, world.buyer)
        registry.ask("transfer", "one", 100)
        registry.ask("transfer", "two", world.issued)
        registry.ask("retire", "three", 40, by=world.buyer)
        registry.ask("retire", "four", 61, by=world.buyer)

        assert [act["outcome"] for act in registry.told] == [
            "acknowledged", "acknowledged", "refused", "acknowledged", "refused",
        ]  # fmt: skip
        assert registry.judged() == []

    def test_may_leave_somebody_without_an_answer(self, registry):
        registry.ask("transfer", "one", 100)
        registry.told[0] |= {"outcome": "unknown"}
        registry.told.append(registry.told[0] | {"key": "never arrived"})

        assert registry.judged() == []


class TestNoLock:
    """Two look at the same moment, and each takes what it saw."""

    @pytest.fixture
    def seen(self, monkeypatch):
        """Whoever picks sees what stood there when the first of them looked: nobody waits for anybody."""
        looked = []

        def post_without_lock(session, wanted, *, caller, key, request, at, record):
            assert ledger.claim(session, caller=caller, key=key, request=request) is None
            found = posting.pick(
                session, issuance_id=wanted.issuance_id, source=wanted.source, quantity=wanted.quantity
            )
            looked.append(looked[0] if looked else found)
            made = posting.write(session, wanted.moves(looked[-1]), at=at, record=record)
            ledger.settle(session, {"posting": made.id})
            return made

        monkeypatch.setattr(ledger, "post_once", post_without_lock)
        return looked

    def test_is_refused_by_the_wall(self, registry, seen):
        registry.ask("transfer", "one", 100)

        with pytest.raises(IntegrityError, match="not in that account"):
            registry.ask("transfer", "two", 100)

        assert len(seen) == 2
        assert registry.judged() == []

    def test_is_seen(self, registry, seen):
        registry.let_entries_name_serials_that_are_elsewhere()

        outcomes = [registry.ask("transfer", key, 100).outcome for key in ("one", "two")]

        assert outcomes == ["acknowledged", "acknowledged"]
        assert any("serial 1 was not in account" in sentence for sentence in registry.judged())


class TestReadBeforeClaim:
    """A retirement that looks for enough before it claims its key tells of too little where it has just succeeded."""

    @pytest.fixture
    def look_first(self, registry, monkeypatch):
        retire = trial.retire

        def retire_looking_first(session, world, act):
            if available(session, world, act.by) < act.quantity:
                raise InsufficientBalance("Too little.", asked=act.quantity)
            return retire(session, world, act)

        monkeypatch.setitem(trial.DOING, "retire", retire_looking_first)

    def ask_twice(self, registry):
        handed = registry.ask("transfer", "handed", 100)
        accept(registry.engine, handed.number, registry.world.buyer)
        return [registry.ask("retire", "one", 100, by=registry.world.buyer).outcome for _ in range(2)]

    def test_is_not_how_it_is_done(self, registry):
        assert self.ask_twice(registry) == ["acknowledged", "acknowledged"]
        assert registry.judged() == []

    def test_is_seen(self, registry, look_first):
        assert self.ask_twice(registry) == ["acknowledged", "refused"]
        assert [sentence for sentence in registry.judged() if "was refused and is there" in sentence]


class TestStaleRead:
    """A transfer is accepted as it was remembered, not as it stands."""

    def accept_what_was_withdrawn(self, registry, monkeypatch):
        monkeypatch.setattr(transfer, "lock_pending", lambda session, offered: None)
        monkeypatch.setattr(posting, "lock_named", lambda session, moves: moves)
        offered = registry.ask("transfer", "one", 100)
        with Session(registry.engine, expire_on_commit=False) as session:
            remembered = session.get_one(Transfer, offered.number)
            by = session.get_one(User, registry.world.buyer)
            assert all([remembered.sender, remembered.recipient, remembered.issuance, by.organisation, by.roles])
            session.commit()
            trial.undo(registry.engine, registry.world, "transfer", offered.number)
            session.connection(execution_options={WRITING: True})
            transfer.accept(session, transfer=remembered, by=by, at=AT)
            session.commit()

    def test_is_refused_by_the_wall(self, registry, monkeypatch):
        with pytest.raises(IntegrityError, match="not in that account"):
            self.accept_what_was_withdrawn(registry, monkeypatch)

        assert registry.judged() == []

    def test_is_seen(self, registry, monkeypatch):
        registry.let_entries_name_serials_that_are_elsewhere()

        self.accept_what_was_withdrawn(registry, monkeypatch)

        assert any("serial 1 was not in account" in sentence for sentence in registry.judged())


class TestLostCommit:
    """What a power cut does to SQLite with synchronous=NORMAL: the newest commits are gone, though acknowledged."""

    @pytest.mark.parametrize("database", ["sqlite"], indirect=True)
    def test_is_seen(self, registry):
        file = Path(registry.url.removeprefix("sqlite:///"))
        registry.ask("transfer", "one", 100)
        self.rest(registry, file)
        before = shutil.copyfile(file, file.with_suffix(".before"))
        registry.ask("transfer", "two", 100)
        assert registry.judged() == []
        self.rest(registry, file)

        shutil.copyfile(before, file)

        assert registry.judged() == [
            f"transfer ('{registry.told[1]['caller']}', 'two') was acknowledged and is not there"
        ]

    def rest(self, registry, file):
        """Everything in the one file, and nobody connected."""
        registry.engine.dispose()
        with sqlite3.connect(file) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()


class TestEventOutsideTheTransaction:
    """The movement is committed, its event was to follow in another transaction, and never did."""

    @pytest.fixture(autouse=True)
    def later(self, monkeypatch, registry):
        """The event is gone from this transaction again as soon as the posting has its number."""
        drafted, gone = transfer.events.drafted, text("DELETE FROM event WHERE id = :id")

        def put_off(session, **told):
            return replace(drafted(session, **told), entered=lambda number, _: session.execute(gone, {"id": number}))

        monkeypatch.setattr(transfer.events, "drafted", put_off)

    def test_is_refused_by_the_wall(self, registry):
        with pytest.raises(IntegrityError, match="history is never rewritten"):
            registry.ask("transfer", "one", 100)

        assert registry.judged() == []

    def test_is_seen(self, registry):
        registry.let_movements_stand_without_an_event()

        assert registry.ask("transfer", "one", 100).outcome == "acknowledged"
        assert [sentence for sentence in registry.judged() if "has no event" in sentence]


def test_names_both_uses_of_one_result(registry):
    """Two keys that answer with the same transfer: one of the two callers has nothing."""
    registry.ask("transfer", "one", 100)
    first = registry.told[0]
    registry.run(
        f"INSERT INTO request_claim (caller, key, request, answer) SELECT caller, 'two', request, answer"
        f" FROM request_claim WHERE key = 'one' AND caller = '{first['caller']}'"
    )
    registry.told.append(first | {"key": "two"})

    assert any("answers for the same transfer" in sentence for sentence in registry.judged())


def test_sees_what_nobody_asked_for(registry):
    registry.ask("transfer", "one", 100)
    registry.ask("transfer", "two", 100)
    del registry.told[1]

    assert any("asked for by nobody" in sentence for sentence in registry.judged())


def test_sees_an_event_whose_movement_was_never_made(registry):
    registry.ask("transfer", "one", 100)
    registry.run(
        "INSERT INTO event (id, kind, subject, actor, at, body)"
        " SELECT 9001, kind, subject, actor, at, body FROM event WHERE kind = 'transfer.proposed'"
    )

    assert registry.judged() == ["event 9001 tells of a movement that was not made"]


def test_sees_a_movement_of_other_serials_than_its_event_tells(registry):
    registry.ask("transfer", "one", 100)
    registry.let_entries_name_serials_that_are_elsewhere()
    account = "(SELECT account_id FROM block WHERE first = 1)"
    other = "(SELECT account_id FROM block WHERE first > 1)"
    registry.run(
        "INSERT INTO event (id, kind, subject, actor, at, body)"
        " SELECT 9001, kind, subject, actor, at, body FROM event WHERE kind = 'transfer.proposed'",
        "INSERT INTO posting (event_id, at) SELECT 9001, at FROM posting WHERE id = 1",
        "INSERT INTO entry (posting_id, issuance_id, first, last, from_account_id, to_account_id)"
        f" SELECT (SELECT max(id) FROM posting), issuance_id, 101, 150, {other}, {account} FROM block WHERE first = 1",
    )

    assert any("moved other serials than its event tells" in sentence for sentence in registry.judged())


def test_judges_reservations_too(registry):
    registry.ask("reserve", "one", 100)
    registry.told.append(registry.told[0] | {"key": "two"})

    assert registry.judged() == [f"reserve ('{registry.told[1]['caller']}', 'two') was acknowledged and is not there"]

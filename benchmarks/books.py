"""Databases to measure in: migrated as in production, with holders who hold something."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Engine, create_engine, insert, text
from sqlalchemy.orm import Session

from credits import jobs, ledger
from credits.db import Work, begin_writing, engine_settings, prepare_engine, sqlalchemy_url
from credits.journal import events, keys
from credits.journal.models import Event
from credits.ledger.models import Account, AccountKind
from credits.ledger.posting import Record
from credits.ledger.serials import LARGEST, SerialRange
from credits.registry.telling import serials_told

ROOT = Path(__file__).resolve().parent.parent
AT = datetime(2026, 7, 1, 12, tzinfo=UTC)
A_BLOCK = 1_000  # base units in each block of a book that is cut up
BLOCKS_EACH = 10  # of one holder there, all of one issuance
BLOCKS_AN_ISSUANCE = 100
# Every second block of every issuance to the next holder, who gets ten of them.
CUT = """
WITH opened AS (INSERT INTO posting (event_id, at) VALUES (:event, :at) RETURNING id)
INSERT INTO entry (posting_id, issuance_id, first, last, from_account_id, to_account_id)
SELECT opened.id, issuance.id, (2 * n - 1) * :units + 1, 2 * n * :units, :seller,
       :seller + 1 + ((issuance.id - 1) * :each + n - 1) / 10 % :holders
FROM opened, issuance, generate_series(1, :each) n
"""


@dataclass(frozen=True)
class Book:
    """A database, the accounts in it, and its issuances of `units` each: (id, account that was issued all of it)."""

    url: str
    accounts: list[int]
    issued: list[tuple[int, int]]
    units: int


@contextmanager
def connected(url: str) -> Iterator[Engine]:
    engine = create_engine(sqlalchemy_url(url), **engine_settings(url))
    prepare_engine(engine)
    yield engine
    engine.dispose()


def migrate(url: str, home: Path) -> None:
    """Bring the database at `url` up to date. home: for what the application keeps in files."""
    told = os.environ | {"DATABASE_URL": url, "DATA_DIR": str(home / "data")}
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "db", "upgrade"]
    subprocess.run(command, check=True, capture_output=True, cwd=ROOT, env=told)


def spread_out(url: str, *, holders: int, issuances: int) -> Book:
    """A book with `issuances` as large as can be, each in the account of another holder."""
    with connected(url) as engine, Session(engine) as session:
        begin_writing(session)
        accounts = open_accounts(session, holders)
        issued = [(issue(session, LARGEST, account), account) for account in accounts[:issuances]]
        session.commit()
    return Book(url, accounts, issued, LARGEST)


def cut_up(url: str, *, blocks: int) -> Book:
    """A book in `blocks` blocks, a hundred to each issuance; the first account holds every other one, the rest ten."""
    moved, issuances = blocks // 2, blocks // BLOCKS_AN_ISSUANCE
    with connected(url) as engine, Session(engine) as session:
        begin_writing(session)
        accounts = open_accounts(session, 1 + moved // BLOCKS_EACH)
        units = BLOCKS_AN_ISSUANCE * A_BLOCK
        issued = [(issue(session, units, accounts[0]), accounts[0]) for _ in range(issuances)]
        # One statement instead of a movement for each block, which would take longer than all that is measured.
        told = events.enter(session, recorded(session, issued[0][0])([]))
        cutting = {"event": told, "at": AT, "units": A_BLOCK, "each": BLOCKS_AN_ISSUANCE // 2}
        session.execute(text(CUT), cutting | {"seller": accounts[0], "holders": len(accounts) - 1})
        session.commit()
    keep_up(url)
    return Book(url, accounts, issued, units)


def keep_up(url: str) -> None:
    """Do at once what the database's own upkeep would do in the next minutes, in the middle of a measurement."""
    with connected(url) as engine, engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
        connection.execute(text("CHECKPOINT"))


def open_accounts(session: Session, number: int) -> list[int]:
    rows = [{"kind": AccountKind.AVAILABLE} for _ in range(number)]
    return sorted(session.scalars(insert(Account).returning(Account.id), rows))


def issue(work: Work, quantity: int, target: int) -> int:
    """The id of a new issuance of serials 1 to `quantity` in the account `target`."""
    posting = ledger.issue(
        work, quantity=quantity, target=target, at=AT, record=lambda issuance_id: recorded(work, issuance_id)
    )
    return next(iter(posting.ranges))


def number_of(issuance_id: int) -> str:
    return f"ASMC-CO-COD-KAM001-2026-{issuance_id:04d}"


def recorded(work: Work, issuance_id: int) -> Record:
    """Writes the event that a real transfer would."""
    number = number_of(issuance_id)

    def record(moves: Sequence[ledger.Move]) -> ledger.Told:
        facts = {"from": "ORG-000017", "to": "ORG-000023", "transfer": None}
        facts |= serials_told({issuance_id: number}, moves)
        return events.drafted(work, kind="transfer.accepted", subject=number, actor="USR-000042", at=AT, facts=facts)

    return record


def publish(url: str, home: Path, count: int) -> float:
    """Commit `count` events, then put them into the log; how many seconds the second took."""
    folder = home / uuid4().hex
    folder.mkdir()
    with connected(url) as engine, Session(engine) as session:
        begin_writing(session)
        one = recorded(session, 1)([ledger.Move(1, SerialRange(1, 10), None, 1)])
        session.execute(insert(Event), [dict(one.row)] * count)
        session.commit()
        signing = keys.make(folder, origin="benchmark", seed=bytes(range(32)), at=AT)
        began = time.perf_counter()
        jobs.publish_log(session, keys=signing, data_dir=folder, at=AT)
        return time.perf_counter() - began

"""A log to try things on: a database, a folder, and keys made from known seeds."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session

from credits import jobs
from credits.db import begin_writing
from credits.journal import auditing, checkpoints, events, keys, outside
from credits.journal.auditing import Audit
from credits.journal.keys import LogKeys
from credits.journal.log_models import LogCheckpoint, LogLeaf
from credits.journal.models import RegistryIdentity
from tests.factories import AT


@dataclass
class Log:
    engine: Engine
    data_dir: Path

    @property
    def keys(self) -> LogKeys:
        with Session(self.engine) as session:
            registry_id = session.scalars(select(RegistryIdentity.registry_id)).one()
        return keys.make(self.data_dir, origin=f"registry.example/{registry_id}", seed=bytes(range(32)), at=AT)

    def add(self, count: int = 1, **bent: object) -> list[int]:
        """Commit events; their ids."""
        with Session(self.engine) as session:
            begin_writing(session)
            ids = [append(session, number=number, **bent) for number in range(count)]
            session.commit()
        return ids

    def publish(self, at: datetime = AT, since: int = 0) -> jobs.Published:
        with Session(self.engine) as session:
            return jobs.publish_log(session, keys=self.keys, data_dir=self.data_dir, at=at, since=since)

    def audit(self) -> Audit:
        with Session(self.engine) as session:
            return auditing.audit(session, keys=keys.load(self.data_dir), data_dir=self.data_dir)

    def places(self) -> dict[int, int]:
        """Event id → place."""
        with Session(self.engine) as session:
            return {row.event_id: row.position for row in session.execute(select(LogLeaf.position, LogLeaf.event_id))}

    def newest(self) -> LogCheckpoint:
        with Session(self.engine) as session:
            found = checkpoints.newest(session)
            assert found is not None
            return found

    def checkpoints(self) -> int:
        with Session(self.engine) as session:
            return session.scalar(select(func.count(LogCheckpoint.size))) or 0

    def kept(self) -> str | None:
        return outside.kept(self.data_dir)

    def tamper(self, *statements: str, **values: object) -> None:
        """Run SQL as somebody would who owns the database: past triggers and references."""
        with self.engine.connect() as connection:
            if self.engine.dialect.name == "sqlite":
                raw = connection.connection.driver_connection
                raw.execute("PRAGMA foreign_keys = OFF")
                for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
                    raw.execute(f"DROP TRIGGER {name}")
            else:
                connection.execute(text("SET LOCAL session_replication_role = replica"))
            for statement in statements:
                connection.execute(text(statement), values)
            connection.commit()
            connection.invalidate()  # nobody else gets a connection that keeps no rules


def append(session: Session, *, number: int = 0, **bent: object) -> int:
    told = {
        "kind": "site.registered",
        "subject": f"SITE-{number:06d}",
        "actor": "USR-000001",
        "at": AT,
        "facts": {"number": number},
    }
    return events.append(session, **told | bent)  # type: ignore[arg-type]


@pytest.fixture
def log(engine: Engine, tmp_path: Path) -> Log:
    return Log(engine, tmp_path / "data")

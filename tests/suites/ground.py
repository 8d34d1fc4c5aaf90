"""A database with a seller, buyers and an issuance, that is as it was before whenever it is wanted."""

import shutil
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy.orm import Session

from credits.db import begin_writing
from credits.files import Files
from credits.payments import acts
from credits.payments.offering import floors
from tests import factories
from tests.market_stage import certify
from tests.stage import Stage
from tests.suites import trial


class Ground:
    """A database with a seller, buyers and an issuance, that is as it was before whenever it is wanted.

    What SQLAlchemy has put together for one score of schedules serves the next.
    """

    def __init__(self, url: str, papers: Path) -> None:
        acts.register(certify)
        self.url = url
        self.engine = trial.engine_of(url)
        self.session = Session(self.engine, expire_on_commit=False)
        begin_writing(self.session)
        factories.write_to(self.session)
        self.stage = Stage(self.session, Files(papers), trial.POLICY)
        self.issuance = self.stage.issued(**trial.GOLD)
        floors.seed(self.session, by=self.stage.issuer, at=self.stage.at)
        self.session.commit()
        self.people = list(self.session)
        self.rest()
        copy_database(url, f"{url}_kept")

    def rest(self) -> None:
        """Forget what belongs to one score alone, and let go of the database."""
        self.session.rollback()
        for each in list(self.session):
            if not any(each is kept for kept in self.people):
                self.session.expunge(each)
        self.session.expire_all()
        self.engine.dispose()

    def again(self) -> None:
        self.rest()
        copy_database(f"{self.url}_kept", self.url)

    def close(self) -> None:
        factories.write_to(None)
        self.session.close()
        self.engine.dispose()


def copy_database(source: str, target: str) -> None:
    """Make `target` what `source` is; nobody is connected to either."""
    if source.startswith("sqlite"):
        shutil.copyfile(source.removeprefix("sqlite:///"), target.removeprefix("sqlite:///"))
        return
    server, _, name = target.rpartition("/")
    named = [sql.Identifier(each) for each in (name, source.rpartition("/")[2])]
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(named[0]))
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(*named))

"""The database itself keeps the ledger: hostile statements, past every line of our code, on both databases."""

import shutil
import sqlite3
from contextlib import closing

import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from credits import ledger
from credits.db import begin_writing, engine_settings, prepare_engine, sqlalchemy_url
from credits.errors import Conflict
from credits.journal.events import append
from credits.ledger.models import AccountKind
from tests.ledger import attacks
from tests.ledger.book import AT, broken, holdings, issue, move, open_account

KEPT = (
    "account",
    "block",
    "entry",
    "event",
    "event_secret",
    "issuance",
    "posting",
    "registry_identity",
    "request_claim",
)
REFUSED = (sqlite3.DatabaseError, psycopg.DatabaseError)


KEEPING_RULES = ("foreign_keys=ON", "recursive_triggers=ON")


def build(session):
    """Something to attack, and the names by which the attacks call it."""
    victim, thief = open_account(session), open_account(session)
    final = open_account(session, AccountKind.RETIRED)
    old = issue(session, 100, victim)
    posting = session.scalar(text("SELECT max(id) FROM posting"))
    move(session, old, (61, 80), victim, thief)
    move(session, old, (81, 100), victim, final)
    event = append(session, kind="k", subject="S-1", actor="system", at=AT, facts={}, private={"name": "Mama Kabila"})
    session.commit()
    begin_writing(session)
    ledger.claim(session, caller="ORG-1", key="answered", request={})
    ledger.remember_refusal(session, Conflict("No."))
    begin_writing(session)
    ledger.claim(session, caller="ORG-1", key="open", request={})
    session.commit()
    postgresql = session.get_bind().dialect.name == "postgresql"
    return {
        "victim": victim,
        "thief": thief,
        "final": final,
        "old": old,
        "posting": posting,
        "event": event,
        "at": "2026-07-01T12:00:00.000000Z",
        "bytes": "'\\x00'::bytea" if postgresql else "x'00'",
    }


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def attacked(request, tmp_path_factory):
    """URL, engine and names of one database for all attacks: each of them must leave it exactly as it was."""
    if request.param == "sqlite":
        file = tmp_path_factory.mktemp("attacked") / "credits.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), file)
        url = f"sqlite:///{file}"
    else:
        server = request.getfixturevalue("postgresql_server")
        url = server.fresh_database(request.getfixturevalue("postgresql_template"))
    engine = create_engine(sqlalchemy_url(url), **engine_settings(url))
    prepare_engine(engine)
    with Session(engine) as session:
        begin_writing(session)
        names = build(session)
    yield url, engine, names
    with Session(engine) as session:
        assert broken(session) == {}
    engine.dispose()


def everything(session):
    """All rows of the ledger and the journal."""
    return {table: sorted(map(repr, session.execute(text(f"SELECT * FROM {table}")).all())) for table in KEPT}


def attack(url, statements, pragmas=KEEPING_RULES):
    """Run the statements in one transaction, past SQLAlchemy. Raises what the database says."""
    if url.startswith("postgresql"):
        with closing(psycopg.connect(url)) as connection:
            for statement in statements:
                connection.execute(statement)
            connection.commit()
        return
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as connection:
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("BEGIN IMMEDIATE")
        for statement in statements:
            connection.execute(statement)
        connection.execute("COMMIT")


def refuses(attacked, statements, pragmas=KEEPING_RULES):
    url, engine, names = attacked
    with Session(engine) as session:
        before = everything(session)

    with pytest.raises(REFUSED) as refusal:
        attack(url, [statement.format(**names) for statement in statements], pragmas)

    # Refused by a rule, not for a mistake in the attack.
    assert not isinstance(refusal.value, psycopg.errors.SyntaxErrorOrAccessRuleViolation), refusal.value
    assert not isinstance(refusal.value, sqlite3.OperationalError), refusal.value
    with Session(engine) as session:
        assert everything(session) == before


def each(named):
    return pytest.mark.parametrize("statements", named.values(), ids=named)


def only(engine):
    return pytest.mark.parametrize("attacked", [engine], indirect=True)


@each(attacks.EVERYWHERE)
def test_both_databases_refuse(attacked, statements):
    refuses(attacked, statements)


@only("postgresql")
@each(attacks.POSTGRESQL)
def test_postgresql_refuses(attacked, statements):
    refuses(attacked, statements)


@only("sqlite")
@each(attacks.SQLITE)
def test_sqlite_refuses(attacked, statements):
    refuses(attacked, statements)


@only("sqlite")
@each(attacks.EVERYWHERE | attacks.SQLITE)
class TestSqliteOnACarelessConnection:
    def test_refuses_without_any_setting(self, attacked, statements):
        refuses(attacked, statements, ())

    def test_refuses_with_checks_switched_off(self, attacked, statements):
        refuses(attacked, statements, (*KEEPING_RULES, "ignore_check_constraints=ON"))

    def test_refuses_with_references_switched_off(self, attacked, statements):
        refuses(attacked, statements, ("foreign_keys=OFF", "recursive_triggers=ON"))


@only("sqlite")
@pytest.mark.parametrize("how", ["INSERT OR REPLACE", "INSERT OR IGNORE", "INSERT", "upsert"])
def test_sqlite_passes_over_a_second_claim(attacked, how):
    """In silence, so that the one who asks finds the first answer."""
    url, engine, _ = attacked
    with Session(engine) as session:
        before = everything(session)
    again = attacks.CLAIM + "('ORG-1', 'answered', 'x', 'x')"
    upsert = again + " ON CONFLICT (caller, key) DO UPDATE SET answer = 'x'"

    attack(url, [upsert if how == "upsert" else again.replace("INSERT", how)])

    with Session(engine) as session:
        assert everything(session) == before


@only("postgresql")
def test_postgresql_refuses_an_upserted_claim(attacked):
    again = attacks.CLAIM + "('ORG-1', 'answered', 'x', 'x') ON CONFLICT (caller, key) DO UPDATE SET answer = 'x'"

    refuses(attacked, [again])


class TestLawfulMovement:
    def test_passes_by_hand_too(self, session, database):
        world = build(session)
        statements = [
            *attacks.POSTED,
            attacks.entry("{old}, 11, 20, {victim}, {thief}"),
            attacks.entry("{old}, 61, 65, {thief}, {victim}"),
            attacks.entry("{old}, 51, 60, {victim}, {final}"),
        ]

        attack(database, [statement.format(**world) for statement in statements])

        victim, thief, final = world["victim"], world["thief"], world["final"]
        assert holdings(session, world["old"]) == [
            (1, 10, victim),
            (11, 20, thief),
            (21, 50, victim),
            (51, 60, final),
            (61, 65, victim),
            (66, 80, thief),
            (81, 100, final),
        ]
        assert broken(session) == {}

    def test_issues_by_hand_too(self, session, database):
        world = build(session)
        statements = [attacks.FRESH, *attacks.POSTED, attacks.entry("9001, 1, 50, NULL, {victim}")]

        attack(database, [statement.format(**world) for statement in statements])

        assert holdings(session, 9001) == [(1, 50, world["victim"])]
        assert broken(session) == {}

    def test_answers_an_open_claim_once(self, session, database):
        build(session)
        answer = "UPDATE request_claim SET answer = '{}' WHERE key = 'open'"

        attack(database, [answer])

        with pytest.raises(REFUSED, match="never rewritten"):
            attack(database, [answer])

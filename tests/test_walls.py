"""Whether the walls stand, asked of real databases in which somebody took some down and built others."""

import json
from contextlib import closing, contextmanager

import flask_migrate
import pytest
from sqlalchemy import create_engine, text

from credits.db import engine_settings, sqlalchemy_url
from credits.extensions import migrate
from credits.walls import ASLEEP, NOT_ASKED, check, plain

MISSING, CHANGED, STRANGE = "is missing", "is not as the migrations build it", "was not built by a migration"
LETS_PASS = "RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"
# What an owner of the tables does, and what is said of it.
DONE = {
    "sqlite": {
        "DROP TRIGGER posting_never_deleted": {f"trigger posting_never_deleted: {MISSING}"},
        "DROP TRIGGER event_never_changed": set(),
        "CREATE TRIGGER event_never_changed BEFORE UPDATE ON event WHEN 0 BEGIN SELECT 1; END": {
            f"trigger event_never_changed: {CHANGED}"
        },
        "CREATE TRIGGER helpful AFTER INSERT ON entry BEGIN SELECT 1; END": {f"trigger helpful: {STRANGE}"},
        "CREATE TABLE pragma_recursive_triggers (recursive_triggers)": {f"table pragma_recursive_triggers: {STRANGE}"},
        "DROP INDEX ix_certificate_undrawn": {f"index ix_certificate_undrawn: {MISSING}"},
        "PRAGMA writable_schema = ON": set(),
        "UPDATE sqlite_schema SET sql = replace(sql, 'last <= issued', 'last <= last') WHERE name = 'block'": {
            f"table block: {CHANGED}"
        },
    },
    "postgresql": {
        "DROP TRIGGER posting_never_deleted ON posting": {f"trigger posting_never_deleted of posting: {MISSING}"},
        "ALTER TABLE event DISABLE TRIGGER event_never_changed": {f"trigger event_never_changed of event: {CHANGED}"},
        "ALTER TABLE event_secret DISABLE TRIGGER ALL": {
            f"constraint fk_event_secret_event_id of event_secret: {CHANGED}",
            f"trigger event_secret_never_changed of event_secret: {CHANGED}",
            f"trigger event_secret_never_deleted of event_secret: {CHANGED}",
            f"trigger event_secret_never_emptied of event_secret: {CHANGED}",
        },
        f"CREATE FUNCTION helpful() {LETS_PASS}": {f"function helpful(): {STRANGE}"},
        f"CREATE OR REPLACE FUNCTION money_entry_right_way() {LETS_PASS}": {
            f"function money_entry_right_way(): {CHANGED}"
        },
        "ALTER TABLE block DROP CONSTRAINT ck_block_inside_issuance": {
            f"constraint ck_block_inside_issuance of block: {MISSING}"
        },
        "DROP INDEX ix_certificate_undrawn": {f"index ix_certificate_undrawn: {MISSING}"},
    },
    "postgresql, for those who write": {
        "CREATE RULE nothing AS ON DELETE TO log_leaf DO INSTEAD NOTHING": {f"rule nothing of log_leaf: {STRANGE}"},
        "ALTER TABLE retirement ENABLE ROW LEVEL SECURITY": {f"relation retirement: {CHANGED}"},
        "CREATE POLICY mine ON retirement USING (false)": {f"policy mine of retirement: {STRANGE}"},
        "ALTER TABLE transfer ALTER COLUMN quantity DROP NOT NULL": {f"column transfer.quantity: {CHANGED}"},
        "ALTER TABLE transfer ADD COLUMN whose TEXT": {f"column transfer.whose: {STRANGE}"},
        "CREATE VIEW held AS SELECT 1 AS one": {f"column held.one: {STRANGE}", f"relation held: {STRANGE}"},
        "CREATE EXTENSION pg_trgm": set(),
    },
}


@pytest.fixture
def walls(app, engine):
    """What is said of the walls of a database."""

    def asked(of=engine):
        with app.app_context():
            return check(of, migrate.get_config())

    return asked


@contextmanager
def engine_with(url, **more):
    made = create_engine(sqlalchemy_url(url), **engine_settings(url) | more)
    yield made
    made.dispose()


def run(engine, *statements):
    with closing(engine.raw_connection()) as connection:
        for statement in statements:
            connection.cursor().execute(statement)
        connection.commit()


def test_stand_as_migrated_and_nothing_that_was_built_beside_stays(walls, engine):
    assert walls().holds

    if engine.dialect.name == "postgresql":
        with engine.connect() as connection:
            assert connection.scalar(text("SELECT count(*) FROM pg_namespace WHERE nspname = 'walls_beside'")) == 0


@pytest.mark.parametrize("name", DONE)
def test_what_was_taken_down_and_built_is_named(walls, engine, name):
    if engine.dialect.name != name.partition(",")[0]:
        pytest.skip("Told of the other database")
    run(engine, *DONE[name])

    assert set(walls().broken) == set().union(*DONE[name].values())


def test_no_more_than_ten_places_are_named(walls, engine):
    if engine.dialect.name != "sqlite":
        pytest.skip("They are counted alike, and built faster in memory")
    tables = [f"CREATE TABLE strange_{number} (number INTEGER)" for number in range(12)]
    run(engine, *tables)

    assert len(walls().broken) == 10


def test_of_an_earlier_version_are_held_against_that_one(app, walls):
    with app.app_context():
        flask_migrate.downgrade(revision="0032_fewer_pages")

    assert walls().holds


def test_says_so_where_nothing_may_be_built_beside(walls, engine, database):
    if engine.dialect.name != "postgresql":
        pytest.skip("SQLite is built in memory")
    run(engine, "CREATE ROLE looking_on", "GRANT SELECT ON alembic_version TO looking_on")
    try:
        for options in ("-crole=looking_on", "-cdefault_transaction_read_only=on"):
            with engine_with(database, connect_args={"options": options}) as engine_of_another:
                assert walls(engine_of_another).broken == [NOT_ASKED]
    finally:
        run(engine, "DROP OWNED BY looking_on", "DROP ROLE looking_on")


def test_are_seen_to_sleep(walls, engine, database):
    if engine.dialect.name != "postgresql":
        pytest.skip("SQLite has no such setting")
    with engine_with(database, connect_args={"options": "-csession_replication_role=replica"}) as theirs:
        assert walls(theirs).broken == [ASLEEP]


def test_are_told_with_the_promises_of_the_ledger(app, engine):
    run(engine, *list(DONE[engine.dialect.name])[:1])

    told = app.test_cli_runner().invoke(args=["ledger", "check", "--json"])

    assert told.exit_code == 1
    broken = {each["promise"]: each["broken"] for each in json.loads(told.output)["promises"] if not each["holds"]}
    assert broken.keys() == {"walls"}
    assert "posting_never_deleted" in broken["walls"][0]


def test_parentheses_count_where_they_mean_something():
    assert plain("CHECK (((a) AND (b)) AND (c))") == plain("CHECK ((a) AND (b) AND (c))")
    assert plain("CHECK ((NOT ((a) AND (b)) AND (c)))") != plain("CHECK ((NOT (a) AND (b) AND (c)))")
    assert plain("CHECK (((a) OR (b)) AND (c))") != plain("CHECK ((a) OR (b) AND (c))")

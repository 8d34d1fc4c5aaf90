"""The migrated schema is what the models say, on both databases, and every migration can be taken back."""

import re
from pathlib import Path

import flask_migrate
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import CheckConstraint, inspect, text

from credits.db import Model
from credits.extensions import db
from tests.ledger.book import broken, holdings, issue, move, open_account

VERSIONS = sorted((Path(__file__).parent.parent / "migrations" / "versions").glob("*.py"))


class TestSchema:
    def test_equals_the_models(self, app, engine):
        with engine.connect() as connection:
            context = MigrationContext.configure(connection, opts={"compare_type": True, "include_object": ours})

            assert compare_metadata(context, Model.metadata) == []

    def test_has_the_same_named_checks(self, app, engine):
        inspector = inspect(engine)

        for table in Model.metadata.tables.values():
            wanted = {str(check.name) for check in table.constraints if isinstance(check, CheckConstraint)}
            assert {check["name"] for check in inspector.get_check_constraints(table.name)} == wanted, table.name

    def test_is_strict_on_sqlite(self, app, engine):
        if engine.dialect.name != "sqlite":
            pytest.skip("PostgreSQL is always strict")
        with engine.connect() as connection:
            tables = connection.execute(text("SELECT name, strict FROM pragma_table_list WHERE type = 'table'"))
            loose = {name for name, strict in tables if not strict and not name.startswith("sqlite_")}

        assert loose == {"alembic_version"}

    def test_goes_down_to_nothing_and_up_again(self, app, engine):
        with app.app_context():
            flask_migrate.downgrade(revision="base")
            assert set(inspect(db.engine).get_table_names()) == {"alembic_version"}

            flask_migrate.upgrade()
            assert set(Model.metadata.tables) <= set(inspect(db.engine).get_table_names())

    @pytest.mark.parametrize("revision", ["0031_settled_stands", "0032_fewer_pages"])
    def test_keeps_what_the_ledger_holds_on_the_way_down_and_up(self, app, session, revision):
        first, second = open_account(session), open_account(session)
        issued = issue(session, 100, first)
        move(session, issued, (11, 20), first, second)
        session.commit()
        with app.app_context():
            flask_migrate.downgrade(revision=revision)
            move(session, issued, (1, 5), first, second)
            session.commit()
            flask_migrate.upgrade()

        move(session, issued, (6, 10), first, second)

        assert holdings(session, issued) == [(1, 20, second), (21, 100, first)]
        assert broken(session) == {}


@pytest.mark.parametrize("path", VERSIONS, ids=lambda path: path.stem)
class TestRevision:
    def test_is_named_as_its_file_and_short_enough(self, path):
        assert re.search(r'^revision = "(.+)"$', path.read_text(), re.MULTILINE)[1] == path.stem
        assert len(path.stem) <= 32

    def test_imports_nothing_from_the_application(self, path):
        assert not re.search(r"^(from|import) credits", path.read_text(), re.MULTILINE)

    def test_follows_on_the_one_before(self, path):
        before = VERSIONS[VERSIONS.index(path) - 1].stem if path != VERSIONS[0] else None
        written = re.search(r"^down_revision = (.+)$", path.read_text(), re.MULTILINE)[1]

        assert written.strip('"') == str(before)


# What the migrations keep for the database's own use, so that no model needs to know it: the transaction that wrote an
# event on PostgreSQL.
ITS_OWN = {"transaction_id", "ix_event_transaction_id"}


def ours(thing, name, kind, reflected, compare_to) -> bool:
    return not (reflected and compare_to is None and name in ITS_OWN)

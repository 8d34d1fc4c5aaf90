"""What tests share must leave them alone: each begins as if it were the first."""

import psycopg
import pytest
from sqlalchemy import func, select

from credits.journal.models import Event
from credits.ledger.models import AccountKind
from credits.participants.models import User
from credits.registry.models import Issuance
from tests.factories import UserFactory
from tests.reused import Lasting, Reused


@pytest.fixture
def reused(postgresql_server, postgresql_template):
    made = Reused(postgresql_server, postgresql_template)
    yield made
    made.drop()


def rows(url: str, table: str) -> int:
    with psycopg.connect(url) as connection:
        return connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]


class TestReused:
    def test_forgets_what_was_written(self, reused):
        url = reused.ready()
        accounts = rows(url, "account")
        for _ in range(2):
            with psycopg.connect(url) as connection:
                connection.execute("INSERT INTO account (kind) VALUES ('available')")
                assert connection.execute("SELECT max(id) FROM account").fetchone() == (accounts + 1,)
            reused.empty()

            assert reused.ready() == url
            assert rows(url, "account") == accounts

    @pytest.mark.parametrize(
        "change",
        [
            "DROP TRIGGER {first} ON event",
            "ALTER TABLE event DISABLE TRIGGER ALL",
            "ALTER TABLE event ADD COLUMN more text",
            "CREATE TABLE more (id int)",
        ],
    )
    def test_is_another_once_more_than_rows_were_changed(self, reused, change):
        url = reused.ready()
        with psycopg.connect(url) as connection:
            found = "SELECT tgname FROM pg_trigger WHERE tgrelid = 'event'::regclass AND NOT tgisinternal LIMIT 1"
            connection.execute(change.format(first=connection.execute(found).fetchone()[0]))
        reused.empty()

        assert reused.ready() != url

    def test_gives_a_connection_to_the_next_and_ends_one_that_keeps_a_lock(self, reused):
        given = psycopg.conninfo.conninfo_to_dict(reused.ready())
        first = reused.connect(**given)
        first.execute("SELECT 1")
        first.close()
        reused.empty()
        again = reused.connect(**given)
        assert isinstance(again, Lasting)
        assert again is first

        again.execute("SELECT pg_advisory_lock(7)")
        again.close()
        reused.empty()

        other = reused.connect(**given)
        assert other is not first
        other.end()

    def test_gives_a_connection_on_without_what_was_set_in_it(self, reused):
        parameters = psycopg.conninfo.conninfo_to_dict(reused.ready())
        first = reused.connect(**parameters)
        first.execute("SET session_replication_role = replica")
        first.commit()
        first.close()

        again = reused.connect(**parameters)
        assert again is first
        assert again.execute("SHOW session_replication_role").fetchone() == ("origin",)
        again.end()


class TestPrepared:
    def test_comes_to_what_the_steps_come_to(self, stage):
        put_back = stage.issued()
        stage.prepared = None
        done = stage.issued()

        assert [stage.balance(each) for each in (put_back, done)] == [{AccountKind.AVAILABLE: 2_500}] * 2
        assert put_back.batch.state is done.batch.state
        for evidence in put_back.batch.evidence:
            assert stage.files.path(evidence.sha256).exists()
        stage.must_be_sound()

    def test_is_done_by_the_steps_for_who_has_written(self, stage, session):
        added = UserFactory()
        made = stage.issued()

        assert session.get(User, added.id) is added
        assert made.batch.submitted_by is stage.clerk

    def test_is_the_same_for_each_test(self, stage, session):
        assert session.scalar(select(func.count()).select_from(Event)) == 0
        assert session.scalar(select(func.count()).select_from(User)) == 7
        assert stage.issued().id == session.scalar(select(func.max(Issuance.id))) == 1

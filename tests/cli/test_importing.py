import json

import pytest
from sqlalchemy import func, select

from credits.journal.models import Event
from credits.registry.files.import_files import ImportKind
from credits.registry.files.import_templates import as_xlsx
from credits.registry.production import Batch, Site
from tests.factories import UserFactory

SITES = (
    "name,country,province,district,latitude,longitude,access,concession_owner,method,mercury,miners,"
    "conflict_affected\n"
)
PIT = "Pit {},COD,Lualaba,Kolwezi,-10.7164,25.4667,tolerated,State,open_pit,no,120,unknown\n"


@pytest.fixture
def run(app, session, stage, tmp_path):
    """Run a command over a file with this content; its exit status and what it prints."""

    def act(group, content, *more, name="rows.csv"):
        session.commit()
        file = tmp_path / name
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        done = app.test_cli_runner().invoke(args=[group, "import", str(file), *more])
        session.rollback()
        return done.exit_code, done.output

    return act


def count(session, model):
    return session.scalars(select(func.count()).select_from(model)).one()


class TestImport:
    def test_enters_all_rows_and_says_how_many(self, run, session, stage):
        status, said = run("sites", SITES + PIT.format("A") + PIT.format("B"), "--json", "--by", stage.clerk.email)

        told = json.loads(said)
        assert (status, told["rows"], told["created"], told["bad"]) == (0, 2, 2, [])
        assert (told["numbers"], told["by"]) == (["COD-PIT001", "COD-PIT002"], stage.clerk.number)
        status, said = run("sites", SITES + PIT.format("A") + PIT.format("B"), "--json", "--by", stage.clerk.email)
        assert (status, json.loads(said)["already"], json.loads(said)["created"]) == (0, "IMPORT-000001", 0)
        assert count(session, Site) == 2

    def test_acts_for_the_only_producer_where_nobody_is_named(self, run, session, stage):
        stage.site()
        status, said = run("batches", as_xlsx(ImportKind.BATCHES), name="batches.xlsx")

        assert (status, said) == (0, f"1 batches are entered (IMPORT-000001), as {stage.manager.number}.\n")
        assert count(session, Batch) == 1
        actor = select(Event.actor).where(Event.kind == "batch.drafted")
        assert session.scalars(actor).one() == "system"

    def test_names_every_bad_cell_and_writes_nothing(self, run, session, stage):
        stage.site()
        rows = "site,counted_on,women,young_women,men,young_men\n"
        rows += "COD-KAM001,2026-05-01,many,1,2,3\nCOD-KAM001,01/02/2026,1,1,2,2\nCOD-KAM001,2026-05-02,1,1,2,2\n"
        status, said = run("members", rows, "--json", "--by", stage.clerk.email)

        told = json.loads(said)
        assert (status, told["created"]) == (1, 0)
        assert [(bad["row"], bad["column"], bad["cell"]) for bad in told["bad"]] == [
            (2, "women", "C2"),
            (2, "young_men", "F2"),
            (3, "counted_on", "B3"),
        ]
        assert count(session, select(Event).where(Event.kind.like("import.%")).subquery()) == 0
        status, said = run("members", rows)
        assert status == 1
        assert "3 wrong cells among 3 rows. Nothing was written.\nC2: Write a whole number" in said

    def test_names_what_is_wrong_with_the_file(self, run, stage):
        for content in (b"", b"PK\x03\x04broken", "name,country\na,b\n"):
            status, said = run("sites", content, "--json")
            assert status == 1
            assert json.loads(said)["bad"][0]["row"] == 0
        UserFactory()  # of another producer
        status, said = run("sites", SITES + PIT.format("A").replace("120", "x"), "--json")
        assert (status, [bad["cell"] for bad in json.loads(said)["bad"]]) == (1, ["", "K2"])
        status, said = run("sites", SITES + PIT.format("A"), "--by", "nobody@example.org")
        assert status == 1
        assert "Nobody signs in with" in said

import json
import os

import pytest
from sqlalchemy import func, select

from credits.journal.models import Event
from credits.registry.mines.observed import ObservedSite, SiteObservation
from tests.registry.ipis_file import SMALL, file_of


@pytest.fixture
def import_ipis(app, tmp_path):
    """Run the command on a file with these bytes, or on a path."""

    def run(given, *options):
        path = given
        if isinstance(given, bytes):
            path = tmp_path / "visits.csv"
            path.write_bytes(given)
        return app.test_cli_runner().invoke(args=["sites", "import-ipis", str(path), *options])

    return run


class TestImportIpis:
    def test_prints_exactly_one_json_object(self, import_ipis):
        result = import_ipis(file_of({"vid": "1"}, {"vid": "x"}), "--json")

        assert result.exit_code == 0
        assert result.stderr == ""
        assert json.loads(result.stdout) == {
            "rows": 2,
            "sites": 1,
            "observations": 1,
            "created": 1,
            "updated": 0,
            "rejected": [{"line": 3, "reason": "The visit number (vid) is “x”: it must be a whole number."}],
        }

    def test_says_it_in_words(self, import_ipis):
        result = import_ipis(file_of({"vid": "1"}, {"vid": ""}))

        assert result.exit_code == 0
        assert result.stdout == (
            "2 rows: 1 visits to 1 sites, 1 of them new and 0 changed. 1 rows were left out:\n"
            "line 3: It has no visit number (vid).\n"
        )

    def test_keeps_what_it_entered(self, import_ipis, session):
        session.rollback()
        import_ipis(SMALL)

        assert session.scalars(select(func.count(SiteObservation.visit))).one() == 7

    def test_changes_nothing_the_second_time(self, import_ipis, session):
        session.rollback()
        import_ipis(SMALL)

        again = json.loads(import_ipis(SMALL, "--json").stdout)

        assert (again["observations"], again["created"], again["updated"]) == (7, 0, 0)
        assert session.scalars(select(func.count(Event.id))).one() == 1

    @pytest.mark.parametrize(
        "content, sentence",
        [
            (b"", "The file is empty."),
            (b"a;b\n1;2\n", "lacks the columns"),
            (file_of({"vid": "1"}) + b"\xff\xfe", "The file is not written in UTF-8 (first seen on line 3)."),
        ],
    )
    @pytest.mark.parametrize("options", [[], ["--json"]])
    def test_refuses_another_file_as_a_whole(self, import_ipis, session, content, sentence, options):
        session.rollback()
        result = import_ipis(content, *options)

        assert result.exit_code == 1
        assert result.stdout == ""
        assert result.stderr.startswith("Error: ")
        assert sentence in result.stderr
        assert session.scalars(select(func.count(ObservedSite.pcode))).one() == 0

    def test_refuses_a_missing_file_and_a_directory(self, import_ipis, tmp_path):
        missing, directory = import_ipis(tmp_path / "nowhere.csv"), import_ipis(tmp_path)

        assert (missing.exit_code, directory.exit_code) == (2, 2)
        assert "does not exist" in missing.stderr
        assert "is a directory" in directory.stderr

    def test_refuses_a_file_of_more_than_64_mb(self, import_ipis, tmp_path):
        with (tmp_path / "large.csv").open("wb") as large:
            os.truncate(large.fileno(), 64 * 1024 * 1024 + 1)

        result = import_ipis(tmp_path / "large.csv")

        assert result.exit_code == 1
        assert "larger than 64 MB" in result.stderr

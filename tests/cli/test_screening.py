import json

import pytest

from tests.registry.ipis_file import file_of

HERE = ("--lat", "-10.7537", "--lon", "25.3916", "--mineral", "CO")


@pytest.fixture
def screen(app, tmp_path, session):
    session.rollback()
    path = tmp_path / "visits.csv"
    rows = [
        {"vid": "1", "pcode": "c1", "name": "Kamilombe", "presence": "1", "visit_date": "2019-05-15"},
        {"vid": "2", "pcode": "c2", "name": "Autre", "latitude": "-10.76"},
    ]
    path.write_bytes(file_of(*rows))
    assert app.test_cli_runner().invoke(args=["sites", "import-ipis", str(path)]).exit_code == 0
    return lambda *options: app.test_cli_runner().invoke(args=["sites", "screen", *options])


class TestScreen:
    def test_prints_one_json_list_likest_first(self, screen):
        result = screen("--name", "Carrière de KAMILOMBÉ", *HERE, "--json")

        found = json.loads(result.stdout)
        assert [match["pcode"] for match in found] == ["c1", "c2"]
        assert found[0] == {
            "pcode": "c1",
            "name": "Kamilombe",
            "distance_km": 0.0,
            "likeness": 1.0,
            "last_visit": "2019-05-15",
            "flags": ["armed_presence", "old_data"],
        }

    def test_says_it_in_words_with_the_source(self, screen):
        said = screen("--name", "Kamilombe", *HERE).stdout

        assert "Kamilombe (c1): 0.00 km away, likeness 1.00, last visit 2019-05-15; armed_presence" in said
        assert "Source: IPIS" in said

    def test_says_that_nothing_is_known_there(self, screen):
        assert screen("--name", "Cerro", "--lat", "-15.77", "--lon", "-73.36", "--json").stdout.strip() == "[]"
        assert "knows no site within 25 km" in screen("--name", "Cerro", "--lat", "-15.77", "--lon", "-73.36").stdout

    @pytest.mark.parametrize(
        "options, says",
        [
            (("--name", "X", "--lat", "0", "--lon", "0"), "lies in the sea"),
            (("--name", "X", "--lat", "95", "--lon", "25"), "between -90 and 90"),
            (("--name", "X", "--lat", "S10", "--lon", "25"), "decimal degrees"),
            (("--name", "X", "--lat", "-10", "--lon", "25", "--mineral", "XX"), "no mineral"),
            (("--name", " ", "--lat", "-10", "--lon", "25"), "what the site is called"),
        ],
    )
    def test_refuses_what_cannot_be_with_a_sentence(self, screen, options, says):
        result = screen(*options)

        assert result.exit_code == 2
        assert says in result.stderr

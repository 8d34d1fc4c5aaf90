import json

import pytest

from tests.registry.doubts.deciding import COLTAN

DAYS = ("--from", "2026-01-01", "--to", "2026-12-31")


@pytest.fixture
def run(app, session):
    def run(*options):
        session.commit()
        return app.test_cli_runner().invoke(args=["plausibility", *options])

    return run


class TestPlausibility:
    def test_prints_each_bound_with_its_source(self, stage, run):
        site = stage.site()
        stage.submitted(site, gross_kg="500", **COLTAN)

        result = run("cod-kam001", *DAYS, "--json")
        told = json.loads(result.stdout)
        assert result.exit_code == 0
        assert (told["site"], told["from"], told["to"]) == ("COD-KAM001", "2026-01-01", "2026-12-31")
        (mineral,) = told["minerals"]
        assert (mineral["mineral"], mineral["claimed"], mineral["ceiling"]) == ("TA", 150_000, 180_000)
        bounds = {bound["name"]: bound for bound in told["bounds"]}
        assert len(bounds) == 7
        assert all(bound["source"] for bound in bounds.values())
        labour = bounds["labour"]
        assert (labour["value"], labour["unit"], labour["hard"], labour["date"]) == (180_000, "g", True, "2026-11-22")
        assert bounds["licence_cap"]["value"] is None

    def test_says_where_more_is_claimed_than_plausible(self, stage, run):
        site = stage.site()
        stage.submitted(site, gross_kg="700", **COLTAN)

        result = run("COD-KAM001", *DAYS)
        assert result.exit_code == 0
        assert "210,000 g claimed, ceiling 180,000 g: ABOVE THE CEILING" in result.stdout

    def test_says_what_to_name_where_there_is_no_batch(self, stage, run):
        stage.site()

        assert "name one with --mineral" in run("COD-KAM001", *DAYS).stdout
        told = json.loads(run("COD-KAM001", *DAYS, "--mineral", "co", "--json").stdout)
        assert (told["minerals"][0]["claimed"], told["minerals"][0]["ceiling"]) == (0, None)

    @pytest.mark.parametrize(
        "options, code, says",
        [
            (("COD-XXX999", *DAYS), 1, "There is no site COD-XXX999"),
            (("COD-KAM001", "--from", "2026-12-31", "--to", "2026-01-01"), 2, "the last day lies before the first"),
            (("COD-KAM001", "--from", "soon", "--to", "2026-01-01"), 2, "does not match the format"),
            (("COD-KAM001", *DAYS, "--mineral", "XX"), 2, "no mineral"),
        ],
    )
    def test_refuses_what_cannot_be(self, stage, run, options, code, says):
        stage.site()

        result = run(*options)
        assert result.exit_code == code
        assert says in result.stderr

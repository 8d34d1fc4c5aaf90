import json

from credits.cli.draws import draws
from credits.registry.reviews.assigned import Draw


class TestDraw:
    def test_shows_all_that_it_takes_to_draw_again(self, client, stage, session, words):
        batch = stage.submitted()
        draw = session.query(Draw).one()
        page = client.get("/draws/DRAW-000001").text

        assert f"For {batch.number}, round 1" in words(page)
        assert draw.seed in page
        assert stage.lead.organisation.number in page
        assert "with the same outcome" in page
        assert client.get("/draws").status_code == 200
        for missing in ("DRAW-000002", "DRAW-1", "X"):
            assert client.get(f"/draws/{missing}").status_code == 404


class TestCheck:
    def test_draws_every_lot_again(self, app, stage, session):
        stage.submitted()
        session.commit()

        answer = app.test_cli_runner().invoke(draws, ["check", "--json"])

        assert (answer.exit_code, json.loads(answer.stdout)) == (0, {"draws": 1, "before_lots": 0, "differ": {}})

    def test_draws_one_seed_without_a_database(self, app):
        answer = app.test_cli_runner().invoke(draws, ["again", "ab" * 32, "ORG-000001", "ORG-000002", "--json"])

        assert len(json.loads(answer.stdout)["tickets"]) == 2

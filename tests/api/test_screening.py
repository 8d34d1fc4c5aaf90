from datetime import date

import pytest
from sqlalchemy import update

from credits.participants.models import Kind
from credits.registry.mines.observed import ObservedSite, SiteObservation
from credits.registry.production import Site


@pytest.fixture
def flagged(session, submitted, verifier):
    """A batch in review at a site where others saw mercury."""
    visit = SiteObservation(visit=1, visited_on=date(2019, 5, 1), recorded={"mercury": "1"})
    words = {"source": "IPIS", "country": "COD", "province": "", "territory": "", "village": ""}
    session.add(ObservedSite(pcode="c1", name="x", latitude=None, longitude=None, observations=[visit], **words))
    session.flush()
    session.execute(update(Site).values(pcode="c1"))
    session.commit()
    assert verifier.post(f"/batches/{submitted}/take").status_code == 200
    return submitted


class TestQuestions:
    def test_are_answered_before_the_batch_is_verified(self, flagged, verifier, finding, assess):
        refused = verifier.verify(flagged, finding)
        assert (refused.status_code, refused.json["code"]) == (409, "questions_unanswered")
        assert refused.json["context"]["questions"] == ["mercury"]

        (asked,) = verifier.get(f"/batches/{flagged}/questions").json
        assert (asked["code"], asked["seen_on"], asked["source"], asked["answer"]) == (
            "mercury",
            "2019-05-01",
            "IPIS",
            None,
        )
        answered = verifier.post(f"/batches/{flagged}/questions/mercury/answer", {"text": "Retorts seen."})
        assert (answered.status_code, answered.json["answer"]) == (200, "Retorts seen.")
        assess(flagged)
        assert verifier.verify(flagged, finding).json["state"] == "verified"

    def test_are_for_the_reviewers_and_the_registry(self, flagged, cooperative, issuer, machine):
        assert cooperative.get(f"/batches/{flagged}/questions").status_code == 403
        assert machine(Kind.VERIFIER).get(f"/batches/{flagged}/questions").status_code == 404
        assert len(issuer.get(f"/batches/{flagged}/questions").json) == 1
        assert issuer.post(f"/batches/{flagged}/questions/mercury/answer", {"text": "x"}).status_code == 403

    def test_know_no_other(self, flagged, verifier):
        answered = verifier.post(f"/batches/{flagged}/questions/armed_presence/answer", {"text": "x"})

        assert (answered.status_code, answered.json["code"]) == (404, "no_such_question")


class TestPlausibility:
    def test_tells_each_bound_with_its_source(self, submitted, verifier, cooperative):
        told = verifier.get(f"/batches/{submitted}/plausibility").json

        assert (told["claimed"], told["ceiling"], told["exceeded"]) == (2_500, None, [])
        assert len(told["bounds"]) == 7
        assert all(bound["source"] for bound in told["bounds"])
        own = cooperative.get(f"/batches/{submitted}/plausibility").json
        assert "neighbours" not in [bound["name"] for bound in own["bounds"]]


class TestGrade:
    def test_is_asked_back_and_taken_when_confirmed(self, cooperative, site, batch):
        cooperative.post("/sites", site)

        asked = cooperative.post("/batches", batch | {"grade": "0.312"})
        assert (asked.status_code, asked.json["code"]) == (422, "grade_doubtful")
        assert "Did you mean 31.2 %?" in asked.json["detail"]
        taken = cooperative.post("/batches", batch | {"grade": "0.312", "grade_confirmed": True})
        assert taken.status_code == 201
        changed = cooperative.send("PATCH", f"/batches/{taken.json['number']}", json={"sold_to": "Depot 8"})
        assert changed.status_code == 200

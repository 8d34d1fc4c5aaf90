"""Taking a paper away from a draft, over JSON."""

from tests.api.conftest import PAPERS


class TestRemoveEvidence:
    def test_takes_a_paper_from_a_draft_once(self, cooperative, site, licence, batch):
        cooperative.post("/sites", site)
        number = cooperative.post("/batches", batch).json["number"]
        paper = cooperative.paper(number, PAPERS[0]).json["id"]
        address = f"/batches/{number}/evidence/{paper}/remove"
        first = cooperative.post(address, key="once")
        again = cooperative.post(address, key="once")

        assert (first.status_code, first.json) == (200, again.json)
        assert "The scale log." in first.json["missing"]
        assert cooperative.post(address).status_code == 404
        assert cooperative.paper(number, PAPERS[0]).status_code == 201  # the same file may come again

    def test_takes_nothing_from_what_was_submitted_nor_from_others(self, cooperative, verifier, submitted):
        [paper, *_] = cooperative.get(f"/batches/{submitted}").json["evidence"]
        address = f"/batches/{submitted}/evidence/{paper['id']}/remove"

        assert cooperative.post(address).status_code == 409
        assert verifier.post(address).status_code in (403, 404)
        assert cooperative.post("/batches/BATCH-000099/evidence/1/remove").status_code == 404

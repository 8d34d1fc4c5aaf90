import re

import pytest

from credits.participants.models import Kind
from credits.registry.mines.grievance_models import Grievance
from tests.factories import UserFactory

WORDS = "Boys of twelve carry sacks <b>at the east pit</b>."


@pytest.fixture
def page(stage):
    site = stage.site()
    return f"/sites/{site.country}-{site.code}"


def filed(client, page, **bent):
    return client.post(f"{page}/grievance", data={"key": "k" * 32, "words": WORDS, "contact": "", **bent})


def code_in(answer):
    return re.search(r">([0-9A-Z]{5}(?:-[0-9A-Z]{5}){4})<", answer.text)[1]


class TestFileGrievance:
    def test_is_followed_by_a_code_to_the_answer_and_back(self, client, stage, page, words):
        assert f"{page}/grievance" in client.get(page).text
        answer = filed(client, page)
        code = code_in(answer)
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert "0 are open" not in words(client.get(page).text)
        assert "1 is open, 0 are closed" in words(client.get(page).text)

        told = client.sign_in(stage.issuer).get("/admin/grievances/GRIEVANCE-000001").text
        assert "&lt;b&gt;at the east pit" in told
        assert "FINDING-000001" in told
        client.post("/admin/grievances/GRIEVANCE-000001", data={"key": "a", "words": "We go there on Monday."})
        thread = client.post("/grievances", data={"code": code.lower()})
        assert "We go there on Monday." in thread.text
        assert code not in thread.request.url
        more = client.post("/grievances/more", data={"code": code, "words": "Go at dawn."})
        assert "Go at dawn." in more.text
        closing = {"key": "b", "words": "They are at school.", "step": "close"}
        assert client.post("/admin/grievances/GRIEVANCE-000001", data=closing).status_code == 303
        assert "Add something" not in client.post("/grievances", data={"code": code}).text
        assert "0 are open, 1 is closed" in words(client.get(page).text)

    def test_sent_twice_is_one_with_one_code(self, client, session, page):
        assert code_in(filed(client, page)) == code_in(filed(client, page))
        assert session.query(Grievance).count() == 1

    @pytest.mark.parametrize("bent", [{"words": ""}, {"words": " \n"}, {"words": "x" * 4001}, {"contact": "y" * 201}])
    def test_keeps_what_was_typed_where_it_cannot_be(self, client, page, bent):
        answer = filed(client, page, **bent)

        assert answer.status_code == 422
        assert "Please look at this again" in answer.text

    def test_is_sealed_from_the_producer(self, client, stage, page):
        filed(client, page, contact="+243 99 000 0000")
        for stranger in (stage.manager, stage.buyer):
            client.sign_in(stranger)
            assert client.get("/admin/grievances/GRIEVANCE-000001").status_code in (403, 404)
            for place in ("/notices", f"/my{page}", page, "/log"):
                assert "east pit" not in client.get(place).text
        stage.in_review(stage.session.get_one(Grievance, 1).site)
        seen = client.sign_in(stage.lead).get("/admin/grievances/GRIEVANCE-000001").text
        assert "east pit" in seen
        assert "+243" not in seen
        assert "+243" in client.sign_in(stage.issuer).get("/admin/grievances/GRIEVANCE-000001").text
        other = UserFactory(kind=Kind.VERIFIER)
        assert client.sign_in(other).get("/admin/grievances/GRIEVANCE-000001").status_code == 404


class TestFollowGrievance:
    @pytest.mark.parametrize("code", ["", "00000-00000-00000-00000-00000", "<script>"])
    def test_leads_nowhere_by_another_code(self, client, page, code):
        filed(client, page)

        assert client.post("/grievances", data={"code": code}).status_code in (404, 422)
        assert client.post("/grievances/more", data={"code": code, "words": "x"}).status_code in (404, 422)

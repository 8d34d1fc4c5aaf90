from dataclasses import replace

import pytest

from credits.certificates import issuing
from credits.certificates.issuing import Issuer
from credits.participants.models import RoleName
from credits.registry.movements import DecisionKind
from tests.factories import UserFactory
from tests.stage import CLAIM

MARKUP = "<script>alert(1)</script>"
SOUND = "We retired credits. The cobalt in our products is not physically traced to this site."


@pytest.fixture
def retired(stage):
    made = stage.issued()
    stage.handed_over(made, 1_500)
    retired = stage.retired(made, 750)
    issuing.freeze(stage.session, retirement=retired, issuer=Issuer("Registry", "https://registry.example"))
    return retired


@pytest.fixture
def typed(stage, retired):
    return {
        "about": "Cells N1",
        f"quantity_{retired.id}": "0.5",
        "medium": "Annual report",
        "address": "https://example.org/report",
        "published_on": str(stage.at.date()),
        "language": "en",
        "text": SOUND,
        "key": "key-of-this-form",
    }


@pytest.fixture
def address(retired):
    return f"/claims/publish?retirement={retired.number}"


def recorded(client, address, typed, **bent):
    answer = client.post(address, data=typed | bent)
    assert answer.status_code == 303, answer.text
    return answer.location


class TestCheckClaim:
    def test_marks_what_may_not_be_said_for_anybody(self, client, words):
        page = client.post("/claims/check", data={"text": "Nos piles : or 100 % traçable, <b>sans conflit</b>."})

        assert page.status_code == 200
        assert '<mark id="place-1">traçable</mark>' in page.text
        assert '<mark id="place-2">sans conflit</mark>' in page.text
        assert "&lt;b&gt;" in page.text
        assert "2 places say too much" in words(page.text)
        assert "Le système book and claim ne relie aucun minerai" in page.text

    def test_clears_nothing_in_a_sixth_language(self, client, words):
        said = "Unsere Batterien sind konfliktfrei und ohne Kinderarbeit."
        page = words(client.post("/claims/check", data={"text": said}).text)

        assert "nothing of it was checked" in page
        assert "Nothing is marked." not in page

    def test_knows_the_names_on_a_certificate_that_the_text_names(self, client, stage, retired):
        retired_for = stage.retired(
            retired.issuance, 10, claim=replace(CLAIM, beneficiary="Traceable ethical mobility")
        )
        issuing.freeze(stage.session, retirement=retired_for, issuer=Issuer("Registry", "https://registry.example"))
        text = client.get(f"/api/v1/certificates/{retired_for.number}").json["claim"]["text"]

        assert "Nothing is marked" in client.post("/claims/check", data={"text": f"{text} {retired_for.number}"}).text

    @pytest.mark.parametrize("text", ["", " ", "x" * 20_001])
    def test_refuses_no_text_or_too_much(self, client, text):
        assert client.post("/claims/check", data={"text": text}).status_code == 422

    def test_says_what_may_be_said_before_anything_is_typed(self, client, words):
        assert "Nothing is kept" in words(client.get("/claims/check").text)


class TestClaimSentences:
    def test_gives_the_sentence_in_the_language_that_is_asked_for(self, client, stage, retired):
        page = client.sign_in(stage.buyer).get(f"/claims/sentences?retirement={retired.number}&language=fr").text

        assert "0,75 crédit équivalant à 750" in page
        assert "&lt;a href=&#34;https://registry.example/certificates/ASMC-R-000001&#34;&gt;" in page
        assert "Record where we publish it" in page

    def test_shows_nobody_else_s(self, client, stage, retired):
        client.sign_in(stage.second)
        assert client.get(f"/claims/sentences?retirement={retired.number}").status_code == 404
        assert "nothing to claim before" in client.get("/claims/sentences").text
        assert client.get("/claims/sentences?retirement=ASMC-R-999999").status_code == 404


class TestPublishClaim:
    def test_shows_the_record_where_anybody_looks(self, client, stage, retired, address, typed, words):
        client.sign_in(stage.buyer)
        assert "0.75" in client.get(address).text
        there = recorded(client, address, typed)
        assert recorded(client, address, typed) == there

        claim = words(client.get(there).text)
        assert "0.5 credits 500 kg cobalt, ASMC-R-000001" in claim
        assert "Annual report" in claim
        assert SOUND in claim
        for page in (f"/certificates/{retired.number}", f"/organisations/{stage.buyer.organisation.number}", "/claims"):
            assert "CLAIM-000001" in client.get(page).text

    @pytest.mark.parametrize(
        "bent, said",
        [
            ({"text": "Our ethical cells."}, "ethical: A product is not ethical"),
            ({"text": "Unsere Batterien sind konfliktfrei und ohne Kinderarbeit."}, "none of the languages"),
            ({"text": f"{SOUND} Wir bezeugen, dass das Gold aus einer sauberen Mine ist."}, "none of the languages"),
            ({"text": ""}, "This field is required"),
            ({"address": "javascript:alert(1)"}, "begins with https://"),
            ({"published_on": "2019-01-01"}, "between the retirement"),
            ({"published_on": "soon"}, "year-month-day"),
            ({"medium": "hidden\u202eman"}, "cannot be printed"),
        ],
    )
    def test_refuses_what_is_not_sound(self, client, stage, address, typed, words, bent, said):
        answer = client.sign_in(stage.buyer).post(address, data=typed | bent)

        assert answer.status_code == 422
        assert said in words(answer.text)
        assert "Nothing is recorded yet" in client.get("/claims").text

    def test_claims_no_more_than_was_retired(self, client, stage, retired, address, typed, words):
        recorded(client.sign_in(stage.buyer), address, typed)
        refused = client.post(address, data=typed | {"key": "another"})

        assert refused.status_code == 409
        left, more = "0.25 credits (250 kg) are not claimed yet", "0.5 credits (500 kg) are more than that"
        assert f"{left}: {more}" in words(refused.text)
        assert f'href="#quantity_{retired.id}"' in refused.text

    def test_is_corrected_and_withdrawn_by_later_entries(self, client, stage, retired, address, typed, words):
        there = recorded(client.sign_in(stage.buyer), address, typed)
        entry = typed | {"text": "We retired half a credit.", "key": "k2"}
        assert client.post(f"{there}/correct/1", data=entry).status_code == 303
        assert client.post(f"{there}/correct/1", data=entry | {"key": "k3"}).status_code == 409
        assert client.post(f"{there}/place", data=typed | {"medium": "Journal", "key": "k4"}).status_code == 303
        assert client.post(f"{there}/withdraw", data={"reason": MARKUP, "key": "k5"}).status_code == 303
        page = client.get(there).text

        assert "Corrected since" in words(page)
        assert "Journal" in page
        assert "This claim is withdrawn" in words(page)
        assert MARKUP not in page
        assert client.post(f"{there}/place", data=typed | {"key": "k6"}).status_code == 409

    def test_says_wherever_it_is_looked_up_that_its_certificate_was_annulled(
        self, client, stage, retired, address, typed, words
    ):
        client.sign_in(stage.buyer)
        claim = recorded(client, address, typed)
        serial = client.get(f"/api/v1/certificates/{retired.number}").json["origins"][0]["serials"][0]
        assert "nnulled" not in client.get(claim).text + client.get(f"/serials/{serial}").text
        stage.decided(DecisionKind.ANNULMENT, retired.number)

        assert "Do not rely on this claim" in words(client.get(claim).text)
        assert "Its certificate was annulled" in words(client.get(f"/serials/{serial}").text)
        at_home = f"/organisations/{stage.buyer.organisation.number}"
        for page in ("/claims", "/claims/sentences", "/retirements", at_home):
            assert f"{retired.number} Annulled" in words(client.get(page).text), page
        assert "Stands" not in words(client.get("/claims").text)
        assert "In another place too" not in client.get(claim).text
        told = client.get(f"/api/v1/retirements/{retired.number}")
        assert told.json["status"] == "annulled"
        assert client.get(f"/api/v1/serials/{serial}").json["places"][0]["status"] == "annulled"
        assert client.get(f"/api/v1{claim}").json["parts"][0]["status"] == "annulled"
        assert client.get(f"/api/v1/certificates/{retired.number}").headers["Certificate-Status"] == "annulled"
        # A document that is about no retirement of its own does not tell of those of others.
        there = client.post(f"/issuances/{retired.issuance.number}/document", data={"language": "en"}).location
        assert "annulled" not in client.get(there).text
        refused = client.get(f"/claims/sentences?retirement={retired.number}")
        assert (refused.status_code, "supported responsible" in refused.text) == (409, False)

    def test_is_for_those_who_may(self, client, stage, retired, address, typed):
        reader = UserFactory(organisation=stage.buyer.organisation, may=[RoleName.READER])
        there = recorded(client.sign_in(stage.buyer), address, typed)
        assert client.sign_in(reader).post(address, data=typed).status_code == 403
        assert client.get("/claims").status_code == 200
        for step in ("place", "withdraw", "correct/1"):
            assert client.sign_in(stage.second).get(f"{there}/{step}").status_code == 404
            assert client.sign_in(reader).get(f"{there}/{step}").status_code == 403
        assert client.get("/claims/CLAIM-000099").status_code == 404

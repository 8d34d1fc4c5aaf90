import pytest

from credits.certificates import issuing
from credits.certificates.issuing import Issuer
from credits.participants.models import Kind
from credits.participants.tokens import MARK
from tests.api.conftest import Machine
from tests.factories import ApiTokenFactory

SOUND = "We retired credits. The cobalt in our products is not physically traced to this site."


@pytest.fixture
def maker(client, stage):
    """The stage's buyer, with 750 kg retired."""
    made = stage.issued()
    stage.handed_over(made, 1_500)
    issuing.freeze(stage.session, retirement=stage.retired(made, 750), issuer=Issuer("R", "https://registry.example"))
    secret = f"{MARK}{stage.buyer.id:043d}"
    ApiTokenFactory(user=stage.buyer, secret=secret)
    return Machine(client, secret, stage.buyer.organisation.number)


@pytest.fixture
def asked(stage):
    placement = {
        "medium": "Report",
        "address": "",
        "published_on": str(stage.at.date()),
        "language": "en",
        "text": SOUND,
    }
    return placement | {"about": "Cells N1", "parts": [{"retirement": "ASMC-R-000001", "quantity": 500}]}


class TestClaims:
    def test_check_a_text_for_anybody(self, stranger):
        answer = stranger.post("/claims/check", {"text": "Ethical gold"})
        assert answer.status_code == 200
        assert [(mark["start"], mark["end"], mark["kind"]) for mark in answer.json["marks"]] == [(0, 7, "ethical")]
        assert stranger.post("/claims/check", {"text": SOUND}).json == {"marks": [], "unread": []}
        for body in ({"text": "x" * 20_001}, {"text": ""}, {}):
            assert stranger.post("/claims/check", body).status_code == 422

    def test_are_said_published_corrected_and_withdrawn(self, maker, machine, stranger, asked):
        (sentence,) = maker.get("/claims/sentences", retirements="ASMC-R-000001", language="es").json
        assert "0,75 créditos" in sentence["text"]
        other = machine(Kind.MANUFACTURER)
        assert other.get("/claims/sentences", retirements="ASMC-R-000001").status_code == 404

        first, again = (maker.post("/claims", asked, key="once") for _ in range(2))
        assert (first.status_code, again.status_code) == (201, 200)
        address = f"/claims/{first.json['number']}"
        assert stranger.get(address).json == first.json
        more = maker.post("/claims", asked)
        assert (more.status_code, more.json["code"], more.json["context"]["left"]) == (409, "claims_too_much", 250)
        less = {"parts": [{"retirement": "ASMC-R-000001", "quantity": 1}]}
        marked = maker.post("/claims", asked | less | {"text": "Ethical cells"})
        assert (marked.status_code, marked.json["code"]) == (422, "claim_says_too_much")
        assert marked.json["context"]["marks"][0].startswith("Ethical: ")

        placement = {name: asked[name] for name in ("medium", "address", "published_on", "language", "text")}
        entry = first.json["entries"][0]["id"]
        corrected = maker.post(f"{address}/entries/{entry}/correct", placement | {"text": "We retired credits."})
        assert [each["corrects"] for each in corrected.json["entries"]] == [None, entry]
        assert len(maker.post(f"{address}/placements", placement | {"medium": "Journal"}).json["entries"]) == 3
        assert other.post(f"{address}/withdraw", {"reason": "x"}).status_code == 404
        assert maker.post(f"{address}/withdraw", {"reason": "Replaced."}).json["entries"][-1]["kind"] == "withdrawn"
        assert maker.post(f"{address}/placements", placement).json["code"] == "claim_withdrawn"
        assert [each["number"] for each in maker.get("/claims").json] == [first.json["number"]]

import pytest

from credits.participants.models import Kind, RoleName
from tests.factories import UserFactory

MARKUP = "<script>alert(1)</script>"


@pytest.fixture
def typed():
    return {
        "mineral": "CO",
        "year": "2026",
        "product_line": "Cells N1",
        "grams": "12.5",
        "units": "80001",
        "key": "key-of-this-form",
    }


def declared(client, typed, **bent):
    """Through both steps; the address of the declaration."""
    answer = client.post("/uses/new", data=typed | {"confirmed": "yes"} | bent)
    assert answer.status_code == 303, answer.text
    return answer.location


class TestDeclareUse:
    def test_shows_the_sum_before_anything_is_declared(self, client, stage, typed, words):
        page = client.sign_in(stage.buyer).post("/uses/new", data=typed)

        assert page.status_code == 200
        assert "12.5 g × 80,001 units = 1,000,012.5 g, as whole kg rounded up: 1,001 kg" in words(page.text)
        assert "Nothing is declared yet" in client.get("/uses").text

    def test_declares_what_was_confirmed_once(self, client, stage, typed, words):
        client.sign_in(stage.buyer)
        first, again = declared(client, typed), declared(client, typed)
        page = words(client.get("/uses").text)

        assert first == again
        assert "Declared: 1.001 credits 1,001 kg." in page
        assert "Missing: 1.001 credits 1,001 kg." in page
        assert "Cells N1" in page

    @pytest.mark.parametrize(
        "bent",
        [
            {"grams": ""},
            {"units": ""},
            {"grams": "", "units": ""},
            {"total": "1"},
            {"grams": "1e5"},
            {"units": "1.5"},
            {"grams": "0"},
            {"grams": "", "units": "", "total": "0.0005"},
            {"year": "1999"},
            {"year": "soon"},
            {"mineral": "XX"},
            {"mineral": ""},
            {"product_line": " "},
            {"product_line": "hidden\u202eman"},
        ],
    )
    def test_refuses_what_is_not_sound(self, client, stage, typed, bent):
        answer = client.sign_in(stage.buyer).post("/uses/new", data=typed | bent | {"confirmed": "yes"})

        assert answer.status_code == 422
        assert "Please look at this again" in answer.text
        assert 'aria-invalid="true"' in answer.text
        assert "Nothing is declared yet" in client.get("/uses").text

    def test_asks_a_reseller_for_whom(self, client, stage, typed):
        client.sign_in(UserFactory(kind=Kind.RESELLER))
        assert "Country of the end user" in client.get("/uses/new").text
        assert client.post("/uses/new", data=typed).status_code == 422

        end_user = {"beneficiary": MARKUP, "country": "JPN", "identifier": "12-34"}
        address = declared(client, typed, **end_user)
        for page in (client.get(address).text, client.get("/uses").text):
            assert MARKUP not in page
            assert "&lt;script&gt;" in page

    def test_is_not_for_readers_producers_or_others(self, client, stage, typed):
        reader = UserFactory(organisation=stage.buyer.organisation, may=[RoleName.READER])
        for person in (reader, stage.manager, stage.lead):
            assert client.sign_in(person).post("/uses/new", data=typed).status_code == 403
        address = declared(client.sign_in(stage.buyer), typed)

        assert client.sign_in(reader).get(address).status_code == 200
        assert client.sign_in(stage.second).get(address).status_code == 404
        assert client.sign_in(stage.issuer).get(address).status_code == 200
        assert "Cells N1" in client.get("/uses").text


class TestChangeUse:
    def test_keeps_what_was_said_before(self, client, stage, typed, words):
        address = declared(client.sign_in(stage.buyer), typed)
        asked = {"total": "0.5", "reason": "Fewer were sold.", "key": "k2"}
        assert "500 kg" in client.post(f"{address}/change", data=asked).text
        answer = client.post(f"{address}/change", data=asked | {"confirmed": "yes"})
        page = words(client.get(answer.location).text)

        assert answer.status_code == 303
        assert "0.5 credits 500 kg" in page
        assert "1.001 credits 1,001 kg" in page
        assert "Fewer were sold." in page
        assert stage.buyer.name in page
        refused = client.post(f"{address}/change", data=asked | {"key": "k3", "confirmed": "yes"})
        assert refused.status_code == 409


class TestUses:
    def test_says_how_far_each_use_is_covered(self, client, stage, typed, words):
        made = stage.issued()
        stage.handed_over(made, 1_500)
        declared(client.sign_in(stage.buyer), typed | {"grams": "", "units": "", "total": "2"})
        stage.retired(made, 750)
        page = words(client.get("/uses").text)

        assert "37 % are covered: 0.75 credits 750 kg retired." in page
        assert "Held, not retired and of a vintage that fits: 0.75 credits 750 kg." in page
        assert "Missing: 0.5 credits 500 kg." in page
        stage.retired(made, 750)
        declared(client, typed | {"product_line": "x", "year": "2025", "key": "k9"})
        assert "75 % are covered" in words(client.get("/uses").text)

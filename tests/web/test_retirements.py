import pytest
from sqlalchemy import select

from credits.certificates import issuing
from credits.certificates.models import Certificate
from credits.participants.models import Language
from credits.registry import queries
from credits.registry.models import Retirement
from tests.documents import worked
from tests.factories import UserFactory

MARKUP = "<script>alert(1)</script>"


@pytest.fixture
def issuance(stage):
    made = stage.issued()
    stage.handed_over(made, 1_500)
    return made


@pytest.fixture
def address(issuance):
    return f"/holdings/{issuance.number}/retire"


@pytest.fixture
def typed():
    return {
        "quantity": "0.75",
        "beneficiary": "Nordlicht Batteries AB",
        "country": "SWE",
        "identifier": "SE 556000-0001",
        "purpose": "Cells of model N1",
        "claim_from": "2026-01-01",
        "claim_to": "2026-12-31",
        "key": "key-of-this-form",
    }


def retired_in(session):
    return session.scalars(select(Retirement)).all()


class TestRetireCredits:
    def test_is_explained_to_a_producer_at_once(self, client, stage, issuance, address):
        page = client.sign_in(stage.manager).get(address)

        assert page.status_code == 403
        assert "Producers do not retire credits" in page.text
        assert f"/holdings/{issuance.number}/transfer" in page.text

    def test_shows_for_good_what_will_happen_before_anything_does(self, client, session, stage, address, typed, words):
        page = client.sign_in(stage.buyer).post(address, data=typed)

        seen = words(page.text)
        assert page.status_code == 200
        assert "There is no way back" in seen
        assert "-000000001-000000750-" in seen
        assert "750 kg cobalt" in seen
        assert "Nordlicht Batteries AB" in seen
        assert "Sweden" in seen
        assert "by retiring 0.75 credits equal to 750 kg" in seen
        assert retired_in(session) == []
        assert session.scalars(select(Certificate)).all() == []

    def test_retires_what_was_confirmed_and_draws_the_certificate(
        self, client, session, stage, issuance, address, typed
    ):
        answer = client.sign_in(stage.buyer).post(address, data=typed | {"confirmed": "yes"})

        (made,) = retired_in(session)
        assert (answer.status_code, answer.location) == (303, f"/retirements/{made.number}")
        assert (made.quantity, made.beneficiary, made.beneficiary_country) == (750, "Nordlicht Batteries AB", "SWE")
        assert queries.held_of(session, stage.buyer.organisation, issuance).available == 750
        assert session.get_one(Certificate, made.id).language is stage.buyer.language

    def test_counts_once_however_often_it_is_sent(self, client, session, stage, address, typed):
        client.sign_in(stage.buyer)
        answers = [client.post(address, data=typed | {"quantity": "1.5", "confirmed": "yes"}) for _ in range(3)]

        (made,) = retired_in(session)
        assert {answer.location for answer in answers} == {f"/retirements/{made.number}"}

    def test_freezes_the_certificate_in_the_language_that_was_chosen(self, client, session, stage, address, typed):
        client.sign_in(stage.buyer).post(address, data=typed | {"language": "fr", "confirmed": "yes"})

        (made,) = retired_in(session)
        certificate = session.get_one(Certificate, made.id)
        assert certificate.language is Language.FR
        assert certificate.document_sha256 is None

    @pytest.mark.parametrize("confirmed", ["", "yes"])
    @pytest.mark.parametrize(
        "bent",
        [
            {"quantity": "1.501"},
            {"quantity": "0"},
            {"quantity": "-1"},
            {"quantity": "0.0005"},
            {"quantity": "1e400"},
            {"quantity": "NaN"},
            {"quantity": "١٢"},
            {"quantity": ""},
            {"quantity": "9" * 30},
            {"beneficiary": ""},
            {"beneficiary": "x" * 201},
            {"beneficiary": "two\nlines"},
            {"beneficiary": "hidden\u202eman"},
            {"beneficiary": "有限公司"},
            {"country": "COX"},
            {"country": ""},
            {"identifier": " "},
            {"purpose": ""},
            {"purpose": "x" * 100_000},
            {"purpose": "\x00"},
            {"claim_from": "2026-12-31", "claim_to": "2026-01-01"},
            {"claim_from": "2025-01-01"},
            {"claim_from": "2031-01-01", "claim_to": "2031-12-31"},
            {"claim_from": "2020-01-01", "claim_to": "2020-12-31"},
            {"claim_from": "2026-02-30"},
            {"claim_from": "0000-00-00"},
            {"claim_to": "99999-01-01"},
            {"key": ""},
        ],
    )
    def test_refuses_what_is_not_sound_and_changes_nothing(
        self, client, session, stage, issuance, address, typed, bent, confirmed
    ):
        answer = client.sign_in(stage.buyer).post(address, data=typed | bent | {"confirmed": confirmed})

        assert answer.status_code in (409, 422)
        assert "Please look at this again" in answer.text
        assert retired_in(session) == []
        assert queries.held_of(session, stage.buyer.organisation, issuance).available == 1_500

    def test_takes_a_corrected_form_after_a_refusal(self, client, session, stage, address, typed):
        refused = client.sign_in(stage.buyer).post(address, data=typed | {"quantity": "9", "confirmed": "yes"})
        assert refused.status_code == 409
        key = refused.text.partition('name="key" type="hidden" value="')[2].partition('"')[0]

        assert client.post(address, data=typed | {"key": key, "confirmed": "yes"}).status_code == 303

    def test_goes_back_to_what_was_typed(self, client, session, stage, address, typed):
        page = client.sign_in(stage.buyer).post(address, data=typed | {"confirmed": "yes", "change": "yes"})

        assert page.status_code == 200
        assert "Nordlicht Batteries AB" in page.text
        assert retired_in(session) == []

    def test_shows_markup_as_text(self, client, stage, address, typed):
        data = typed | {"beneficiary": MARKUP, "identifier": MARKUP, "purpose": MARKUP}
        check = client.sign_in(stage.buyer).post(address, data=data)
        made = client.post(address, data=data | {"confirmed": "yes"})

        for page in (check, client.get(made.location), client.get("/retirements")):
            assert page.status_code == 200
            assert MARKUP not in page.text
            assert "&lt;script&gt;" in page.text

    def test_is_not_for_producers(self, client, session, stage, address, typed):
        answer = client.sign_in(stage.manager).post(address, data=typed | {"confirmed": "yes"})

        assert answer.status_code == 409
        assert "A producer transfers or sells them." in answer.text
        assert retired_in(session) == []

    def test_retires_nothing_of_somebody_else(self, client, session, stage, address, typed):
        assert client.sign_in(stage.second).post(address, data=typed | {"confirmed": "yes"}).status_code == 409
        assert client.sign_in(stage.lead).post(address, data=typed | {"confirmed": "yes"}).status_code == 403
        assert retired_in(session) == []


class TestRetirements:
    def test_lists_ones_own_with_their_certificates(self, client, app, session, stage, issuance):
        made = stage.retired(issuance, 750)
        issuing.freeze(session, retirement=made, issuer=app.extensions["issuer"])
        worked(app, session)

        page = client.sign_in(stage.buyer).get("/retirements").text
        others = client.sign_in(stage.second).get("/retirements").text

        assert made.number in page
        assert f"/certificates/{made.number}.pdf" in page
        assert made.number not in others

    def test_says_what_to_do_where_there_is_none(self, client, stage):
        assert "choose Retire" in client.sign_in(stage.buyer).get("/retirements").text
        assert "Producers do not retire credits" in client.sign_in(UserFactory()).get("/retirements").text

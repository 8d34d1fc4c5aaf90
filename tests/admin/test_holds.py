import pytest

from credits.ledger.models import AccountKind
from credits.participants.models import RoleName
from credits.registry.movements import DecisionKind, Earmark
from tests.factories import UserFactory


@pytest.fixture(autouse=True)
def fixed(monkeypatch):
    from credits.admin import holds
    from tests.admin.conftest import NOW

    monkeypatch.setattr(holds, "now", lambda: NOW)


@pytest.fixture
def made(stage):
    issuance = stage.issued()
    stage.handed_over(issuance, 1_000)
    return issuance


@pytest.fixture
def sent(stage):
    return {"key": "k", "holder": stage.buyer.organisation.number, "quantity": "300", "reason": "A question."}


class TestHoldCredits:
    def test_shows_exactly_which_units_before_anything_happens(self, client, session, stage, made, sent, words):
        client.sign_in(stage.issuer)
        assert "1,000 kg" in words(client.get(f"/admin/issuances/{made.number}/hold").text)
        page = words(client.post(f"/admin/issuances/{made.number}/hold", data=sent).text)

        assert "0.3 credits 300 kg" in page
        assert "-000000001-000000300-" in page.replace(" ", "")
        assert session.query(Earmark).all() == []

    def test_freezes_once_confirmed_however_often(self, client, session, stage, made, sent):
        client.sign_in(stage.issuer)
        where = f"/admin/issuances/{made.number}/hold"
        answers = [client.post(where, data=sent | {"confirmed": "yes"}) for _ in range(2)]
        (held,) = session.query(Earmark).all()

        assert [answer.location for answer in answers] == [f"/admin/holds/{held.number}"] * 2
        assert stage.balance(made, stage.buyer.organisation)[AccountKind.HELD] == 300
        assert held.number in client.get("/admin/holds").text
        assert "No hold has ended yet." in client.get("/admin/holds?show=ended").text

    @pytest.mark.parametrize(
        "bent", [{"quantity": "1001"}, {"reason": " "}, {"holder": "ORG-999999"}, {"quantity": "x"}]
    )
    def test_refuses_what_cannot_be(self, client, session, stage, made, sent, bent):
        answer = client.sign_in(stage.issuer).post(
            f"/admin/issuances/{made.number}/hold", data=sent | {"confirmed": "yes"} | bent
        )

        assert answer.status_code in (409, 422)
        assert session.query(Earmark).all() == []

    def test_is_for_issuers(self, client, stage, made, sent):
        auditor = UserFactory(organisation=stage.issuer.organisation, may=[RoleName.AUDITOR])
        for person in (auditor, stage.lead, stage.manager):
            assert client.sign_in(person).get(f"/admin/issuances/{made.number}/hold").status_code == 403

    def test_says_when_there_is_nothing_to_freeze(self, client, stage, made):
        stage.held(made)
        stage.held(made, holder=stage.buyer.organisation)

        assert "nothing to freeze" in client.sign_in(stage.issuer).get(f"/admin/issuances/{made.number}/hold").text


class TestHold:
    def test_leads_to_the_second_person(self, client, stage, made, words):
        held = stage.held(made)
        page = client.sign_in(stage.issuer).get(f"/admin/holds/{held.number}")

        assert f"/admin/decisions/new?kind=release&amp;subject={held.number}" in page.text
        stage.decided(DecisionKind.RELEASE, held.number)
        assert "Propose to release it" not in client.get(f"/admin/holds/{held.number}").text
        assert held.number in client.get("/admin/holds?show=ended").text


class TestHoldPeriods:
    def test_shows_what_will_be_frozen_and_who_is_told(self, client, session, stage, made, words):
        stage.offered(made, 100, stage.second)
        batch = made.batch
        sent = {"key": "k", "first_day": str(batch.produced_to), "last_day": str(batch.produced_to), "reason": "Found."}
        where = f"/admin/sites/{batch.site.country}-{batch.site.code}/hold"
        client.sign_in(stage.issuer)
        page = words(client.post(where, data=sent).text)

        assert stage.buyer.organisation.name in page
        assert f"TRANSFER-000002 ({stage.second.organisation.name})" in page
        for serials in ("-000001001-000001100-", "-000001101-000002500-"):  # offered, and available
            assert serials in page.replace(" ", "")
        assert session.query(Earmark).all() == []
        assert client.post(where, data=sent | {"confirmed": "yes"}).status_code == 303
        assert stage.balance(made) == {AccountKind.HELD: 1_500}

    def test_refuses_days_without_production(self, client, stage, made):
        sent = {"key": "k", "first_day": "2020-01-01", "last_day": "2020-01-02", "reason": "Found."}
        site = made.batch.site

        answer = client.sign_in(stage.issuer).post(f"/admin/sites/{site.country}-{site.code}/hold", data=sent)
        assert (answer.status_code, "Nothing was issued" in answer.text) == (409, True)


class TestSuspendIssuance:
    def test_stops_every_move_and_leads_to_the_lift(self, client, stage, made):
        client.sign_in(stage.issuer)
        where = f"/admin/issuances/{made.number}"
        assert stage.buyer.organisation.name in client.get(f"{where}/suspend").text
        assert client.post(f"{where}/suspend", data={"key": "k", "reason": "Review."}).status_code == 303

        assert "Propose to lift the suspension" in client.get(where).text
        assert client.post(f"{where}/suspend", data={"key": "l", "reason": "Review."}).status_code == 409


class TestProposals:
    def test_are_reached_from_the_issuance(self, client, stage, made):
        stage.decided(DecisionKind.DEBIT, made.number, quantity=200)
        page = client.sign_in(stage.issuer).get(f"/admin/issuances/{made.number}").text

        for kind in ("cancellation", "roll_back", "debit"):
            assert f"kind={kind}&amp;subject={made.number}" in page
        assert "kind=buffer_draw&amp;subject=DEBIT-" in page
        assert (
            "kind=cancellation"
            not in client.sign_in(UserFactory(organisation=stage.issuer.organisation, may=[RoleName.AUDITOR]))
            .get(f"/admin/issuances/{made.number}")
            .text
        )

    def test_show_which_serials_would_go(self, client, stage, made, words):
        waiting = stage.proposed(
            DecisionKind.CANCELLATION, made.number, holder=stage.buyer.organisation.number, quantity=400
        )
        page = words(client.sign_in(stage.colleague).get(f"/admin/decisions/{waiting.number}").text)

        assert "-000000001-000000400-" in page.replace(" ", "")
        assert "0.4 credits 400 kg" in page
        assert (
            stage.buyer.organisation.name
            in client.get(f"/admin/decisions/new?kind=cancellation&subject={made.number}").text
        )

from datetime import date

import pytest
from sqlalchemy import select

from credits.participants import organisations
from credits.participants.models import Kind, RoleName
from credits.registry.models import Issuance
from credits.registry.production import BatchState
from tests.factories import UserFactory


class TestIssueBatch:
    def test_shows_what_would_be_issued_and_issues_it(self, client, stage, session, words):
        batch = stage.verified(sold_with_premium=100, registered_elsewhere=50)
        client.sign_in(stage.issuer)
        shown = words(client.get(f"/admin/batches/{batch.number}/issue").text)
        assert "2.35 credits 2,350 kg" in shown
        assert "Sold with a premium paid for once already − 100 kg" in shown
        assert "ASMC- CO- COD- KAM001- 2026- 0001- 000000001- 000002350-" in shown
        assert stage.lead.name in shown

        answer = client.post(f"/admin/batches/{batch.number}/issue", data={"key": "k"})

        assert (answer.status_code, answer.location) == (303, "/admin/issuances/ASMC-CO-COD-KAM001-2026-0001")
        assert batch.state is BatchState.ISSUED
        page = words(client.get(answer.location).text)
        assert "2.35 credits 2,350 kg" in page
        assert f"Available {stage.coop.name}" in page
        assert f"Issued by {stage.issuer.name}, {stage.issuer.organisation.name}" in page

    def test_counts_the_carried_remainder(self, client, stage, words):
        site = stage.site()
        stage.issued(site, gross_kg="10001.6", produced_from=date(2026, 3, 1), produced_to=date(2026, 3, 31))
        batch = stage.verified(site, gross_kg="10002.4")
        client.sign_in(stage.issuer)

        shown = words(client.get(f"/admin/batches/{batch.number}/issue").text)
        issued = client.post(f"/admin/batches/{batch.number}/issue", data={"key": "k"}, follow_redirects=True)

        for page in (shown, words(issued.text)):
            assert "+ 0.4 kg" in page
            assert "2.501 credits 2,501 kg and 0 kg carried" in page
        assert "KAM001- 2026- 0002" in shown

    def test_sent_twice_issues_once(self, client, stage, session):
        batch = stage.verified()
        client.sign_in(stage.issuer)

        answers = [client.post(f"/admin/batches/{batch.number}/issue", data={"key": "k"}) for _ in range(2)]

        assert [answer.status_code for answer in answers] == [303, 303]
        assert answers[0].location == answers[1].location
        assert len(session.scalars(select(Issuance)).all()) == 1

    def test_is_over_once_issued(self, client, stage, session):
        batch = stage.issued().batch
        client.sign_in(stage.issuer)

        form = client.get(f"/admin/batches/{batch.number}/issue")
        answer = client.post(f"/admin/batches/{batch.number}/issue", data={"key": "another"})

        assert (form.status_code, answer.status_code) == (409, 409)
        assert "does not wait for issuance" in form.text
        assert "is issued: this step is not open now." in answer.text
        assert "Issue these credits" not in answer.text
        assert len(session.scalars(select(Issuance)).all()) == 1

    def test_is_not_open_before_the_verification(self, client, stage):
        batch = stage.in_review()
        client.sign_in(stage.issuer)

        assert client.get(f"/admin/batches/{batch.number}/issue").status_code == 409
        assert client.post(f"/admin/batches/{batch.number}/issue", data={"key": "k"}).status_code == 409
        assert "/issue" not in client.get(f"/admin/batches/{batch.number}").text

    def test_names_what_stands_in_the_way_before(self, client, stage, session):
        batch = stage.verified()
        organisations.suspend(session, stage.coop, reason="Papers.", by=stage.issuer, at=stage.at)
        client.sign_in(stage.issuer)

        review = client.get(f"/admin/batches/{batch.number}").text
        form = client.get(f"/admin/batches/{batch.number}/issue").text
        answer = client.post(f"/admin/batches/{batch.number}/issue", data={"key": "k"})

        for page in (review, form, answer.text):
            assert "The producer is not approved by the registry." in page
        assert "Issue these credits" not in form
        assert answer.status_code == 409
        assert batch.state is BatchState.VERIFIED

    def test_says_when_nothing_is_left(self, client, stage):
        batch = stage.emptied(stage.verified)
        client.sign_in(stage.issuer)

        form = client.get(f"/admin/batches/{batch.number}/issue").text
        answer = client.post(f"/admin/batches/{batch.number}/issue", data={"key": "k"})

        assert "After the deductions nothing is left to issue." in form
        assert "Issue these credits" not in form
        assert answer.status_code == 409
        assert "less than one base unit is left to issue" in answer.text

    def test_is_for_issuers(self, client, stage, colleague):
        batch = stage.verified()
        for person in (stage.lead, stage.manager, colleague(stage.issuer.organisation, RoleName.AUDITOR)):
            client.sign_in(person)

            assert client.get(f"/admin/batches/{batch.number}/issue").status_code == 403
            assert client.post(f"/admin/batches/{batch.number}/issue", data={"key": "k"}).status_code == 403
        assert batch.state is BatchState.VERIFIED

    def test_is_missing_where_there_is_no_batch(self, client, stage):
        assert client.sign_in(stage.issuer).get("/admin/batches/BATCH-999999/issue").status_code == 404

    def test_needs_a_key(self, client, stage):
        batch = stage.verified()

        assert client.sign_in(stage.issuer).post(f"/admin/batches/{batch.number}/issue", data={}).status_code == 422
        assert batch.state is BatchState.VERIFIED


class TestIssuances:
    def test_lists_and_finds_them(self, client, stage, words):
        cobalt = stage.issued()
        gold = stage.issued(
            stage.site(name="Mutoshi"), mineral_code="AU", form="grain", gross_kg="1", moisture="0", grade="900"
        )
        client.sign_in(stage.issuer)

        def found(query: str) -> tuple[bool, bool]:
            page = client.get(f"/admin/issuances?{query}").text
            return f"/issuances/{cobalt.number}" in page, f"/issuances/{gold.number}" in page

        assert found("") == (True, True)
        assert found("q=kamil") == (True, False)
        assert found(f"q={gold.number}") == (False, True)
        assert found("mineral=CO") == (True, False)
        assert found("mineral=XX") == (True, True)
        assert "No issuance matches." in client.get("/admin/issuances?q=nowhere").text

    def test_says_what_comes_before_the_first(self, client, stage, words):
        stage.verified()

        page = words(client.sign_in(stage.issuer).get("/admin/issuances").text)

        assert "Nothing has been issued yet." in page
        assert "1 verified batch waits for issuance" in page

    @pytest.mark.parametrize("kind", [Kind.VERIFIER, Kind.COOPERATIVE, Kind.MANUFACTURER])
    def test_is_for_the_registry(self, client, kind):
        client.sign_in(UserFactory(kind=kind))

        assert client.get("/admin/issuances").status_code == 403
        assert client.get("/admin/issuances/ASMC-CO-COD-KAM001-2026-0001").status_code == 403
        assert client.get("/admin/transfers").status_code == 403


class TestIssuance:
    def test_shows_where_every_serial_is(self, client, stage, words):
        made = stage.issued()
        stage.handed_over(made, 1000)
        retirement = stage.retired(made, 750)
        stage.offered(made, 500)

        page = words(client.sign_in(stage.issuer).get(f"/admin/issuances/{made.number}").text)

        assert f"Retired {retirement.number}" in page
        assert f"0.25 credits Available {stage.buyer.organisation.name}" in page
        assert f"0.5 credits Pending {stage.coop.name}" in page
        assert f"1 credit Available {stage.coop.name}" in page
        assert "Transfer accepted" in page

    def test_is_missing_where_there_is_none(self, client, stage):
        client.sign_in(stage.issuer)

        assert client.get("/admin/issuances/ASMC-CO-COD-KAM001-2026-0001").status_code == 404
        assert client.get("/admin/issuances/%00").status_code == 404


class TestRetirements:
    def test_lists_and_finds_them_for_an_auditor(self, client, stage, colleague):
        client.sign_in(colleague(stage.issuer.organisation, RoleName.AUDITOR))
        assert "No credits have been retired yet." in client.get("/admin/retirements").text
        made = stage.issued()
        stage.handed_over(made, 1_500)
        retired = stage.retired(made, 500)

        for query in ("", "?q=" + retired.number, "?q=" + retired.beneficiary[:6], "?q=" + made.number):
            assert retired.number in client.get(f"/admin/retirements{query}").text
        assert retired.number not in client.get("/admin/retirements?q=nobody").text
        assert client.get("/admin/retirements?page=x").status_code == 200

    def test_is_for_the_registry(self, client, stage):
        assert client.sign_in(stage.buyer).get("/admin/retirements").status_code == 403


class TestTransfers:
    def test_lists_and_finds_them(self, client, stage):
        made = stage.issued()
        done, open_ = stage.handed_over(made, 1000), stage.offered(made, 500, to=stage.second)
        client.sign_in(stage.issuer)

        def found(query: str) -> tuple[bool, bool]:
            page = client.get(f"/admin/transfers?{query}").text
            return done.number in page, open_.number in page

        assert found("") == (True, True)
        assert found("state=pending") == (False, True)
        assert found("state=no") == (True, True)
        assert found(f"q={done.number}") == (True, False)
        assert found(f"q={stage.second.organisation.name}") == (False, True)
        assert found(f"q={made.number}") == (True, True)
        assert found("q=nowhere") == (False, False)

    def test_changes_nothing(self, client, stage):
        stage.offered(stage.issued(), 500)
        client.sign_in(stage.issuer)

        page = client.get("/admin/transfers").text

        assert 'method="post"' not in page[page.index("<main") :]
        assert client.post("/admin/transfers").status_code == 405

    def test_shows_markup_as_text(self, client, stage):
        stage.buyer.organisation.name = "<img src=x onerror=alert(1)>"
        stage.offered(stage.issued(), 500)

        page = client.sign_in(stage.issuer).get("/admin/transfers").text

        assert "&lt;img src=x" in page
        assert "<img src=x" not in page

    def test_says_when_there_are_none(self, client, stage):
        assert "No credits have been transferred yet." in client.sign_in(stage.issuer).get("/admin/transfers").text

"""The verifier's checklist, findings and the standing of a site, as people meet them."""

import pytest

from credits.admin import assessments, findings, sites
from credits.participants.models import RoleName
from credits.registry.assurance import assessed
from credits.registry.mines import site_states
from credits.registry.production import AssuranceState
from credits.registry.reviews import verification
from tests.admin.conftest import NOW

GAP = {
    "answer-4.4": "progressing",
    "evidence-4.4": "Receipts of two months.",
    "finding-4.4": "Royalties of June are not paid.",
    "severity-4.4": "major",
    "plan-4.4": "The depot pays what is owed.",
    "due-4.4": "2026-11-30",
}


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    for door in (assessments, findings, sites):
        monkeypatch.setattr(door, "now", lambda: NOW)


@pytest.fixture
def batch(stage):
    made = stage.submitted()
    verification.take(stage.session, batch=made, by=stage.lead, at=stage.at)
    return made


@pytest.fixture
def begun(client, stage, batch):
    """The address of an assessment that was begun."""
    address = f"/admin/batches/{batch.number}/assessment"
    assert client.sign_in(stage.lead).post(address).status_code == 303
    return address


def met(stage, number):
    module = stage.policy.standards.default.module(number)
    best = module.answers.words[0].value
    return {
        f"{name}-{each.code}": value
        for each in module.requirements
        for name, value in (("answer", best), ("evidence", "Seen."))
    }


def send(client, address, number, data):
    """What the page of now would send."""
    page = client.get(address).text
    part = page[page.index(f"/assessment/modules/{number}") :]
    seen = part[part.index('name="seen" value="') + 19 :].partition('"')[0]
    return client.post(f"{address}/modules/{number}", data=data | {"seen": seen})


class TestAssess:
    def test_leads_a_verifier_from_the_first_answer_to_the_level(self, client, stage, begun, batch, words):
        assert "The site has no completed assessment" in words(client.get(f"/admin/batches/{batch.number}/verify").text)
        page = words(client.get(begun).text)
        assert "Own short summaries of the Code's subjects, not its text." in page
        assert "4.4 Taxes, fees and royalties: no answer yet." in page
        for number in (1, 2, 3, 5):
            assert send(client, begun, number, met(stage, number)).status_code == 303
        assert send(client, begun, 4, met(stage, 4) | GAP).status_code == 303
        assert "Step 3: Annex II risks under mitigation" in words(client.get(begun).text)
        done = client.post(f"{begun}/complete", data={"key": "c", "next_due": "2027-07-01"})

        assert done.status_code == 303
        shown = words(client.get(f"/admin/batches/{batch.number}/verify").text)
        assert "Level reached Step 3: Annex II risks under mitigation" in shown
        public = words(client.get("/sites/COD-KAM001").text)
        assert "The depot pays what is owed. 30 Nov 2026" in public
        assert "Royalties of June" not in public
        own = words(client.sign_in(stage.manager).get("/my/findings").text)
        assert "Put right by 30 Nov 2026 What was found Royalties of June are not paid." in own

    def test_loses_nothing_that_cannot_be_saved(self, client, stage, begun):
        sent = {"answer-1.1": "conform", "evidence-1.1": "Forty-two members listed.", "due-1.2": "next week"}
        answer = send(client, begun, 1, sent)

        assert answer.status_code == 422
        assert "Forty-two members listed." in answer.text
        assert "write days as 2026-03-31" in answer.text

    def test_never_overwrites_what_a_colleague_has_saved(self, client, stage, begun):
        assert send(client, begun, 1, {"answer-1.1": "conform"}).status_code == 303
        answer = client.post(
            f"{begun}/modules/1", data={"answer-1.1": "not_yet", "finding-1.1": "My word.", "seen": ""}
        )

        assert answer.status_code == 409
        assert "My word." in answer.text

    def test_asks_before_it_stops_a_site_and_then_does(self, client, stage, begun, batch, words):
        found = {"answer-3.1": "found", "finding-3.1": "Two boys of twelve.", "from-3.1": "2026-04-01"}
        found |= {"to-3.1": "2026-07-11"}
        asked = send(client, begun, 3, found)
        assert (asked.status_code, "The site is suspended." in asked.text) == (200, True)
        today = NOW.date()
        assert site_states.standing(stage.session, batch.site, today, stage.policy).state is AssuranceState.ACTIVE

        assert send(client, begun, 3, found | {"confirmed": "yes"}).status_code == 303
        stage.session.rollback()
        assert site_states.standing(stage.session, batch.site, today, stage.policy).state is AssuranceState.SUSPENDED
        notices = words(client.sign_in(stage.manager).get("/notices").text)
        assert "something to put right" in notices
        assert "is suspended" in notices
        assert "is stopped: zero tolerance" in words(client.sign_in(stage.issuer).get("/notices").text)

    def test_is_not_written_by_others(self, client, stage, begun, batch, other_lead):
        assert client.sign_in(other_lead).get(begun).status_code == 404
        assert client.sign_in(stage.issuer).get(begun).status_code == 200
        assert client.post(f"{begun}/modules/1", data={"answer-1.1": "conform"}).status_code == 403

    def test_is_completed_by_a_lead_with_everything_answered(self, client, stage, begun, colleague, words):
        early = client.post(f"{begun}/complete", data={"key": "c", "next_due": "2027-07-01"})
        assert (early.status_code, "1.1 Description of the operation: no answer yet." in words(early.text)) == (
            409,
            True,
        )
        client.sign_in(colleague(stage.lead.organisation, RoleName.REVIEWER))
        assert client.post(f"{begun}/complete", data={"key": "d", "next_due": "2027-07-01"}).status_code == 403


class TestFindings:
    def test_are_opened_listed_and_closed(self, client, stage, batch, words):
        sent = {"key": "f", "severity": "major", "text": "No helmets.", "plan": "Helmets.", "due_on": "2026-09-01"}
        opened = client.sign_in(stage.lead).post("/admin/sites/COD-KAM001/findings/new", data=sent)
        assert opened.location == "/admin/findings/FINDING-000001"
        assert "FINDING-000001" in client.get("/admin/findings").text
        assert "No finding is like that." in client.get("/admin/findings?show=overdue").text
        refused = client.post(f"{opened.location}/close", data={"key": "c", "evidence": "", "reason": "Done."})
        assert (refused.status_code, "Done." in refused.text) == (422, True)
        closed = client.post(f"{opened.location}/close", data={"key": "c2", "evidence": "Counted.", "reason": "Done."})

        assert closed.status_code == 303
        assert "Counted." in client.get(opened.location).text
        assert "FINDING-000001" in client.get("/admin/findings?show=closed&q=kamil").text

    def test_of_zero_tolerance_are_checked_before(self, client, stage, batch, words):
        sent = {"key": "f", "severity": "found", "text": "Armed men.", "due_on": "2026-07-11"}
        sent |= {"first_day": "2026-04-01", "last_day": "2026-07-11"}
        checked = client.sign_in(stage.lead).post("/admin/sites/COD-KAM001/findings/new", data=sent)
        assert (checked.status_code, "Stop Kamilombe?" in words(checked.text)) == (200, True)
        assert assessed.plan_of(stage.session, batch.site) == []
        done = client.post("/admin/sites/COD-KAM001/findings/new", data=sent | {"confirmed": "yes"})
        assert done.status_code == 303
        assert "Suspended" in words(client.get("/sites/COD-KAM001").text)

    def test_are_nobody_else_s(self, client, stage, batch, other_lead):
        client.sign_in(other_lead)
        assert client.get("/admin/sites/COD-KAM001").status_code == 404
        assert client.get("/admin/sites/COD-KAM001/findings/new").status_code == 404
        assert client.sign_in(stage.manager).get("/admin/findings").status_code == 403
        assert client.sign_in(stage.buyer).get("/my/findings").status_code == 200


class TestSite:
    def test_is_put_on_probation_by_an_issuer_and_says_so_to_all(self, client, stage, batch, words):
        address = "/admin/sites/COD-KAM001/state"
        assert client.sign_in(stage.lead).get(address).status_code == 403
        done = client.sign_in(stage.issuer).post(address, data={"key": "s", "state": "probation", "reason": "Taxes."})
        assert done.status_code == 303

        assert "until 11 October 2026; then suspended" in words(client.get("/admin/sites/COD-KAM001").text)
        public = words(client.get("/sites/COD-KAM001").text)
        assert "Probation" in public
        assert "Taxes." not in public
        told = client.get("/api/v1/sites/COD-KAM001/assurance?on=2026-10-12").json
        assert (told["state"], told["since"], told["until"]) == ("suspended", "2026-10-12", "2027-04-12")
        assert client.get("/api/v1/sites/COD-KAM001/assurance?on=2026-07-10").json["state"] == "active"

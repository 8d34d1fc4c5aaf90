from datetime import date

import pytest
from sqlalchemy import select

from credits.participants.models import RoleName
from credits.registry.doubts import plausibility_limits
from credits.registry.doubts.plausibility_limits import LimitFacts
from credits.registry.doubts.screened import Basis, LimitKind, Per, ReviewQuestion
from credits.registry.making.revisions import revision_of
from credits.registry.mines.observed import ObservedSite, SiteObservation
from credits.registry.production import BatchState
from tests.factories import UserFactory
from tests.registry.doubts.deciding import approve, propose, verify


@pytest.fixture
def flagged(stage, session):
    """A batch in review at a site where others saw mercury, long ago."""
    visit = SiteObservation(
        visit=1, visited_on=date(2015, 5, 1), recorded={"mercury": "1", "presence": "0", "workers_numb": "1200"}
    )
    place = {"latitude": -10_716_400, "longitude": 25_466_700}
    words = {"source": "IPIS", "country": "COD", "province": "", "territory": "", "village": ""}
    session.add(ObservedSite(pcode="c1", name="Kamilombe", observations=[visit], **place, **words))
    site = stage.site()
    site.pcode = "c1"
    session.flush()
    return stage.in_review(site)


@pytest.fixture
def above(stage):
    """A batch in review that claims 2,500 kg where 2,000 kg a year can be handled."""
    site = stage.site()
    facts = LimitFacts(
        kind=LimitKind.INSTALLED_CAPACITY,
        mineral_code="CO",
        kilograms="2000",
        basis=Basis.CONTAINED,
        per=Per.YEAR,
        counts_from=date(2026, 1, 1),
        source="Inspection of the plant",
        source_date=date(2026, 2, 3),
    )
    plausibility_limits.enter(stage.session, site=site, facts=facts, by=stage.lead, key="limit", at=stage.at)
    return stage.in_review(site)


def page_of(client, person, batch, words):
    return words(client.sign_in(person).get(f"/admin/batches/{batch.number}").text)


class TestScreening:
    def test_shows_what_others_saw_with_days_and_source(self, client, stage, flagged, words):
        page = page_of(client, stage.lead, flagged, words)

        assert "Old data: the last visit was on 1 May 2015" in page
        assert "Mercury Yes 1 May 2015 Old" in page
        assert "Armed presence No 1 May 2015 Old" in page
        assert "Forced labour Not recorded" in page
        assert "Workers 1,200 1 May 2015" in page
        assert "Source: IPIS" in page

    def test_says_where_there_are_no_data_of_the_country(self, client, stage, words):
        page = page_of(client, stage.lead, stage.in_review(), words)

        assert "No open data about mine sites of this country are known to the registry" in page
        assert "The data raise no question about this batch." in page


class TestAnswerQuestion:
    def test_keeps_the_answer_and_opens_the_way_to_verify(self, client, stage, flagged, words, session):
        client.sign_in(stage.lead)
        assert "Mercury was used there." in words(client.get(f"/admin/batches/{flagged.number}").text)

        sent = {"key": "answer-1", "text": "No mercury: retorts seen, 2 June."}
        answered = client.post(f"/admin/batches/{flagged.number}/questions/mercury", data=sent)

        assert (answered.status_code, answered.location) == (303, f"/admin/batches/{flagged.number}#checklist")
        page = words(client.get(f"/admin/batches/{flagged.number}").text)
        assert "No mercury: retorts seen, 2 June." in page
        assert f"{stage.lead.name}, {stage.lead.organisation.name} · 11 Jul 2026" in page
        assert session.scalars(select(ReviewQuestion)).one().answered_by_id == stage.lead.id

    def test_shows_an_empty_answer_again_with_the_question(self, client, stage, flagged, words):
        address = f"/admin/batches/{flagged.number}/questions/mercury"
        shown = client.sign_in(stage.lead).post(address, data={"key": "answer-1", "text": " "})

        assert shown.status_code == 422
        assert "Mercury was used there." in words(shown.text)

    def test_is_for_the_reviewing_organisation(self, client, stage, flagged, other_lead, colleague):
        address = f"/admin/batches/{flagged.number}/questions/mercury"

        assert client.sign_in(other_lead).get(address).status_code == 404
        assert client.sign_in(stage.issuer).get(address).status_code == 403
        assert client.sign_in(colleague(stage.lead.organisation, RoleName.REVIEWER)).get(address).status_code == 200

    def test_knows_no_other_question(self, client, stage, flagged):
        address = f"/admin/batches/{flagged.number}/questions/armed_presence"

        assert client.sign_in(stage.lead).get(address).status_code == 404
        assert client.post(address, data={"key": "k", "text": "x"}).status_code == 404


class TestVerify:
    @pytest.fixture
    def sent(self):
        return {
            "key": "verify-1", "how": "visited",
            "visited_from": "2026-06-01", "visited_to": "2026-06-03", "remote_reason": "",
            "valid_from": "2026-01-01", "valid_to": "2026-12-31", "opinion": "Sound.",
        }  # fmt: skip

    def test_is_refused_while_a_question_is_open(self, client, stage, flagged, sent, words, session):
        refused = client.sign_in(stage.lead).post(
            f"/admin/batches/{flagged.number}/verify", data=sent | {"seen": revision_of(flagged)}
        )

        assert refused.status_code == 409
        assert "Before the decision, answer what the data ask: Mercury was used there." in words(refused.text)
        session.refresh(flagged)
        assert flagged.state is BatchState.IN_REVIEW

    def test_is_refused_above_the_ceiling_with_the_bound_named(self, client, stage, above, sent, words):
        refused = client.sign_in(stage.lead).post(
            f"/admin/batches/{above.number}/verify", data=sent | {"seen": revision_of(above)}
        )

        assert refused.status_code == 409
        assert "2,500 kg are claimed, but at most 2,000 kg are plausible (installed capacity" in words(refused.text)


class TestPlausibility:
    def test_names_each_bound_with_its_source(self, client, stage, above, words):
        page = page_of(client, stage.lead, above, words)

        assert "Above the ceiling" in page
        assert "Installed capacity 2 credits 2,000 kg Bound The ceiling Claimed more" in page
        assert "2,000 kg of Co a year × 1" in page
        assert "Source: Inspection of the plant" in page
        assert "Cap of the licence Unknown Bound" in page
        assert "Two administrators of the registry can let it through" in page

    def test_draws_a_chart_that_can_be_read_aloud_and_has_no_style_of_its_own(self, client, stage, above):
        page = client.sign_in(stage.lead).get(f"/admin/batches/{above.number}").text

        assert 'role="img" aria-label="Claimed: 2,500 kg"' in page
        assert 'aria-label="Installed capacity: 2,000 kg"' in page
        assert "style=" not in page

    def test_lets_two_administrators_decide_with_a_public_reason(self, client, stage, above, words):
        offered = client.sign_in(stage.issuer).get(f"/admin/batches/{above.number}").text
        assert f"/admin/decisions/new?kind=ceiling&amp;subject={above.number}" in offered
        sent = {"key": "p", "kind": "ceiling", "subject": above.number, "reason": "The new washing plant was seen."}
        proposed = client.post("/admin/decisions/new", data=sent)
        assert proposed.status_code == 303
        assert client.post(proposed.location, data={"key": "own", "step": "approve"}).status_code == 403

        client.sign_in(stage.colleague)
        assert "Claimed 2.5 credits 2,500 kg Plausible at most 2 credits 2,000 kg" in words(
            client.get(proposed.location).text
        )
        assert client.post(proposed.location, data={"key": "other", "step": "approve"}).status_code == 303

        page = page_of(client, stage.lead, above, words)
        assert "Let through above its ceiling" in page
        assert "The new washing plant was seen." in page
        assert "cannot be verified or issued" not in page

    def test_shows_the_reason_to_the_public_with_the_issuance(self, client, stage, above, words, session):
        approve(stage, propose(stage, above, reason="The new washing plant was seen."))
        verify(stage, above)
        made = stage.issue(above)

        page = words(client.get(f"/issuances/{made.number}").text)
        assert "2,500 kg claimed, 2,000 kg plausible." in page
        assert "The new washing plant was seen." in page

    def test_is_not_proposed_by_an_auditor(self, client, stage, above, words):
        auditor = UserFactory(organisation=stage.issuer.organisation, may=[RoleName.AUDITOR])

        assert "Propose to let it through" not in page_of(client, auditor, above, words)

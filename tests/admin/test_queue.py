import pytest
from sqlalchemy import update

from credits.participants.models import Kind, Kyc, RoleName
from credits.registry.production import Batch, BatchState
from credits.registry.reviews import verification
from tests.factories import OrganisationFactory, UserFactory

TABS = ["Queue", "Findings", "Grievances", "Groups", "Assignments", "Issuances", "Decisions", "Holds"]
TABS += ["Premium", "Orders", "Floors", "Organisations", "Transfers", "Retirements"]


class TestHome:
    @pytest.mark.parametrize("kind", [Kind.COOPERATIVE, Kind.MANUFACTURER, Kind.RESELLER, Kind.GROUP_MANAGER])
    def test_is_closed_to_who_neither_verifies_nor_issues(self, client, kind):
        answer = client.sign_in(UserFactory(kind=kind)).get("/admin/")

        assert answer.status_code == 403
        assert "This part is for verifiers and the registry." in answer.text

    def test_shows_a_verifier_the_submitted_and_how_long_they_wait(self, client, stage, words):
        batch = stage.submitted()

        page = client.sign_in(stage.lead).get("/admin/")

        assert page.status_code == 200
        assert batch.number in page.text
        assert "10 days" in words(page.text)

    def test_shows_no_draft(self, client, stage):
        batch = stage.complete()

        assert batch.number not in client.sign_in(stage.lead).get("/admin/").text

    def test_puts_ones_own_reviews_first(self, client, stage, session, colleague):
        reviewer = colleague(stage.lead.organisation, RoleName.REVIEWER)
        theirs, mine = stage.submitted(), stage.submitted()
        verification.take(session, batch=theirs, by=stage.lead, at=stage.at)
        verification.take(session, batch=mine, by=reviewer, at=stage.at)

        page = client.sign_in(reviewer).get("/admin/").text

        assert page.index(mine.number) < page.index(theirs.number)

    def test_leaves_what_another_verifier_reviews_out(self, client, stage, other_lead):
        batch = stage.in_review()

        assert batch.number not in client.sign_in(other_lead).get("/admin/").text

    def test_shows_an_issuer_what_is_verified_and_who_waits_for_approval(self, client, stage, words):
        batch, unready = stage.verified(), stage.submitted()
        UserFactory(organisation=OrganisationFactory(kyc=Kyc.PENDING))

        page = client.sign_in(stage.issuer).get("/admin/").text

        assert batch.number in page
        assert unready.number not in page
        assert "1 organisation waits for your decision" in words(page)
        assert "/admin/organisations?kyc=pending" in page

    def test_says_what_comes_next_where_nothing_waits(self, client, stage, words):
        assert "No verified batch waits." in words(client.sign_in(stage.issuer).get("/admin/").text)
        assert "No batch waits for a verifier." in words(client.sign_in(stage.lead).get("/admin/").text)

    @pytest.mark.parametrize(
        "role, open_to",
        [
            (
                RoleName.ISSUER,
                TABS,
            ),
            (
                RoleName.AUDITOR,
                TABS,
            ),
        ],
    )
    def test_leads_to_the_areas_that_are_open(self, client, role, open_to, words):
        page = client.sign_in(UserFactory(kind=Kind.REGISTRY, may=[role])).get("/admin/").text

        tabs = page[page.index('class="tabs"') :]
        assert words(tabs[: tabs.index("</nav>")].partition(">")[2]).split() == open_to


class TestFound:
    def test_finds_by_number_site_or_producer(self, client, stage):
        wanted, other = stage.submitted(), stage.submitted(stage.site(name="Mutoshi"))
        client.sign_in(stage.lead)

        by_number = client.get(f"/admin/?q={wanted.number.lower()}").text
        by_site = client.get("/admin/?q=kamilo").text
        by_code = client.get("/admin/?q=COD-MUT").text
        by_producer = client.get(f"/admin/?q={stage.coop.name}").text

        assert (wanted.number in by_number, other.number in by_number) == (True, False)
        assert (wanted.number in by_site, other.number in by_site) == (True, False)
        assert (wanted.number in by_code, other.number in by_code) == (False, True)
        assert (wanted.number in by_producer, other.number in by_producer) == (True, True)

    def test_keeps_to_a_state_and_a_reviewer(self, client, stage, other_lead):
        new, reviewed = stage.submitted(), stage.in_review()

        page = client.sign_in(stage.lead).get("/admin/?state=in_review&whose=mine").text
        others = client.sign_in(other_lead).get("/admin/?state=in_review&whose=ours").text

        assert (new.number in page, reviewed.number in page) == (False, True)
        assert reviewed.number not in others

    def test_turns_pages(self, client, stage, session):
        site = stage.site()
        first = stage.submitted(site)
        columns = {c.name: getattr(first, c.name) for c in Batch.__table__.columns if c.name != "id"}
        session.add_all(Batch(**columns | {"state": BatchState.DRAFT}) for _ in range(26))
        session.flush()
        session.execute(update(Batch).where(Batch.state == BatchState.DRAFT).values(state=BatchState.SUBMITTED))
        client.sign_in(stage.issuer)

        one, two = client.get("/admin/?state=submitted").text, client.get("/admin/?state=submitted&page=2").text
        past = client.get("/admin/?state=submitted&page=99").text

        assert (one.count("/admin/batches/"), two.count("/admin/batches/")) == (25, 2)
        assert "Page 1 of 2" in one
        assert "Page 2 of 2" in past

    @pytest.mark.parametrize(
        "asked",
        [
            "q=<script>alert(1)</script>",
            "q=%25",
            "q=%00",
            "q=" + "x" * 5000,
            "q=BATCH-999999999999999999",
            "state=draft",
            "state=no",
            "whose=no&state=",
            "q=&page=-1",
            "q=&page=1e400",
            "q=&page=١٢",
            "q=&page=99999999999999999999",
        ],
    )
    def test_answers_odd_questions_calmly(self, client, stage, asked):
        page = client.sign_in(stage.lead).get(f"/admin/?{asked}")

        assert page.status_code in (200, 404)
        assert "<script>alert" not in page.text

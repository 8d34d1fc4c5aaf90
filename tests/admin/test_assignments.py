import pytest

from credits.participants.models import Kind, Kyc, RoleName
from credits.registry.production import BatchState
from credits.registry.reviews.assigning import standing
from tests.factories import UserFactory
from tests.registry.assurance.test_groups import ALL_WELL, Group


class TestTheJob:
    def test_shows_the_parties_and_no_papers_before_the_declaration(self, client, stage, words):
        batch = stage.submitted()
        page = words(client.sign_in(stage.lead).get(f"/admin/batches/{batch.number}").text)

        assert f"Neither I nor {stage.lead.organisation.name}" in page
        assert stage.coop.name in page
        assert "10,000 kg" not in page

    def test_leaves_whoever_declares_a_tie(self, client, stage, words):
        batch = stage.submitted()
        friend = UserFactory(kind=Kind.VERIFIER)
        page = f"/admin/batches/{batch.number}/decline"
        assert client.sign_in(stage.lead).get(page).status_code == 200
        assert client.post(page, data={"key": "j", "ties": " "}).status_code == 422

        answer = client.post(page, data={"key": "k", "ties": "My sister keeps their books."})

        assert answer.status_code == 303
        assert client.get(f"/admin/batches/{batch.number}").status_code == 404
        assert client.sign_in(friend).get(f"/admin/batches/{batch.number}").status_code == 200
        assert "was drawn to verify" in words(client.get("/notices").text)
        assert "sister" not in client.get("/draws/DRAW-000002").text


class TestDeclareIndependence:
    def test_comes_before_a_colleague_decides(self, client, stage, colleague):
        batch = stage.in_review()
        other = colleague(stage.lead.organisation, RoleName.LEAD)
        answer = client.sign_in(other).get(f"/admin/batches/{batch.number}/verify")
        assert answer.location == f"/admin/batches/{batch.number}/declare"
        assert "Neither I nor" in client.get(answer.location).text

        assert client.post(answer.location).location == f"/admin/batches/{batch.number}/verify"
        assert client.get(f"/admin/batches/{batch.number}/verify").status_code == 200


class TestAssignments:
    def test_show_what_nobody_can_take_until_it_is_drawn_anew(self, client, stage, session, words):
        stage.lead.organisation.kyc, stage.lead.organisation.kyc_reason = Kyc.SUSPENDED, "Why."
        batch = stage.submitted()
        client.sign_in(stage.issuer)
        assert "Nobody is eligible" in words(client.get("/admin/assignments").text)
        friend = UserFactory(kind=Kind.VERIFIER)

        page = f"/admin/batches/{batch.number}/draw"
        assert friend.organisation.name in client.get(page).text
        assert client.post(page, data={"key": "k", "reason": "Another one is approved."}).status_code == 303
        assert standing(session, batch).organisation_id == friend.organisation_id
        assert "Another one is approved." in client.get(page).text

    def test_say_where_ties_leave_hardly_anybody_to_draw_from(self, client, stage, words):
        other = UserFactory(kind=Kind.VERIFIER)
        stage.submitted()
        client.sign_in(stage.issuer)
        assert "Hardly anybody" not in words(client.get("/admin/assignments").text)

        batch = stage.submitted(stage.site(concession_owner=other.organisation.name))
        page = client.get("/admin/assignments").text
        assert "Hardly anybody" in words(page)
        assert page.count(f"/admin/batches/{batch.number}/draw") == 2

    def test_come_back_from_a_verifier_that_cannot_go_on(self, client, stage):
        batch = stage.in_review()
        stage.lead.active = False
        UserFactory(kind=Kind.VERIFIER)
        reason = {"key": "k", "reason": "The reviewer's account is closed."}

        assert client.sign_in(stage.issuer).post(f"/admin/batches/{batch.number}/draw", data=reason).status_code == 303
        assert batch.state is BatchState.SUBMITTED

    @pytest.mark.parametrize("address", ["/admin/assignments", "/admin/batches/BATCH-000001/draw"])
    def test_are_for_the_registry(self, client, stage, address):
        stage.submitted()

        assert client.sign_in(stage.lead).get(address).status_code == 403


class TestLikenesses:
    def test_are_answered_by_an_issuer(self, client, stage, words):
        batch = stage.verified()
        stage.lead.name = stage.manager.name
        page = f"/admin/batches/{batch.number}/likenesses"
        assert "Are they one person?" in words(client.sign_in(stage.issuer).get(page).text)
        about = "person " + " ".join(sorted((stage.lead.number, stage.manager.number)))

        assert client.post(page, data={"key": "k", "about": about, "text": "Two passports."}).status_code == 303
        assert "Nothing is open" in words(client.get(page).text)


class TestOrganisation:
    def test_shows_a_verifiers_jobs_and_cycles(self, client, stage, words):
        batch = stage.verified()
        page = words(client.sign_in(stage.issuer).get(f"/admin/organisations/{stage.lead.organisation.number}").text)

        assert f"{batch.number} Producer" in page or batch.number in page
        assert "Cycles in a row" in page
        assert "2026" in page


class TestGroups:
    def test_go_their_year_on_the_pages(self, client, stage, words):
        """The manager controls a member by the checklist, the registry draws, the verifier visits."""
        group = Group(stage)
        while group.others:
            group.others.pop().group_manager_id = None
        home = f"/groups/{group.group.number}"
        control = f"{home}/members/{stage.coop.number}/control?year=2026"
        client.sign_in(group.manager)
        assert "Missing" in words(client.get(f"{home}?year=2026").text)
        assert "under 18" in client.get(control).text
        answers = {code: given["answer"] for code, given in ALL_WELL.items()} | {"key": "k"}
        answers["controlled_on"] = "2026-06-01"
        assert client.post(control, data=answers | {"mercury": "no", "key": "j"}).status_code == 422
        assert client.post(control, data=answers).status_code == 303

        panel = f"/admin/groups/{group.group.number}"
        client.sign_in(stage.issuer)
        assert client.post(f"{panel}/audit?year=2026", data={"key": "d"}).status_code == 303
        assert client.post(f"{panel}/audit?year=2026", data={"key": "e"}).status_code == 409
        client.sign_in(stage.lead)
        assert "was drawn" in words(client.get(f"{panel}?year=2026").text)
        visit = f"{panel}/members/{stage.coop.number}/visit?year=2026"
        assert "Neither I nor" in client.get(visit).text
        found = {"key": "v", "visited_from": "2026-06-02", "visited_to": "2026-06-03", "conforms": "yes"}
        assert client.post(visit, data=found | {"report": "Looked at the shafts."}).status_code == 303
        assert "Looked at the shafts." in client.get(f"{panel}?year=2026").text

    def test_are_nobody_elses_affair(self, client, stage):
        group = Group(stage)
        for stranger in (stage.manager, stage.buyer):
            assert client.sign_in(stranger).get(f"/groups/{group.group.number}").status_code == 404
        assert client.sign_in(stage.lead).get(f"/admin/groups/{group.group.number}").status_code == 404

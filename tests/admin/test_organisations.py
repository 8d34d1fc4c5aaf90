import pytest
from sqlalchemy import text

from credits.notices import Kind as Notice
from credits.notices import outbox, tell
from credits.participants.countries import name_of
from credits.participants.models import Kind, Kyc, RoleName
from tests.factories import AT, OrganisationFactory, UserFactory


@pytest.fixture
def issuer(client):
    person = UserFactory(kind=Kind.REGISTRY)
    client.sign_in(person)
    return person


@pytest.fixture
def waiting(issuer):
    return OrganisationFactory(name="Kamilombe", kyc=Kyc.PENDING)


class TestOrganisations:
    def test_lists_who_waits(self, client, waiting):
        OrganisationFactory(name="Mutoshi")

        page = client.get("/admin/organisations?kyc=pending")

        assert page.status_code == 200
        assert "Kamilombe" in page.text
        assert "Mutoshi" not in page.text

    @pytest.mark.parametrize(
        "query", ["q=Kamil", "q=%25", "kyc=nonsense", "page=0", "page=-1", "page=x", "page=" + "9" * 30]
    )
    def test_bears_any_question(self, client, waiting, query):
        assert client.get(f"/admin/organisations?{query}").status_code == 200

    def test_names_whom_no_mail_reaches_until_one_does(self, client, session, waiting):
        head = UserFactory(organisation=waiting, email="lost@example.org")
        facts = {"name": "Kamilombe", "organisation": waiting.number, "reason": "Unpaid."}
        for _ in range(2):
            tell(session, to=head, kind=Notice.ORGANISATION_SUSPENDED, facts=facts, at=AT)
        session.commit()
        assert "lost@example.org" not in client.get("/admin/organisations").text

        session.execute(text("UPDATE notice SET mail_tries = 40, mail_due_at = NULL WHERE id = 1"))
        session.commit()
        assert "lost@example.org" in client.get("/admin/organisations").text

        outbox.mark_sent(session, 2, at=AT)
        session.commit()
        assert "lost@example.org" not in client.get("/admin/organisations").text

    @pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.REGISTRY])
    def test_is_closed_to_everybody_else(self, client, kind):
        assert client.sign_in(UserFactory(kind=kind)).get("/admin/organisations").status_code == 403

    def test_lets_an_auditor_read_and_nothing_else(self, client, waiting):
        client.sign_in(UserFactory(kind=Kind.REGISTRY, may=[RoleName.AUDITOR]))

        assert "Kamilombe" in client.get("/admin/organisations").text
        page = client.get(f"/admin/organisations/{waiting.number}")
        assert page.status_code == 200
        assert f"{waiting.number}/approve" not in page.text
        assert f"{waiting.number}/refuse" not in page.text
        assert client.post(f"/admin/organisations/{waiting.number}/approve").status_code == 403

    def test_is_closed_to_an_issuer_whose_account_is(self, client, issuer):
        issuer.active = False

        assert client.get("/admin/organisations").location.startswith("/login")


class TestOrganisation:
    def test_shows_what_it_says_of_itself_and_its_people(self, client, waiting):
        head = UserFactory(organisation=waiting)

        page = client.get(f"/admin/organisations/{waiting.number}")

        assert page.status_code == 200
        for shown in (waiting.registration_number, name_of("COD"), head.name, head.email):
            assert shown in page.text

    def test_points_at_lookalikes(self, client, waiting):
        other = OrganisationFactory(registration_number=waiting.registration_number)

        assert other.number in client.get(f"/admin/organisations/{waiting.number}").text

    def test_offers_nothing_on_ones_own(self, client, issuer):
        page = client.get(f"/admin/organisations/{issuer.organisation.number}")

        assert "/suspend" not in page.text

    @pytest.mark.parametrize("number", ["ORG-999999", "nonsense", "ORG-" + "9" * 40])
    def test_is_missing_where_there_is_none(self, client, issuer, number):
        assert client.get(f"/admin/organisations/{number}").status_code == 404


class TestDecisions:
    def test_approve(self, client, waiting, issuer):
        answer = client.post(f"/admin/organisations/{waiting.number}/approve")

        assert (answer.status_code, answer.location) == (303, f"/admin/organisations/{waiting.number}")
        assert (waiting.kyc, waiting.kyc_decided_by) == (Kyc.APPROVED, issuer.id)
        assert "may take part now" in client.get(answer.location).text

    def test_twice_is_told_and_changes_nothing(self, client, waiting):
        client.post(f"/admin/organisations/{waiting.number}/approve")
        first = waiting.kyc_decided_at

        again = client.post(f"/admin/organisations/{waiting.number}/approve")

        assert (again.status_code, again.location) == (303, f"/admin/organisations/{waiting.number}")
        assert "is approved already" in client.get(again.location).text
        assert waiting.kyc_decided_at == first

    def test_refuse_with_a_reason(self, client, waiting):
        client.post(f"/admin/organisations/{waiting.number}/refuse", data={"reason": "<i>False</i> number"})

        assert waiting.kyc_reason == "<i>False</i> number"
        assert "&lt;i&gt;False&lt;/i&gt; number" in client.get(f"/admin/organisations/{waiting.number}").text

    @pytest.mark.parametrize("reason", ["", "  ", "x" * 2_001])
    def test_refuse_needs_one(self, client, waiting, reason):
        answer = client.post(f"/admin/organisations/{waiting.number}/refuse", data={"reason": reason})

        assert answer.status_code == 422
        assert waiting.kyc is Kyc.PENDING

    def test_suspend(self, client, issuer):
        approved = OrganisationFactory()

        client.post(f"/admin/organisations/{approved.number}/suspend", data={"reason": "The licence has ended."})

        assert approved.kyc is Kyc.SUSPENDED

    def test_suspend_may_be_sent_twice(self, client, issuer):
        approved = OrganisationFactory(kind=Kind.COOPERATIVE)
        for _ in range(2):
            sent = {"reason": "The licence has ended."}
            assert client.post(f"/admin/organisations/{approved.number}/suspend", data=sent).status_code == 303
        other = client.post(f"/admin/organisations/{approved.number}/suspend", data={"reason": "Another."})
        assert other.status_code == 409

    def test_suspend_says_when_there_is_nothing_to_suspend(self, client, waiting):
        answer = client.post(f"/admin/organisations/{waiting.number}/suspend", data={"reason": "Why."})

        assert answer.status_code == 409
        assert "pending already" in answer.text

    def test_on_ones_own_organisation_are_refused(self, client, issuer):
        answer = client.post(f"/admin/organisations/{issuer.organisation.number}/suspend", data={"reason": "Why."})

        assert answer.status_code == 403
        assert issuer.organisation.approved

    @pytest.mark.parametrize("verb", ["approve", "refuse", "suspend", "group"])
    def test_are_not_an_auditors(self, client, verb):
        waiting = OrganisationFactory(kyc=Kyc.PENDING)
        auditor = UserFactory(kind=Kind.REGISTRY, may=[RoleName.AUDITOR])

        answer = client.sign_in(auditor).post(f"/admin/organisations/{waiting.number}/{verb}", data={"reason": "Why."})

        assert answer.status_code == 403
        assert waiting.kyc is Kyc.PENDING


class TestGroup:
    def test_is_joined(self, client, issuer):
        group, manager = OrganisationFactory(), OrganisationFactory(kind=Kind.GROUP_MANAGER, name="Umoja")
        assert "Umoja" in client.get(f"/admin/organisations/{group.number}").text

        client.post(f"/admin/organisations/{group.number}/group", data={"manager": manager.number})

        assert group.group_manager_id == manager.id

    @pytest.mark.parametrize("manager", ["", "ORG-999999", "own"])
    def test_needs_a_group_manager(self, client, issuer, manager):
        group, _umoja = OrganisationFactory(), OrganisationFactory(kind=Kind.GROUP_MANAGER, name="Umoja")
        manager = group.number if manager == "own" else manager

        answer = client.post(f"/admin/organisations/{group.number}/group", data={"manager": manager})

        assert answer.status_code == 422
        assert "Umoja" in answer.text
        assert "Please look at this again" in answer.text

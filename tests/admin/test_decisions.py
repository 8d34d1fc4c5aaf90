import pytest

from credits.participants.models import RoleName
from credits.registry import queries
from credits.registry.movements import DecisionKind, DecisionState
from tests.factories import UserFactory


@pytest.fixture
def waiting(stage):
    """The cancellation of 500 units, proposed by the issuer."""
    made = stage.issued()
    return stage.proposed(DecisionKind.CANCELLATION, made.number, holder=stage.coop.number, quantity=500)


class TestDecisions:
    def test_shows_the_second_person_what_waits(self, client, stage, waiting, words):
        client.sign_in(stage.colleague)
        shown = words(client.get("/admin/decisions").text)

        assert f"{waiting.number} Cancel credits {waiting.subject} {stage.issuer.name}" in shown
        assert "No decision matches." in client.get("/admin/decisions?state=approved").text

    def test_says_when_nothing_waits(self, client, stage):
        client.sign_in(stage.colleague)

        assert "Nothing waits for a second person." in client.get("/admin/decisions").text

    def test_is_for_the_registry(self, client, stage, waiting):
        client.sign_in(stage.lead)

        assert client.get("/admin/decisions").status_code == 403
        assert (
            client.post(f"/admin/decisions/{waiting.number}", data={"key": "k", "step": "approve"}).status_code == 403
        )

    def test_is_read_by_auditors_without_a_button(self, client, stage, waiting):
        client.sign_in(UserFactory(organisation=stage.issuer.organisation, may=[RoleName.AUDITOR]))
        page = client.get(f"/admin/decisions/{waiting.number}")

        assert (page.status_code, "Approve" in page.text) == (200, False)


class TestDecide:
    def test_shows_what_will_happen_and_carries_it_out(self, client, stage, session, waiting, words):
        client.sign_in(stage.colleague)
        shown = words(client.get(f"/admin/decisions/{waiting.number}").text)
        assert "cancelled for ever" in shown
        assert "Quantity in base units 500" in shown

        sent = {"key": "k", "step": "approve"}
        answers = [client.post(f"/admin/decisions/{waiting.number}", data=sent) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [303, 303]
        assert waiting.state is DecisionState.APPROVED
        assert f"Decided by {stage.colleague.name}" in words(client.get(answers[0].location).text)

    def test_shows_which_serials_an_export_would_take(self, client, stage, words):
        made = stage.issued()
        stage.handed_over(made, 1_000)
        asked = {"quantity": 400, "registry": "Other Registry", "reference": "OR-55"}
        holder = stage.buyer.organisation.number
        export = stage.proposed(DecisionKind.EXPORT, made.number, stage.buyer, holder=holder, **asked)
        client.sign_in(stage.colleague)
        shown = words(client.get(f"/admin/decisions/{export.number}").text)

        assert f"{made.number}-000000001-000000400" in shown.replace("- ", "-")

    def test_lets_only_another_person_approve(self, client, stage, waiting):
        client.sign_in(stage.issuer)
        page = client.get(f"/admin/decisions/{waiting.number}").text
        answer = client.post(f"/admin/decisions/{waiting.number}", data={"key": "k", "step": "approve"})

        assert "Take it back" in page
        assert ("Approve" in page, answer.status_code) == (False, 403)
        assert "another issuer decides on it" in answer.text

    @pytest.mark.parametrize(
        "who, step, state",
        [("colleague", "decline", DecisionState.DECLINED), ("issuer", "withdraw", DecisionState.WITHDRAWN)],
    )
    def test_ends_the_matter(self, client, stage, waiting, who, step, state):
        client.sign_in(getattr(stage, who))
        answer = client.post(f"/admin/decisions/{waiting.number}", data={"key": "k", "step": step})

        assert (answer.status_code, waiting.state) == (303, state)

    def test_keeps_it_waiting_where_the_act_is_refused(self, client, stage, waiting):
        stage.handed_over(queries.issuance_numbered(stage.session, waiting.subject), 2_400)
        client.sign_in(stage.colleague)
        answer = client.post(f"/admin/decisions/{waiting.number}", data={"key": "k", "step": "approve"})

        assert (answer.status_code, waiting.state) == (409, DecisionState.WAITING)
        assert "Only 100 base units are available" in answer.text

    def test_asks_for_one_of_the_steps(self, client, stage, waiting):
        client.sign_in(stage.colleague)

        assert client.post(f"/admin/decisions/{waiting.number}", data={"key": "k"}).status_code == 422


class TestProposeDecision:
    def test_makes_one_that_waits(self, client, stage, session, words):
        held = stage.held(stage.issued(), 5)
        client.sign_in(stage.issuer)
        assert client.get("/admin/decisions/new").status_code == 200
        sent = {"key": "k", "kind": "release", "subject": held.number, "reason": "Cleared."}
        answer = client.post("/admin/decisions/new", data=sent)

        assert answer.status_code == 303
        assert "Release a hold" in client.get(answer.location).text

    def test_shows_a_refusal_beside_what_was_typed(self, client, stage):
        client.sign_in(stage.issuer)
        sent = {"key": "k", "kind": "release", "subject": "HOLD-000099", "reason": "Cleared."}
        answer = client.post("/admin/decisions/new", data=sent)

        assert answer.status_code == 404
        assert "There is no such hold or reservation." in answer.text
        assert "HOLD-000099" in answer.text

    def test_needs_a_reason(self, client, stage):
        client.sign_in(stage.issuer)

        assert client.post("/admin/decisions/new", data={"kind": "lift", "subject": "X"}).status_code == 422

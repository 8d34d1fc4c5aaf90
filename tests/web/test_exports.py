import pytest

from credits.registry.movements import Decision, DecisionState


@pytest.fixture
def made(stage):
    return stage.issued()


@pytest.fixture
def typed():
    return {"quantity": "0.5", "registry": "Other Registry", "reference": "O-1", "reason": "Sold there.", "key": "k"}


class TestAskForExport:
    def test_asks_the_registry_and_freezes_nothing(self, client, session, stage, made, typed, words):
        client.sign_in(stage.manager)
        assert "Once approved there is no way back" in words(client.get(f"/holdings/{made.number}/export").text)
        answers = [client.post(f"/holdings/{made.number}/export", data=typed) for _ in range(2)]
        (waiting,) = session.query(Decision).all()

        assert [answer.location for answer in answers] == [f"/exports/{waiting.number}"] * 2
        assert waiting.request["quantity"] == 500
        page = words(client.get(answers[0].location).text)
        assert "0.5 credits 500 kg" in page
        assert "Other Registry" in page
        assert waiting.number in client.get("/exports").text

    @pytest.mark.parametrize("bent", [{"quantity": "9"}, {"quantity": "0"}, {"registry": " "}, {"reason": ""}])
    def test_keeps_what_was_typed_where_it_cannot_be(self, client, session, stage, made, typed, bent):
        answer = client.sign_in(stage.manager).post(f"/holdings/{made.number}/export", data=typed | bent)

        assert answer.status_code in (409, 422)
        assert 'value="O-1"' in answer.text
        assert session.query(Decision).all() == []

    def test_is_for_those_who_move_credits(self, client, stage, made):
        assert client.sign_in(stage.clerk).get(f"/holdings/{made.number}/export").status_code == 403
        assert client.sign_in(stage.buyer).get(f"/holdings/{made.number}/export").status_code == 404


class TestExport:
    def test_is_taken_back_by_who_asked(self, client, session, stage, made, typed):
        client.sign_in(stage.manager)
        where = client.post(f"/holdings/{made.number}/export", data=typed).location
        answers = [client.post(f"{where}/withdraw", data={"key": key}) for key in ("a", "b")]

        assert [answer.status_code for answer in answers] == [303, 409]
        assert session.query(Decision).one().state is DecisionState.WITHDRAWN

    def test_is_nobody_elses_business(self, client, stage, made, typed):
        where = client.sign_in(stage.manager).post(f"/holdings/{made.number}/export", data=typed).location

        assert client.sign_in(stage.buyer).get(where).status_code == 404
        assert "No export was asked for." in client.get("/exports").text

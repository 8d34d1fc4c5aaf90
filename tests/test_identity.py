import pytest
from flask import Response, jsonify

from credits import identity
from credits.participants.tokens import MARK
from tests.factories import ApiTokenFactory, UserFactory

SECRET = MARK + "s" * 43


@pytest.fixture
def app(fresh_app):
    """Routes are added to it."""
    return fresh_app


@pytest.fixture
def machine(app, client):
    """Asks as a program would, and gets the number of who it is taken for."""

    def view():
        identity.admit_bearer()
        return jsonify(identity.current_user().number)

    app.add_url_rule("/api/who", "who", view, methods=["GET", "POST"])
    return client


def plain(text: str) -> Response:
    """An answer that is no page."""
    return Response(text, mimetype="text/plain")


class TestAdmitBearer:
    @pytest.mark.parametrize("method", ["GET", "POST"])
    @pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
    def test_lets_a_token_act_as_its_user(self, machine, method, scheme):
        token = ApiTokenFactory(secret=SECRET)

        answer = machine.open("/api/who", method=method, headers={"Authorization": f"{scheme} {SECRET}"})

        assert answer.json == token.user.number
        assert token.last_used_at is not None

    @pytest.mark.parametrize(
        "header", ["", "Bearer", "Bearer ", f"Basic {SECRET}", SECRET, f"Bearer {SECRET}x", "Bearer \xff"]
    )
    def test_refuses_everything_else(self, machine, header):
        ApiTokenFactory(secret=SECRET)

        answer = machine.get("/api/who", headers={"Authorization": header})

        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert answer.json["code"] == "not_signed_in"

    @pytest.mark.parametrize("place", ["cookie", "query", "form", "header"])
    def test_looks_nowhere_else(self, machine, place):
        token = ApiTokenFactory(secret=SECRET)
        if place == "cookie":
            machine.sign_in(token.user)

        answer = machine.post(
            "/api/who",
            query_string={"auth_token": SECRET, "access_token": SECRET} if place == "query" else None,
            data={"access_token": SECRET} if place == "form" else None,
            headers={"Authentication-Token": SECRET} if place == "header" else None,
        )

        assert answer.status_code == 401

    def test_gives_no_session(self, machine):
        ApiTokenFactory(secret=SECRET)

        answer = machine.get("/api/who", headers={"Authorization": f"Bearer {SECRET}"})

        assert "Set-Cookie" not in answer.headers
        assert machine.get("/account", headers={"Authorization": f"Bearer {SECRET}"}).status_code == 303


class TestVisitor:
    def test_is_nobody_at_first(self, app, client):
        app.add_url_rule("/who", "who", lambda: plain(str(identity.visitor())))

        assert client.get("/who").text == "None"

    @pytest.mark.parametrize("handle", ["", "x", "USR-000001"])
    def test_is_nobody_with_a_session_of_nobody(self, client, session, handle):
        person = UserFactory()
        person.fs_uniquifier = "another"
        with client.session_transaction() as cookie:
            cookie["_user_id"] = handle

        assert client.get("/account").status_code == 303

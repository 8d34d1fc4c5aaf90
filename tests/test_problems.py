import pytest
from flask import Response, request
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError

from credits.errors import Conflict, Invalid, Missing, NotAllowed
from credits.extensions import db
from credits.identity import NotSignedIn, visitor
from tests.factories import UserFactory


@pytest.fixture
def app(fresh_app):
    """Routes are added to it."""
    return fresh_app


class Sentence(Conflict):
    code = "a_code"


class TestProblems:
    """Every error, as a page and as problem+json."""

    @pytest.fixture
    def raising(self, app, client):
        app.config["PROPAGATE_EXCEPTIONS"] = False
        errors = []

        def view():
            raise errors[-1]

        for address in ("/boom", "/api/boom"):
            app.add_url_rule(address, address, view)

        def ask(error, address="/boom"):
            errors.append(error)
            return client.get(address)

        return ask

    @pytest.mark.parametrize(
        "error, status",
        [(Invalid("No."), 422), (NotAllowed("No."), 403), (Missing("No."), 404), (Sentence("No."), 409)],
    )
    def test_of_a_rule_have_the_status_of_their_kind(self, raising, error, status):
        page = raising(error)
        problem = raising(error, "/api/boom")

        assert (page.status_code, problem.status_code) == (status, status)
        assert "No." in page.text
        assert problem.mimetype == "application/problem+json"
        assert (
            problem.json | {"type": "about:blank", "status": status, "detail": "No.", "code": error.code}
            == problem.json
        )

    def test_carry_what_a_machine_may_read(self, raising):
        problem = raising(Sentence("Too few.", asked=101, available=100), "/api/boom").json

        assert problem["context"] == {"asked": 101, "available": 100}

    def test_of_a_stranger_lead_to_the_sign_in(self, raising):
        page = raising(NotSignedIn("Who?"))
        problem = raising(NotSignedIn("Who?"), "/api/boom")

        assert (page.status_code, page.location) == (303, "/login?next=/boom")
        assert (problem.status_code, problem.headers["WWW-Authenticate"]) == (401, "Bearer")

    def test_of_our_own_are_told_without_their_cause(self, raising, caplog):
        for address in ("/boom", "/api/boom"):
            answer = raising(RuntimeError("the secret is xyzzy"), address)

            assert answer.status_code == 500
            assert "xyzzy" not in answer.text
        assert "xyzzy" in caplog.text

    def test_of_a_broken_database_are_told_without_asking_it(self, app, client, monkeypatch):
        def broken(*_, **__):
            raise OperationalError("SELECT 1", {}, Exception("disk I/O error"))

        client.sign_in(UserFactory())
        monkeypatch.setattr("sqlalchemy.orm.Session.execute", broken)
        monkeypatch.setattr("sqlalchemy.orm.Session.scalar", broken)
        app.config["PROPAGATE_EXCEPTIONS"] = False

        answer = client.get("/account")

        assert answer.status_code == 503
        assert "disk" not in answer.text
        assert "<h1>" in answer.text

    @pytest.mark.parametrize("number", [2**63, 10**40])
    def test_of_numbers_beyond_a_column_are_no_fault_of_ours(self, app, client, number):
        def view():
            db.session.execute(text("SELECT id FROM organisation WHERE id = :id"), {"id": number})
            if request.method == "POST":
                db.session.execute(text("UPDATE organisation SET id = :id"), {"id": number})
            return Response("none", mimetype="text/plain")

        app.add_url_rule("/api/boom", "boom", view, methods=["GET", "POST"])

        assert client.get("/api/boom").status_code in {200, 404}
        assert client.post("/api/boom").status_code in {200, 422}

    def test_of_half_a_character_are_no_fault_of_ours(self, app, client):
        def view():
            db.session.execute(text("SELECT id FROM organisation WHERE name = :name"), {"name": request.json["name"]})
            return "none"

        app.add_url_rule("/boom", "boom", view, methods=["POST"])

        assert client.post("/boom", data=b'{"name": "\\ud800"}', content_type="application/json").status_code == 422

    def test_of_a_known_constraint_are_told_in_its_sentence(self, app, client, session):
        person = UserFactory()
        session.commit()

        def view():
            db.session.execute(
                text(
                    'INSERT INTO "user" (organisation_id, name, email, language, active, fs_uniquifier, registered_at) '
                    "SELECT organisation_id, name, email, language, active, 'other', registered_at FROM \"user\""
                )
            )

        app.add_url_rule("/api/boom", "boom", view, methods=["POST"])

        problem = client.post("/api/boom")

        assert problem.status_code == 409
        assert problem.json["detail"] == "Somebody signs in with this address already."
        assert person.email not in problem.text

    def test_of_an_unknown_constraint_are_logged(self, raising, caplog):
        problem = raising(IntegrityError("INSERT", {}, Exception("CHECK constraint failed: ck_x")), "/api/boom")

        assert problem.status_code == 409
        assert "ck_x" in caplog.text
        assert "ck_x" not in problem.text

    def test_leave_nothing_half_done(self, app, client, session):
        person = UserFactory(name="Anne")

        def view():
            visitor().name = "Changed"
            db.session.flush()
            raise Sentence("No.")

        app.add_url_rule("/boom", "boom", view, methods=["POST"])
        client.sign_in(person).post("/boom")

        assert person.name == "Anne"

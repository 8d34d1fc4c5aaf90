import re

import pytest
from flask import Response, url_for

from config import ConfigError, load
from credits import tries
from credits.app import create_app
from credits.certificates import pdf
from credits.extensions import db
from tests.factories import UserFactory

PRODUCTION = {
    "CREDITS_ENV": "production",
    "PUBLIC_URL": "https://registry.example",
    "SECRET_KEY": "kE5mQ2vX9rT4yU7iO1pA3sD6fG8hJ0lZ",
    "SECURITY_PASSWORD_SALT": "zX8cV5bN2mA1sD4fG7hJ0kL3qW6eR9tY",
    "TOTP_SECRET": "pO9iU6yT3rE0wQ7aS4dF1gH8jK5lZ2xC",
}


def plain(text: str) -> Response:
    """An answer that is no page."""
    return Response(text, mimetype="text/plain")


@pytest.fixture
def app(fresh_app):
    """Routes are added to it."""
    return fresh_app


class TestHeaders:
    @pytest.mark.parametrize(
        "address", ["/login", "/health", "/nowhere", "/static/css/registry.css", "/api/v1/nowhere"]
    )
    def test_stand_on_every_answer(self, client, address):
        headers = client.get(address).headers

        policy = headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert "Strict-Transport-Security" not in headers


class TestProduction:
    @pytest.fixture
    def page(self, settings, tmp_path):
        production = load(PRODUCTION | {"DATABASE_URL": settings.database_url, "DATA_DIR": str(settings.data_dir)})
        app = create_app(production)
        yield app.test_client().get("/login", base_url="https://registry.example", buffered=True)
        with app.app_context():
            db.engine.dispose()

    def test_keeps_cookies_to_itself(self, page):
        cookie = page.headers["Set-Cookie"]

        assert cookie.startswith("__Host-session=")
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
        assert "Domain" not in cookie

    def test_tells_browsers_to_stay_with_https(self, page):
        assert page.headers["Strict-Transport-Security"] == "max-age=63072000"

    def test_lets_nobody_pay_before_invoices_say_who_issues_them(self, settings):
        environ = PRODUCTION | {"DATABASE_URL": settings.database_url, "DATA_DIR": str(settings.data_dir)}
        with pytest.raises(ConfigError, match=r"in \[operator\], name, address, country"):
            create_app(load(environ | {"BANK_ACCOUNT": "Registry, CH93 0076 2011 6238 5295 7"}))

    def test_says_nothing_of_a_demo(self, page):
        assert "Demo world" not in page.text


class TestAddresses:
    def test_come_from_the_settings_whatever_the_host_header_says(self, app):
        app.add_url_rule("/where", "where", lambda: plain(url_for("security.login", _external=True)))

        answer = app.test_client().get("/where", headers={"Host": "127.0.0.1:9999"})

        assert answer.text == "http://localhost:8000/login"

    def test_can_be_built_outside_a_request(self, app):
        with app.app_context():
            assert url_for("security.login", _external=True) == "http://localhost:8000/login"

    @pytest.mark.parametrize("host", ["elsewhere.example", "localhost.elsewhere.example"])
    def test_of_another_host_show_nothing(self, client, host):
        answer = client.get("/login", headers={"Host": host})

        assert answer.status_code == 400
        assert "elsewhere" not in answer.text


class TestForms:
    @pytest.fixture
    def guarded(self, app, client):
        app.config["WTF_CSRF_ENABLED"] = True
        return client

    @pytest.mark.parametrize("address", ["/login", "/join", "/account/tokens", "/logout"])
    def test_are_refused_without_their_token(self, guarded, address):
        answer = guarded.sign_in(UserFactory()).post(address, data={"name": "x"})

        assert answer.status_code in {400, 302} if address == "/logout" else answer.status_code == 400

    def test_are_taken_with_it(self, guarded):
        guarded.sign_in(UserFactory())
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', guarded.get("/account/tokens").text)[1]

        assert guarded.post("/account/tokens", data={"name": "x", "csrf_token": token}).status_code == 201

    def test_say_that_they_are_too_old(self, guarded):
        assert "too old" in guarded.sign_in(UserFactory()).post("/account/tokens", data={"name": "x"}).text

    def test_from_an_ended_session_leads_to_the_sign_in_and_back(self, guarded, app):
        origin = app.config["PUBLIC_URL"]
        answer = guarded.post("/account/tokens", data={"name": "x"}, headers={"Referer": f"{origin}/account/tokens"})

        assert answer.status_code == 400
        assert "Your session has ended" in answer.text
        assert 'href="/login?next=/account/tokens"' in answer.text
        elsewhere = guarded.post("/account/tokens", data={"name": "x"}, headers={"Referer": "https://evil.example/x"})
        assert 'class="button" href="/login"' in elsewhere.text
        assert "too old" in guarded.post("/join", data={"name": "x"}).text


class TestTries:
    @pytest.fixture
    def visitor(self, settings, compiled_templates):
        app = create_app(load({"DATABASE_URL": settings.database_url, "DATA_DIR": str(settings.data_dir)}))
        app.config["WTF_CSRF_ENABLED"] = False
        tries.counts.storage.reset()
        yield app.test_client()
        tries.counts.storage.reset()
        with app.app_context():
            db.engine.dispose()

    def test_are_counted_at_sign_in(self, visitor):
        guess = {"email": "anne@example.org", "password": "a guess of mine"}

        statuses = [visitor.post("/login", data=guess, buffered=True).status_code for _ in range(11)]

        assert statuses == [200] * 10 + [429]

    def test_are_counted_of_one_person_who_asks_for_many_statements(self, visitor):
        with visitor.session_transaction() as session:
            session["_user_id"] = "anne"

        statuses = [visitor.post("/holdings/statement", buffered=True).status_code for _ in range(61)]

        assert (429 in statuses[:60], statuses[60]) == (False, 429)
        assert visitor.get("/holdings/statement", buffered=True).status_code != 429

    def test_leave_looking_free(self, visitor):
        assert [visitor.get("/login", buffered=True).status_code for _ in range(20)] == [200] * 20

    def test_say_when_to_come_back(self, visitor):
        answers = [visitor.post("/reset", data={"email": "x@example.org"}, buffered=True) for _ in range(6)]

        assert answers[-1].status_code == 429
        assert int(answers[-1].headers["Retry-After"]) == 60


class TestRequests:
    def test_may_not_be_huge(self, client):
        answer = client.post("/join", data=b"x" * 30 * 1024 * 1024, content_type="multipart/form-data; boundary=x")

        assert answer.status_code == 413
        assert "too large" in answer.text

    def test_may_not_have_a_thousand_fields(self, client):
        fields = {f"field{number}": "x" for number in range(1_000)}

        answer = client.post("/join", data=fields, content_type="multipart/form-data")

        assert (answer.status_code, " MB" in answer.text) == (413, False)

    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_may_carry_bytes_that_are_no_text(self, client, method):
        assert client.open("/nowhere/%ff%00?q=%ff%00", method=method, data=b"\xff\x00").status_code == 404

    def test_with_an_unknown_method_are_told_which_are_known(self, client):
        answer = client.put("/join")

        assert answer.status_code == 405
        assert "POST" in answer.headers["Allow"]


class TestUnitOfWork:
    def test_takes_the_write_lock_before_anything_is_read(self, app, client, monkeypatch):
        order = []
        monkeypatch.setattr("credits.app.begin_writing", lambda session: order.append("lock"))
        monkeypatch.setattr("credits.extensions.db.session.scalar", lambda *_: order.append("read"))

        client.sign_in(UserFactory()).post("/account/language", data={"language": "fr"})

        assert order[:2] == ["lock", "read"]

    def test_does_not_take_it_to_look(self, client, monkeypatch):
        taken = []
        monkeypatch.setattr("credits.app.begin_writing", taken.append)

        client.get("/login")

        assert taken == []


class TestStarting:
    def test_tells_the_operator_once_of_slow_drawing(self, settings, monkeypatch, caplog):
        monkeypatch.setattr(pdf, "harfbuzz_subset", None)

        create_app(settings)

        assert [record.levelname for record in caplog.records if "libharfbuzz-subset0" in record.message] == ["WARNING"]

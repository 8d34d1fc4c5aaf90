"""While a password is hashed, others can write."""

import sqlite3

import pytest
from flask_security import hash_password

from credits.extensions import security
from credits.participants.models import User
from tests.factories import UserFactory

PASSWORD = "lantern under the hill"
CARD = {
    "kind": "cooperative",
    "name": "Ushirika",
    "legal_form": "cooperative",
    "country_code": "TZA",
    "address": "Geita",
    "contact_email": "office@ushirika.example",
    "person": "Neema",
    "email": "neema@ushirika.example",
    "language": "en",
    "password": PASSWORD,
}


@pytest.fixture
def watched(app, client, settings, monkeypatch):
    """Another writer takes SQLite's lock whenever something is hashed or compared; how often it got it."""
    if not settings.database_url.startswith("sqlite"):
        pytest.skip("writers do not wait for each other here")
    taken = []
    file = settings.database_url.removeprefix("sqlite:///")
    patient = security.pwd_context._context

    def write_meanwhile(*_args: object, **_options: object) -> None:
        other = sqlite3.connect(file, timeout=0, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        other.execute("ROLLBACK")
        other.close()
        taken.append(True)

    class Watching:
        def __getattr__(self, name):
            return getattr(patient, name)

        def hash(self, *args, **options):
            write_meanwhile()
            return patient.hash(*args, **options)

        def verify(self, *args, **options):
            write_meanwhile()
            return patient.verify(*args, **options)

    monkeypatch.setattr(security.pwd_context, "_context", Watching())
    return taken


def test_at_sign_up(watched, client, session):
    assert client.post("/join", data=CARD).status_code == 303
    assert watched
    assert session.query(User).filter_by(email=CARD["email"]).one().password.startswith("$argon2id$")


def test_at_sign_in_and_at_a_change(app, watched, client, session):
    session.commit()  # the test's own lock
    with app.app_context():
        hashed = hash_password(PASSWORD)
    user = UserFactory(password=hashed)
    session.commit()
    watched.clear()
    assert client.post("/login", data={"email": user.email, "password": "wrong"}).status_code in (200, 401, 422)
    assert len(watched) >= 1
    client.sign_in(user)
    watched.clear()
    new = "another lantern under it"
    asked = {"password": PASSWORD, "new_password": new, "new_password_confirm": new}
    assert client.post("/change", data=asked).status_code in (302, 303)
    assert len(watched) >= 2
    session.refresh(user)
    assert user.password != hashed

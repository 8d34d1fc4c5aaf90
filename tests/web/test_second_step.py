"""Signing in with a second step: set up, used, and the recovery code for the day the phone is lost."""

import re

import pytest
from flask_security import hash_password
from passlib.totp import TOTP

from tests.factories import UserFactory

PASSWORD = "four words are enough"


@pytest.fixture
def person(app, session):
    with app.app_context():
        return UserFactory(email="anne@example.org", password=hash_password(PASSWORD))


@pytest.fixture
def phone(client, person):
    """An authenticator that knows the person's key; they are signed in with the second step set up."""
    client.sign_in(person)
    page = client.post("/tf-setup", data={"setup": "authenticator"}).text
    key = re.search(r'<code class="serial">([^<]+)</code>', page)[1]
    phone = TOTP(key=key.replace("-", ""), digits=6)
    target = re.search(r'action="(/tf-setup/[^"]+)"', page)[1]
    assert client.post(target, data={"code": phone.generate().token}).status_code == 302
    return phone


def sign_in(client):
    return client.post("/login", data={"email": "anne@example.org", "password": PASSWORD})


class TestSecondStep:
    def test_keeps_its_key_encrypted(self, person, phone):
        assert person.tf_primary_method == "authenticator"
        assert phone.base32_key not in person.tf_totp_secret

    def test_is_asked_for_after_the_password(self, client, person, phone):
        guest = client.application.test_client()

        answer = sign_in(guest)

        assert "/tf-validate" in answer.location or "/tf-select" in answer.location
        assert guest.get("/account").status_code == 303

    def test_refuses_a_wrong_code(self, client, person, phone):
        guest = client.application.test_client()
        sign_in(guest)

        guest.post("/tf-validate", data={"code": "000000"})

        assert guest.get("/account").status_code == 303

    def test_is_passed_with_a_recovery_code_once(self, client, person, phone):
        made = client.post("/mf-recovery-codes", data={"generate_codes": "y"}).text
        codes = re.findall(r"\b[a-z0-9]{4}(?:-[a-z0-9]{4}){2,}\b", made)
        assert codes
        assert person.mf_recovery_codes
        assert codes[0] not in person.mf_recovery_codes

        statuses = []
        for _ in range(2):
            guest = client.application.test_client()
            sign_in(guest)
            guest.post("/mf-recovery", data={"code": codes[0]})
            statuses.append(guest.get("/account").status_code)

        assert statuses == [200, 303]

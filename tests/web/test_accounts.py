from urllib.parse import urlsplit

import pytest
from flask_security import hash_password
from sqlalchemy import select

from credits.participants.models import ApiToken, Kind, Kyc, Language, Organisation, RoleName, User
from tests.factories import AT, ApiTokenFactory, OrganisationFactory, UserFactory

PASSWORD = "four words are enough"


@pytest.fixture
def filled_in():
    return {
        "kind": "cooperative",
        "name": "Coopérative minière de Kamilombe",
        "legal_form": "cooperative",
        "country_code": "COD",
        "registration_number": "RCCM/KZI/22",
        "address": "Avenue Kamanyola 1\nKolwezi",
        "contact_email": "office@example.org",
        "person": "Anne Mwamba",
        "email": "Anne@Example.org",
        "language": "fr",
        "password": PASSWORD,
    }


class TestSignUp:
    def test_shows_the_form(self, client):
        page = client.get("/join")

        assert page.status_code == 200
        assert "Register an organisation" in page.text

    def test_enters_a_pending_organisation_and_its_head(self, client, session, filled_in):
        answer = client.post("/join", data=filled_in)

        assert (answer.status_code, answer.location) == (303, "/join/received")
        organisation = session.scalars(select(Organisation)).one()
        assert (organisation.kyc, organisation.kind, organisation.country) == (Kyc.PENDING, Kind.COOPERATIVE, "COD")
        head = session.scalars(select(User)).one()
        assert (head.email, head.language) == ("anne@example.org", Language.FR)
        assert [role.name for role in head.roles] == [RoleName.MANAGER]
        assert head.password.startswith("$argon2id$")

    @pytest.mark.parametrize(
        "field, wrong",
        [
            ("kind", "registry"),
            ("kind", "wizard"),
            ("name", ""),
            ("name", "x" * 201),
            ("name", "two\nlines"),
            ("name", "hidden\u202eeman"),
            ("country_code", "COX"),
            ("country_code", ""),
            ("address", ""),
            ("contact_email", "office"),
            ("email", "anne@localhost"),
            ("email", "anne@example.org\nBcc: all@example.org"),
            ("person", " "),
            ("language", "tlh"),
            ("password", "too short"),
        ],
    )
    def test_refuses_what_is_not_sound_and_keeps_nothing(self, client, session, filled_in, field, wrong):
        answer = client.post("/join", data=filled_in | {field: wrong})

        assert answer.status_code == 422
        assert "Please look at this again" in answer.text
        assert session.scalars(select(Organisation)).all() == []

    def test_answers_alike_where_the_address_has_an_account(self, client, session, outbox, filled_in):
        UserFactory(email="anne@example.org")

        answer = client.post("/join", data=filled_in)

        assert (answer.status_code, answer.location) == (303, "/join/received")
        assert session.query(Organisation).count() == 1
        assert [mail.to for mail in outbox] == [["Anne@example.org"]]

    def test_shows_markup_as_text(self, client, session, filled_in):
        client.post("/join", data=filled_in | {"name": "<script>alert(1)</script>"})
        head = session.scalars(select(User)).one()

        page = client.sign_in(head).get("/account")

        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.text
        assert "<script>alert" not in page.text

    def test_sends_the_signed_in_to_their_account(self, client):
        assert client.sign_in(UserFactory()).get("/join").location == "/account"


class TestSignIn:
    @pytest.fixture
    def person(self, app):
        with app.app_context():
            return UserFactory(email="anne@example.org", password=hash_password(PASSWORD))

    def sign_in(self, client, email="anne@example.org", password=PASSWORD, **more):
        return client.post("/login", data={"email": email, "password": password} | more)

    def test_leads_to_what_is_open(self, client, person, words):
        answer = self.sign_in(client, email="ANNE@example.org")

        assert (answer.status_code, answer.location) == (302, "/start")
        assert "Nothing waits for you. What you can do next: Enter a batch" in words(client.get("/start").text)

    def test_leads_back_to_where_the_person_wanted_to_go(self, client, person):
        asked = client.get("/account/tokens?page=2")
        assert asked.location.startswith("/login?next=")

        answer = client.post(asked.location, data={"email": "anne@example.org", "password": PASSWORD})

        assert answer.location == "/account/tokens?page=2"

    @pytest.mark.parametrize("away", ["https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example"])
    def test_leads_nobody_elsewhere(self, client, person, away):
        answer = client.post(f"/login?next={away}", data={"email": "anne@example.org", "password": PASSWORD})

        assert urlsplit(answer.location or "").netloc in ("", "localhost")

    def test_says_the_same_of_a_wrong_password_and_an_unknown_address(self, client, person):
        wrong = self.sign_in(client, password="not the password")
        unknown = self.sign_in(client, email="nobody@example.org")

        assert wrong.status_code == unknown.status_code
        assert wrong.text.replace("anne@example.org", "") == unknown.text.replace("nobody@example.org", "")

    def test_refuses_a_closed_account_in_the_same_words(self, client, session, person):
        wrong = self.sign_in(client, password="not the password")
        person.active = False

        closed = self.sign_in(client)

        assert closed.text == wrong.text
        assert client.get("/account").status_code == 303

    def test_ends_the_sessions_of_a_closed_account(self, client, session, person):
        self.sign_in(client)
        person.active = False

        assert client.get("/account").location.startswith("/login")

    def test_sends_no_word_about_unknown_addresses(self, client, person, outbox):
        known = client.post("/reset", data={"email": "Anne@example.org"})
        unknown = client.post("/reset", data={"email": "nobody@example.org"})

        assert known.text.replace("Anne@", "") == unknown.text.replace("nobody@", "")
        assert [mail.to for mail in outbox] == [["anne@example.org"]]
        assert "http://localhost:8000/reset/" in outbox[0].body

    def test_takes_a_new_password_by_the_mailed_link(self, client, person, outbox):
        client.post("/reset", data={"email": "anne@example.org"}, headers={"Host": "localhost"})
        link = next(word for word in outbox[0].body.split() if "/reset/" in word).removeprefix("http://localhost:8000")

        assert client.get(link).status_code == 200
        answer = client.post(link, data={"password": "another four words", "password_confirm": "another four words"})

        assert answer.status_code == 302
        assert self.sign_in(client, password="another four words").location == "/start"

    def test_takes_no_json_and_gives_no_token(self, client, person):
        answer = client.post("/login?include_auth_token", json={"email": "anne@example.org", "password": PASSWORD})

        assert "authentication_token" not in answer.text


class TestAccount:
    def test_says_that_the_registry_has_not_decided_yet(self, client):
        head = UserFactory(organisation=OrganisationFactory(kyc=Kyc.PENDING))

        assert "Waiting for approval" in client.sign_in(head).get("/account").text

    def test_says_why_the_organisation_was_suspended(self, client):
        head = UserFactory(organisation=OrganisationFactory(kyc=Kyc.SUSPENDED, kyc_reason="The licence is false."))

        assert "The licence is false." in client.sign_in(head).get("/account").text

    @pytest.mark.parametrize("kind", list(Kind))
    def test_is_there_for_every_kind_of_organisation(self, client, kind):
        assert client.sign_in(UserFactory(kind=kind)).get("/account").status_code == 200

    def test_is_never_kept_on_the_device(self, client):
        assert client.sign_in(UserFactory()).get("/account").headers["Cache-Control"] == "private, no-store"


class TestChooseLanguage:
    def test_is_kept(self, client, session):
        person = UserFactory()

        client.sign_in(person).post("/account/language", data={"language": "sw"})

        assert person.language is Language.SW
        assert "Pages are in English for now" in client.get("/account").text

    def test_refuses_an_unknown_language(self, client):
        person = UserFactory()

        client.sign_in(person).post("/account/language", data={"language": "tlh"})

        assert person.language is Language.EN


class TestTokens:
    def test_shows_the_secret_once(self, client, session):
        person = UserFactory()

        made = client.sign_in(person).post("/account/tokens", data={"name": "Warehouse"})

        token = session.scalars(select(ApiToken)).one()
        assert made.status_code == 201
        assert token.prefix in made.text
        assert token.digest not in made.text
        listed = client.get("/account/tokens").text
        assert "Warehouse" in listed
        assert made.text.partition("asmc_")[2][:43] not in listed

    def test_needs_a_name(self, client, session):
        answer = client.sign_in(UserFactory()).post("/account/tokens", data={"name": ""})

        assert answer.status_code == 422
        assert session.scalars(select(ApiToken)).all() == []

    def test_revokes_ones_own(self, client, session):
        token = ApiTokenFactory()

        answer = client.sign_in(token.user).post(f"/account/tokens/{token.id}/revoke")

        assert answer.status_code == 303
        assert token.revoked_at is not None

    @pytest.mark.parametrize("token_id", [None, 999, 2**63, 10**40])
    def test_knows_nothing_of_other_peoples(self, client, token_id):
        token = ApiTokenFactory()

        answer = client.sign_in(UserFactory()).post(f"/account/tokens/{token_id or token.id}/revoke")

        assert answer.status_code == 404
        assert token.revoked_at is None


class TestMembers:
    @pytest.fixture
    def head(self):
        return UserFactory()

    def test_invites_a_person_by_mail(self, client, session, outbox, head):
        answer = client.sign_in(head).post(
            "/account/members/new",
            data={"name": "Luc Ilunga", "email": "luc@example.org", "language": "fr", "roles": ["clerk"]},
        )

        assert answer.status_code == 303
        luc = session.scalars(select(User).where(User.email == "luc@example.org")).one()
        assert (luc.organisation_id, luc.password) == (head.organisation_id, None)
        assert [mail.to for mail in outbox] == [["luc@example.org"]]
        link = next(word for word in outbox[0].body.split() if "/reset/" in word)
        guest = client.application.test_client()
        words = {"password": "words of my own", "password_confirm": "words of my own"}
        assert guest.post(link.removeprefix("http://localhost:8000"), data=words).status_code == 302

    def test_tells_of_a_known_address_to_its_owner_alone(self, client, session, outbox, head):
        UserFactory(email="luc@example.org")
        asked = {"name": "Luc Ilunga", "language": "fr", "roles": ["clerk"]}

        known = client.sign_in(head).post("/account/members/new", data=asked | {"email": "Luc@example.org"})
        new = client.post("/account/members/new", data=asked | {"email": "new@example.org"})

        assert (known.status_code, known.location, known.data) == (new.status_code, new.location, new.data)
        assert [(mail.to, mail.subject) for mail in outbox] == [
            (["Luc@example.org"], "You have an account already"),
            (["new@example.org"], "You are invited"),
        ]

    @pytest.mark.parametrize("kyc", [Kyc.PENDING, Kyc.REFUSED, Kyc.SUSPENDED])
    def test_invites_nobody_before_the_approval(self, client, session, outbox, head, kyc):
        head.organisation.kyc, head.organisation.kyc_reason = kyc, None if kyc is Kyc.PENDING else "Why."
        head.organisation.kyc_decided_at = None if kyc is Kyc.PENDING else AT

        answer = client.sign_in(head).post(
            "/account/members/new",
            data={"name": "Buy at example.com", "email": "luc@example.org", "language": "fr", "roles": ["clerk"]},
        )

        assert answer.status_code == 403
        assert outbox == []
        assert "Add a person" not in client.get("/account/members").text

    @pytest.mark.parametrize("roles", [[], ["issuer"], ["clerk", "lead"]])
    def test_refuses_roles_that_do_not_fit(self, client, session, head, roles):
        answer = client.sign_in(head).post(
            "/account/members/new",
            data={"name": "Luc Ilunga", "email": "luc@example.org", "language": "fr", "roles": roles},
        )

        assert answer.status_code == 422
        assert session.query(User).count() == 1

    def test_is_closed_to_a_clerk(self, client, head):
        clerk = UserFactory(organisation=head.organisation, may=[RoleName.CLERK])

        assert client.sign_in(clerk).get("/account/members").status_code == 403

    def test_closes_an_account(self, client, head):
        clerk = UserFactory(organisation=head.organisation, may=[RoleName.CLERK])

        answer = client.sign_in(head).post(f"/account/members/{clerk.number}/close")

        assert answer.status_code == 303
        assert not clerk.active

    def test_knows_nobody_of_another_organisation(self, client, head):
        stranger = UserFactory()

        assert client.sign_in(head).post(f"/account/members/{stranger.number}/close").status_code == 404
        assert stranger.active

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from credits.db import begin_writing
from credits.journal.models import Event
from credits.participants import users
from credits.participants.models import Kind, Language, RoleName, User
from credits.participants.permissions import NoSuchOrganisation, OwnAffair, WrongRole
from tests.factories import AT, ApiTokenFactory, UserFactory


@pytest.fixture
def head(session):
    return UserFactory()


@pytest.fixture
def ask(session, head):
    return {
        "session": session,
        "organisation": head.organisation,
        "name": "Luc Ilunga",
        "email": "Luc@example.org",
        "language": Language.SW,
        "roles": [RoleName.CLERK],
        "handle": "b" * 64,
        "by": head,
        "at": AT,
    }


class TestAdd:
    def test_enters_a_person_who_has_no_password_yet(self, session, ask):
        luc = users.add(**ask)

        assert (luc.email, luc.password, luc.active) == ("luc@example.org", None, True)
        assert users.with_email(session, " LUC@example.org") is luc
        assert b"Luc" not in session.scalars(select(Event.body)).one()

    def test_counts_a_role_once(self, ask):
        luc = users.add(**ask | {"roles": [RoleName.CLERK, RoleName.CLERK]})

        assert [role.name for role in luc.roles] == [RoleName.CLERK]

    @pytest.mark.parametrize("roles", [[], [RoleName.ISSUER], [RoleName.CLERK, RoleName.APPROVER]])
    def test_refuses_roles_that_do_not_fit(self, ask, roles):
        with pytest.raises(users.UnfitRole):
            users.add(**ask | {"roles": roles})

    def test_refuses_a_taken_address_and_leaves_the_rest_alone(self, session, ask):
        users.add(**ask)

        with pytest.raises(users.EmailTaken):
            users.add(**ask | {"handle": "c" * 64})
        assert len(ask["organisation"].members) == 2

    def test_is_for_who_heads_the_organisation(self, ask, head):
        clerk = UserFactory(organisation=head.organisation, may=[RoleName.CLERK])

        with pytest.raises(WrongRole):
            users.add(**ask | {"by": clerk})

    @pytest.mark.parametrize("kind", [Kind.COOPERATIVE, Kind.VERIFIER, Kind.MANUFACTURER])
    def test_is_nothing_to_strangers(self, ask, kind):
        with pytest.raises(NoSuchOrganisation):
            users.add(**ask | {"by": UserFactory(kind=kind)})

    def test_is_not_for_the_registry_either(self, ask):
        with pytest.raises(WrongRole):
            users.add(**ask | {"by": UserFactory(kind=Kind.REGISTRY)})


class TestClose:
    def test_ends_sessions_and_tokens(self, session, head):
        clerk = UserFactory(organisation=head.organisation, may=[RoleName.CLERK])
        token = ApiTokenFactory(user=clerk)

        users.close(session, clerk, handle="d" * 64, by=head, at=AT)

        assert (clerk.active, clerk.fs_uniquifier, token.revoked_at) == (False, "d" * 64, AT)

    def test_is_never_ones_own(self, session, head):
        with pytest.raises(OwnAffair):
            users.close(session, head, handle="d" * 64, by=head, at=AT)

    def test_does_not_let_two_heads_close_each_other(self, engine, session, head):
        other = UserFactory(organisation=head.organisation)
        session.commit()
        number = head.id
        session.rollback()
        with Session(engine) as theirs:
            theirs.get(User, number).active = False
            theirs.commit()
        begin_writing(session)

        with pytest.raises(NoSuchOrganisation):
            users.close(session, other, handle="d" * 64, by=head, at=AT)

    def test_is_nothing_to_strangers(self, session, head):
        with pytest.raises(NoSuchOrganisation):
            users.close(session, head, handle="d" * 64, by=UserFactory(), at=AT)


class TestNumbered:
    def test_finds_by_the_public_id(self, session, head):
        assert users.numbered(session, head.number) is head

    @pytest.mark.parametrize("number", ["", "USR-", "USR-1", "ORG-000001", "USR-999999", "USR-" + "9" * 30])
    def test_finds_nothing_else(self, session, number):
        with pytest.raises(users.NoSuchUser):
            users.numbered(session, number)

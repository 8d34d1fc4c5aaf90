"""What the database itself refuses, whoever writes to it."""

import pytest
from sqlalchemy.exc import IntegrityError

from credits.participants.models import Kind, Kyc, Language, User
from tests.factories import ApiTokenFactory, OrganisationFactory, UserFactory


class TestOrganisation:
    @pytest.mark.parametrize(
        "wrong",
        [
            {"country": "CO"},
            {"country": "cod"},
            {"kyc": Kyc.APPROVED, "kyc_decided_at": None},
            {"kyc": Kyc.REFUSED, "kyc_reason": None},
            {"kyc": Kyc.SUSPENDED, "kyc_reason": ""},
            {"kind": Kind.MANUFACTURER, "group_manager_id": 1},
            {"group_manager_id": 999},
            {"id": 7, "group_manager_id": 7},
        ],
    )
    def test_keeps_its_limits(self, session, wrong):
        OrganisationFactory(id=1, kind=Kind.GROUP_MANAGER)

        with pytest.raises(IntegrityError):
            OrganisationFactory(**wrong)


class TestUser:
    def test_has_an_address_of_their_own(self, session):
        UserFactory(email="anne@example.org")

        with pytest.raises(IntegrityError):
            UserFactory(email="anne@example.org")

    def test_has_an_address_in_lower_case(self, session):
        with pytest.raises(IntegrityError):
            UserFactory(email="Anne@example.org")

    def test_comes_back_as_written(self, session):
        person = UserFactory(language=Language.SW, mf_recovery_codes=["one", "two"])
        session.commit()
        number = person.id
        session.expunge_all()

        again = session.get(User, number)
        again.mf_recovery_codes.remove("one")
        session.commit()

        assert again.mf_recovery_codes == ["two"]
        assert (again.active, again.language) == (True, Language.SW)
        assert again.registered_at.tzinfo is not None


class TestApiToken:
    @pytest.mark.parametrize("digest", ["short", "x" * 65])
    def test_has_a_whole_digest(self, session, digest):
        with pytest.raises(IntegrityError):
            ApiTokenFactory(digest=digest)

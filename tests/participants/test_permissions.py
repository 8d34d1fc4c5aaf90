"""Who may do what, as one table: every kind of person against every rule."""

import pytest

from credits.errors import Missing, NotAllowed
from credits.participants import permissions
from credits.participants.models import Kind, Kyc, RoleName
from credits.participants.permissions import FIRST_ROLES, HEADS, ROLES_OF, NotApproved
from tests.factories import OrganisationFactory, UserFactory

EVERYBODY = [(kind, role) for kind, roles in ROLES_OF.items() for role in roles]


def allowed(rule, *args) -> bool:
    try:
        rule(*args)
    except (NotAllowed, Missing):
        return False
    return True


@pytest.fixture(params=EVERYBODY, ids=lambda pair: f"{pair[0]}-{pair[1]}")
def person(request, session):
    kind, role = request.param
    return UserFactory(kind=kind, may=[role])


class TestRoles:
    def test_fit_an_organisation_each(self):
        assert set(ROLES_OF) == set(FIRST_ROLES) == set(Kind)
        assert {role for roles in ROLES_OF.values() for role in roles} == set(RoleName)
        for kind, roles in FIRST_ROLES.items():
            assert set(roles) <= set(ROLES_OF[kind])
            assert set(roles) & set(HEADS)


class TestOwnOrganisation:
    def test_may_be_seen(self, person):
        assert allowed(permissions.may_see, person, person.organisation)

    def test_may_be_registered_for_by_a_producers_clerk_or_manager(self, person):
        assert allowed(permissions.may_register_for, person, person.organisation) == (
            person.roles[0].name in {RoleName.CLERK, RoleName.MANAGER}
        )

    def test_may_have_its_credits_moved_by_who_may_move_them(self, person):
        assert allowed(permissions.may_dispose_of, person, person.organisation) == (
            person.roles[0].name in {RoleName.MANAGER, RoleName.INITIATOR, RoleName.APPROVER}
        )

    def test_may_be_given_people_by_its_heads(self, person):
        assert allowed(permissions.may_manage_members, person, person.organisation) == (person.roles[0].name in HEADS)


class TestForeignOrganisation:
    def test_is_seen_by_the_registry_alone(self, person):
        assert allowed(permissions.may_see, person, OrganisationFactory()) == (
            person.roles[0].name in {RoleName.ISSUER, RoleName.AUDITOR}
        )

    @pytest.mark.parametrize("rule", [permissions.may_register_for, permissions.may_dispose_of])
    def test_does_not_exist_for_those_who_would_act(self, person, rule):
        with pytest.raises(Missing):
            rule(person, OrganisationFactory())


class TestGroup:
    @pytest.fixture
    def manager(self, session):
        return UserFactory(kind=Kind.GROUP_MANAGER)

    @pytest.mark.parametrize(
        "rule", [permissions.may_see, permissions.may_register_for, permissions.may_dispose_of, permissions.may_act_for]
    )
    def test_lets_its_manager_act(self, manager, rule):
        rule(manager, OrganisationFactory(group_manager_id=manager.organisation_id))

    def test_does_not_let_its_manager_add_people(self, manager):
        group = OrganisationFactory(group_manager_id=manager.organisation_id)

        with pytest.raises(NotAllowed):
            permissions.may_manage_members(manager, group)

    def test_keeps_a_suspended_manager_from_acting(self, manager):
        manager.organisation.kyc, manager.organisation.kyc_reason = Kyc.SUSPENDED, "Why."
        group = OrganisationFactory(group_manager_id=manager.organisation_id)

        with pytest.raises(NotApproved):
            permissions.may_register_for(manager, group)


class TestApproval:
    @pytest.mark.parametrize("kyc", [Kyc.PENDING, Kyc.REFUSED, Kyc.SUSPENDED])
    @pytest.mark.parametrize(
        "rule", [permissions.may_register_for, permissions.may_dispose_of, permissions.may_manage_members]
    )
    def test_is_needed_to_write(self, session, kyc, rule):
        manager = UserFactory(organisation=OrganisationFactory(kyc=kyc))

        with pytest.raises(NotApproved):
            rule(manager, manager.organisation)

    @pytest.mark.parametrize("kyc", [Kyc.PENDING, Kyc.REFUSED, Kyc.SUSPENDED])
    def test_is_needed_to_verify(self, session, kyc):
        lead = UserFactory(organisation=OrganisationFactory(kind=Kind.VERIFIER, kyc=kyc))

        assert not permissions.is_verifier(lead)
        assert not permissions.is_lead(lead)


class TestStaff:
    def test_is_told_apart(self, person):
        role = person.roles[0].name

        assert permissions.is_verifier(person) == (role in {RoleName.REVIEWER, RoleName.LEAD})
        assert permissions.is_lead(person) == (role is RoleName.LEAD)
        assert permissions.is_issuer(person) == (role is RoleName.ISSUER)
        assert permissions.is_auditor(person) == (role is RoleName.AUDITOR)
        assert allowed(permissions.must_verify, person) == permissions.is_verifier(person)
        assert allowed(permissions.must_issue, person) == permissions.is_issuer(person)
        assert allowed(permissions.may_decide_on, person, OrganisationFactory()) == permissions.is_issuer(person)


class TestClosedAccount:
    def test_may_nothing(self, person):
        person.active = False
        own = person.organisation

        assert not any(
            allowed(rule, person, own)
            for rule in (
                permissions.may_see,
                permissions.may_register_for,
                permissions.may_dispose_of,
                permissions.may_manage_members,
            )
        )
        assert not any(
            rule(person) for rule in (permissions.is_verifier, permissions.is_issuer, permissions.is_auditor)
        )

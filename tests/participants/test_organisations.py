import json

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from credits.db import begin_writing
from credits.errors import Invalid
from credits.journal import events
from credits.journal.models import Event
from credits.participants import organisations
from credits.participants.models import Kind, Kyc, Language, RoleName
from credits.participants.permissions import NoSuchOrganisation, OwnAffair, WrongRole
from credits.participants.users import EmailTaken
from credits.participants.wording import UnsoundText
from tests.factories import AT, OrganisationFactory, UserFactory


@pytest.fixture
def ask(session):
    return {
        "session": session,
        "name": "Kamilombe",
        "legal_form": "cooperative",
        "country_code": "COD",
        "registration_number": None,
        "address": "Kolwezi",
        "contact_email": "Office@Example.org",
        "person": "Anne Mwamba",
        "email": "anne@example.org",
        "language": Language.FR,
        "password": "$argon2id$…",
        "handle": "a" * 64,
        "at": AT,
    }


@pytest.fixture
def issuer(session):
    return UserFactory(kind=Kind.REGISTRY)


class TestSignUp:
    @pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.REGISTRY])
    def test_waits_for_the_registry(self, ask, kind):
        organisation, head = organisations.sign_up(**ask, kind=kind)

        assert organisation.kyc is Kyc.PENDING
        assert not organisation.approved
        assert organisation.contact_email == "office@example.org"
        assert head.organisation is organisation
        assert head.roles

    def test_gives_a_buyer_both_hands(self, ask):
        _organisation, head = organisations.sign_up(**ask, kind=Kind.MANUFACTURER)

        assert {role.name for role in head.roles} == {RoleName.INITIATOR, RoleName.APPROVER}

    def test_tells_the_journal_without_naming_the_person(self, session, ask):
        organisation, head = organisations.sign_up(**ask, kind=Kind.COOPERATIVE)

        signed_up, added = session.scalars(select(Event).order_by(Event.id)).all()
        assert (signed_up.kind, signed_up.subject, signed_up.actor) == (
            "organisation.signed_up",
            organisation.number,
            head.number,
        )
        assert (added.kind, added.subject) == ("user.added", head.number)
        for event in (signed_up, added):
            assert b"Anne" not in event.body
            assert b"@" not in event.body

    def test_names_the_organisation_to_nobody_outside(self, session, ask):
        organisations.sign_up(**ask, kind=Kind.COOPERATIVE)

        signed_up = session.scalars(select(Event).order_by(Event.id)).first()
        assert json.loads(signed_up.body)["facts"] == {"kind": "cooperative"}
        assert events.private_of(session, [signed_up]) == {signed_up.id: {"name": "Kamilombe", "country": "COD"}}

    def test_refuses_to_make_a_second_registry(self, ask):
        with pytest.raises(Invalid):
            organisations.sign_up(**ask, kind=Kind.REGISTRY)

    @pytest.mark.parametrize(
        "field, wrong",
        [
            ("name", "  "),
            ("name", "x" * 201),
            ("name", "a\x00b"),
            ("name", "half \ud800 of a character"),
            ("legal_form", "a\nb"),
            ("country_code", "cod"),
            ("country_code", "ZZZ"),
            ("country_code", ""),
            ("address", "x" * 501),
            ("contact_email", "nobody"),
            ("email", "a@b@c"),
            ("email", "a b@example.org"),
        ],
    )
    def test_refuses_unsound_fields(self, ask, field, wrong):
        with pytest.raises(Invalid):
            organisations.sign_up(**ask | {field: wrong}, kind=Kind.COOPERATIVE)

    @pytest.mark.parametrize("email", ["anne@example.org", "ANNE@EXAMPLE.ORG", " Anne@example.org "])
    def test_refuses_an_address_that_signs_somebody_in(self, session, ask, email):
        UserFactory(email="anne@example.org")

        with pytest.raises(EmailTaken):
            organisations.sign_up(**ask | {"email": email}, kind=Kind.COOPERATIVE)


class TestFoundRegistry:
    def test_is_approved_from_the_first(self, ask):
        registry, issuer = organisations.found_registry(**ask)

        assert registry.approved
        assert [role.name for role in issuer.roles] == [RoleName.ISSUER]

    def test_happens_once(self, ask, issuer):
        with pytest.raises(organisations.RegistryExists):
            organisations.found_registry(**ask)


class TestDecisions:
    @pytest.mark.parametrize("before", [Kyc.PENDING, Kyc.REFUSED, Kyc.SUSPENDED])
    def test_approve(self, session, issuer, before):
        organisation = OrganisationFactory(kyc=before)

        organisations.approve(session, organisation, by=issuer, at=AT)

        assert (organisation.kyc, organisation.kyc_reason) == (Kyc.APPROVED, None)
        assert (organisation.kyc_decided_at, organisation.kyc_decided_by) == (AT, issuer.id)
        event = session.scalars(select(Event)).one()
        assert (event.kind, event.actor) == ("organisation.approved", issuer.number)
        said = {"kyc": "approved", "name": organisation.name, "country": "COD"}
        assert json.loads(event.body)["facts"] == said

    def test_refuse_keeps_the_reason_out_of_what_the_public_reads(self, session, issuer):
        organisation = OrganisationFactory(kyc=Kyc.PENDING)

        organisations.refuse(session, organisation, reason="The number is false.", by=issuer, at=AT)

        assert (organisation.kyc, organisation.kyc_reason) == (Kyc.REFUSED, "The number is false.")
        body = session.scalars(select(Event.body)).one()
        assert b"false" not in body
        assert json.loads(body)["facts"] == {"kyc": "refused"}

    def test_suspend_stops_an_approved_one(self, session, issuer):
        organisation = OrganisationFactory()

        organisations.suspend(session, organisation, reason="The licence has ended.", by=issuer, at=AT)

        assert organisation.kyc is Kyc.SUSPENDED

    @pytest.mark.parametrize("decide", [organisations.refuse, organisations.suspend])
    @pytest.mark.parametrize("reason", ["", " \n "])
    def test_need_a_reason(self, session, issuer, decide, reason):
        with pytest.raises(UnsoundText):
            decide(session, OrganisationFactory(), reason=reason, by=issuer, at=AT)

    @pytest.mark.parametrize(
        "decide, before",
        [
            (organisations.approve, Kyc.APPROVED),
            (organisations.refuse, Kyc.APPROVED),
            (organisations.refuse, Kyc.REFUSED),
            (organisations.refuse, Kyc.SUSPENDED),
            (organisations.suspend, Kyc.PENDING),
            (organisations.suspend, Kyc.REFUSED),
            (organisations.suspend, Kyc.SUSPENDED),
        ],
    )
    def test_follow_on_each_other(self, session, issuer, decide, before):
        reason = {} if decide is organisations.approve else {"reason": "Why."}

        with pytest.raises(organisations.AlreadyDecided):
            decide(session, OrganisationFactory(kyc=before), **reason, by=issuer, at=AT)

    @pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.REGISTRY])
    def test_are_the_registrys_alone(self, session, kind):
        with pytest.raises(WrongRole):
            organisations.approve(session, OrganisationFactory(kyc=Kyc.PENDING), by=UserFactory(kind=kind), at=AT)

    def test_are_not_an_auditors(self, session):
        auditor = UserFactory(kind=Kind.REGISTRY, may=[RoleName.AUDITOR])

        with pytest.raises(WrongRole):
            organisations.approve(session, OrganisationFactory(kyc=Kyc.PENDING), by=auditor, at=AT)

    def test_are_never_on_ones_own_organisation(self, session, issuer):
        with pytest.raises(OwnAffair):
            organisations.suspend(session, issuer.organisation, reason="Why.", by=issuer, at=AT)

    def test_look_at_the_present_state(self, engine, session, issuer):
        """A decision that another administrator has taken meanwhile is not overwritten."""
        organisation = OrganisationFactory(kyc=Kyc.PENDING)
        number = organisation.number
        session.commit()
        with Session(engine) as other:
            theirs = organisations.numbered(other, number)
            theirs.kyc, theirs.kyc_decided_at = Kyc.APPROVED, AT
            other.commit()
        begin_writing(session)

        with pytest.raises(organisations.AlreadyDecided):
            organisations.refuse(session, organisation, reason="Why.", by=issuer, at=AT)


class TestJoinGroup:
    def test_lets_the_manager_act(self, session, issuer):
        group, manager = OrganisationFactory(), OrganisationFactory(kind=Kind.GROUP_MANAGER)

        organisations.join_group(session, group, manager=manager, by=issuer, at=AT)

        assert group.group_manager is manager

    @pytest.mark.parametrize(
        "kind, of, kyc",
        [
            (Kind.COOPERATIVE, Kind.COOPERATIVE, Kyc.APPROVED),
            (Kind.MANUFACTURER, Kind.GROUP_MANAGER, Kyc.APPROVED),
            (Kind.COOPERATIVE, Kind.GROUP_MANAGER, Kyc.PENDING),
        ],
    )
    def test_refuses_other_pairs(self, session, issuer, kind, of, kyc):
        with pytest.raises(organisations.NotAGroupManager):
            organisations.join_group(
                session,
                OrganisationFactory(kind=kind),
                manager=OrganisationFactory(kind=of, kyc=kyc),
                by=issuer,
                at=AT,
            )


class TestNumbered:
    def test_finds_by_the_public_id(self, session):
        organisation = OrganisationFactory()

        assert organisations.numbered(session, organisation.number) is organisation

    @pytest.mark.parametrize(
        "number",
        [
            "",
            "ORG-",
            "ORG-1",
            "ORG-0000001",
            "org-000001",
            "000001",
            "ORG-00000x",
            "ORG-000009",
            "ORG-٠٠٠٠٠١",
            "ORG-" + "9" * 40,
        ],
    )
    def test_finds_nothing_else(self, session, number):
        OrganisationFactory(id=1)

        with pytest.raises(NoSuchOrganisation):
            organisations.numbered(session, number)

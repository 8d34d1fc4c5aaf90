"""Statements that go past the object layer, and objects that are made of what they answered: as a session does it."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import bindparam, insert, select
from sqlalchemy.orm import Session, object_session, scoped_session
from sqlalchemy.orm.exc import ObjectDeletedError

from credits.db import WrittenAlone, read_alone
from credits.participants.models import Kind, Kyc, Organisation
from credits.worded import Worded, at_hand
from tests.factories import OrganisationFactory

AT = datetime(2026, 3, 1, 12, 30, 15, 250, tzinfo=UTC)
COLUMNS = (Organisation.id, Organisation.name, Organisation.kind, Organisation.kyc_decided_at, Organisation.kyc_reason)
FIND = Worded(select(*COLUMNS).where(Organisation.kind == bindparam("kind"), Organisation.kyc == Kyc.APPROVED))
WRITTEN = (
    "name",
    "legal_form",
    "kind",
    "country",
    "address",
    "contact_email",
    "kyc",
    "kyc_decided_at",
    "registered_at",
)
WRITE = Worded(insert(Organisation).values({name: bindparam(name) for name in WRITTEN}).returning(Organisation.id))


def written(session, **bent):
    asked = dict.fromkeys(WRITTEN, "Some text") | {"country": "COD", "kind": Kind.RESELLER, "kyc": Kyc.APPROVED}
    ((made,),) = WRITE.rows(session, **asked | {"kyc_decided_at": AT, "registered_at": AT} | bent)
    return made


class TestRows:
    def test_reads_what_a_session_writes(self, session):
        made = OrganisationFactory(kind=Kind.RESELLER, kyc_decided_at=AT)

        assert FIND.rows(session, kind=Kind.RESELLER) == [[made.id, made.name, Kind.RESELLER, AT, None]]

    def test_writes_what_a_session_reads(self, session):
        made = session.get_one(Organisation, written(session, name="Chez l'Étoile"))

        assert (made.name, made.kind, made.kyc, made.registered_at) == (
            "Chez l'Étoile",
            Kind.RESELLER,
            Kyc.APPROVED,
            AT,
        )

    def test_sees_what_waits_in_the_session(self, session):
        made = OrganisationFactory(kind=Kind.RESELLER, kyc_decided_at=AT)
        made.name = "Another"

        assert FIND.rows(session, kind=Kind.RESELLER)[0][1] == "Another"

    def test_answers_nothing_where_there_is_nothing(self, session):
        assert FIND.rows(session, kind=Kind.RESELLER) == []

    def test_refuses_to_write_where_nothing_was_begun(self, engine):
        if engine.dialect.name == "sqlite":
            pytest.skip("There every statement is of a transaction.")
        read_alone(engine, lambda: True)
        with Session(engine) as session, pytest.raises(WrittenAlone):
            written(session)


class TestAtHand:
    def test_is_the_session_s_own_where_it_has_it(self, session):
        made = OrganisationFactory()

        assert at_hand(session, Organisation, {"id": made.id, "name": "Another"}) is made
        assert made.name != "Another"

    def test_becomes_the_session_s_own(self, session):
        made = at_hand(session, Organisation, {"id": written(session)})

        assert session.get(Organisation, made.id) is made

    def test_asks_for_what_is_not_known(self, session):
        made = at_hand(session, Organisation, {"id": written(session, address="Kolwezi"), "name": "As it was read"})

        assert (made.name, made.address) == ("As it was read", "Kolwezi")

    def test_is_changed_as_any_other(self, session):
        number = written(session)
        made = at_hand(session, Organisation, {"id": number, "name": "Some text"})
        made.name = "Another"
        session.flush()

        assert session.scalars(select(Organisation.name).where(Organisation.id == number)).one() == "Another"

    def test_is_gone_with_what_undid_it(self, session):
        made = at_hand(session, Organisation, {"id": written(session), "name": "Some text"})
        session.rollback()

        with pytest.raises(ObjectDeletedError):
            made.name  # noqa: B018  looking is the point

    def test_knows_what_it_was_told_and_looks_for_the_rest(self, session):
        manager = OrganisationFactory()
        made = at_hand(session, Organisation, {"id": written(session)}, group_manager=manager)

        assert made.group_manager is manager
        assert made.members == []

    def test_belongs_to_the_session_behind_a_proxy(self, session):
        proxy = scoped_session(lambda: session)
        made = at_hand(proxy, Organisation, {"id": written(session)})

        assert object_session(made) is session

    def test_is_as_it_was_read_until_it_is_changed(self, session):
        made = at_hand(session, Organisation, {"id": written(session), "name": "Some text"})

        assert made not in session.dirty
        assert made in session

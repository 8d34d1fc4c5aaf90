"""Events: what happened, in exact bytes, with the private parts only as salted hashes."""

import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import DBAPIError

from credits.journal.canonical import BadText, encode
from credits.journal.events import LARGEST, SYSTEM, EventTooLarge, append, story
from credits.journal.models import Event, EventSecret, RegistryIdentity

AT = datetime(2026, 7, 1, 12, 30, 15, 250_000, tzinfo=UTC)
FACTS = {"quantity": 2_500, "issuance": "CO-COD-0001", "ranges": [[1, 2_500]]}


@pytest.fixture
def appended(session):
    def append_event(**other):
        event_id = append(
            session,
            **{"kind": "credits.retired", "subject": "RET-000001", "actor": "USR-000003", "at": AT, "facts": FACTS}
            | other,
        )
        return session.get_one(Event, event_id)

    return append_event


class TestAppend:
    def test_writes_exact_bytes(self, appended):
        event = appended()

        assert event.body == encode(
            {
                "actor": "USR-000003",
                "at": "2026-07-01T12:30:15.250000Z",
                "facts": FACTS,
                "kind": "credits.retired",
                "subject": "RET-000001",
            }
        )
        assert (event.kind, event.subject, event.actor, event.at) == ("credits.retired", "RET-000001", "USR-000003", AT)

    def test_keeps_its_bytes_through_the_database(self, session, appended):
        event = appended(facts={"purpose": "Café – 電気 \x00 😀"})
        body = event.body
        session.commit()
        session.expire_all()

        assert event.body == body

    def test_says_the_time_in_utc(self, appended):
        event = appended(at=AT.astimezone(timezone(timedelta(hours=2))))

        assert json.loads(event.body)["at"] == "2026-07-01T12:30:15.250000Z"
        assert event.at == AT

    def test_numbers_events_in_their_order(self, appended):
        numbers = [appended(actor=SYSTEM).id for _ in range(5)]

        assert numbers == sorted(set(numbers))

    def test_is_undone_with_its_transaction(self, session, appended):
        appended()
        session.rollback()

        assert session.scalars(select(Event)).all() == []

    @pytest.mark.parametrize("facts", [{"x": 0.5}, {"x": AT}, {"é": 1}])
    def test_refuses_facts_without_an_exact_form(self, session, appended, facts):
        with pytest.raises(TypeError):
            appended(facts=facts)

        assert session.scalars(select(Event)).all() == []

    def test_takes_what_a_bundle_of_the_log_can_hold_and_no_more(self, session, appended):
        room = LARGEST - len(appended(facts={"x": ""}).body)
        assert len(appended(facts={"x": "x" * room}).body) == LARGEST
        with pytest.raises(EventTooLarge, match="65536 bytes") as refused:
            appended(facts={"x": "x" * (room + 1)})

        assert refused.value.detail == {"bytes": LARGEST + 1, "most": LARGEST}
        assert len(session.scalars(select(Event)).all()) == 2

    def test_cannot_be_gone_round(self, session):
        row = {"kind": "x", "subject": "X", "actor": "system", "at": AT, "body": bytes(LARGEST + 1)}
        with pytest.raises(DBAPIError, match="at most 65535 bytes"):
            session.execute(insert(Event).values(**row))


class TestPrivateFields:
    PRIVATE = {"name": "Mama Kabila", "note": "Café"}

    def test_are_public_as_salted_hashes_alone(self, session, appended):
        event = appended(private=self.PRIVATE)

        secrets = session.scalars(select(EventSecret).where(EventSecret.event_id == event.id)).all()
        assert {secret.field: secret.value for secret in secrets} == self.PRIVATE
        assert json.loads(event.body)["hashed"] == {
            secret.field: hashlib.sha256(secret.salt + secret.value.encode()).hexdigest() for secret in secrets
        }
        assert b"Kabila" not in event.body

    def test_have_salts_that_nobody_can_guess_and_that_differ(self, session, appended):
        appended(private=self.PRIVATE)
        appended(private=self.PRIVATE, subject="RET-000002")

        salts = session.scalars(select(EventSecret.salt)).all()
        assert len(set(salts)) == 4
        assert {len(salt) for salt in salts} == {32}
        assert len(session.scalars(select(RegistryIdentity.salt_key)).one()) >= 32

    def test_are_no_part_of_an_event_without_any(self, session, appended):
        assert "hashed" not in json.loads(appended(private={}).body)
        assert session.scalars(select(EventSecret)).all() == []

    def test_refuse_half_a_character(self, session, appended):
        with pytest.raises(BadText):
            appended(private={"name": "\ud800"})

        assert session.scalars(select(Event)).all() == []


class TestStory:
    def test_tells_one_subject_from_the_beginning(self, session, appended):
        first, _, third = appended(), appended(subject="RET-000002"), appended(kind="certificate.issued")

        assert story(session, "RET-000001") == [first, third]
        assert story(session, "RET-9") == []

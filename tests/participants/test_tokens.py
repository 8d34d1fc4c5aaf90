from datetime import timedelta

import pytest
from sqlalchemy import select

from credits.journal.models import Event
from credits.participants import tokens
from credits.participants.permissions import WrongRole
from tests.factories import AT, ApiTokenFactory, UserFactory

SECRET = tokens.MARK + "x" * 43


class TestCreate:
    def test_keeps_the_digest_and_not_the_secret(self, session):
        token = tokens.create(session, user=UserFactory(), name="Warehouse", secret=SECRET, at=AT)

        assert token.digest == tokens.digest_of(SECRET)
        assert SECRET.startswith(token.prefix)
        assert len(token.prefix) < 15
        body = session.scalars(select(Event.body)).one()
        assert SECRET.encode() not in body
        assert token.digest.encode() not in body

    def test_is_not_for_a_closed_account(self, session):
        with pytest.raises(WrongRole):
            tokens.create(session, user=UserFactory(active=False), name="Warehouse", secret=SECRET, at=AT)

    def test_ends_at_twenty_in_use(self, session):
        person = UserFactory()
        ApiTokenFactory.create_batch(19, user=person)
        ApiTokenFactory.create_batch(5, user=person, revoked_at=AT)
        tokens.create(session, user=person, name="The last", secret=SECRET, at=AT)

        with pytest.raises(tokens.TooManyTokens):
            tokens.create(session, user=person, name="One more", secret=SECRET + "y", at=AT)


class TestFind:
    def test_finds_a_token_in_use(self, session):
        token = ApiTokenFactory(secret=SECRET)

        assert tokens.find(session, SECRET) is token

    @pytest.mark.parametrize("secret", ["", "asmc_", SECRET[:-1], SECRET + " ", SECRET.upper(), "\ud800", "\x00"])
    def test_finds_nothing_else(self, session, secret):
        ApiTokenFactory(secret=SECRET)

        assert tokens.find(session, secret) is None

    def test_finds_no_revoked_token(self, session):
        ApiTokenFactory(secret=SECRET, revoked_at=AT)

        assert tokens.find(session, SECRET) is None

    def test_finds_no_token_of_a_closed_account(self, session):
        ApiTokenFactory(secret=SECRET, user=UserFactory(active=False))

        assert tokens.find(session, SECRET) is None


class TestRevoke:
    def test_ends_ones_own_for_good(self, session):
        token = ApiTokenFactory(secret=SECRET)

        tokens.revoke(session, token.id, by=token.user, at=AT)

        assert tokens.find(session, SECRET) is None

    def test_keeps_the_first_time(self, session):
        token = ApiTokenFactory(revoked_at=AT)

        tokens.revoke(session, token.id, by=token.user, at=AT + timedelta(days=1))

        assert token.revoked_at == AT

    def test_knows_no_other_peoples(self, session):
        token = ApiTokenFactory()

        with pytest.raises(tokens.NoSuchToken):
            tokens.revoke(session, token.id, by=UserFactory(), at=AT)


class TestUse:
    @pytest.mark.parametrize("minutes, due", [(None, True), (0, False), (59, False), (60, True)])
    def test_is_noted_by_the_hour(self, session, minutes, due):
        token = ApiTokenFactory(last_used_at=None if minutes is None else AT)

        assert tokens.use_is_due(token, AT + timedelta(minutes=minutes or 0)) is due

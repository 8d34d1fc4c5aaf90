"""Mail leaves after the commit, at least once, however often the server fails."""

from datetime import timedelta
from smtplib import SMTPRecipientsRefused, SMTPServerDisconnected

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from credits import jobs
from credits.letters import deliver, send_later
from credits.notices import Kind, outbox, tell
from credits.notices.models import Notice
from credits.participants.models import Language
from tests.factories import AT, UserFactory

FACTS = {"name": "Nordlicht", "organisation": "ORG-000001", "reason": "Unpaid."}


@pytest.fixture
def readers(session):
    return [UserFactory(), UserFactory(language=Language.SW)]


@pytest.fixture
def notices(session, readers):
    tell(session, to=readers, kind=Kind.ORGANISATION_SUSPENDED, facts=FACTS, at=AT)
    session.commit()
    return session.scalars(select(Notice).order_by(Notice.id)).all()


class Post:
    """A mail server that fails as it is told to."""

    def __init__(self, *failures: Exception | None) -> None:
        self.failures, self.taken = list(failures), []

    def __call__(self, letter) -> None:
        failure = self.failures.pop(0) if self.failures else None
        if failure:
            raise failure
        self.taken.append(letter.email)


class TestSendNotices:
    def test_sends_each_once(self, session, notices, readers):
        post = Post()

        assert [jobs.send_notices(session, deliver=post, at=AT) for _ in range(2)] == [2, 0]
        assert post.taken == [reader.email for reader in readers]
        assert all(notice.mailed_at == AT and notice.mail_due_at is None for notice in notices)

    def test_is_in_no_transaction_while_it_sends(self, session, notices):
        def look(letter) -> None:
            assert not session.in_transaction()

        assert jobs.send_notices(session, deliver=look, at=AT) == 2

    def test_tries_again_later_and_later_until_the_server_answers(self, session, notices):
        down = SMTPServerDisconnected("gone")
        post, moment, tries = Post(*[down] * 12), AT, 0
        while len(post.taken) < 2:
            jobs.send_notices(session, deliver=post, at=moment)
            moment += timedelta(minutes=1)
            tries += 1

        assert 12 < tries < 200
        assert {notice.mailed_at is not None for notice in notices} == {True}

    def test_waits_six_hours_at_most(self, session, notices):
        for day in range(1, 30):
            jobs.send_notices(session, deliver=Post(OSError(), OSError()), at=AT + timedelta(days=day))

        assert max(notice.mail_due_at for notice in notices) <= AT + timedelta(days=29, hours=6)

    def test_lets_the_others_leave_where_one_address_is_refused(self, session, notices, readers):
        post = Post(SMTPRecipientsRefused({}))

        assert jobs.send_notices(session, deliver=post, at=AT) == 1
        assert post.taken == [readers[1].email]
        assert jobs.send_notices(session, deliver=post, at=AT + timedelta(minutes=2)) == 1

    @pytest.mark.parametrize("failure", [ValueError("CR or LF"), UnicodeError("idna"), KeyError("x"), OSError("cut")])
    def test_lets_the_others_leave_whatever_becomes_of_one(self, session, notices, readers, failure):
        post = Post(failure)

        assert jobs.send_notices(session, deliver=post, at=AT) == 1
        assert post.taken == [readers[1].email]

    def test_knocks_three_times_where_no_server_answers(self, session, readers):
        tell(session, to=readers * 3, kind=Kind.ORGANISATION_SUSPENDED, facts=FACTS, at=AT)
        for _ in range(3):
            tell(session, to=readers, kind=Kind.ORGANISATION_SUSPENDED, facts=FACTS, at=AT)
        session.commit()
        post = Post(*[ConnectionRefusedError()] * 10)
        jobs.send_notices(session, deliver=post, at=AT)

        assert len(post.failures) == 7

    def test_gives_a_letter_up_in_the_end_and_the_registry_sees_whose(self, session, notices, readers):
        def post(letter) -> None:
            if letter.email == readers[0].email:
                raise ValueError("no such address can be written")

        for day in range(60):
            jobs.send_notices(session, deliver=post, at=AT + timedelta(days=day))
        session.rollback()

        assert (notices[0].mail_tries, notices[0].mail_due_at, notices[0].mailed_at) == (outbox.MOST_TRIES, None, None)
        assert outbox.given_up(session) == [(readers[0], 1)]

    def test_sends_again_what_was_sent_by_who_died_before_noting_it(self, session, notices):
        with pytest.raises(KeyboardInterrupt):
            jobs.send_notices(session, deliver=Post(KeyboardInterrupt()), at=AT)
        session.rollback()

        assert jobs.send_notices(session, deliver=Post(), at=AT + timedelta(hours=1)) == 2

    def test_writes_to_nobody_who_has_left(self, session, notices, readers):
        readers[0].active = False
        session.commit()

        assert jobs.send_notices(session, deliver=Post(), at=AT) == 1
        assert notices[0].mail_due_at is None


class TestDeliver:
    def test_says_what_happened_and_where_to_go(self, app, session, notices, readers, outbox):
        with app.app_context():
            jobs.send_notices(session, deliver=deliver, at=AT)

        first = outbox[0]
        assert (first.subject, first.to) == ("Nordlicht is suspended", [readers[0].email])
        assert "Reason: Unpaid." in first.body
        assert f"{app.config['PUBLIC_URL']}/account" in first.body
        assert first.extra_headers["Message-ID"].startswith(f"<notice-{notices[0].id}@")
        assert len(outbox) == 2  # a language without a catalogue is told in English

    def test_logs_a_letter_of_the_sign_in_that_cannot_be_written(self, app, caplog):
        with app.test_request_context("/"):
            send_later("Confirm", "Here", "é" * 60 + "@example.org")
            app.process_response(app.make_response("")).close()

        assert "A mail could not be sent." in caplog.text

    def test_leaves_what_is_written_as_it_is(self, app, session, readers, outbox):
        tell(session, to=readers[0], kind=Kind.ORGANISATION_REFUSED, facts=FACTS | {"reason": "A < B & 5 %"}, at=AT)
        session.commit()
        with app.app_context():
            jobs.send_notices(session, deliver=deliver, at=AT)

        assert "A < B & 5 %" in outbox[0].body


class TestDatabase:
    @pytest.mark.parametrize(
        "change", ["facts = '{}'", "kind = 'held'", "told_at = read_at", "person_id = person_id + 1"]
    )
    def test_lets_nobody_change_what_was_told(self, session, notices, change):
        with pytest.raises(DBAPIError):
            session.connection().exec_driver_sql(f"UPDATE notice SET {change}")
        session.rollback()

    def test_lets_nobody_delete_it_or_unread_it(self, session, notices):
        notices[0].read_at = AT
        session.commit()
        for statement in ("DELETE FROM notice", "UPDATE notice SET read_at = NULL"):
            with pytest.raises(DBAPIError):
                session.connection().exec_driver_sql(statement)
            session.rollback()

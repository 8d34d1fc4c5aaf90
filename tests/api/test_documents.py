import json
from hashlib import sha256

import pytest
from sqlalchemy import select

from credits import document_jobs, drawing, jobs
from credits.certificates import records
from credits.certificates.account_facts import Days
from credits.certificates.records import Asking
from credits.log_keys import log_keys
from credits.participants.models import Kind, Language, Organisation, User
from tests.factories import AT


@pytest.fixture
def statement(app, session, maker):
    """A statement of the manufacturer's account."""
    user = session.scalars(select(User).join(User.organisation).where(Organisation.kind == Kind.MANUFACTURER)).one()
    asking = Asking(app.extensions["issuer"], Language.PT, user, AT)
    days = Days(AT.date(), AT.date())
    made = records.of_account(session, holder=user.organisation, days=days, asking=asking, key="k")
    session.commit()
    return made


class TestDocuments:
    def test_are_listed_told_and_fetched_by_those_whom_they_concern(self, app, session, maker, issuer, statement):
        number = statement.number
        waiting = maker.get(f"/documents/{number}/document")
        with app.app_context():
            jobs.publish_log(session, keys=log_keys(), data_dir=app.extensions["settings"].data_dir, at=AT)
            document_jobs.draw_records(session, workshop=drawing.workshop(), at=AT)
        listed = maker.get("/documents")
        (told,) = listed.json
        file = maker.get(f"/documents/{number}/document")
        facts = maker.get(f"/documents/{number}/facts")

        assert (waiting.status_code, waiting.json["code"]) == (409, "certificate_not_issued_yet")
        assert listed.headers["X-Total-Count"] == "1"
        assert told == maker.get(f"/documents/{number}").json == issuer.get("/documents").json[0]
        assert (told["kind"], told["language"], told["progress"]) == ("account", "pt", "issued")
        assert told["about"] == told["organisation"]["number"] == maker.number
        assert file.data.startswith(b"%PDF-")
        assert sha256(file.data).hexdigest() == told["document_sha256"]
        assert sha256(facts.data).hexdigest() == told["facts_sha256"]
        assert json.loads(facts.data)["number"] == number
        assert maker.get("/documents", kind="bulk").json == []
        assert maker.get("/documents", kind="else").status_code == 422

    def test_are_nobody_elses(self, machine, stranger, statement):
        other = machine(Kind.MANUFACTURER)

        assert other.get("/documents").json == []
        for page in ("", "/facts", "/document"):
            answer = other.get(f"/documents/{statement.number}{page}")
            assert (answer.status_code, answer.json["code"]) == (404, "no_such_document")
            assert stranger.get(f"/documents/{statement.number}{page}").status_code == 401

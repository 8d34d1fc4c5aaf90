from io import BytesIO

import pytest
from sqlalchemy import func, select

from credits import jobs
from credits.extensions import db
from credits.participants.models import Kind
from credits.registry.files.import_columns import COLUMNS
from credits.registry.files.import_files import ImportFile, ImportKind, ImportState
from credits.registry.production import Batch, Site
from credits.web import imports
from tests.factories import UserFactory
from tests.web.producing import NOW

ROW = "Pit {};COD;Lualaba;Kolwezi;-10,7164;25,4667;tolerated;State;open_pit;no;120;unknown;;\n"
HEADING = ";".join(column.name for column in COLUMNS[ImportKind.SITES][1:]) + "\n"


@pytest.fixture
def stage(stage, monkeypatch):
    monkeypatch.setattr(imports, "now", lambda: NOW)
    return stage


@pytest.fixture
def send(client, stage):
    client.sign_in(stage.clerk)

    def act(text, kind="sites", name="pits.csv"):
        return client.post(f"/imports/{kind}/new", data={"key": "k", "file": (BytesIO(text.encode()), name)})

    return act


@pytest.fixture
def by_and_by(monkeypatch):
    """Every file is too large to be done at once; what would be done beside the answer waits here."""
    waiting = []
    monkeypatch.setattr(imports, "AT_ONCE", 0)
    monkeypatch.setattr(imports, "set_going", lambda job, file_id: waiting.append((job, file_id)))
    return waiting


def count(session, model):
    return session.scalars(select(func.count()).select_from(model)).one()


class TestImports:
    def test_offer_templates(self, client, stage):
        client.sign_in(stage.clerk)
        assert "No file yet" in client.get("/imports").text
        for kind in ImportKind:
            page = client.get(f"/imports/{kind}/new").text
            assert all(column.name in page for column in COLUMNS[kind])
            assert client.get(f"/imports/{kind}/template/csv").data.startswith(b"\xef\xbb\xbf")
            assert client.get(f"/imports/{kind}/template/xlsx").data.startswith(b"PK")
        for missing in ("/imports/gold/new", "/imports/sites/template/pdf", "/imports/IMPORT-000009"):
            assert client.get(missing).status_code == 404

    def test_show_what_would_be_made_and_make_it_once(self, client, session, send, stage, words):
        answer = send(HEADING + ROW.format("A") + ROW.format("B"))
        assert answer.location == "/imports/IMPORT-000001"
        page = words(client.get(answer.location).text)
        assert "Nothing is wrong in 2 rows" in page
        assert "Pit B" in page
        assert count(session, Site) == 0

        for _again in range(2):
            assert client.post("/imports/IMPORT-000001/confirm", data={"key": "c"}).status_code == 303

        assert "2 rows are entered." in client.get(answer.location).text
        assert count(session, Site) == 2
        assert send(HEADING + ROW.format("A") + ROW.format("B")).location == answer.location
        assert "Nothing is entered twice" in client.get(answer.location).text
        for stranger in (UserFactory(), stage.issuer, stage.lead):
            assert client.sign_in(stranger).get(answer.location).status_code == 404

    def test_name_every_wrong_cell_and_make_nothing(self, client, session, send, words):
        answer = send(
            HEADING + ROW.format("A").replace("-10,7164", "200").replace("tolerated", "<b>") + ROW.format("B")
        )

        page = words(client.get(answer.location).text)
        assert "2 cells are wrong" in page
        assert "The latitude lies between -90 and 90." in page
        assert "<b>" in page
        assert client.post("/imports/IMPORT-000001/confirm", data={"key": "c"}).status_code == 409
        assert count(session, Site) == 0

    @pytest.mark.parametrize(
        ("text", "said"),
        [("", "The file is empty"), ("a,b\n1,2\n", "not known: a, b"), (HEADING, "no row below the heading")],
    )
    def test_say_what_is_wrong_with_the_file(self, send, text, said):
        answer = send(text)

        assert answer.status_code == 422
        assert said in answer.text

    def test_go_on_beside_the_answer_and_tell_how_far(self, client, session, send, by_and_by, words, app, monkeypatch):
        monkeypatch.setattr(jobs.importing, "AT_ONCE", 1)
        address = send(HEADING + "".join(ROW.format(number) for number in range(3))).location
        waits = client.get(address)
        assert waits.headers["Refresh"] == "2"
        assert "0 of 3 rows looked through" in words(waits.text)
        ((job, file_id),) = by_and_by
        session.commit()
        with app.app_context():
            job(db.session(), file_id=file_id, at=NOW)
        session.expire_all()
        assert session.get_one(ImportFile, file_id).state is ImportState.SOUND

        client.post(f"{address}/confirm", data={"key": "c"})
        assert "3 rows are being entered" in words(client.get(address).text)
        session.commit()
        with app.app_context():
            assert jobs.take_up_imports(db.session(), at=NOW.replace(day=12)) == 1

        assert "3 rows are entered." in client.get(address).text

    def test_can_be_dropped(self, client, session, send):
        address = send(HEADING + ROW.format("A")).location

        assert client.post(f"{address}/drop").location == "/imports"
        assert "This file was dropped" in client.get(address).text
        assert client.post(f"{address}/confirm", data={"key": "c"}).status_code == 409

    def test_are_for_producers(self, client, stage):
        for stranger in (stage.lead, stage.buyer, UserFactory(kind=Kind.RESELLER)):
            assert client.sign_in(stranger).get("/imports").status_code == 403
        assert count(stage.session, Batch) == 0

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from credits import jobs
from credits.journal.models import Event, EventSecret
from credits.ledger import remember_refusal
from credits.participants.models import Kind
from credits.registry.files import importing
from credits.registry.files.import_files import ImportFile, ImportKind, ImportState
from credits.registry.files.import_sheets import read
from credits.registry.mines.site_record_models import MembersCount
from credits.registry.production import Batch, Site
from tests.factories import UserFactory

SITES = (
    "name;country;province;district;latitude;longitude;access;concession_owner;method;mercury;miners;"
    "conflict_affected;conflict_source;conflict_checked_on\n"
)
PIT = "Pit A;COD;Lualaba;Kolwezi;-10,7164;25,4667;Sub-lease;State;open pit;no;1 200;unknown;;\n"
BATCHES = "site,mineral,form,produced_from,produced_to,gross_kg,moisture,dry_kg,grade,miners,days_worked,sold_to\n"
COBALT = 'COD-KAM001,CO,ore,2026-04-01,2026-04-30,"1240,5",12.5,,31.2,120,20,=1+1\n'
MEMBERS = "site,counted_on,women,young_women,men,young_men\n"


@pytest.fixture
def bring(stage):
    """Receive and look through a file of the clerk's."""

    def act(kind, content, by=stage.clerk):
        sheet = read("rows.csv", content if isinstance(content, bytes) else content.encode())
        file = importing.receive(stage.session, kind=ImportKind(kind), sheet=sheet, by=by, at=stage.at)
        if file.state is ImportState.CHECKING:
            looked = importing.look_through(stage.session, file, by=by, at=stage.at)
            importing.note(stage.session, file, looked.findings, at=stage.at)
        return file

    return act


@pytest.fixture
def enter(stage, bring):
    def act(kind, content, by=stage.clerk):
        file = bring(kind, content, by)
        importing.confirm(stage.session, file=file, by=by, key=stage.key(), at=stage.at)
        return file, importing.enter(stage.session, file=file, by=by, at=stage.at)

    return act


def told(file):
    return [(found["cell"], found["column"], found["message"]) for found in file.findings]


def count(session, model):
    return session.scalars(select(func.count()).select_from(model)).one()


class TestEnter:
    def test_makes_all_rows_with_an_event_each(self, stage, session, enter):
        sites = SITES + PIT + PIT.replace("Pit A", "Pit Éa") + PIT.replace("Pit A", "=1+1")
        file, numbers = enter("sites", sites.encode("cp1252"))
        assert numbers == ["COD-PIT001", "COD-PIT002", "COD-XXX001"]
        assert (file.state, file.made, file.lines) == (ImportState.ENTERED, 3, [])
        made = session.scalars(select(Site).order_by(Site.id)).all()
        assert [(site.name, site.miners, site.latitude) for site in made][1:] == [
            ("Pit Éa", 1200, -10_716_400),
            ("=1+1", 1200, -10_716_400),
        ]
        _file, numbers = enter("batches", (BATCHES + COBALT).replace("KAM001", "PIT001"))
        assert numbers == ["BATCH-000001"]
        batch = session.get_one(Batch, 1)
        assert (batch.gross_mg, batch.sold_to, batch.state.value) == (1_240_500_000, "=1+1", "draft")
        _file, numbers = enter("members", f"{MEMBERS}COD-PIT001,2026-05-01,40,10,90,20\n")
        assert session.get_one(MembersCount, 1).young_men == 20
        kinds = ("site.registered", "batch.drafted", "record.entered", "import.entered")
        assert [count(session, select(Event).where(Event.kind == kind).subquery()) for kind in kinds] == [3, 1, 1, 3]
        assert count(session, EventSecret) >= 6

    def test_enters_the_same_file_once(self, stage, session, enter, bring):
        file, _numbers = enter("sites", SITES + PIT)

        again = bring("sites", SITES + PIT)

        assert again is file
        assert importing.enter(session, file=file, by=stage.clerk, at=stage.at) == []
        assert count(session, Site) == 1

    def test_is_the_act_of_who_confirmed_it(self, stage, session, engine, bring):
        file = bring("sites", SITES + PIT)
        importing.confirm(session, file=file, by=stage.manager, key="k", at=stage.at)
        stage.clerk.active = False  # who sent it has left
        session.commit()

        jobs.enter_import(session, file_id=file.id, at=stage.at)

        told = session.execute(
            select(Event.kind, Event.actor).where(Event.actor == stage.manager.number).order_by(Event.id)
        ).all()
        assert told == [
            (each, stage.manager.number) for each in ("import.confirmed", "site.registered", "import.entered")
        ]

    def test_enters_nothing_where_something_has_changed_since(self, stage, session, bring):
        file = bring("sites", SITES + PIT + PIT.replace("Pit A", "Pit B"))
        stage.site(name="Pit B", province="Lualaba", district="Kolwezi")
        importing.confirm(session, file=file, by=stage.clerk, key="k", at=stage.at)

        with pytest.raises(importing.NotSound, match=r"A3: COD-PIT001 has this name in this district already"):
            importing.enter(session, file=file, by=stage.clerk, at=stage.at)
        assert count(session, Site) == 1
        importing.refuse(session, file, "Why.", at=stage.at)
        assert file.state is ImportState.REFUSED

    def test_is_for_a_whole_group_and_nobody_else(self, stage, session, bring):
        manager = UserFactory(kind=Kind.GROUP_MANAGER)
        row = (SITES + PIT).replace("name;", "producer;name;").replace("Pit A;", f"{stage.coop.number};Pit A;")

        assert told(bring("sites", row, by=manager))[0][:2] == ("A2", "producer")
        stage.coop.group_manager = manager.organisation
        assert bring("sites", row + "\n", by=manager).state is ImportState.SOUND
        for stranger in (stage.lead, stage.buyer):
            with pytest.raises(Exception, match="clerk or manager"):
                bring("sites", row, by=stranger)
        remember_refusal(session, importing.NotSound("x"))

    def test_is_kept_by_the_database_too(self, stage, session, bring):
        file = bring("sites", SITES + PIT.replace("-10,7164", "25,4667"))
        assert file.state is ImportState.WRONG
        for statement in (
            "UPDATE import_file SET state = 'entered', made = 1",
            "UPDATE import_file SET wrong = 0",
            "DELETE FROM import_file",
        ):
            with pytest.raises(DBAPIError, match="import_file"), session.begin_nested():
                session.execute(text(statement))
        assert count(session, ImportFile) == 1


class TestFindings:
    def test_name_every_wrong_cell_of_sites(self, bring, stage):
        stage.site(name="Pit Z", province="Lualaba", district="Kolwezi")
        pits = iter(PIT.replace("Pit A", f"Pit {number}") for number in range(5))
        rows = [
            next(pits).replace("-10,7164;25,4667", "25,4667;-10,7164"),
            next(pits).replace("-10,7164;25,4667", "0;0"),
            next(pits).replace("-10,7164;25,4667", "48,8;2,3"),
            next(pits).replace("Sub-lease", "theirs").replace("1 200", "=2*3"),
            next(pits).replace("unknown", "yes"),
            PIT.replace("Pit A", ""),
            PIT,
            PIT.replace("Pit A", "pit  a"),
            PIT.replace("Pit A", "Pit Z"),
            PIT.replace("Pit A", "P\u202eit"),
            PIT.replace("Pit A", "Pit M").strip() + ";more\n",
        ]
        found = told(bring("sites", SITES + "".join(rows)))

        assert [(cell, column) for cell, column, _message in found] == [
            ("E2", "latitude"),
            ("E3", "latitude"),
            ("E4", "latitude"),
            ("G5", "access"),
            ("K5", "miners"),
            ("M6", "conflict_source"),
            ("A7", "name"),
            ("A9", "name"),
            ("A10", "name"),
            ("A11", "name"),
            ("O12", ""),
        ]
        said = [message for _cell, _column, message in found]
        assert "swapped" in said[0]
        assert "in the sea" in said[1]
        assert "outside of" in said[2]
        assert "Write one of: own_title, sub_lease, tolerated, asm_zone." in said[3]
        assert "formula" in said[4]
        assert "Row 8 has this name" in said[7]
        assert "COD-PIT001 has this name" in said[8]

    def test_name_every_wrong_cell_of_batches(self, bring, stage):
        stage.draft()  # 1 April to 31 May
        other = COBALT.replace("2026-04-01,2026-04-30", "2026-02-01,2026-02-28")
        rows = [
            COBALT,
            other.replace("31.2", "0.312"),
            other.replace("12.5,,", ",1300,"),
            other.replace("12.5,,", "12.5,1200,"),
            other.replace("12.5,,", ",,"),
            other.replace("2026-02-01", "2025-12-15"),
            other.replace("KAM001", "NOT001"),
            other.replace('"1240,5"', '"1,240"').replace("2026-02-28", "28/02/2026"),
            other,
            other.replace("2026-02-01,2026-02-28", "2026-02-28,2026-03-02").replace(",20,", ",3,"),
            other.replace(",20,", ",29,"),
            "COD-NOT001,CO,doré,2026-03-09,2026-03-01,-1,101,,0.3.1,many,1,\n",
            "COD-KAM001,AU,grain,2026-03-01,2026-03-09,1.5,2,,91.7,3,1,\n",
        ]
        found = told(bring("batches", BATCHES + "".join(rows)))

        assert [(cell, column) for cell, column, _message in found] == [
            ("D2", "produced_from"),
            ("I3", "grade"),
            ("H4", "dry_kg"),
            ("H5", "dry_kg"),
            ("G6", "moisture"),
            ("E7", "produced_to"),
            ("A8", "site"),
            ("E9", "produced_to"),
            ("F9", "gross_kg"),
            ("D11", "produced_from"),
            ("K12", "days_worked"),
            ("A13", "site"),
            ("C13", "form"),
            ("E13", "produced_to"),
            ("F13", "gross_kg"),
            ("G13", "moisture"),
            ("I13", "grade"),
            ("J13", "miners"),
            ("G14", "moisture"),
            ("I14", "grade"),
        ]
        said = [message for _cell, _column, message in found]
        assert "BATCH-000001 covers 2026-04-01 to 2026-05-31" in said[0]
        assert "Did you mean 31.2 %?" in said[1]
        assert "2025-12-15 to 2025-12-31 and 2026-01-01 to 2026-02-28" in said[5]
        assert "1,240 can mean 1240 or 1.240" in said[8]
        assert "Row 10 covers" in said[9]

    def test_name_every_wrong_cell_of_members(self, bring, stage):
        stage.site()
        rows = ("2026-05-01,40,41,90,20", "2026-05-02,40,10,90,20", "2026-05-02,1,1,1,1", "2027-01-01,1,1,1,1")
        found = told(bring("members", MEMBERS + "".join(f"COD-KAM001,{row}\n" for row in rows)))

        assert [cell for cell, _column, _message in found] == ["D2", "B4", "B5"]

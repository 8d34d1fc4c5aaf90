from datetime import date

import pytest
from sqlalchemy import select

from credits.journal.models import Event
from credits.participants.models import RoleName
from credits.registry.making.batch_entries import BatchEntry, EntryState
from credits.registry.production import Batch, BatchState, EvidenceKind
from credits.registry.reviews import verification
from credits.web import batch_entries, batch_forms, batch_steps, batches
from tests.factories import UserFactory
from tests.web.producing import NOW

DAYS = {"produced_from": "2026-04-01", "produced_to": "2026-05-31", "miners": "120", "days_worked": "50"}
WEIGHT = {"delivered_as": "ore", "gross_kg": "1 240,5", "moisture": "", "dry_kg": "1240"}
GRADE = {"grade": "31,2", "sold_to": "Depot", "sold_with_premium": "", "registered_elsewhere": ""}


@pytest.fixture(autouse=True)
def fixed_clock(monkeypatch):
    for door in (batch_forms, batches, batch_entries, batch_steps):
        monkeypatch.setattr(door, "now", lambda: NOW)


@pytest.fixture
def begun(client, stage):
    """The clerk has said of which site and mineral, and stands at the second step."""
    stage.site()
    client.sign_in(stage.clerk)
    answer = client.post("/batches/new", data={"site": "COD-KAM001", "mineral": "CO", "key": "k1"})
    assert answer.location == "/batches/ENTRY-000001/steps/2"
    return "/batches/ENTRY-000001/steps/"


def entry_of(session):
    return session.scalars(select(BatchEntry).execution_options(populate_existing=True)).one()


class TestSteps:
    def test_lead_from_the_site_to_the_papers(self, client, session, begun, words):
        for step, typed in ((2, DAYS), (3, WEIGHT)):
            assert client.post(f"{begun}{step}", data=typed).location == f"{begun}{step + 1}"
        shown = words(client.get(f"{begun}4?grade=31.2").text)
        assert "1,240.5 kg − 0.0404 % moisture = 1,239.998838 kg dry" in shown
        assert "1,239.998838 kg dry × 31.2 % Co = 386.879637456 kg" in shown
        assert "386 kg count; the rest is carried to your next batch." in shown

        papers = client.post(f"{begun}4", data=GRADE | {"key": "k4"}).location

        assert papers == "/batches/BATCH-000001/steps/5"
        page = words(client.get(papers).text)
        assert "Add: Scale log" in page
        assert "Still missing before you can submit" in page
        batch = session.scalars(select(Batch)).one()
        assert (batch.state, batch.miners, batch.grade_ppm) == (BatchState.DRAFT, 120, 312_000)
        assert entry_of(session).state is EntryState.FINISHED
        assert client.post(f"{begun}4", data=GRADE | {"key": "k5"}).location == "/batches/BATCH-000001"
        kinds = set(session.scalars(select(Event.kind).where(Event.subject == "ENTRY-000001")))
        assert kinds == {"entry.begun", "entry.saved", "entry.finished"}

    def test_keep_what_is_half_typed_and_wrong_when_somebody_leaves(self, client, session, begun):
        client.post(f"{begun}2", data={"produced_from": "2026-04-0", "miners": "many", "leave": "1"})

        assert "Not finished yet: ENTRY-000001" in client.get("/batches").text
        page = client.get(f"{begun}2").text
        assert 'value="2026-04-0"' in page
        assert 'value="many"' in page

    def test_go_back_without_loss(self, client, begun):
        client.post(f"{begun}2", data=DAYS)

        assert client.post(f"{begun}3", data={"gross_kg": "99,5", "back": "1"}).location == f"{begun}2"
        assert 'value="120"' in client.get(f"{begun}2").text
        assert 'value="99,5"' in client.get(f"{begun}3").text
        assert client.get(f"{begun}4").location == f"{begun}3"

    @pytest.mark.parametrize(
        ("step", "typed", "said"),
        [
            (2, DAYS | {"days_worked": "62"}, "The production period has 61 days only."),
            (2, DAYS | {"produced_to": "2026-12-31"}, "lies in the future"),
            (3, WEIGHT | {"gross_kg": "1000", "dry_kg": "1240"}, "is above the gross weight, 1,000 kg"),
            (3, WEIGHT | {"moisture": "20"}, "Correct one of them, or leave one empty"),
            (3, WEIGHT | {"dry_kg": ""}, "Give the moisture, or the dry weight"),
            (4, GRADE | {"grade": "0.312"}, "Did you mean 31.2 %?"),
            (4, GRADE | {"sold_with_premium": "9999"}, "More was sold with a premium"),
        ],
    )
    def test_say_what_is_wrong_and_lose_nothing(self, client, begun, words, step, typed, said):
        for number, sound in ((2, DAYS), (3, WEIGHT)):
            if number < step:
                client.post(f"{begun}{number}", data=sound)

        refused = client.post(f"{begun}{step}", data=typed | {"key": "k9"})

        assert refused.status_code == 422
        assert said in words(refused.text)
        for value in typed.values():
            assert not value or f'value="{value}"' in refused.text
        right = {2: DAYS, 3: WEIGHT, 4: GRADE}[step]
        assert client.post(f"{begun}{step}", data=right | {"key": "k10"}).status_code == 303

    def test_ask_anew_for_another_mineral(self, client, session, begun):
        client.post(f"{begun}2", data=DAYS)
        client.post(f"{begun}3", data=WEIGHT)

        client.post(f"{begun}1", data={"site": "COD-KAM001", "mineral": "AU", "key": "k"})

        entry = entry_of(session)
        assert (entry.mineral_code, entry.step, entry.typed.get("moisture")) == ("AU", 2, None)
        assert 'value="120"' in client.get(f"{begun}2").text

    def test_warn_of_a_licence_that_ends_a_day_early(self, client, session, stage, begun, words):
        site = entry_of(session).site
        for licence in site.licences:
            licence.valid_to = date(2026, 5, 30)
        client.post(f"{begun}2", data=DAYS)

        said = "ends on 30 May 2026, one day before the last production day, 31 May 2026"
        assert said in words(client.get(f"{begun}3").text)
        client.post(f"{begun}3", data=WEIGHT)
        papers = client.post(f"{begun}4", data=GRADE | {"key": "k4"}).location
        assert said in words(client.get(papers).text)
        refused = client.post("/batches/BATCH-000001/submit", data={"key": "s"})
        assert refused.status_code == 409
        assert said in words(refused.text)

    def test_are_nobody_elses_and_end_when_dropped(self, client, session, stage, begun):
        for stranger in (UserFactory(), stage.lead, stage.issuer):
            for way in ("steps/2", "split", "drop"):
                assert client.sign_in(stranger).get(f"/batches/ENTRY-000001/{way}").status_code == 404
        colleague = UserFactory(organisation=stage.coop, may=[RoleName.CLERK])
        client.sign_in(colleague)
        assert client.get(f"{begun}2").status_code == 200

        client.post("/batches/ENTRY-000001/drop", data={"key": "d"})

        assert entry_of(session).state is EntryState.DROPPED
        assert client.get(f"{begun}2").status_code == 409
        assert "ENTRY-000001" not in client.get("/batches").text

    def test_begin_by_number_where_there_are_very_many_sites(self, client, stage, monkeypatch, words):
        monkeypatch.setattr(batches, "MOST_LISTED", 0)
        stage.site()
        client.sign_in(stage.clerk)
        assert "You have very many" in words(client.get("/batches/new?site=COD-KAM001").text)

        unknown = client.post("/batches/new", data={"site": "COD-KAM009", "mineral": "CO", "key": "k"})
        assert (unknown.status_code, 'value="COD-KAM009"' in unknown.text) == (404, True)
        assert "There is no such site." in unknown.text
        begun = client.post("/batches/new", data={"site": " cod-kam001", "mineral": "CO", "key": "k2"})
        assert begun.location == "/batches/ENTRY-000001/steps/2"
        moved = {"site": "COD-XXX001", "mineral": "CO", "key": "k3"}
        assert client.post("/batches/ENTRY-000001/steps/1", data=moved).status_code == 404

    def test_change_a_draft_too(self, client, session, stage):
        batch = stage.draft()
        client.sign_in(stage.clerk)
        address = f"/batches/{batch.number}/steps/"

        page = client.get(f"{address}3").text
        assert 'value="10000"' in page
        changed = {"delivered_as": "ore", "gross_kg": "9000", "moisture": "20", "dry_kg": "", "seen": "1"}
        assert client.post(f"{address}3", data=changed).location == f"{address}4"
        stale = client.post(f"{address}3", data=changed | {"gross_kg": "8000"})

        assert stale.status_code == 409
        assert 'value="8000"' in stale.text
        session.refresh(batch)
        assert batch.gross_mg == 9_000 * 1_000_000
        assert client.get(f"/batches/{stage.submitted(stage.site(name='Pit')).number}/steps/3").status_code == 409


class TestSplitEntry:
    OVER = DAYS | {"produced_from": "2025-12-01", "produced_to": "2026-01-15", "days_worked": "46"}

    def test_makes_a_draft_for_each_year(self, client, session, begun, words):
        client.post(f"{begun}2", data=self.OVER)
        assert "Two vintages" in client.get(f"{begun}3").text
        client.post(f"{begun}3", data=WEIGHT | {"gross_kg": "460", "dry_kg": "460"})

        asked = client.post(f"{begun}4", data=GRADE | {"key": "k4"})

        assert asked.location == "/batches/ENTRY-000001/split"
        page = words(client.get(asked.location).text)
        assert "460 kg × 31 ÷ 46 = 310 kg" in page
        assert "150 kg dry × 31.2 % Co = 46.8 kg" in page
        for _again in range(2):
            assert client.post(asked.location, data={"key": "k5"}).location == "/batches/BATCH-000001"
        found = session.scalars(select(Batch).order_by(Batch.id)).all()
        assert [(batch.vintage, batch.days_worked) for batch in found] == [(2025, 31), (2026, 15)]

    def test_is_offered_on_the_page_of_all_figures_too(self, client, session, stage, words):
        stage.site()
        client.sign_in(stage.clerk)
        figures = self.OVER | WEIGHT | GRADE | {"key": "one"}

        asked = client.post("/batches/new?site=COD-KAM001&mineral=CO", data=figures)

        assert asked.location == "/batches/ENTRY-000001/split"
        assert "1 240,5" in client.get("/batches/ENTRY-000001/steps/3").text
        assert "Vintage 2025" in words(client.get(asked.location).text)

    def test_is_said_where_a_draft_is_changed(self, client, stage, words):
        batch = stage.draft()
        stage.paper(batch, EvidenceKind.ASSAY)
        client.sign_in(stage.clerk)

        refused = client.post(f"/batches/{batch.number}/steps/2", data=self.OVER | {"seen": "1"})

        assert refused.status_code == 422
        assert "one batch for each: 2025-12-01 to 2025-12-31 and 2026-01-01 to 2026-01-15" in words(refused.text)


class TestPapersStep:
    def test_leads_to_submission_and_back_to_the_verifier(self, client, session, stage, words):
        batch = stage.complete()
        client.sign_in(stage.clerk)
        page = words(client.get(f"/batches/{batch.number}/steps/5").text)
        assert "Nothing is missing" in page
        assert "Submit the batch" in page

        asked = stage.in_review(stage.site(name="Pit B"))
        verification.request_information(
            session, batch=asked, text="Which scale?", by=stage.lead, key="ask", at=stage.at
        )
        assert "Answer" in client.get(f"/batches/{asked.number}/steps/5").text
        assert client.get(f"/batches/{asked.number}/steps/3").status_code == 200
        assert client.get(f"/batches/{asked.number}/steps/6").status_code == 404

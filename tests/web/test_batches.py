from datetime import date

import pytest
from sqlalchemy import func, select

from credits.participants.models import Kind
from credits.registry.production import Batch, BatchState, EvidenceKind
from credits.registry.reviews import verification
from credits.web import batch_forms, batches
from tests.factories import UserFactory
from tests.web.producing import FIGURES, NO_NUMBERS, NOW

NEW = "/batches/new?site=COD-KAM001&mineral=CO"


@pytest.fixture(autouse=True)
def fixed_clock(monkeypatch):
    for door in (batch_forms, batches):
        monkeypatch.setattr(door, "now", lambda: NOW)


@pytest.fixture
def filled_in():
    return dict(FIGURES)


def count(session, model):
    return session.scalars(select(func.count()).select_from(model)).one()


class TestBatches:
    def test_say_what_comes_first(self, client, stage):
        client.sign_in(stage.clerk)
        assert "Register a site" in client.get("/batches").text

        stage.site()
        assert "Begin the first batch" in client.get("/batches").text

    def test_list_ones_own_alone(self, client, stage):
        number = stage.draft().number

        assert number in client.sign_in(stage.clerk).get("/batches").text
        assert number not in client.sign_in(UserFactory()).get("/batches").text
        assert number not in client.sign_in(stage.lead).get("/batches").text

    def test_find_by_state_and_text(self, client, stage):
        first = stage.submitted()
        second = stage.draft(stage.site(name="Mutoshi"), mineral_code="CU")
        client.sign_in(stage.clerk)

        for asked, found, other in [
            ("state=submitted", first, second),
            ("state=draft", second, first),
            ("q=copper", second, first),
            ("q=mutoshi", second, first),
            ("q=COD-KAM001", first, second),
            (f"q={first.number.lower()}", first, second),
        ]:
            page = client.get(f"/batches?{asked}")
            assert found.number in page.text, asked
            assert other.number not in page.text, asked

    def test_bear_what_nobody_would_search(self, client, stage):
        stage.draft()
        client.sign_in(stage.clerk)

        for asked in ("state=burnt&page=-1", "page=1e400", "page=%D9%A1", "q=%00", "q=BATCH-" + "9" * 30, "q=%25"):
            assert client.get(f"/batches?{asked}").status_code == 200, asked


class TestNewBatch:
    def test_asks_for_site_and_mineral_first(self, client, stage):
        stage.site()

        page = client.sign_in(stage.clerk).get("/batches/new")

        assert "COD-KAM001" in page.text
        assert "Save and continue" in page.text

    def test_asks_in_the_units_of_the_mineral(self, client, stage):
        stage.site()
        client.sign_in(stage.clerk)

        cobalt, gold = (client.get(f"/batches/new?site=COD-KAM001&mineral={code}").text for code in ("CO", "AU"))

        assert "% Co" in cobalt
        assert "Moisture" in cobalt
        assert "‰" in gold
        assert "Moisture" not in gold

    def test_saves_a_draft_and_explains_its_arithmetic(self, client, session, stage, filled_in, words):
        stage.site()

        answer = client.sign_in(stage.clerk).post(NEW, data=filled_in)

        assert (answer.status_code, answer.location) == (303, "/batches/BATCH-000001")
        batch = session.scalars(select(Batch)).one()
        assert (batch.state, batch.grade_ppm) == (BatchState.DRAFT, 312_500)
        page = words(client.get(answer.location).text)
        assert "10,000 kg − 20 % moisture = 8,000 kg" in page
        assert "8,000 kg dry × 31.25 % Co = 2,500 kg" in page
        assert "2.5 credits" in page

    def test_saves_it_once_where_the_form_is_sent_twice(self, client, session, stage, filled_in):
        stage.site()
        client.sign_in(stage.clerk)

        answers = [client.post(NEW, data=filled_in) for _ in range(2)]

        assert [answer.location for answer in answers] == ["/batches/BATCH-000001"] * 2
        assert count(session, Batch) == 1

    @pytest.mark.parametrize(
        ("field", "wrong"),
        [
            ("gross_kg", [*NO_NUMBERS, "0", "1,240", "0.0000001", "9000000.1", "1.240,5"]),
            ("moisture", [*NO_NUMBERS, "100.1", "12.00001", "100"]),
            ("grade", [*NO_NUMBERS, "100.1", "0", "3.00001"]),
            ("miners", [*NO_NUMBERS, "0.5", "1000000"]),
            ("days_worked", [*NO_NUMBERS, "0.5", "1000000"]),
            ("sold_with_premium", ["0.5", "-1", "NaN", "١٢", "1e400", "true", "9" * 19]),
            ("registered_elsewhere", ["0.5", "-1", "NaN", "١٢", "1e400", "true", "9" * 19]),
            ("produced_from", ["", "2026-02-30", "٢٠٢٦-04-01", "1999-01-01", "2026-06-01", "true", "1e400"]),
            ("produced_to", ["", "2026-07-12", "2026-03-31", "9999-12-31", "<b>"]),
            ("delivered_as", ["", "hydroxyde", "doré"]),
            ("sold_to", ["x" * 201, "x" * 100_000, "\x00", "a\u202eb"]),
        ],
    )
    def test_refuses_what_is_not_sound_and_loses_nothing(self, client, session, stage, filled_in, field, wrong):
        stage.site()
        client.sign_in(stage.clerk)
        kept = "gross_kg" if field == "sold_to" else "sold_to"

        for value in wrong:
            answer = client.post(NEW, data=filled_in | {field: value, "key": f"key {value[:20]}"})

            assert answer.status_code == 422, value
            assert "Please look at this again" in answer.text
            assert f'value="{filled_in[kept]}"' in answer.text
        assert count(session, Batch) == 0

    def test_shows_markup_as_text(self, client, stage, filled_in):
        stage.site()

        answer = client.sign_in(stage.clerk).post(NEW, data=filled_in | {"sold_to": "<b>x</b>"})

        page = client.get(answer.location)
        assert "&lt;b&gt;x&lt;/b&gt;" in page.text
        assert "<b>x</b>" not in page.text

    def test_knows_nothing_of_others_sites(self, client, session, stage, filled_in):
        stage.site()

        for stranger in (UserFactory(), UserFactory(kind=Kind.GROUP_MANAGER)):
            assert client.sign_in(stranger).post(NEW, data=filled_in).status_code == 404
        assert count(session, Batch) == 0

    @pytest.mark.parametrize("mineral", ["XX", "co", "<b>", "١"])
    def test_refuses_a_mineral_that_there_is_not(self, client, stage, filled_in, mineral):
        stage.site()

        answer = client.sign_in(stage.clerk).post(
            "/batches/new", query_string={"site": "COD-KAM001", "mineral": mineral}, data=filled_in
        )

        assert answer.status_code == 422

    def test_lets_a_group_manager_record_for_a_member(self, client, session, stage, filled_in):
        manager = UserFactory(kind=Kind.GROUP_MANAGER)
        stage.coop.group_manager = manager.organisation
        stage.site()
        client.sign_in(manager)

        assert stage.coop.name in client.get("/batches/new").text
        assert client.post(NEW, data=filled_in).status_code == 303
        assert count(session, Batch) == 1

    def test_takes_out_what_cannot_be_printed_and_asks_to_look_again(self, client, stage, filled_in):
        stage.site()

        answer = client.sign_in(stage.clerk).post(NEW, data=filled_in | {"sold_to": "De\x00pot \x07\u202eNord"})

        assert answer.status_code == 422
        assert "They are taken out" in answer.text
        assert 'value="Depot Nord"' in answer.text


class TestBatch:
    def test_says_what_is_missing(self, client, stage):
        batch = stage.draft()
        client.sign_in(stage.clerk)

        page = client.get(f"/batches/{batch.number}").text
        assert "The scale log." in page
        assert "Add a licence to the site" not in page

        stage.paper(batch, EvidenceKind.SCALE_LOG)
        assert "The scale log." not in client.get(f"/batches/{batch.number}").text

    def test_sends_to_the_licence_where_none_covers_the_days(self, client, stage):
        batch = stage.draft(produced_from=date(2024, 12, 31))

        page = client.sign_in(stage.clerk).get(f"/batches/{batch.number}").text

        assert "Add a licence to the site" in page

    def test_says_at_each_stage_what_comes_next(self, client, stage):
        made = stage.issued()
        for batch, said in [
            (stage.complete(stage.site(name="Pit A")), "Submit the batch"),
            (stage.submitted(stage.site(name="Pit B")), "A verifier takes the batch into review"),
            (stage.in_review(stage.site(name="Pit C")), "looks through the figures"),
            (stage.verified(stage.site(name="Pit D")), "The registry issues the credits"),
            (made.batch, "2.5 credits were issued to"),
        ]:
            page = client.sign_in(stage.clerk).get(f"/batches/{batch.number}")
            assert page.status_code == 200
            assert said in page.text

    def test_tells_why_it_was_rejected(self, client, stage):
        batch = stage.in_review()
        verification.reject(
            stage.session,
            batch=batch,
            text="The <b>assay</b> is of another pit.",
            by=stage.lead,
            key="no",
            at=stage.at,
        )

        page = client.sign_in(stage.clerk).get(f"/batches/{batch.number}").text

        assert "The &lt;b&gt;assay&lt;/b&gt; is of another pit." in page

    def test_tells_its_story(self, client, stage, words):
        batch = stage.verified()

        page = words(client.sign_in(stage.clerk).get(f"/batches/{batch.number}").text)

        story = page[page.index("What has happened") :]
        steps = ["Drafted", "Paper added", "Submitted", "Taken into review", "Verified", "Credits issued"]
        assert [story.index(step) for step in steps] == sorted(story.index(step) for step in steps)
        assert stage.lead.organisation.name in story
        assert stage.lead.name not in story

    def test_explains_gold_by_fineness_and_rounding(self, client, stage, words):
        batch = stage.draft(
            mineral_code="AU", form="grain", gross_kg="0.001001", moisture="0", grade="917.5", sold_with_premium=100
        )

        page = words(client.sign_in(stage.clerk).get(f"/batches/{batch.number}").text)

        assert "0.001001 kg gross × 917.5 ‰ = 918.4175 mg" in page
        assert "carried to the next batch" in page
        assert "− 100 mg" in page

    @pytest.mark.parametrize("way", ["", "/edit", "/submit", "/withdraw", "/answer", "/evidence/new"])
    def test_is_unknown_to_others(self, client, stage, way):
        batch = stage.draft()

        for stranger in (UserFactory(), stage.buyer, stage.lead):
            assert client.sign_in(stranger).get(f"/batches/{batch.number}{way}").status_code == 404

    @pytest.mark.parametrize("number", ["BATCH-000999", "BATCH-1", "BATCH-" + "9" * 30, "BATCH-٠٠٠٠٠١", "%00", "1"])
    def test_is_missing_under_other_numbers(self, client, stage, number):
        stage.draft()

        assert client.sign_in(stage.clerk).get(f"/batches/{number}").status_code == 404


class TestGrade:
    def test_is_asked_back_where_it_looks_like_a_share(self, client, stage, filled_in, words):
        site = stage.site()
        address = f"/batches/new?site={site.country}-{site.code}&mineral=CO"
        client.sign_in(stage.clerk)

        asked = client.post(address, data=filled_in | {"grade": "0.312"})
        assert asked.status_code == 422
        assert "0.312 % Co is very little: 3.12 kg in a tonne. Did you mean 31.2 %?" in words(asked.text)
        assert "The assay says so; I have looked again" in words(asked.text)
        confirmed = client.post(address, data=filled_in | {"grade": "0.312", "grade_confirmed": "y"})
        assert confirmed.status_code == 303

    def test_is_refused_above_that_of_the_pure_mineral(self, client, stage, filled_in, words):
        site = stage.site()
        address = f"/batches/new?site={site.country}-{site.code}&mineral=CO"

        refused = client.sign_in(stage.clerk).post(address, data=filled_in | {"grade": "81"})
        assert refused.status_code == 422
        assert "Ore cannot hold 81 % Co: even pure CoO has 78.65 %" in words(refused.text)


class TestEditBatch:
    def test_shows_the_figures_as_they_were_typed(self, client, stage):
        batch = stage.draft(gross_kg="10000.5", grade="31.25")

        page = client.sign_in(stage.clerk).get(f"/batches/{batch.number}/edit").text

        for typed in ("10000.5", "31.25", "2026-04-01", "800"):
            assert f'value="{typed}"' in page

    def test_changes_them(self, client, session, stage, filled_in):
        batch = stage.draft(sold_with_premium=100)

        answer = client.sign_in(stage.clerk).post(f"/batches/{batch.number}/edit", data=filled_in | {"grade": "30"})

        assert answer.status_code == 303
        session.refresh(batch)
        assert (batch.grade_ppm, batch.sold_with_premium) == (300_000, 0)

    def test_refuses_what_is_not_sound_and_changes_nothing(self, client, session, stage, filled_in):
        batch = stage.draft()

        answer = client.sign_in(stage.clerk).post(f"/batches/{batch.number}/edit", data=filled_in | {"moisture": "100"})

        assert answer.status_code == 422
        assert "nothing is left" in answer.text
        session.refresh(batch)
        assert batch.moisture_ppm == 200_000

    def test_is_over_once_submitted(self, client, stage, filled_in):
        batch = stage.submitted()
        client.sign_in(stage.clerk)

        assert client.get(f"/batches/{batch.number}/edit").status_code == 303
        assert client.post(f"/batches/{batch.number}/edit", data=filled_in).status_code == 409

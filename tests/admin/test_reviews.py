import re
from datetime import date

import pytest
from sqlalchemy import select

from credits.participants.models import Kind, RoleName
from credits.registry.making import batches
from credits.registry.making.figures import Production
from credits.registry.mines.observed import ObservedSite, SiteObservation
from credits.registry.production import BatchState, Remark, RemarkKind
from credits.registry.reviews import verification
from tests.factories import UserFactory

MARKUP = "<script>alert(1)</script> & <b>bold</b>"


class TestBatch:
    def test_shows_everything_that_stands_behind_it(self, client, stage, words):
        batch = stage.in_review(sold_with_premium=100, registered_elsewhere=50)

        page = words(client.sign_in(stage.lead).get(f"/admin/batches/{batch.number}").text)

        assert "10,000 kg less 20 % moisture" in page
        assert "8,000 kg × 31.25 % Co" in page
        assert "2,500 kg" in page
        assert "2.35 credits 2,350 kg" in page
        assert "Concession belongs to State mining company" in page
        assert "Ground of access Tolerated" in page
        assert "-10.7164, 25.4667" in page
        assert "LIC-" in page
        assert "Covered" in page
        assert "Scale log" in page
        assert "Drafted" in page
        assert f"{stage.clerk.name}, {stage.coop.name}" in page

    def test_marks_a_licence_that_does_not_cover_the_period(self, client, stage, words):
        batch = stage.in_review()
        stage.licence(batch.site, date(2020, 1, 1), date(2026, 5, 30))

        assert "Not covered" in words(client.sign_in(stage.lead).get(f"/admin/batches/{batch.number}").text)

    def test_writes_the_exact_arithmetic_of_gold(self, client, stage, words):
        gold = {"mineral_code": "AU", "form": "grain", "gross_kg": "1.234567", "moisture": "0", "grade": "875.125"}
        batch = stage.in_review(**gold)

        page = words(client.sign_in(stage.lead).get(f"/admin/batches/{batch.number}").text)

        assert "1.234567 kg × 875.125 / 1000" in page
        assert "1,080,400.445875 mg" in page
        assert "1,080.4 credits 1,080,400 mg and 0.445875 mg carried" in page

    def test_says_when_nothing_is_left(self, client, stage, words):
        batch = stage.emptied(stage.in_review)

        assert "Nothing is left to issue." in words(
            client.sign_in(stage.lead).get(f"/admin/batches/{batch.number}").text
        )

    def test_shows_what_others_saw_with_its_source_and_age(self, client, stage, session, words):
        batch = stage.in_review()
        seen = ObservedSite(
            pcode="codmine90101", source="IPIS", name=MARKUP, country="COD", province="Lualaba",
            territory="Mutshatsha", village="", latitude=None, longitude=None,
        )  # fmt: skip
        recorded = {"presence": "1", "childunder15": "0", "armed_group1": "FARDC", "mineral1": "Cobalt"}
        recorded |= {"forced_labour_armed_group1": "0", "forced_labour_armed_group2": "1"}
        session.add_all(
            [seen, SiteObservation(visit=1, pcode=seen.pcode, visited_on=date(2019, 5, 15), recorded=recorded)]
        )
        batch.site.pcode = seen.pcode

        page = client.sign_in(stage.lead).get(f"/admin/batches/{batch.number}").text

        assert "Source: IPIS" in page
        assert "Old: the last recorded visit was on 15 May 2019" in page
        assert "Armed presence Yes" in words(page)
        assert "Forced labour by them Yes" in words(page)
        assert "Children under 15 No" in words(page)
        assert "Women Not recorded" in words(page)
        assert "<script>" not in page

    def test_shows_how_far_the_claim_is_from_what_others_saw(self, client, stage, session, words):
        batch = stage.in_review()
        seen = ObservedSite(
            pcode="codmine90101", source="IPIS", name="Essai", country="COD", province="Lualaba",
            territory="Mutshatsha", village="", latitude=batch.site.latitude + 90_000, longitude=batch.site.longitude,
        )  # fmt: skip
        visits = {1: (date(2024, 5, 15), {"workers_numb": "250"}), 2: (date(2026, 5, 15), {})}
        session.add(seen)
        session.add_all(
            SiteObservation(visit=number, pcode=seen.pcode, visited_on=day, recorded=recorded)
            for number, (day, recorded) in visits.items()
        )
        batch.site.pcode = seen.pcode

        page = words(client.sign_in(stage.lead).get(f"/admin/batches/{batch.number}").text)

        assert "published position 10.0 km" in page
        assert "Workers counted 250 on 15 May 2024" in page
        assert f"Miners claimed {batch.miners:,} for this batch, {batch.site.miners:,} at the site" in page

    def test_calls_a_fresh_observation_not_old(self, client, stage, session):
        batch = stage.in_review()
        seen = ObservedSite(
            pcode="codmine90101", source="IPIS", name="Essai", country="COD", province="Lualaba",
            territory="Mutshatsha", village="", latitude=None, longitude=None,
        )  # fmt: skip
        session.add_all([seen, SiteObservation(visit=1, pcode=seen.pcode, visited_on=date(2026, 5, 15), recorded={})])
        batch.site.pcode = seen.pcode

        page = client.sign_in(stage.lead).get(f"/admin/batches/{batch.number}").text

        assert "Source: IPIS" in page
        assert "Old" not in page
        assert "the open data give no position" in page

    @pytest.mark.parametrize("number", ["BATCH-999999", "BATCH-1", "BATCH-", "X", "BATCH-99999999999999999999"])
    def test_is_missing_where_there_is_none(self, client, stage, number):
        assert client.sign_in(stage.lead).get(f"/admin/batches/{number}").status_code == 404

    @pytest.mark.parametrize("stand", ["in_review", "verified"])
    def test_is_missing_for_who_never_reviewed_it(self, client, stage, other_lead, colleague, stand):
        batch = getattr(stage, stand)()
        paper, page = batch.evidence[0], f"/admin/batches/{batch.number}"

        client.sign_in(other_lead)
        for address in (page, f"/batches/{batch.number}/evidence/{paper.id}", "/my/sites/COD-KAM001"):
            assert client.get(address).status_code == 404
        assert batch.number not in client.get("/admin/?q=kamilombe").text

        for reader in (colleague(stage.lead.organisation, RoleName.REVIEWER), stage.issuer):
            client.sign_in(reader)
            for address in (page, f"/batches/{batch.number}/evidence/{paper.id}", "/my/sites/COD-KAM001"):
                assert client.get(address).status_code == 200

    def test_is_missing_while_it_is_a_draft_or_withdrawn(self, client, stage, session):
        draft, withdrawn = stage.complete(), stage.submitted()
        batches.withdraw(session, batch=withdrawn, by=stage.manager, at=stage.at)
        client.sign_in(stage.lead)

        assert client.get(f"/admin/batches/{draft.number}").status_code == 404
        assert client.get(f"/admin/batches/{withdrawn.number}").status_code == 404

    def test_shows_markup_as_text(self, client, stage, session):
        batch = stage.submitted(sold_to=MARKUP)
        verification.take(session, batch=batch, by=stage.lead, at=stage.at)
        verification.request_information(session, batch=batch, text=MARKUP, by=stage.lead, key=stage.key(), at=stage.at)

        page = client.sign_in(stage.lead).get(f"/admin/batches/{batch.number}").text

        assert page.count("&lt;script&gt;alert(1)&lt;/script&gt; &amp; &lt;b&gt;bold&lt;/b&gt;") == 3
        assert "<script>alert" not in page

    def test_tells_figures_that_were_changed(self, client, stage, session, words):
        batch = stage.in_review()
        verification.request_information(session, batch=batch, text="Why?", by=stage.lead, key="r", at=stage.at)
        changed = Production(
            **{name: getattr(batch, name) for name in ("mineral_code", "form", "produced_from", "produced_to")},
            gross_kg="9000", moisture="20", grade="31.25", miners=800, days_worked=50, sold_to="Depot",
            sold_with_premium=0, registered_elsewhere=0,
        )  # fmt: skip
        batches.amend(session, batch=batch, production=changed, seen=batch.revision, by=stage.clerk, at=stage.at)

        page = words(client.sign_in(stage.lead).get(f"/admin/batches/{batch.number}").text)

        assert "Gross weight: 10,000 kg → 9,000 kg" in page
        assert "Contained: 2,500 kg → 2,250 kg" in page

    def test_tells_the_fineness_of_gold_in_thousandths(self, client, stage, session, words):
        gold = {"mineral_code": "AU", "form": "grain", "gross_kg": "1", "moisture": "0", "grade": "875.125"}
        batch = stage.in_review(**gold)
        verification.request_information(session, batch=batch, text="Why?", by=stage.lead, key="r", at=stage.at)
        figures = gold | {"grade": "900", "miners": 800, "days_worked": 50, "sold_to": ""}
        days = {name: getattr(batch, name) for name in ("produced_from", "produced_to")}
        changed = Production(**figures, **days, sold_with_premium=0, registered_elsewhere=0)
        batches.amend(session, batch=batch, production=changed, seen=batch.revision, by=stage.clerk, at=stage.at)

        page = words(client.sign_in(stage.lead).get(f"/admin/batches/{batch.number}").text)

        assert "Fineness: 875.125 / 1000 → 900 / 1000" in page


class TestTakeBatch:
    def test_begins_the_review(self, client, stage, session):
        batch = stage.submitted()
        client.sign_in(stage.lead)
        assert "I declare this and take it into review" in client.get(f"/admin/batches/{batch.number}").text

        answer = client.post(f"/admin/batches/{batch.number}/take")

        assert (answer.status_code, answer.location) == (303, f"/admin/batches/{batch.number}")
        assert (batch.state, batch.reviewer_id) == (BatchState.IN_REVIEW, stage.lead.id)
        assert "is in your review now" in client.get(answer.location).text

    def test_pressed_twice_takes_once(self, client, stage, words):
        batch = stage.submitted()
        client.sign_in(stage.lead)

        answers = [client.post(f"/admin/batches/{batch.number}/take").status_code for _ in range(2)]

        assert answers == [303, 303]
        assert words(client.get(f"/admin/batches/{batch.number}").text).count("Taken into review") == 1

    def test_is_too_late_after_another_verifier(self, client, stage, other_lead):
        batch = stage.in_review()

        answer = client.sign_in(other_lead).post(f"/admin/batches/{batch.number}/take")

        assert answer.status_code == 404
        assert batch.reviewer_id == stage.lead.id

    @pytest.mark.parametrize("kind", [Kind.REGISTRY, Kind.COOPERATIVE])
    def test_is_not_for_others(self, client, stage, kind):
        batch = stage.submitted()
        client.sign_in(UserFactory(kind=kind))

        assert client.post(f"/admin/batches/{batch.number}/take").status_code == 403
        assert batch.state is BatchState.SUBMITTED

    def test_is_not_offered_to_the_registry(self, client, stage):
        batch = stage.submitted()

        assert "Take into review" not in client.sign_in(stage.issuer).get(f"/admin/batches/{batch.number}").text


class TestRequestInformation:
    def test_asks_the_producer(self, client, stage, session):
        batch = stage.in_review()
        client.sign_in(stage.lead)
        assert "Request information" in client.get(f"/admin/batches/{batch.number}").text

        answer = client.post(
            f"/admin/batches/{batch.number}/request", data={"key": "k", "text": "The royalty receipt.\nWhy so wet?"}
        )

        assert answer.status_code == 303
        assert batch.state is BatchState.INFORMATION_REQUESTED
        page = client.get(answer.location).text
        assert "<p>The royalty receipt.</p>" in page
        assert "<p>Why so wet?</p>" in page
        assert "Waits for the producer" in page

    def test_sent_twice_asks_once(self, client, stage, session):
        batch = stage.in_review()
        client.sign_in(stage.lead)
        asked = {"key": "k", "text": "The receipt."}

        answers = [client.post(f"/admin/batches/{batch.number}/request", data=asked) for _ in range(2)]

        assert [answer.status_code for answer in answers] == [303, 303]
        assert [remark.kind for remark in session.scalars(select(Remark))] == [RemarkKind.REQUEST]

    @pytest.mark.parametrize("text", ["", "   ", "x" * 4001, "hidden\u202eeman"])
    def test_needs_sound_words(self, client, stage, text):
        batch = stage.in_review()
        client.sign_in(stage.lead)

        answer = client.post(f"/admin/batches/{batch.number}/request", data={"key": "k", "text": text})

        assert answer.status_code == 422
        assert "Please look at this again" in answer.text
        assert batch.state is BatchState.IN_REVIEW

    def test_keeps_what_was_typed_and_takes_it_corrected(self, client, stage):
        batch = stage.in_review()
        client.sign_in(stage.lead)

        refused = client.post(f"/admin/batches/{batch.number}/request", data={"key": "k", "text": "The re\u202eceipt"})
        key = re.search(r'name="key"[^>]*value="([^"]+)"', refused.text)[1]
        again = client.post(f"/admin/batches/{batch.number}/request", data={"key": key, "text": "The receipt"})

        assert "ceipt</textarea>" in refused.text
        assert key != "k"
        assert again.status_code == 303

    def test_needs_a_key(self, client, stage):
        batch = stage.in_review()

        answer = client.sign_in(stage.lead).post(f"/admin/batches/{batch.number}/request", data={"text": "Why?"})

        assert answer.status_code == 422

    def test_is_for_the_organisation_that_reviews(self, client, stage, other_lead):
        batch = stage.in_review()
        client.sign_in(other_lead)

        answer = client.post(f"/admin/batches/{batch.number}/request", data={"key": "k", "text": "Why?"})

        assert answer.status_code == 404
        assert batch.state is BatchState.IN_REVIEW

    def test_asks_more_before_the_answer_to_the_last_one(self, client, stage, session, words):
        batch = stage.in_review()
        verification.request_information(session, batch=batch, text="Why?", by=stage.lead, key="a", at=stage.at)
        client.sign_in(stage.lead)

        answer = client.post(f"/admin/batches/{batch.number}/request", data={"key": "b", "text": "And why?"})

        assert answer.status_code == 303
        assert "Question 2 Waits for the producer" in words(client.get(answer.location).text)


class TestRejectBatch:
    def test_turns_it_down_with_the_reasons(self, client, stage):
        batch = stage.in_review()
        client.sign_in(stage.lead)
        assert "This is for good" in client.get(f"/admin/batches/{batch.number}/reject").text

        answer = client.post(f"/admin/batches/{batch.number}/reject", data={"key": "k", "text": MARKUP})

        assert answer.status_code == 303
        assert batch.state is BatchState.REJECTED
        page = client.get(answer.location).text
        assert "Rejected for good" in page
        assert "&lt;script&gt;alert(1)" in page
        assert "To be issued" not in page

    def test_sent_twice_rejects_once(self, client, stage, session):
        batch = stage.in_review()
        client.sign_in(stage.lead)
        asked = {"key": "k", "text": "No scale log."}

        answers = [client.post(f"/admin/batches/{batch.number}/reject", data=asked) for _ in range(2)]

        assert [answer.status_code for answer in answers] == [303, 303]
        assert len(session.scalars(select(Remark)).all()) == 1

    def test_needs_reasons(self, client, stage):
        batch = stage.in_review()

        answer = client.sign_in(stage.lead).post(f"/admin/batches/{batch.number}/reject", data={"key": "k", "text": ""})

        assert answer.status_code == 422
        assert batch.state is BatchState.IN_REVIEW

    def test_is_not_open_before_the_review(self, client, stage):
        batch = stage.submitted()
        client.sign_in(stage.lead)

        assert client.get(f"/admin/batches/{batch.number}/reject").status_code == 403
        answer = client.post(f"/admin/batches/{batch.number}/reject", data={"key": "k", "text": "No."})
        assert answer.status_code == 403
        assert "Take the batch into review first." in answer.text

"""Confirming a batch with the verifier's declaration."""

import re
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import select

from credits.participants.models import Kind, RoleName
from credits.registry.making import batches
from credits.registry.making.revisions import revision_of
from credits.registry.mines import site_records
from credits.registry.production import Answer, Assurance, BatchState, EvidenceKind
from credits.registry.reviews import verification
from tests.batch_stage import COBALT
from tests.factories import UserFactory


@pytest.fixture
def finding():
    return {
        "key": "verify-1",
        "how": "visited",
        "visited_from": "2026-06-01",
        "visited_to": "2026-06-03",
        "remote_reason": "",
        "valid_from": "2026-01-01",
        "valid_to": "2026-12-31",
        "opinion": "Weights and assay agree with the visit.",
    }


class TestVerifyBatch:
    def test_confirms_it_with_the_declaration(self, client, stage, session, finding, words):
        batch = stage.in_review()
        client.sign_in(stage.lead)
        assert "2.5 credits" in words(client.get(f"/admin/batches/{batch.number}/verify").text)

        answer = client.post(f"/admin/batches/{batch.number}/verify", data=finding | {"seen": revision_of(batch)})

        assert answer.status_code == 303
        assert (batch.state, batch.verified_by_id) == (BatchState.VERIFIED, stage.lead.id)
        assert batch.independence.startswith("Neither I nor")
        assert (batch.assurance.visited_from, batch.assurance.remote_reason) == (date(2026, 6, 1), "")
        assert "Weights and assay agree with the visit." in client.get(answer.location).text

    def test_takes_a_look_from_a_distance_with_its_reason(self, client, stage, finding):
        batch = stage.in_review()

        client.sign_in(stage.lead).post(
            f"/admin/batches/{batch.number}/verify",
            data=finding | {"seen": revision_of(batch)} | {"how": "remote", "remote_reason": "Floods"},
        )

        assert (batch.assurance.visited_from, batch.assurance.remote_reason) == (None, "Floods")

    @pytest.mark.parametrize("change", ["figures", "papers", "mercury"])
    def test_confirms_nothing_that_the_page_did_not_show(self, client, stage, session, finding, words, change):
        batch = stage.in_review()
        client.sign_in(stage.lead)
        shown = client.get(f"/admin/batches/{batch.number}/verify").text
        seen = re.search(r'name="seen"[^>]*value="([^"]+)"', shown)[1]
        verification.request_information(session, batch=batch, text="Why?", by=stage.lead, key="q", at=stage.at)
        if change == "figures":
            more = replace(COBALT, gross_kg="20000", days_worked=4)
            batches.amend(session, batch=batch, production=more, seen=batch.revision, by=stage.clerk, at=stage.at)
        elif change == "papers":
            stage.paper(batch, EvidenceKind.OTHER)
        else:
            said = {"kind": "mercury", "day": date(2026, 6, 1), "figures": {"used": Answer.YES, "note": ""}}
            site_records.enter(session, site=batch.site, by=stage.clerk, key="m", at=stage.at, **said)
        batches.answer(session, batch=batch, text="So.", policy=stage.policy, by=stage.clerk, key="a", at=stage.at)
        stage.answered(batch)
        session.commit()

        refused = client.post(f"/admin/batches/{batch.number}/verify", data=finding | {"seen": seen})
        assert refused.status_code == 409
        assert "Look at the batch again" in words(refused.text)
        assert finding["opinion"] in refused.text
        session.refresh(batch)
        assert batch.state is BatchState.IN_REVIEW
        again = re.search(r'name="seen"[^>]*value="([^"]+)"', refused.text)[1]
        assert again == revision_of(batch) != seen
        assert client.post(f"/admin/batches/{batch.number}/verify", data=finding).status_code == 409
        sent = finding | {"seen": again, "key": "verify-2"}
        assert client.post(f"/admin/batches/{batch.number}/verify", data=sent).status_code == 303

    def test_sent_twice_verifies_once(self, client, stage, session, finding):
        batch = stage.in_review()
        client.sign_in(stage.lead)

        answers = [
            client.post(f"/admin/batches/{batch.number}/verify", data=finding | {"seen": revision_of(batch)})
            for _ in range(2)
        ]

        assert [answer.status_code for answer in answers] == [303, 303]
        assert len(session.scalars(select(Assurance)).all()) == 1

    @pytest.mark.parametrize(
        "wrong",
        [
            {"how": ""},
            {"how": "dreamt"},
            {"how": "remote"},
            {"visited_from": ""},
            {"visited_from": "2026-06-31"},
            {"visited_from": "١٢"},
            {"visited_from": "2026-06-04"},
            {"visited_to": "2199-01-01"},
            {"visited_to": "last week"},
            {"valid_from": "2027-01-01"},
            {"valid_from": "2026-04-02"},
            {"valid_from": "0001-01-01"},
            {"valid_to": "9999-12-31"},
            {"valid_to": ""},
            {"valid_to": "2026-05-30"},
            {"opinion": " "},
            {"opinion": "x" * 4001},
        ],
        ids=str,
    )
    def test_refuses_what_is_not_sound_and_keeps_what_was_typed(self, client, stage, session, finding, wrong):
        batch = stage.in_review()

        asked = {name: value for name, value in (finding | wrong).items() if value}
        answer = client.sign_in(stage.lead).post(
            f"/admin/batches/{batch.number}/verify", data=asked | {"seen": revision_of(batch)}
        )

        assert answer.status_code == 422
        assert "Please look at this again" in answer.text
        assert 'value="2026-12-31"' in answer.text or "valid_to" in wrong
        assert batch.state is BatchState.IN_REVIEW
        assert session.scalars(select(Assurance)).all() == []

    def test_is_for_leads(self, client, stage, finding, colleague):
        batch = stage.in_review()
        client.sign_in(colleague(stage.lead.organisation, RoleName.REVIEWER))

        page = client.get(f"/admin/batches/{batch.number}").text

        assert "a lead verifier decides" in page
        assert f"/{batch.number}/verify" not in page
        assert client.get(f"/admin/batches/{batch.number}/verify").status_code == 403
        assert (
            client.post(
                f"/admin/batches/{batch.number}/verify", data=finding | {"seen": revision_of(batch)}
            ).status_code
            == 403
        )
        assert client.get(f"/admin/batches/{batch.number}/reject").status_code == 403

    def test_is_for_the_organisation_that_reviews(self, client, stage, finding, other_lead):
        batch = stage.in_review()
        client.sign_in(other_lead)

        assert client.get(f"/admin/batches/{batch.number}/verify").status_code == 404
        assert (
            client.post(
                f"/admin/batches/{batch.number}/verify", data=finding | {"seen": revision_of(batch)}
            ).status_code
            == 404
        )
        assert batch.state is BatchState.IN_REVIEW

    def test_is_over_once_decided(self, client, stage, finding):
        batch = stage.verified()
        client.sign_in(stage.lead)

        form = client.get(f"/admin/batches/{batch.number}/verify")
        answer = client.post(f"/admin/batches/{batch.number}/verify", data=finding | {"seen": revision_of(batch)})

        assert (form.status_code, answer.status_code) == (409, 409)
        assert "is not in review: there is nothing to decide now." in form.text
        assert "is verified: this step is not open now." in answer.text
        assert f"/{batch.number}/verify" not in client.get(f"/admin/batches/{batch.number}").text

    @pytest.mark.parametrize("kind", [Kind.REGISTRY, Kind.COOPERATIVE])
    def test_is_not_for_others(self, client, stage, finding, kind):
        batch = stage.in_review()
        client.sign_in(UserFactory(kind=kind))

        assert (
            client.post(
                f"/admin/batches/{batch.number}/verify", data=finding | {"seen": revision_of(batch)}
            ).status_code
            == 403
        )

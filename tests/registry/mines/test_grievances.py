"""Grievances: filed by anybody, sealed from the producer, followed by a code of which only the hash is kept."""

import hashlib
import re

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from credits.journal import events
from credits.participants.models import Kind, RoleName
from credits.participants.permissions import WrongRole
from credits.registry.assurance import findings
from credits.registry.making import batches
from credits.registry.mines import grievances
from credits.registry.mines.grievance_models import GrievanceState
from credits.registry.mines.grievances import Closed, NoSuchGrievance
from credits.registry.reviews import verification
from tests.factories import UserFactory

WORDS = "Boys of twelve carry sacks at the east pit."
KEY = "5b1d0c3c2f514e2f9f8c1f8d5a7e6b90"


@pytest.fixture
def filed(stage):
    return grievances.file(
        stage.session,
        site=stage.site(),
        words=WORDS,
        contact="+243 99 000 0000",
        key=KEY,
        policy=stage.policy,
        at=stage.at,
    )


class TestFile:
    def test_keeps_no_code_and_tells_nobody_who_or_what(self, stage, filed):
        code = grievances.code_of(KEY)
        finding = f"FINDING-{filed.finding_id:06d}"
        told = [*events.story(stage.session, filed.number), *events.story(stage.session, finding)]
        bodies = b"".join(bytes(event.body) for event in told)

        assert re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{5}-){4}[0-9A-HJKMNP-TV-Z]{5}", code)
        assert filed.code_sha256 == hashlib.sha256(code.replace("-", "").encode()).hexdigest()
        assert [event.actor for event in told] == ["anonymous", "withheld"]
        assert all(secret not in bodies for secret in (b"sacks", b"+243", b"000 0000", code.encode(), KEY.encode()))
        for table in ("request_claim", "grievance", "event_secret"):
            kept = str(stage.session.execute(text(f"SELECT * FROM {table}")).all())
            assert KEY not in kept
            assert code not in kept

    def test_opens_a_finding_that_says_nothing_of_it(self, stage, filed):
        finding = findings.findings_of(stage.session, filed.site)[0]

        assert (finding.reference, finding.severity.value, finding.certainty.value) == (
            filed.number,
            "minor",
            "suspected",
        )
        assert "sacks" not in finding.text

    def test_counts_once_however_often_it_is_sent(self, stage, filed):
        again = grievances.file(
            stage.session,
            site=filed.site,
            words=WORDS,
            contact="+243 99 000 0000",
            key=KEY,
            policy=stage.policy,
            at=stage.at,
        )

        assert again.id == filed.id


class TestCoded:
    @pytest.mark.parametrize("typed", [str.lower, lambda code: code.replace("-", " "), lambda code: f" {code}\n"])
    def test_finds_it_however_the_code_is_typed(self, stage, filed, typed):
        assert grievances.coded(stage.session, typed(grievances.code_of(KEY))).id == filed.id

    @pytest.mark.parametrize("code", ["", "00000-00000-00000-00000-00000", "x" * 10_000, "' OR 1=1 --"])
    def test_finds_nothing_by_another(self, stage, filed, code):
        with pytest.raises(NoSuchGrievance):
            grievances.coded(stage.session, code)


class TestHandling:
    def answered(self, stage, filed, by=None, words="We go there on Monday."):
        grievances.answer(
            stage.session, grievance=filed, words=words, by=by or stage.issuer, key=stage.key(), at=stage.at
        )

    def test_goes_to_and_fro_until_it_is_closed_with_its_finding(self, stage, filed):
        self.answered(stage, filed)
        assert filed.state is GrievanceState.ANSWERED
        grievances.add(stage.session, grievance=filed, words="It was Tuesday.", at=stage.at)
        assert (filed.state, grievances.counted(stage.session, filed.site)) == (
            GrievanceState.OPEN,
            {"open": 1, "closed": 0},
        )
        grievances.close(
            stage.session, grievance=filed, words="They are at school now.", by=stage.issuer, key="c", at=stage.at
        )

        assert grievances.counted(stage.session, filed.site) == {"open": 0, "closed": 1}
        finding = findings.findings_of(stage.session, filed.site)[0]
        assert finding.closed_at is not None
        assert "school" not in finding.closing_reason
        with pytest.raises(Closed):
            grievances.add(stage.session, grievance=filed, words="And now?", at=stage.at)

    def test_is_for_the_registry_and_the_sites_verifier(self, stage, filed):
        batch = stage.in_review(filed.site)
        assert grievances.grievance_numbered(stage.session, stage.lead, filed.number).id == filed.id
        self.answered(stage, filed, by=stage.lead)
        assert batch.reviewer_id == stage.lead.id

        stranger = UserFactory(kind=Kind.VERIFIER)
        with pytest.raises(NoSuchGrievance):
            self.answered(stage, filed, by=stranger)
        auditor = UserFactory(organisation=stage.issuer.organisation, may=[RoleName.AUDITOR])
        for other in (stage.manager, stage.buyer, auditor):
            with pytest.raises(WrongRole):
                self.answered(stage, filed, by=other)
        with pytest.raises(WrongRole):
            grievances.grievances_of(stage.manager)

    @pytest.mark.parametrize("ended", ["withdrawn", "rejected"])
    def test_is_no_verifiers_whose_batch_has_ended(self, stage, filed, ended):
        batch = stage.in_review(filed.site)
        if ended == "withdrawn":
            batches.withdraw(stage.session, batch=batch, by=stage.clerk, at=stage.at)
        else:
            verification.reject(stage.session, batch=batch, text="No.", by=stage.lead, key="r", at=stage.at)

        with pytest.raises(NoSuchGrievance):
            grievances.grievance_numbered(stage.session, stage.lead, filed.number)
        assert grievances.grievance_numbered(stage.session, stage.issuer, filed.number).id == filed.id

    @pytest.mark.parametrize(
        "attack",
        [
            "UPDATE grievance_message SET text = 'All is well.'",
            "DELETE FROM grievance_message",
            "DELETE FROM grievance",
            "UPDATE grievance SET contact = NULL",
            "UPDATE grievance SET code_sha256 = '" + "0" * 64 + "'",
            "UPDATE grievance SET finding_id = NULL",
        ],
    )
    def test_is_not_rewritten(self, stage, filed, attack):
        with pytest.raises(IntegrityError, match="registry:"):
            stage.session.execute(text(attack))

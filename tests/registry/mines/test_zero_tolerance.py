"""A finding of zero tolerance against an issuance at the same moment, each in its own session."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from credits.db import begin_writing
from credits.errors import CreditsError
from credits.ledger.models import AccountKind
from credits.participants.models import User
from credits.registry import issuance
from credits.registry.assurance import findings
from credits.registry.assurance.assurance_models import Severity, Source
from credits.registry.assurance.findings import FindingFacts
from credits.registry.models import Issuance
from credits.registry.production import Batch


@pytest.mark.parametrize("first", ["issue", "find"])
def test_nothing_slips_through_unheld(stage, engine, first):
    site = stage.site()
    batches = [
        stage.verified(site, produced_from=date(2026, month, 1), produced_to=date(2026, month, 20)).id
        for month in (3, 4, 5)
    ]
    policy, at, issuer_id, lead_id = stage.policy, stage.at, stage.issuer.id, stage.lead.id
    stage.session.commit()
    facts = FindingFacts(
        severity=Severity.ZERO_TOLERANCE,
        text="Forced labour.",
        due_on=at.date(),
        source=Source.VERIFIER,
        concerns=(date(2026, 1, 1), at.date()),
    )
    together = Barrier(4)

    def done(step) -> bool:
        with Session(engine) as session:
            together.wait()
            begin_writing(session)
            try:
                step(session)
                session.commit()
            except CreditsError:
                session.rollback()
                return False
            return True

    def issuing(batch_id):
        def step(session):
            batch, issuer = session.get_one(Batch, batch_id), session.get_one(User, issuer_id)
            issuance.issue(session, batch=batch, policy=policy, by=issuer, key=f"i{batch_id}", at=at)

        return step

    def finding(session):
        lead = session.get_one(User, lead_id)
        place = session.get_one(Batch, batches[0]).site
        findings.open_finding(session, site=place, facts=facts, policy=policy, by=lead, key="f", at=at)

    steps = [issuing(batch_id) for batch_id in batches]
    steps.insert(0 if first == "find" else 3, finding)
    with ThreadPoolExecutor(len(steps)) as pool:
        results = list(pool.map(done, steps))

    assert results[steps.index(finding)]
    stage.session.rollback()
    made = stage.session.scalars(select(Issuance)).all()
    assert len(made) == sum(results) - 1
    for each in made:
        assert stage.balance(each) == {AccountKind.HELD: each.quantity}
    stage.must_be_sound()

"""What the public log tells of a suspicion: that there is one, and not about which site."""

import json

import pytest
from sqlalchemy import select

from credits import stories
from credits.journal import events
from credits.journal.models import Event
from credits.registry.assurance import assessing, findings
from credits.registry.assurance.assessing import Given
from credits.registry.assurance.standards import Word
from credits.registry.reviews import verification


@pytest.fixture
def assessment(stage):
    batch = stage.drawn(stage.submitted())
    verification.take(stage.session, batch=batch, by=stage.lead, at=stage.at)
    return assessing.begin(stage.session, batch=batch, policy=stage.policy, by=stage.lead, at=stage.at)


def since(stage, before: int) -> list[dict]:
    told = stage.session.scalars(select(Event).where(Event.id > before).order_by(Event.id))
    return [json.loads(event.body) for event in told]


def test_no_event_links_a_suspicion_with_its_site(app, stage, assessment):
    module = stage.policy.standards.default.modules[2]
    given = {module.requirements[0].code: Given(Word.SUSPECTED, "A neighbour says so.")}
    before = stage.session.scalars(select(Event.id).order_by(Event.id.desc()).limit(1)).one()
    asked = {"assessment": assessment, "module": module, "given": given, "policy": stage.policy}
    (finding,) = assessing.save_module(stage.session, **asked, seen=None, by=stage.lead, at=stage.at)
    asked = {"finding": finding, "evidence": "A visit.", "reason": "It is not so.", "key": "c"}
    findings.close(stage.session, **asked, by=stage.issuer, at=stage.at)

    told = since(stage, before)
    assert [each["kind"] for each in told] == ["finding.opened", "assessment.saved", "finding.closed"]
    for each in told:
        assert (each["subject"], each["actor"], each["at"]) == (
            finding.number,
            "withheld",
            "2026-07-01T00:00:00.000000Z",
        )
        public = json.dumps(each)
        for name in ("KAM001", assessment.number, stage.lead.number, stage.issuer.number, module.requirements[0].code):
            assert name not in public

    opened, saved, _ = events.story(stage.session, finding.number)
    private = events.private_of(stage.session, [opened, saved])
    assert private[opened.id]["site"] == "COD-KAM001"
    assert private[opened.id]["actor"] == private[saved.id]["actor"] == stage.lead.number
    assert private[saved.id]["assessment"] == assessment.number

    with app.test_request_context():
        told = stories.of_batch(stage.session, stage.lead, assessment.batch)
    assert all(step["at"] == stage.at for step in told)
    assert [step["by"].split(",")[0] for step in told[-3:]] == [stage.lead.name, stage.lead.name, stage.issuer.name]

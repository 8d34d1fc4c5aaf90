"""A batch that is reckoned, confirmed, or let through above its ceiling by two people."""

from credits.registry import decisions
from credits.registry.movements import DecisionKind

COLTAN = {"mineral_code": "TA", "form": "coltan", "moisture": "0", "grade": "30", "miners": 100, "days_worked": 20}


def verify(stage, batch):
    stage.answered(batch)
    return stage.verify(batch)


def propose(stage, batch, by=None, reason="The verifier saw the new washing plant run."):
    return decisions.propose(
        stage.session,
        kind=DecisionKind.CEILING,
        subject=batch.number,
        request={},
        reason=reason,
        by=by or stage.issuer,
        key=stage.key(),
        at=stage.at,
    )


def approve(stage, decision, by=None):
    decisions.approve(
        stage.session, decision=decision, policy=stage.policy, by=by or stage.colleague, key=stage.key(), at=stage.at
    )

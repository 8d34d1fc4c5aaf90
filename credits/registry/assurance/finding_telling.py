"""What the journal is told of a finding: openly once it is found, and in confidence while it is suspected."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from credits.journal import events
from credits.participants.models import User
from credits.registry.assurance.assurance_models import Certainty, SiteFinding
from credits.registry.mines.site_states import start_of
from credits.registry.mines.sites import number_of


def public_facts(finding: SiteFinding) -> dict[str, Any]:
    """What everybody may know of a finding: of a suspicion, which site it is about is not public."""
    if finding.certainty is Certainty.SUSPECTED:
        return {"source": finding.source.value, "certainty": finding.certainty.value}
    facts = {
        "site": number_of(finding.site),
        "source": finding.source.value,
        "severity": finding.severity.value,
        "certainty": finding.certainty.value,
        "due": str(finding.due_on),
        "plan": finding.plan,
    }
    if finding.requirement is not None:
        facts["requirement"] = finding.requirement
    if finding.concerns_from is not None:
        facts |= {"from": str(finding.concerns_from), "to": str(finding.concerns_to)}
    return facts


def tell(
    session: Session,
    kind: str,
    finding: SiteFinding,
    facts: dict[str, Any],
    private: dict[str, str],
    by: User | None,
    at: datetime,
) -> None:
    """Append an event of a finding: openly, or in confidence as long as it is a suspicion. Flushes."""
    if finding.certainty is Certainty.SUSPECTED:
        bound = {"site": number_of(finding.site), "severity": finding.severity.value, "due": str(finding.due_on)}
        tell_in_confidence(session, kind, finding, facts, private | bound, by, at)
        return
    actor = by.number if by else events.SYSTEM
    events.append(session, kind=kind, subject=finding.number, actor=actor, at=at, facts=facts, private=private or None)


def tell_in_confidence(
    session: Session,
    kind: str,
    finding: SiteFinding,
    facts: dict[str, Any],
    private: dict[str, str],
    by: User | None,
    at: datetime,
) -> None:
    """Append an event of a suspicion: it binds the registry to all of it, and tells nobody outside about which site.

    Who did it and at what moment would tell: who works on which site is public, and so is what else they did then.
    Both are in the event as hashes, and openly the day alone. Flushes. Invariant 21.
    """
    who = by.number if by else events.SYSTEM
    events.append(
        session,
        kind=kind,
        subject=finding.number,
        actor=events.WITHHELD,
        at=start_of(at.date()),
        facts=facts,
        private=private | {"actor": who, "at": at.isoformat()},
    )

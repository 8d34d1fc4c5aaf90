"""Who is told what waits for them to decide, and how it was decided."""

from sqlalchemy.orm import Session

from credits.notices.occurrence import Occurrence
from credits.notices.telling import issuers, tell
from credits.notices.wordings import ACTS, Kind
from credits.participants.models import Kyc, Organisation
from credits.participants.permissions import is_issuer
from credits.registry.movements import Decision
from credits.registry.queries import digits_of

DECIDED = {
    Kyc.APPROVED: Kind.ORGANISATION_APPROVED,
    Kyc.REFUSED: Kind.ORGANISATION_REFUSED,
    Kyc.SUSPENDED: Kind.ORGANISATION_SUSPENDED,
}


def waits(session: Session, what: Occurrence) -> None:
    """Every issuer who did not propose it."""
    decision = session.get_one(Decision, digits_of(what.subject, "DECISION-"))
    proposer = decision.proposed_by
    facts = told_of(decision) | {"person": f"{proposer.name}, {proposer.organisation.name}", "reason": decision.reason}
    others = issuers(session, other_than=[proposer.id])
    tell(session, to=others, kind=Kind.DECISION_WAITS, facts=facts, at=what.at)


def approved(session: Session, what: Occurrence) -> None:
    """Who proposed what was approved and is done."""
    decision = session.get_one(Decision, digits_of(what.facts["decision"], "DECISION-"))
    tell(session, to=decision.proposed_by, kind=Kind.DECISION_APPROVED, facts=told_of(decision), at=what.at)


def declined(session: Session, what: Occurrence) -> None:
    """Who proposed it."""
    decision = session.get_one(Decision, digits_of(what.subject, "DECISION-"))
    tell(session, to=decision.proposed_by, kind=Kind.DECISION_DECLINED, facts=told_of(decision), at=what.at)


def told_of(decision: Decision) -> dict[str, str]:
    page = "/admin/decisions" if is_issuer(decision.proposed_by) else "/exports"
    return {"decision": decision.number, "act": ACTS[decision.kind.value], "about": decision.subject, "page": page}


def organisation_waits(session: Session, what: Occurrence) -> None:
    """The issuers, that somebody wants to take part."""
    organisation = session.get_one(Organisation, digits_of(what.subject, "ORG-"))
    facts = {"organisation": organisation.number, "name": organisation.name}
    tell(session, to=issuers(session), kind=Kind.ORGANISATION_WAITS, facts=facts, at=what.at)


def organisation_decided(session: Session, what: Occurrence) -> None:
    """The organisation's own people, not those of its group."""
    organisation = session.get_one(Organisation, digits_of(what.subject, "ORG-"))
    facts = {"organisation": organisation.number, "name": organisation.name}
    facts |= {"reason": what.private(session).get("reason", "")}
    kind = DECIDED[Kyc(what.facts["kyc"])]
    tell(session, to=organisation.members, kind=kind, facts=facts, at=what.at)

"""Who is told of findings, and of how a site stands."""

from typing import Any

from sqlalchemy.orm import Session

from credits.notices.batches_told import batch_of
from credits.notices.occurrence import Occurrence
from credits.notices.telling import issuers, tell
from credits.notices.wordings import Kind
from credits.participants.countries import name_of
from credits.registry.assurance.assurance_models import Severity, SiteFinding
from credits.registry.assurance.findings import finding_numbered, must_stop
from credits.registry.mines.sites import number_of
from credits.registry.production import Site
from credits.registry.public import site_known_as

STANDS = {
    "site.put_on_probation": Kind.SITE_ON_PROBATION,
    "site.suspended": Kind.SITE_SUSPENDED,
    "site.reinstated": Kind.SITE_REINSTATED,
}


def opened(session: Session, what: Occurrence) -> None:
    """The producer, what is to be put right until when; the issuers too, where it is of zero tolerance."""
    finding = finding_numbered(session, what.subject)
    facts = told_of(finding) | {"text": finding.text}
    at = finding.opened_at  # of a suspicion the event has the day alone
    tell(session, to=finding.site.producer, kind=Kind.FINDING_OPENED, facts=facts, at=at)
    if must_stop(finding.severity, finding.certainty):
        found(session, what)
    elif finding.severity is Severity.ZERO_TOLERANCE:
        tell(session, to=issuers(session), kind=Kind.FINDING_SUSPECTED, facts=facts, at=at)


def found(session: Session, what: Occurrence) -> None:
    """The issuers, that the rules have stopped a site."""
    finding = finding_numbered(session, what.subject)
    facts = told_of(finding) | {"text": finding.text}
    if finding.severity is Severity.ZERO_TOLERANCE:
        tell(session, to=issuers(session), kind=Kind.FINDING_STOPS, facts=facts, at=what.at)


def closed(session: Session, what: Occurrence) -> None:
    """The producer."""
    finding = finding_numbered(session, what.subject)
    facts = told_of(finding) | {"reason": finding.closing_reason}
    assert finding.closed_at is not None
    tell(session, to=finding.site.producer, kind=Kind.FINDING_CLOSED, facts=facts, at=finding.closed_at)


def stands(session: Session, what: Occurrence) -> None:
    """The producer and the issuers, how a site stands now."""
    site = site_known_as(session, what.subject)
    facts = named(site) | {"from": what.facts["from"], "until": what.facts.get("until", "")}
    facts |= {"reason": what.private(session)["reason"]}
    tell(session, to=site.producer, kind=STANDS[what.event.kind], facts=facts | {"page": "/my/sites"}, at=what.at)
    facts |= {"page": "/admin/sites"}
    tell(session, to=issuers(session), kind=STANDS[what.event.kind], facts=facts, at=what.at)


def batch_stopped(session: Session, what: Occurrence) -> None:
    """Who has the batch in review, unless it is who has made the finding."""
    batch = batch_of(session, what)
    if batch.reviewer is not None and batch.reviewer.number != what.event.actor:
        facts = {"batch": batch.number, "finding": what.facts["finding"], "producer": batch.site.producer.name}
        tell(session, to=batch.reviewer, kind=Kind.BATCH_STOPPED, facts=facts, at=what.at)


def told_of(finding: SiteFinding) -> dict[str, Any]:
    return named(finding.site) | {"finding": finding.number, "due": str(finding.due_on), "plan": finding.plan}


def named(site: Site) -> dict[str, str]:
    return {"site": site.name, "site_number": number_of(site), "country": name_of(site.country)}

"""Findings: what has to be put right at a site until a day, opened by whom, and closed with evidence and a reason.

Minor and major ones leave a plan. An open one of zero tolerance stands in the way of every batch of the site, suspected
as well as found; once found it stops, holds and tells at once, in the same transaction (`zero_tolerance`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from credits.errors import Conflict, Invalid, Missing
from credits.ledger.claims import claim, settle
from credits.participants.models import User
from credits.participants.wording import line, paragraphs, printed
from credits.registry import finders
from credits.registry.assurance.assurance_models import (
    Assessment,
    Certainty,
    Severity,
    SiteFinding,
    Source,
    StandardEdition,
)
from credits.registry.assurance.finding_telling import public_facts, tell
from credits.registry.calendar import checked_period
from credits.registry.mines import zero_tolerance
from credits.registry.mines.site_states import months_on
from credits.registry.mines.sites import number_of
from credits.registry.policy import Policy
from credits.registry.production import Site
from credits.registry.queries import digits_of
from credits.registry.stillness import keep_site_still

LONGEST_TEXT, LONGEST_PLAN = 2_000, 200


class NoSuchFinding(Missing):
    code = "no_such_finding"


class ClosedAlready(Conflict):
    code = "finding_closed"


@dataclass(frozen=True)
class FindingFacts:
    """What a finding says.

    text: what was found; for those concerned. plan: what is done about it, public and printable, so it names nobody.
    concerns: first and last day of the production that it is about; a zero-tolerance finding that is found needs them.
    reference: the paper or the grievance that it comes from. requirement: a code of the standard of `edition`.
    """

    severity: Severity
    text: str
    due_on: date
    source: Source
    plan: str = ""
    certainty: Certainty = Certainty.FOUND
    concerns: tuple[date, date] | None = None
    reference: str = ""
    assessment: Assessment | None = None
    edition: StandardEdition | None = None
    requirement: str | None = None


def open_finding(
    session: Session, *, site: Site, facts: FindingFacts, policy: Policy, by: User, key: str, at: datetime
) -> SiteFinding:
    """Open a finding by hand. Flushes. Raises NotAllowed, NotYoursToFind, Invalid, UnsoundText."""
    finders.must_find(session, by, site)
    asked = {"act": "finding.open", "site": number_of(site), "text": facts.text, "severity": facts.severity.value}
    asked |= {"certainty": facts.certainty.value, "due": str(facts.due_on), "plan": facts.plan}
    if earlier := claim(session, caller=by.number, key=key, request=asked):
        return session.get_one(SiteFinding, earlier["finding"])
    made = enter(session, site=site, facts=facts, policy=policy, by=by, at=at)
    settle(session, {"finding": made.id})
    return made


def enter(
    session: Session, *, site: Site, facts: FindingFacts, policy: Policy, by: User | None, at: datetime
) -> SiteFinding:
    """Open a finding within another operation, whose own rules say who may. by: None for the registry itself.

    One of zero tolerance that is found stops the site at once. Flushes. Raises WrongRole, Invalid, UnsoundText.
    """
    checked(facts, policy, at.date())
    if must_stop(facts.severity, facts.certainty):
        finders.must_decide(by)
    keep_site_still(session, site)
    first, last = facts.concerns or (None, None)
    finding = SiteFinding(
        site=site,
        source=facts.source,
        reference=line(facts.reference, "Reference", 200) if facts.reference.strip() else "",
        assessment=facts.assessment,
        edition=facts.edition,
        requirement=facts.requirement,
        severity=facts.severity,
        certainty=facts.certainty,
        text=paragraphs(facts.text, "Finding", LONGEST_TEXT),
        plan=printed(facts.plan, "Plan", LONGEST_PLAN) if facts.plan.strip() else "",
        due_on=facts.due_on,
        concerns_from=first,
        concerns_to=last,
        opened_by_id=by.id if by else None,
        opened_at=at,
    )
    session.add(finding)
    session.flush()
    tell(session, "finding.opened", finding, public_facts(finding), {"text": finding.text}, by, at)
    if must_stop(finding.severity, finding.certainty):
        assert by is not None
        zero_tolerance.stop(session, finding, policy, by, at)
    return finding


def checked(facts: FindingFacts, policy: Policy, today: date) -> None:
    """Raise Invalid or BadPeriod unless the finding can be one."""
    if facts.due_on < today:
        raise Invalid("The day by which it is put right lies in the past.", due=str(facts.due_on))
    latest = months_on(today, _months_for(facts.severity, policy))
    if facts.due_on > latest:
        raise Invalid(
            f"A {facts.severity.value.replace('_', ' ')} finding is put right by {latest} at the latest.",
            due=str(facts.due_on),
            latest=str(latest),
        )
    if facts.concerns is not None:
        checked_period(*facts.concerns, "Production concerned")
    elif must_stop(facts.severity, facts.certainty):
        raise Invalid("Say which days of production the finding is about.")


def confirm(
    session: Session,
    *,
    finding: SiteFinding,
    concerns: tuple[date, date],
    policy: Policy,
    by: User,
    key: str,
    at: datetime,
) -> None:
    """What was suspected is found: of zero tolerance, it stops, holds and tells at once.

    Flushes. Raises NotAllowed, ClosedAlready, BadPeriod.
    """
    finders.must_find(session, by, finding.site)
    asked = {"act": "finding.confirm", "finding": finding.number, "from": str(concerns[0]), "to": str(concerns[1])}
    if claim(session, caller=by.number, key=key, request=asked) is not None:
        return
    keep_site_still(session, finding.site)
    establish(session, finding, concerns=concerns, policy=policy, by=by, at=at)
    settle(session, {"finding": finding.id})


def establish(
    session: Session, finding: SiteFinding, *, concerns: tuple[date, date], policy: Policy, by: User, at: datetime
) -> None:
    """What `confirm` does, within another operation. Lock the site before. Flushes.

    Raises WrongRole, ClosedAlready, BadPeriod.
    """
    finders.must_decide(by)
    checked_period(*concerns, "Production concerned")
    _must_be_open(session, finding)
    if finding.certainty is Certainty.FOUND:
        return
    finding.certainty = Certainty.FOUND
    finding.concerns_from, finding.concerns_to = concerns
    session.flush()
    tell(session, "finding.confirmed", finding, public_facts(finding), {}, by, at)
    if finding.severity is Severity.ZERO_TOLERANCE:
        zero_tolerance.stop(session, finding, policy, by, at)


def close(
    session: Session, *, finding: SiteFinding, evidence: str, reason: str, by: User, key: str, at: datetime
) -> None:
    """Close a finding by hand: put right, or not so after all. Flushes.

    One of zero tolerance is closed by another organisation than the one that opened it, or by the registry; once found,
    by another person of the registry alone. Raises NotAllowed, SecondPersonCloses, ClosedAlready, UnsoundText.
    """
    finders.must_close(session, by, finding)
    asked = {"act": "finding.close", "finding": finding.number, "evidence": evidence, "reason": reason}
    if claim(session, caller=by.number, key=key, request=asked) is not None:
        return
    keep_site_still(session, finding.site)
    end(session, finding, evidence=evidence, reason=reason, by=by, at=at)
    settle(session, {"finding": finding.id})


def end(session: Session, finding: SiteFinding, *, evidence: str, reason: str, by: User, at: datetime) -> None:
    """Close a finding within another operation, whose own rules say who may. Flushes.

    Raises SecondPersonCloses, WrongRole, ClosedAlready, UnsoundText.
    """
    _must_be_open(session, finding)
    finders.must_be_second(by, finding)
    finding.closing_evidence = paragraphs(evidence, "Evidence", LONGEST_TEXT)
    finding.closing_reason = paragraphs(reason, "Reason", LONGEST_TEXT)
    finding.closed_by_id, finding.closed_at = by.id, at
    session.flush()
    private = {"evidence": finding.closing_evidence, "reason": finding.closing_reason}
    tell(session, "finding.closed", finding, public_facts(finding), private, by, at)


def must_stop(severity: Severity, certainty: Certainty) -> bool:
    return severity is Severity.ZERO_TOLERANCE and certainty is Certainty.FOUND


def finding_numbered(session: Session, number: str) -> SiteFinding:
    """The finding with this number; the door sees to who may know of its site. Raises NoSuchFinding."""
    found = session.get(SiteFinding, digits_of(number, "FINDING-"))
    if found is None or found.number != number:
        raise NoSuchFinding("There is no such finding.")
    return found


def findings_of(session: Session, site: Site) -> Sequence[SiteFinding]:
    """All findings about a site: open ones first, the most pressing of them before the others."""
    wanted = select(SiteFinding).where(SiteFinding.site_id == site.id)
    ordered = wanted.order_by(SiteFinding.closed_at.is_not(None), SiteFinding.due_on, SiteFinding.id)
    return session.scalars(ordered).all()


def stopping(session: Session, site: Site) -> list[str]:
    """The numbers of the open zero-tolerance findings of a site."""
    wanted = select(SiteFinding).where(
        SiteFinding.site_id == site.id,
        SiteFinding.severity == Severity.ZERO_TOLERANCE,
        SiteFinding.closed_at.is_(None),
    )
    return [finding.number for finding in session.scalars(wanted.order_by(SiteFinding.id))]


def _must_be_open(session: Session, finding: SiteFinding) -> None:
    """Lock the finding, read it anew and see that it is open. Raises ClosedAlready."""
    session.refresh(finding, with_for_update=True)
    if not finding.is_open:
        raise ClosedAlready(f"{finding.number} is closed already.", finding=finding.number)


def _months_for(severity: Severity, policy: Policy) -> int:
    return policy.months_to_next_assessment if severity is Severity.MINOR else policy.months_to_mitigate

"""Who may open and close findings about a site, and say that what zero tolerance is about was found."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from credits.errors import NotAllowed
from credits.participants.models import Kind, User
from credits.participants.permissions import WrongRole, is_issuer, is_lead, is_own, is_verifier
from credits.registry.assurance.assurance_models import Certainty, Severity, SiteFinding
from credits.registry.mines.jobs_at_sites import REVIEWING, VERIFIED, has_job_at
from credits.registry.production import Batch, Site


class NotYoursToFind(NotAllowed):
    """Findings about a site are made by the registry, and by verifiers who have had a batch of it in review."""

    code = "not_yours_to_find"


class SecondPersonCloses(NotAllowed):
    """Who opened a finding of zero tolerance does not close it."""

    code = "second_person_closes"


def must_find(session: Session, by: User, site: Site) -> None:
    """Raise NotAllowed unless `by` may open and close findings about a site."""
    if is_issuer(by):
        return
    if not is_verifier(by):
        raise WrongRole("Findings are made by verifiers and by the registry.")
    if is_own(by, site.producer):
        raise NotYoursToFind("Nobody makes findings about their own organisation.")
    colleagues = select(User.id).where(User.organisation_id == by.organisation_id)
    reviewed = select(Batch.id).where(
        Batch.site_id == site.id, Batch.reviewer_id.in_(colleagues) | Batch.verified_by_id.in_(colleagues)
    )
    if session.scalars(reviewed.limit(1)).first() is None:
        raise NotYoursToFind("Findings are made by who has, or had, a batch of the site in review.")


def must_close(session: Session, by: User, finding: SiteFinding) -> None:
    """Raise NotAllowed unless `by` may close a finding: of the registry, or a lead whose organisation has the job now.

    The job: to review a batch of the site. Who found something follows it up after having verified the batch, too.
    """
    must_be_second(by, finding)
    if is_issuer(by):
        return
    if is_of_registry(finding):
        raise WrongRole("What the registry has opened the registry closes.")
    if not is_lead(by):
        raise WrongRole("A lead verifier or the registry closes a finding.")
    opener = finding.opened_by
    own = opener is not None and opener.organisation_id == by.organisation_id
    if not has_job_at(session, by, finding.site, REVIEWING + VERIFIED if own else REVIEWING):
        raise NotYoursToFind("A finding is closed by who has a batch of the site in review now, or by the registry.")


def is_of_registry(finding: SiteFinding) -> bool:
    """Whether the registry has opened a finding, by itself or by one of its people."""
    return finding.opened_by is None or finding.opened_by.organisation.kind is Kind.REGISTRY


def must_be_second(by: User, finding: SiteFinding) -> None:
    """Raise SecondPersonCloses or WrongRole where `by` is too near to whoever opened a finding of zero tolerance."""
    if finding.severity is not Severity.ZERO_TOLERANCE:
        return
    if by.id == finding.opened_by_id:
        raise SecondPersonCloses("You have opened this finding: somebody else closes it.", finding=finding.number)
    if is_issuer(by):
        return
    if finding.certainty is Certainty.FOUND:
        raise WrongRole("What was found under zero tolerance is closed by the registry.")
    if finding.opened_by is not None and finding.opened_by.organisation_id == by.organisation_id:
        raise SecondPersonCloses(
            "Your organisation has opened this finding: another verifier or the registry closes it.",
            finding=finding.number,
        )


def must_decide(by: User | None) -> None:
    """Raise WrongRole unless `by` may say that what zero tolerance is about was found."""
    if by is None or not (is_issuer(by) or is_lead(by)):
        raise WrongRole("That it was found is said by a lead verifier or by the registry. Others report a suspicion.")

"""Who is told of a grievance: the registry, and verifiers with a batch of the site in hand. Never the producer."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from credits.notices.occurrence import Occurrence
from credits.notices.telling import issuers, tell
from credits.notices.wordings import Kind
from credits.participants.models import Organisation
from credits.registry.mines.grievance_models import Grievance
from credits.registry.mines.grievances import IN_HAND
from credits.registry.production import Batch
from credits.registry.queries import digits_of
from credits.registry.reviews.assigned import Assignment, AssignmentState


def filed(session: Session, what: Occurrence) -> None:
    tell_of(session, what, Kind.GRIEVANCE_FILED)


def added_to(session: Session, what: Occurrence) -> None:
    tell_of(session, what, Kind.GRIEVANCE_MORE)


def tell_of(session: Session, what: Occurrence, kind: Kind) -> None:
    grievance = session.get_one(Grievance, digits_of(what.subject, "GRIEVANCE-"))
    facts = {"grievance": grievance.number, "site": grievance.site.name}
    tell(session, to=issuers(session), kind=kind, facts=facts, at=what.at)
    verifiers = session.scalars(
        select(Organisation)
        .join(Assignment, Assignment.organisation_id == Organisation.id)
        .join(Batch, Batch.id == Assignment.batch_id)
        .where(Batch.site_id == grievance.site_id, Batch.state.in_(IN_HAND))
        .where(Assignment.state == AssignmentState.TAKEN)
        .distinct()
    ).all()
    if verifiers:
        tell(session, to=verifiers, kind=kind, facts=facts, at=what.at)

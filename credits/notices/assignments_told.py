"""Who is told which batch was drawn for whom."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from credits.notices.batches_told import batch_of
from credits.notices.occurrence import Occurrence
from credits.notices.telling import issuers, tell
from credits.notices.wordings import Kind
from credits.participants.models import Organisation
from credits.registry.queries import digits_of
from credits.registry.reviews.assigned import Assignment


def drawn(session: Session, what: Occurrence) -> None:
    """The verifier, that a batch is theirs; the issuers, where nobody is eligible."""
    if not what.subject.startswith("BATCH-"):
        return
    batch = batch_of(session, what)
    facts = {"batch": batch.number, "producer": batch.site.producer.name}
    for number in what.facts["drawn"]:
        draw_id = digits_of(what.facts["draw"], "DRAW-")
        due = session.scalars(select(Assignment.due_at).where(Assignment.draw_id == draw_id)).one()
        verifier = session.get_one(Organisation, digits_of(number, "ORG-"))
        facts |= {"verifier": verifier.name, "until": str(due.date())}
        tell(session, to=verifier, kind=Kind.BATCH_DRAWN, facts=facts, at=what.at)
    if not what.facts["drawn"]:
        tell(session, to=issuers(session), kind=Kind.NOBODY_DRAWN, facts=facts, at=what.at)


def sample_drawn(session: Session, what: Occurrence) -> None:
    """The group, who of it is visited; the verifier, whom to visit."""
    group = session.get_one(Organisation, digits_of(what.subject, "ORG-"))
    verifier = what.organisation(session, "verifier")
    facts = {"group": group.name, "number": group.number, "year": what.facts["year"], "verifier": verifier.name}
    tell(session, to=group, kind=Kind.SAMPLE_DRAWN, facts=facts | {"page": "/groups"}, at=what.at)
    tell(session, to=verifier, kind=Kind.SAMPLE_DRAWN, facts=facts | {"page": "/admin/groups"}, at=what.at)


def left(session: Session, what: Occurrence) -> None:
    """The verifier that had a batch, where it did not decline it itself."""
    if what.facts["verifier"] is None or what.facts["how"] == "declined":
        return
    batch, verifier = batch_of(session, what), what.organisation(session, "verifier")
    facts = {"batch": batch.number, "producer": batch.site.producer.name, "verifier": verifier.name}
    tell(session, to=verifier, kind=Kind.BATCH_LEFT, facts=facts | {"reason": what.facts["reason"]}, at=what.at)

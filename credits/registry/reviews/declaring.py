"""What a verifier's people declare before they work on a batch: no tie, or which one; then somebody else is drawn.

It is one declaration for the job: made before the papers are shown, and printed with the verification.
"""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from credits.journal import events
from credits.participants.models import User
from credits.participants.wording import paragraphs
from credits.registry.production import Batch
from credits.registry.reviews.assigned import Assignment, Declaration
from credits.registry.reviews.assigning import NotDeclared

MOST_TIES = 1_000  # characters


def wording(by: User, batch: Batch) -> str:
    """The words by which a person declares to have no part in what is verified."""
    return (
        f"Neither I nor {by.organisation.name} own, manage, finance or buy from {batch.site.producer.name}, its group "
        "or the owner of its concession; nobody close to me does; we are paid for this verification alone and not by "
        f"its outcome; and I took no part in producing or submitting {batch.number}."
    )


def declared_by(session: Session, assignment: Assignment, person: User) -> Declaration | None:
    """What a person has declared for a job."""
    wanted = select(Declaration).where(Declaration.assignment_id == assignment.id, Declaration.person_id == person.id)
    return session.scalars(wanted).one_or_none()


def declare(session: Session, assignment: Assignment, *, ties: str, by: User, at: datetime) -> Declaration:
    """Write down what `by` declares for this job: with empty `ties`, that there are none. Once for each person.

    Flushes. Raises UnsoundText.
    """
    if earlier := declared_by(session, assignment, by):
        return earlier
    batch = assignment.batch
    said = paragraphs(ties, "Ties", MOST_TIES) if ties else ""
    made = Declaration(assignment=assignment, person=by, ties=said, text=said or wording(by, batch), declared_at=at)
    session.add(made)
    session.flush()
    events.append(
        session,
        kind="batch.independence_declared",
        subject=batch.number,
        actor=by.number,
        at=at,
        facts={"verifier": by.organisation.number, "draw": assignment.draw.number, "ties": bool(said)},
        private={"declaration": made.text},
    )
    return made


def must_have_declared(session: Session, assignment: Assignment, by: User) -> Declaration:
    """What `by` has declared for this job. Raises NotDeclared."""
    made = declared_by(session, assignment, by)
    if made is None:
        raise NotDeclared("Declare first whether you have a tie to this producer, its group or its buyers.")
    return made

"""Which batches a verifier's people may look into: what waits for a reviewer, and what is or was their own review."""

from sqlalchemy import ColumnElement, or_, select

from credits.participants.models import User
from credits.registry.production import Batch, BatchState


def open_to_review_of(by: User) -> ColumnElement[bool]:
    """The submitted batches that nobody has taken, and those in the hands of the organisation of `by`, now or once."""
    colleagues = select(User.id).where(User.organisation_id == by.organisation_id)
    untaken = (Batch.state == BatchState.SUBMITTED) & Batch.reviewer_id.is_(None)
    return or_(untaken, Batch.reviewer_id.in_(colleagues), Batch.verified_by_id.in_(colleagues))

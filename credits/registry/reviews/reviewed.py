"""Which batches a verifier's people may look into: those that were drawn for it, until they leave its hands."""

from sqlalchemy import ColumnElement, select

from credits.participants.models import User
from credits.registry.production import Batch
from credits.registry.reviews.assigned import Assignment, AssignmentState


def open_to_review_of(by: User) -> ColumnElement[bool]:
    """The batches that the organisation of `by` was drawn for and reviews, will review, or has reviewed."""
    drawn = select(Assignment.batch_id).where(
        Assignment.organisation_id == by.organisation_id,
        Assignment.state.in_((AssignmentState.OFFERED, AssignmentState.TAKEN)),
    )
    return Batch.id.in_(drawn)

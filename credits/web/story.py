"""What has happened to a batch, told to its own people, and what comes next; and the whole story as a page."""

from typing import Any

from flask import render_template
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext
from sqlalchemy.orm import Session

from credits import stories
from credits.certificates import verified
from credits.extensions import db
from credits.identity import current_user, signed_in
from credits.participants.models import User
from credits.registry import queries
from credits.registry.production import Batch, BatchState, EvidenceKind
from credits.web.blueprint import bp

MINERAL_NAMES = {
    "AU": lazy_gettext("Gold"),
    "CO": lazy_gettext("Cobalt"),
    "CU": lazy_gettext("Copper"),
    "LI": lazy_gettext("Lithium"),
    "SN": lazy_gettext("Tin"),
    "TA": lazy_gettext("Tantalum"),
    "W": lazy_gettext("Tungsten"),
    "REE": lazy_gettext("Rare earths"),
}
KINDS_OF_PAPER = {
    EvidenceKind.SCALE_LOG: lazy_gettext("Scale log"),
    EvidenceKind.ASSAY: lazy_gettext("Assay"),
    EvidenceKind.SALES_INVOICE: lazy_gettext("Sales invoice"),
    EvidenceKind.ROYALTY_RECEIPT: lazy_gettext("Royalty receipt"),
    EvidenceKind.TAG_LOG: lazy_gettext("Log of tags and seals"),
    EvidenceKind.PHOTO: lazy_gettext("Photo"),
    EvidenceKind.OTHER: lazy_gettext("Other paper"),
}
TO_COME = {
    BatchState.DRAFT: (lazy_gettext("Submit"), lazy_gettext("Review by a verifier"), lazy_gettext("Credits issued")),
    BatchState.SUBMITTED: (lazy_gettext("Review by a verifier"), lazy_gettext("Credits issued")),
    BatchState.IN_REVIEW: (lazy_gettext("Decision of the verifier"), lazy_gettext("Credits issued")),
    BatchState.INFORMATION_REQUESTED: (
        lazy_gettext("Your answer"),
        lazy_gettext("Decision of the verifier"),
        lazy_gettext("Credits issued"),
    ),
    BatchState.VERIFIED: (lazy_gettext("Credits issued"),),
}


def story_of(session: Session, viewer: User, batch: Batch) -> list[dict[str, Any]]:
    """The steps of a batch for the timeline: those behind it with their time and actor, then those to come."""
    coming = TO_COME.get(batch.state, ())
    to_come = [{"label": label, "tone": "now" if label is coming[0] else "next"} for label in coming]
    return stories.of_batch(session, viewer, batch) + to_come


@bp.get("/batches/<number>/story")
@signed_in
def batch_story(number: str) -> ResponseReturnValue:
    """The whole of it on a page, for the parties and for staff alike."""
    user = current_user()
    batch = queries.batch_numbered(db.session, user, number)
    return render_template(
        "batches/story.html",
        batch=batch,
        names=MINERAL_NAMES,
        staff=stories.is_staff(user),
        story=story_of(db.session(), user, batch),
        statement=verified.statement_of(db.session(), batch),
    )

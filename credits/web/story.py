"""What has happened to a batch, told to its own people, and what comes next."""

from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import select
from sqlalchemy.orm import Session

from credits.journal import events
from credits.participants.models import User
from credits.registry.production import Batch, BatchState, EvidenceKind
from credits.registry.queries import digits_of
from credits.registry.searching import issuance_of

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
HAPPENED = {
    "batch.drafted": lazy_gettext("Draft begun"),
    "batch.amended": lazy_gettext("Figures changed"),
    "batch.submitted": lazy_gettext("Submitted"),
    "batch.review_begun": lazy_gettext("Taken into review"),
    "batch.information_requested": lazy_gettext("More information requested"),
    "batch.answered": lazy_gettext("Request answered"),
    "batch.verified": lazy_gettext("Verified"),
    "batch.rejected": lazy_gettext("Rejected"),
    "batch.withdrawn": lazy_gettext("Withdrawn"),
    "evidence.added": lazy_gettext("Paper added"),
    "evidence.removed": lazy_gettext("Paper taken away"),
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
    happened = [event for event in events.story(session, batch.number) if event.kind in HAPPENED]
    people = _people(session, {event.actor for event in happened})
    steps = [_step(HAPPENED[event.kind], event.at, _name(viewer, people.get(event.actor))) for event in happened]
    issuance = issuance_of(session, batch)
    if issuance is not None:
        steps.append(_step(_("Credits issued"), issuance.issued_at, _("the registry")))
    if batch.state in (BatchState.REJECTED, BatchState.WITHDRAWN):
        steps[-1]["tone"] = "stop"
    coming = TO_COME.get(batch.state, ())
    return steps + [{"label": label, "tone": "now" if label is coming[0] else "next"} for label in coming]


def _step(label: Any, at: datetime, by: str) -> dict[str, Any]:
    return {"label": label, "at": at, "by": by, "tone": "done"}


def _people(session: Session, numbers: set[str]) -> dict[str, User]:
    ids = [digits_of(number, "USR-") for number in numbers]
    return {user.number: user for user in session.scalars(select(User).where(User.id.in_(ids)))}


def _name(viewer: User, actor: User | None) -> str:
    """Colleagues by name, others by their organisation."""
    if actor is None:
        return ""
    return actor.name if actor.organisation_id == viewer.organisation_id else actor.organisation.name

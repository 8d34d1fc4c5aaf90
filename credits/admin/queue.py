"""What waits, and for whom: the first page of the panel."""

from dataclasses import dataclass

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from credits.admin.blueprint import bp
from credits.extensions import db
from credits.identity import current_user, now, staff_only
from credits.participants.models import User
from credits.participants.permissions import is_issuer, is_verifier
from credits.registry import waiting
from credits.registry.production import BatchState
from credits.registry.waiting import Waiting, Whose

SHOWN = [state for state in BatchState if state not in (BatchState.DRAFT, BatchState.WITHDRAWN)]


@dataclass(frozen=True)
class Section:
    """One part of the queue: batches in one state, and what is said where there are none."""

    heading: str
    nothing: str
    state: BatchState
    whose: Whose
    batches: list[Waiting]
    more: bool


@bp.get("/")
@staff_only
def home() -> ResponseReturnValue:
    user = current_user()
    if "state" in request.args or "q" in request.args:
        return _found(user)
    organisations = waiting.undecided_organisations(db.session) if is_issuer(user) else 0
    return render_template(
        "admin/queue/home.html",
        sections=_sections(user),
        counts=waiting.on_the_way(db.session, user),
        states=SHOWN,
        user=user,
        undecided=organisations,
        now=now(),
    )


def _found(user: User) -> str:
    """The searched and filtered list of all batches."""
    asked, whose = request.args.get("state", ""), request.args.get("whose", "")
    batches, page, pages = waiting.batches(
        db.session,
        by=user,
        states=[BatchState(asked)] if asked in SHOWN else (),
        whose=Whose(whose) if is_verifier(user) and whose in list(Whose) else Whose.ALL,
        text=request.args.get("q", "").strip()[:200],
        page=request.args.get("page", 1, type=int),
    )
    return render_template(
        "admin/queue/batches.html",
        batches=batches,
        page=page,
        pages=pages,
        asked=asked,
        whose=whose,
        states=SHOWN,
        user=user,
        verifier=is_verifier(user),
        now=now(),
    )


def _sections(user: User) -> list[Section]:
    """What waits for this person first, then for others on whom it depends."""
    if is_verifier(user):
        return [
            _section(
                user,
                _("In your organisation's review"),
                _("Your organisation reviews no batch now. Take one of those below."),
                BatchState.IN_REVIEW,
                Whose.OURS,
            ),
            _section(
                user,
                _("Submitted, nobody has taken them yet"),
                _("No batch waits for a verifier."),
                BatchState.SUBMITTED,
            ),
            _section(
                user,
                _("The producer has been asked"),
                _("No producer owes your organisation an answer."),
                BatchState.INFORMATION_REQUESTED,
                Whose.OURS,
            ),
        ]
    return [
        _section(
            user,
            _("Verified, waiting for issuance"),
            _("No verified batch waits. The registry's next work comes from the verifiers."),
            BatchState.VERIFIED,
        )
    ]


def _section(user: User, heading: str, nothing: str, state: BatchState, whose: Whose = Whose.ALL) -> Section:
    batches, _page, pages = waiting.batches(db.session, by=user, states=[state], whose=whose)
    if whose is Whose.OURS:
        batches.sort(key=lambda each: each.batch.reviewer_id != user.id)  # one's own first; the rest stays by age
    return Section(heading, nothing, state, whose, batches, pages > 1)

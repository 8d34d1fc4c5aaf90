"""What waits, and for whom: the first page of the panel."""

from dataclasses import dataclass, replace

from flask import current_app, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from credits import languages
from credits.admin import decisions, risks
from credits.admin.blueprint import bp
from credits.extensions import db
from credits.identity import current_user, now, staff_only
from credits.participants.countries import name_of
from credits.participants.models import User
from credits.participants.permissions import is_auditor, is_issuer, is_verifier
from credits.registry.minerals import MINERALS
from credits.registry.production import BatchState
from credits.registry.reviews import review_queue, waiting
from credits.registry.reviews.review_models import Level
from credits.registry.reviews.review_queue import Order, Waiting, Wanted, Whose

SHOWN = [state for state in BatchState if state not in (BatchState.DRAFT, BatchState.WITHDRAWN)]
NARROWED_BY = ("state", "q", "mineral", "country", "risk", "whose", "overdue", "sort")


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
    if any(name in request.args for name in NARROWED_BY):
        return _found(user)
    of_registry = is_issuer(user) or is_auditor(user)
    return render_template(
        "admin/queue/home.html",
        sections=_sections(user),
        counts=review_queue.on_the_way(db.session(), user),
        undecided=waiting.undecided_organisations(db.session) if is_issuer(user) else 0,
        decisions=waiting.decisions_for(db.session(), user) if of_registry else [],
        acts=decisions.acts(),
        **_chosen(user, Wanted()),
    )


def _found(user: User) -> str:
    """The searched, narrowed and sorted list of all batches."""
    wanted = _wanted(user)
    policy, page = current_app.extensions["policy"], request.args.get("page", 1, type=int)
    batches, page, pages = review_queue.page_of(
        db.session(), by=user, wanted=wanted, policy=policy, at=now(), page=page
    )
    return render_template("admin/queue/batches.html", batches=batches, page=page, pages=pages, **_chosen(user, wanted))


def _wanted(user: User) -> Wanted:
    """What the address asks for; whatever it asks that cannot be is left out."""
    asked = {name: request.args.get(name, "") for name in NARROWED_BY}
    whose = Whose(asked["whose"]) if is_verifier(user) and asked["whose"] in list(Whose) else Whose.ALL
    return Wanted(
        states=[BatchState(asked["state"])] if asked["state"] in SHOWN else (),
        whose=whose,
        mineral=asked["mineral"] if asked["mineral"] in MINERALS else "",
        country=asked["country"][:3],
        level=Level(asked["risk"]) if asked["risk"] in list(Level) else None,
        overdue=asked["overdue"] == "yes",
        text=asked["q"].strip()[:200],
        order=Order(asked["sort"]) if asked["sort"] in list(Order) else Order.DUE,
    )


def _chosen(user: User, wanted: Wanted) -> dict[str, object]:
    """What the form of the filters and the lists below it need."""
    spoken = languages.current()
    return {
        "wanted": wanted,
        "states": SHOWN,
        "minerals": list(MINERALS.values()),
        "countries": [(code, name_of(code, spoken)) for code in review_queue.countries_of(db.session(), user)],
        "levels": risks.levels(),
        "tones": risks.TONES,
        "said_of": risks.said_of,
        "rule": risks.rule(),
        "policy": current_app.extensions["policy"],
        "user": user,
        "verifier": is_verifier(user),
        "now": now(),
    }


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
    wanted = replace(Wanted(), states=[state], whose=whose)
    policy = current_app.extensions["policy"]
    batches, _page, pages = review_queue.page_of(db.session(), by=user, wanted=wanted, policy=policy, at=now())
    if whose is Whose.OURS:
        batches.sort(key=lambda each: each.batch.reviewer_id != user.id)  # one's own first; the rest stays by its day
    return Section(heading, nothing, state, whose, batches, pages > 1)

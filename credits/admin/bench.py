"""Everything that a review needs on its one screen, gathered for the page."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import current_app
from flask_babel import gettext as _

from credits import stories
from credits.admin import arithmetic, maps, risks, screening, viewing
from credits.certificates import verified
from credits.extensions import db
from credits.languages import NAMES
from credits.participants.models import User
from credits.registry.calendar import covers, months_before
from credits.registry.doubts import screening_questions
from credits.registry.issuance import issuance_of, obstacles
from credits.registry.making.reckoning import shown
from credits.registry.mines import neighbourhood, site_records
from credits.registry.mines.observations import distance_km
from credits.registry.mines.observed import SiteObservation
from credits.registry.mines.sites import number_of
from credits.registry.papers import evidence_likeness
from credits.registry.papers.evidence_models import Likeness
from credits.registry.production import AssuranceState, Batch, BatchState, Licence, Site
from credits.registry.reviews import review_changes, review_queue, review_threads, track_record
from credits.registry.reviews.ready_remarks import sentences


@dataclass(frozen=True)
class Condition:
    """One thing that stands before the decision: whether it is met, and where it is done."""

    met: bool
    text: str
    anchor: str


def of(batch: Batch, user: User, *, reviews: bool, at: datetime) -> dict[str, Any]:
    """What the template of the review shows. reviews: whether the organisation of `user` has the batch in review."""
    from credits.admin import assessments  # which shows refusals as the page of the review does

    policy = current_app.extensions["policy"]
    session = db.session()
    here = assessments.shown(batch, user) | {"on_review": True}
    period = (batch.produced_from, batch.produced_to)
    licences = [(each, covers((each.valid_from, each.valid_to), period)) for each in batch.site.licences]
    issuance = issuance_of(session, batch)
    weighed = screening.shown(batch, user, reviews=reviews, at=at)
    likenesses = evidence_likeness.likenesses_of(session, batch)
    threads = review_threads.threads_of(session, batch)
    language = review_threads.language_of(batch)
    return {
        "batch": batch,
        "user": user,
        "now": at,
        "outcome": arithmetic.of(session, batch),
        "licences": licences,
        "position": f"{degrees(batch.site.latitude)}, {degrees(batch.site.longitude)}",
        "distance": distance_to_observed(batch.site),
        "counted": newest_count(batch.site),
        "old": months_before(at.date(), policy.months_to_age),
        "obstacles": obstacles_of(batch, at),
        "papers": stories.kinds_of_paper(),
        "likenesses": likenesses,
        "story": stories.of_batch(session, user, batch),
        "issuance": issuance,
        "weighed": weighed,
        "viewer": viewing.on_screen(batch),
        "waiting": review_queue.waiting_for(session, batch, policy, at),
        "levels": risks.levels(),
        "tones": risks.TONES,
        "said_of": risks.said_of,
        "rule": risks.rule(),
        "map": maps.drawn(batch.site, neighbourhood.around(session, batch.site)),
        "kept": site_records.summary(session, batch.site, today=at.date()),
        "site_number": number_of(batch.site),
        "record": track_record.of_producer(session, batch.site.producer),
        "changes": changes_of(batch),
        "threads": threads,
        "language": dict(NAMES)[language.value],
        "ready_there": sentences(language),
        "statement": verified.statement_of(session, batch),
        "here": here,
        "conditions": conditions(batch, weighed, likenesses, licences, threads, here) if reviews else [],
    }


def obstacles_of(batch: Batch, at: datetime) -> list[str]:
    policy = current_app.extensions["policy"]
    return obstacles(batch, policy, at) if batch.state is BatchState.VERIFIED else []


def conditions(
    batch: Batch,
    weighed: dict[str, Any],
    likenesses: list[Likeness],
    licences: list[tuple[Licence, bool]],
    threads: list[review_threads.Thread],
    here: dict[str, Any],
) -> list[Condition]:
    """What has to be done before a decision, done or not, as the rules will ask for it."""
    waits = [thread for thread in threads if thread.waits]
    alike = [each for each in likenesses if not each.answer]
    found = weighed["plausibility"]
    written = screening_questions.questions_of(db.session(), batch)
    asked, wanting = len(written), len(weighed["open"])
    return [
        Condition(here["counted"] is not None, _("A completed assessment of the site"), "checklist"),
        Condition(
            not here["stopped_by"] and here["state"] is not AssuranceState.SUSPENDED,
            _("No open finding of zero tolerance, and the site not suspended"),
            "checklist",
        ),
        Condition(
            not wanting,
            _("Questions of the data: %(open)s open of %(all)s", open=wanting, all=max(asked, wanting)),
            "checklist",
        ),
        Condition(not alike, _("Papers nearly the same as others: %(open)s unanswered", open=len(alike)), "evidence"),
        Condition(
            not found.exceeded or weighed["is_let_through"],
            _("The quantity within its ceiling") if found.ceiling is not None else _("The ceiling is unknown"),
            "plausibility",
        ),
        Condition(any(covered for _each, covered in licences), _("A licence for the whole period"), "site"),
        Condition(not waits, _("Questions to the producer: %(open)s wait", open=len(waits)), "threads"),
    ]


def changes_of(batch: Batch) -> dict[str, Any] | None:
    """What the producer changed since the last request, in words."""
    found = review_changes.since_last_request(db.session(), batch)
    if found is None:
        return None
    kinds = stories.kinds_of_paper()
    return {
        "since": found.since,
        "is_empty": found.is_empty,
        "figures": [
            stories.figure_change(name, before, after, mineral=batch.mineral)
            for name, (before, after) in sorted(found.figures.items())
        ],
        "papers": [(what, kinds[facts["evidence"]], facts["sha256"]) for what, facts in found.papers],
        "sales": [(what, facts.get("number", ""), facts.get("buyer", "")) for what, facts in found.sales],
    }


def degrees(micro: int) -> str:
    """Decimal degrees of a position kept in micro-degrees."""
    return f"{'-' if micro < 0 else ''}{shown(abs(micro), 6)}"


def distance_to_observed(site: Site) -> float | None:
    """Kilometres between the claimed position and that of the matched site in the open data, where both are known."""
    seen = site.observed
    if seen is None or seen.latitude is None or seen.longitude is None:
        return None
    return distance_km((site.latitude, site.longitude), (seen.latitude, seen.longitude))


def newest_count(site: Site) -> SiteObservation | None:
    """The newest visit of others that counted the workers."""
    visits = site.observed.observations if site.observed else []
    return next((visit for visit in reversed(visits) if visit.recorded.get("workers_numb")), None)

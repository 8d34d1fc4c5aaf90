"""What the review page shows of a batch beside the open data, and of its quantity beside what is plausible."""

from datetime import datetime
from typing import Any
from uuid import uuid4

from flask import current_app

from credits.extensions import db
from credits.participants.models import User
from credits.participants.permissions import is_issuer
from credits.registry.calendar import months_before
from credits.registry.doubts import plausibility, screening_questions
from credits.registry.doubts.plausibility_chart import chart_of
from credits.registry.doubts.screening_summary import screened
from credits.registry.production import Batch, BatchState

ANSWERED_IN = (BatchState.IN_REVIEW, BatchState.INFORMATION_REQUESTED)


def shown(batch: Batch, user: User, *, reviews: bool, at: datetime) -> dict[str, Any]:
    """What the fragments `screening.html` and `plausibility.html` of the review page need.

    reviews: whether the organisation of `user` has the batch in review.
    """
    policy = current_app.extensions["policy"]
    in_review = batch.state in ANSWERED_IN
    weighed = plausibility.of_batch(db.session, batch)
    return {
        "screened": screened(db.session, batch.site, old_before=months_before(at.date(), policy.months_to_age)),
        "answered": [each for each in screening_questions.questions_of(db.session, batch) if each.answer],
        "open": screening_questions.open_questions(db.session, batch) if in_review else [],
        "may_answer": reviews and in_review,
        "may_propose": is_issuer(user),
        "key": uuid4().hex,
        "plausibility": weighed,
        "chart": chart_of(weighed),
        "overrides": plausibility.overrides_of(db.session, batch),
        "is_let_through": plausibility.override_for(db.session, weighed) is not None,
    }

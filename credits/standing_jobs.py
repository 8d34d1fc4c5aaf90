"""The work for standing orders: each is served in its turn, in a transaction of its own."""

import logging
from collections.abc import Collection
from datetime import datetime
from functools import partial

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from credits.db import begin_writing
from credits.errors import CreditsError, Missing, NotAllowed
from credits.one_by_one import by_itself, tried
from credits.payments.models import Means
from credits.payments.offering import serving, standing
from credits.payments.offering.standing_models import StandingOrder, StandingState
from credits.registry.policy import Policy

log = logging.getLogger(__name__)


def serve_waiting(session: Session, *, policy: Policy, means: Collection[Means], at: datetime) -> int:
    """Order what fits for whoever waits, and close what is past its last day; how many orders. Commits each."""
    by_itself(session, "the last days of standing orders", partial(standing.expire_due, session, at=at))
    turns = serving.waiting(session)
    session.rollback()
    served = 0
    for standing_id in turns:
        turn = partial(served_or_not, session, standing_id, policy, means, at)
        served += bool(tried(session, f"standing order {standing_id}", turn))
    session.rollback()
    return served


def served_or_not(session: Session, standing_id: int, policy: Policy, means: Collection[Means], at: datetime) -> bool:
    """Serve one; whether something was ordered. Who may not order any more pauses it. Commits."""
    begin_writing(session)
    try:
        order = serving.serve(session, standing_id=standing_id, policy=policy, means=means, at=at)
        session.commit()
        return order is not None
    except (NotAllowed, Missing) as refusal:
        begin_writing(session)
        found = session.get_one(StandingOrder, standing_id, populate_existing=True)
        if found.state is StandingState.WAITING:
            standing.pause(session, standing=found, by=None, at=at, reason=refusal.message)
        session.commit()
    except (CreditsError, IntegrityError) as refusal:
        session.rollback()  # somebody was quicker; the next round looks again
        log.info("Standing order %s was not served now: %s", standing_id, refusal)
    return False

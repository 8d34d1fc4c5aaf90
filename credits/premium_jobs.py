"""The premium's work by the clock."""

from datetime import datetime

from sqlalchemy.orm import Session

from credits.db import begin_writing
from credits.payments.premiums import reminding
from credits.registry.policy import Policy


def warn_of_overdue(session: Session, *, policy: Policy, at: datetime) -> int:
    """Tell the issuers of premium that sites wait too long for, once for each sale; of how many sales. Commits."""
    begin_writing(session)
    noted = reminding.note_overdue(session, goal=policy.market.days_to_disburse, at=at)
    session.commit()
    return noted

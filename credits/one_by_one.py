"""Doing many things, each by itself: what nobody foresaw of one of them does not keep the others waiting."""

import logging
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.orm import Session

from credits.db import begin_writing

log = logging.getLogger(__name__)
T = TypeVar("T")


def tried(session: Session, what: str, act: Callable[[], T], raising: tuple[type[Exception], ...] = ()) -> T | None:
    """Do one thing of many; None where that failed, which is logged: it comes up again with the next round.

    raising: what is not for this one thing alone, and ends the round.
    """
    try:
        return act()
    except raising:
        raise
    except Exception:
        session.rollback()
        log.exception("Nothing came of %s. It is tried again.", what)
        return None


def committed(session: Session, act: Callable[[], T]) -> T:
    """Do one thing in a transaction of its own."""
    begin_writing(session)
    came = act()
    session.commit()
    return came


def by_itself(session: Session, what: str, act: Callable[[], T]) -> T | None:
    """Do one thing of many in a transaction of its own; None where that failed."""
    return tried(session, what, lambda: committed(session, act))

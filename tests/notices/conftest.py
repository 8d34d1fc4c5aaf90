"""A session that tells, as the application's does, and what was told then."""

from collections.abc import Callable

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from credits import notices
from credits.notices.models import Notice
from credits.notices.wordings import wording
from credits.participants.models import User
from tests.stage import Stage

Told = Callable[[User], list[tuple[str, str]]]


@pytest.fixture
def telling(stage: Stage, session: Session) -> Stage:
    """The stage, whose commits tell whom it concerns; of its own building up nobody was told."""
    session.commit()
    stage.birth = None  # what is put back has happened already, and nobody is told of it
    event.listen(session, "before_commit", notices.tell_of_events)
    return stage


@pytest.fixture
def told(session: Session) -> Told:
    """What a person was told at the last commit, as kind and words."""

    def told(person: User) -> list[tuple[str, str]]:
        session.commit()
        found = session.scalars(select(Notice).where(Notice.person_id == person.id).order_by(Notice.id))
        said = [(notice.kind.value, wording(notice.kind, notice.facts, str)) for notice in found]
        return [(kind, f"{words.title} | {words.happened} {words.next_step} {words.path}") for kind, words in said]

    return told

"""Who looks like whom behind a batch: an issuer finds out, and says so, before its credits are issued."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from credits import ledger
from credits.errors import Missing, NotAllowed
from credits.journal import events
from credits.participants.models import User
from credits.participants.permissions import must_issue
from credits.participants.wording import paragraphs
from credits.registry.production import Batch
from credits.registry.reviews.assigned import KinshipAnswer
from credits.registry.reviews.assigning import ties_of
from credits.registry.reviews.kinship import Tie, among_people


class NoSuchLikeness(Missing):
    code = "no_such_likeness"


class OneOfThem(NotAllowed):
    """Nobody says of themselves that they are somebody else."""

    code = "one_of_them"


def answers_of(session: Session, batch: Batch) -> list[KinshipAnswer]:
    """What issuers have found out about a batch's people, oldest first."""
    wanted = select(KinshipAnswer).where(KinshipAnswer.batch_id == batch.id).order_by(KinshipAnswer.id)
    return list(session.scalars(wanted))


def ties_behind(batch: Batch) -> list[Tie]:
    """Every tie between the verifier's side of a batch and its producer, group and concession."""
    people = {person.id: person for person in (batch.reviewer, batch.verified_by) if person is not None}
    found = [tie for person in people.values() for tie in ties_of(person, batch)]
    return list({tie.about: tie for tie in found}.values())


def ties_to_issuer(batch: Batch, issuer: User) -> list[Tie]:
    """Every tie between who issues and the people of the producer, its group and the verifier."""
    sides = [batch.site.producer, batch.site.producer.group_manager]
    sides += [person.organisation for person in (batch.reviewer, batch.verified_by) if person is not None]
    people = {person.id: person for side in sides if side is not None for person in side.members}
    return among_people([issuer], people.values())


def open_questions(session: Session, batch: Batch, issuer: User | None = None) -> list[Tie]:
    """What an issuer has to find out before the credits are issued. issuer: who would issue them, if that is known."""
    answered = {each.about for each in answers_of(session, batch)}
    found = ties_behind(batch) + (ties_to_issuer(batch, issuer) if issuer is not None else [])
    return [tie for tie in found if not tie.certain and tie.about not in answered]


def answer(session: Session, *, batch: Batch, about: str, text: str, by: User, key: str, at: datetime) -> KinshipAnswer:
    """Say how it was found out that two who look alike are not one. Who finds that they are, has the batch rejected.

    Flushes. Raises NotAllowed, OneOfThem, NoSuchLikeness, UnsoundText.
    """
    must_issue(by)
    asked = {"act": "kinship.answer", "batch": batch.number, "about": about, "text": text}
    if earlier := ledger.claim(session, caller=by.number, key=key, request=asked):
        return session.get_one(KinshipAnswer, earlier["answer"])
    session.refresh(batch, with_for_update=True)
    if by.number in about.split():
        raise OneOfThem("This is about yourself: another issuer looks into it.")
    issuers = [person for person in by.organisation.members if person.active]
    found = (tie for each in (None, *issuers) for tie in open_questions(session, batch, each) if tie.about == about)
    question = next(found, None)
    if question is None:
        raise NoSuchLikeness("There is no such question, or a colleague has answered it.")
    made = KinshipAnswer(
        batch_id=batch.id,
        about=about,
        question=question.sentence,
        answer=paragraphs(text, "Answer", 2_000),
        answered_by=by,
        answered_at=at,
    )
    session.add(made)
    session.flush()
    events.append(
        session,
        kind="batch.likeness_answered",
        subject=batch.number,
        actor=by.number,
        at=at,
        facts={"about": about},
        private={"question": made.question, "answer": made.answer},
    )
    ledger.settle(session, {"answer": made.id})
    return made

"""What the data ask about a batch in review, and how much of it is plausible."""

from typing import Any

from credits.api.blueprint import Area
from credits.api.doing import With
from credits.api.schemas.batches import TextRequest
from credits.api.schemas.screening import Plausibility, Question
from credits.extensions import db
from credits.identity import current_user, now
from credits.participants.models import User
from credits.participants.permissions import is_auditor, is_issuer
from credits.registry import production, queries
from credits.registry.doubts import plausibility, screening_questions
from credits.registry.reviews import verification

area = Area("screening", "What the data ask about a batch in review, and how much of it is plausible.")


@area.get("/batches/<number>/questions", gives=Question(many=True))
def list_questions(number: str) -> list[With]:
    """What the data ask about a batch: for its reviewers and the registry."""
    user = current_user()
    batch = queries.batch_numbered(db.session, user, number)
    must_know(user, batch)
    answered = [each for each in screening_questions.questions_of(db.session, batch) if each.answer is not None]
    return [told(each) for each in [*answered, *screening_questions.open_questions(db.session, batch)]]


@area.post("/batches/<number>/questions/<code>/answer", takes=TextRequest, gives=Question)
def answer_question(key: str, asked: dict[str, str], number: str, code: str) -> With:
    """Answer the open question of this kind. Each is answered before the batch can be verified."""
    user = current_user()
    batch = queries.batch_numbered(db.session, user, number)
    verification.must_review(user, batch)
    answered = screening_questions.answer(
        db.session, batch=batch, code=code, text=asked["text"], by=user, key=key, at=now()
    )
    db.session.commit()
    return told(answered)


@area.get("/batches/<number>/plausibility", gives=Plausibility)
def show_plausibility(number: str) -> With:
    """What a batch claims, beside every bound with its source. Above the ceiling it is neither verified nor issued."""
    user = current_user()
    weighed = plausibility.of_batch(db.session, queries.batch_numbered(db.session, user, number))
    weighed = plausibility.seen_by(user, weighed)
    return With(weighed, exceeded=[bound.name.value for bound in weighed.exceeded])


def must_know(user: User, batch: production.Batch) -> None:
    """Raise unless `user` reviews the batch or is of the registry."""
    if not (is_issuer(user) or is_auditor(user)):
        verification.must_review(user, batch)


def told(question: Any) -> With:
    by = getattr(question, "answered_by", None)
    known = {"answer": getattr(question, "answer", None), "answered_at": getattr(question, "answered_at", None)}
    return With(question, answered_by=by.number if by else None, **known)

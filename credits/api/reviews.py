"""Batches on the verifier's side: taken into review, asked about, verified or rejected."""

from typing import Any

from flask import current_app

from credits.api.batches import told
from credits.api.blueprint import Area
from credits.api.doing import With, once
from credits.api.schemas.batches import Batch, FindingRequest, TextRequest
from credits.certificates import verified
from credits.drawing import spoken
from credits.extensions import db
from credits.identity import current_user, now
from credits.registry import queries
from credits.registry.reviews import reassigning, verification
from credits.registry.reviews.review_threads import language_of
from credits.registry.reviews.verification import Finding

area = Area("reviews", "Batches on the verifier's side: taken into review, asked about, verified or rejected.")


@area.post("/batches/<number>/take", gives=Batch)
def take_batch(key: str, asked: dict[str, Any], number: str) -> With:
    """Declare to have no tie to the producer, its group, its concession and its buyers, and begin the review."""
    user = current_user()
    batch = queries.batch_numbered(db.session, user, number)
    once(key, "batch.take", number, lambda: verification.take(db.session, batch=batch, by=user, at=now()))
    db.session.commit()
    return told(batch)


@area.post("/batches/<number>/declare", gives=Batch)
def declare_independence(key: str, asked: dict[str, Any], number: str) -> With:
    """Declare to have no tie, as a colleague of who has taken the batch: whoever decides has declared it."""
    user = current_user()
    batch = queries.batch_numbered(db.session, user, number)
    once(key, "batch.declare", number, lambda: verification.declare(db.session, batch=batch, by=user, at=now()))
    db.session.commit()
    return told(batch)


@area.post("/batches/<number>/decline", takes=TextRequest, gives=Batch)
def decline_batch(key: str, asked: dict[str, str], number: str) -> With:
    """Declare a tie, which the registry alone reads: another verifier is drawn at once."""
    user, policy = current_user(), current_app.extensions["policy"]
    batch = queries.batch_numbered(db.session, user, number)
    reassigning.decline(db.session, batch=batch, ties=asked["text"], policy=policy, by=user, key=key, at=now())
    db.session.commit()
    return told(batch)


@area.post("/batches/<number>/request-information", takes=TextRequest, gives=Batch)
def request_information(key: str, asked: dict[str, str], number: str) -> With:
    """Ask the producer for a paper or an explanation."""
    user = current_user()
    batch = queries.batch_numbered(db.session, user, number)
    verification.request_information(db.session, batch=batch, text=asked["text"], by=user, key=key, at=now())
    db.session.commit()
    return told(batch)


@area.post("/batches/<number>/verify", takes=FindingRequest, gives=Batch)
def verify_batch(key: str, asked: dict[str, Any], number: str) -> With:
    """Confirm a batch and give its site's assurance. A lead's decision, on the `revision` that was looked at."""
    user = current_user()
    batch = queries.batch_numbered(db.session, user, number)
    seen = asked.pop("revision")
    verification.verify(db.session, batch=batch, seen=seen, finding=Finding(**asked), by=user, key=key, at=now())
    issuer, language = current_app.extensions["issuer"], spoken(language_of(batch))
    verified.freeze(db.session(), batch=batch, issuer=issuer, language=language)
    db.session.commit()
    return told(batch)


@area.post("/batches/<number>/reject", takes=TextRequest, gives=Batch)
def reject_batch(key: str, asked: dict[str, str], number: str) -> With:
    """Turn a batch down for good, with the reasons. A lead's decision."""
    user = current_user()
    batch = queries.batch_numbered(db.session, user, number)
    verification.reject(db.session, batch=batch, text=asked["text"], by=user, key=key, at=now())
    db.session.commit()
    return told(batch)

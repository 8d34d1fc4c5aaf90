"""Batches on the producer's side: begun, changed, submitted, answered for, withdrawn."""

from collections.abc import Sequence
from typing import Any

from flask import current_app
from sqlalchemy.orm import joinedload

from credits.api.blueprint import Area
from credits.api.doing import Sent, With, created, once, page_of
from credits.api.schemas.batches import Batch, BatchChange, BatchesQuery, BatchRequest, BatchSummary, TextRequest
from credits.extensions import db
from credits.identity import current_user, now
from credits.registry import production, queries
from credits.registry.issuance import issuance_of
from credits.registry.making import batches, completeness
from credits.registry.making.figures import Production
from credits.registry.making.reckoning import MG_DIGITS, PERCENT_DIGITS, grade_digits, shown
from credits.registry.making.revisions import revision_of
from credits.registry.minerals import in_base_units
from credits.registry.mines.sites import number_of
from credits.registry.production import BatchState

area = Area("batches", "Batches on the producer's side: begun, changed, submitted, answered for, withdrawn.")


@area.get("/batches", takes=BatchesQuery, gives=BatchSummary(many=True))
def list_batches(asked: dict[str, Any]) -> tuple[Sequence[With], dict[str, str]]:
    """The batches that you may see, newest first."""
    user = current_user()
    wanted = queries.batches_of(user).options(joinedload(production.Batch.site).joinedload(production.Site.producer))
    if asked["state"] is not None:
        wanted = wanted.where(production.Batch.state == asked["state"])
    if asked["site"] is not None:
        wanted = wanted.where(production.Batch.site_id == queries.site_coded(db.session, user, asked["site"]).id)
    rows, headers = page_of(wanted, asked)
    return [summed_up(batch) for batch in rows], headers


@area.post("/batches", takes=BatchRequest, gives=Batch, creates=True)
def draft_batch(key: str, asked: dict[str, Any]) -> Sent:
    """Begin a batch."""
    user = current_user()
    site = queries.site_coded(db.session, user, asked.pop("site"))
    batch = batches.draft(db.session, site=site, production=Production(**asked), by=user, key=key, at=now())
    db.session.commit()
    return created(told(batch), "api.batches.show_batch", number=batch.number)


@area.get("/batches/<number>", gives=Batch)
def show_batch(number: str) -> With:
    """One batch, with its papers and what was said about it."""
    return told(queries.batch_numbered(db.session, current_user(), number))


@area.patch("/batches/<number>", takes=BatchChange, gives=Batch)
def amend_batch(asked: dict[str, Any], number: str) -> With:
    """Change a draft, or a batch about which the verifier has asked."""
    user = current_user()
    batch = queries.batch_numbered(db.session, user, number)
    changed = Production(**figures(batch) | asked)
    batches.amend(db.session, batch=batch, production=changed, seen=batch.revision, by=user, at=now())
    db.session.commit()
    return told(batch)


@area.post("/batches/<number>/submit", gives=Batch)
def submit_batch(key: str, asked: dict[str, Any], number: str) -> With:
    """Hand a draft to the verifiers."""
    user = current_user()
    batch = queries.batch_numbered(db.session, user, number)
    policy = current_app.extensions["policy"]
    once(
        key,
        "batch.submit",
        number,
        lambda: batches.submit(db.session, batch=batch, policy=policy, by=user, at=now()),
    )
    db.session.commit()
    return told(batch)


@area.post("/batches/<number>/withdraw", gives=Batch)
def withdraw_batch(key: str, asked: dict[str, Any], number: str) -> With:
    """Take a batch back before it is decided."""
    user = current_user()
    batch = queries.batch_numbered(db.session, user, number)
    once(key, "batch.withdraw", number, lambda: batches.withdraw(db.session, batch=batch, by=user, at=now()))
    db.session.commit()
    return told(batch)


@area.post("/batches/<number>/answer", takes=TextRequest, gives=Batch)
def answer_request(key: str, asked: dict[str, str], number: str) -> With:
    """Answer the verifier's request; the batch goes back into review."""
    user = current_user()
    batch = queries.batch_numbered(db.session, user, number)
    policy = current_app.extensions["policy"]
    batches.answer(db.session, batch=batch, text=asked["text"], policy=policy, by=user, key=key, at=now())
    db.session.commit()
    return told(batch)


def summed_up(batch: production.Batch) -> With:
    return With(
        batch,
        number=batch.number,
        site=With(batch.site, number=number_of(batch.site)),
        contained=in_base_units(batch.mineral, batch.contained_ng).base_units,
    )


def told(batch: production.Batch) -> With:
    """The batch with all that a schema cannot look up."""
    issuance = issuance_of(db.session, batch)
    draft = batch.state is BatchState.DRAFT
    return With(
        summed_up(batch),
        **figures(batch),
        dry_kg=shown(batch.dry_mg, MG_DIGITS, ""),
        missing=completeness.missing(batch, current_app.extensions["policy"]) if draft else [],
        issuance=issuance.number if issuance else None,
        revision=revision_of(batch),
    )


def figures(batch: production.Batch) -> dict[str, Any]:
    """What the producer said of a batch, as it was said."""
    same = ("mineral_code", "form", "produced_from", "produced_to", "miners", "days_worked", "sold_to")
    return {name: getattr(batch, name) for name in (*same, "sold_with_premium", "registered_elsewhere")} | {
        "gross_kg": shown(batch.gross_mg, MG_DIGITS, ""),
        "moisture": shown(batch.moisture_ppm, PERCENT_DIGITS, ""),
        "grade": shown(batch.grade_ppm, grade_digits(batch), ""),
    }

"""Transfers: offered, and accepted, rejected or withdrawn."""

from collections.abc import Sequence
from typing import Any

from flask import current_app
from sqlalchemy.orm import joinedload

from credits.api.blueprint import Area
from credits.api.doing import Sent, With, acting, created, once, page_of
from credits.api.schemas.market import ReasonRequest, Transfer, TransferRequest, TransfersQuery, TransferSummary
from credits.extensions import db
from credits.identity import current_user, now
from credits.payments.going_back import releasing
from credits.registry import guarding, models, queries, transfer

area = Area("transfers", "Transfers: offered, and accepted, rejected or withdrawn.")


@area.get("/transfers", takes=TransfersQuery, gives=TransferSummary(many=True))
def list_transfers(asked: dict[str, Any]) -> tuple[Sequence[models.Transfer], dict[str, str]]:
    """The transfers of your organisation and its group, newest first."""
    wanted = queries.transfers_of(current_user()).options(
        joinedload(models.Transfer.issuance),
        joinedload(models.Transfer.sender),
        joinedload(models.Transfer.recipient),
    )
    if asked["state"] is not None:
        wanted = wanted.where(models.Transfer.state == asked["state"])
    return page_of(wanted, asked)


@area.post("/transfers", takes=TransferRequest, gives=Transfer, creates=True)
def propose_transfer(key: str, asked: dict[str, Any]) -> Sent:
    """Offer credits to another holder. They are frozen until it answers."""
    sender = acting(asked["sender"])
    session = db.session()
    made = transfer.offer(
        session,
        queries.footing_named(session, asked["issuance"], sender, asked["recipient"]),
        quantity=asked["quantity"],
        note=asked["note"],
        policy=current_app.extensions["policy"],
        by=current_user(),
        key=key,
        at=now(),
    )
    db.session.commit()
    return created(told(made), "api.transfers.show_transfer", number=made.number)


@area.get("/transfers/<number>", gives=Transfer)
def show_transfer(number: str) -> With:
    """One transfer, with its serials."""
    return told(queries.transfer_numbered(db.session, current_user(), number))


@area.post("/transfers/<number>/accept", gives=Transfer)
def accept_transfer(key: str, asked: dict[str, Any], number: str) -> With:
    """Take over the credits."""
    user = current_user()
    offer = queries.transfer_numbered(db.session, user, number)
    once(key, "transfer.accept", number, lambda: releasing.accept(db.session, transfer=offer, by=user, at=now()))
    db.session.commit()
    return told(offer)


@area.post("/transfers/<number>/approve", gives=Transfer)
def approve_transfer(key: str, asked: dict[str, Any], number: str) -> With:
    """Be the second person of the sender for a first or large transfer."""
    user, policy = current_user(), current_app.extensions["policy"]
    offer = queries.transfer_numbered(db.session, user, number)
    session = db.session()
    once(
        key,
        "transfer.approve",
        number,
        lambda: guarding.approve(session, transfer=offer, policy=policy, by=user, at=now()),
    )
    db.session.commit()
    return told(offer)


@area.post("/transfers/<number>/reject", takes=ReasonRequest, gives=Transfer)
def reject_transfer(key: str, asked: dict[str, str], number: str) -> With:
    """Send the credits back, saying why."""
    user = current_user()
    offer = queries.transfer_numbered(db.session, user, number)
    once(
        key,
        "transfer.reject",
        number,
        lambda: transfer.reject(db.session, transfer=offer, reason=asked["reason"], by=user, at=now()),
        reason=asked["reason"],
    )
    db.session.commit()
    return told(offer)


@area.post("/transfers/<number>/withdraw", gives=Transfer)
def withdraw_transfer(key: str, asked: dict[str, Any], number: str) -> With:
    """Take an offer back before it is answered."""
    user = current_user()
    offer = queries.transfer_numbered(db.session, user, number)
    once(key, "transfer.withdraw", number, lambda: transfer.withdraw(db.session, transfer=offer, by=user, at=now()))
    db.session.commit()
    return told(offer)


def told(made: models.Transfer) -> With:
    return With(made, serials=transfer.serials_of(made))

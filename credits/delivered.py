"""What a delivery retired at once gets its certificates in the same transaction, whichever door or job delivered it."""

from flask import current_app
from sqlalchemy import event
from sqlalchemy.orm import Session

from credits.certificates.issuing import freeze
from credits.extensions import db
from credits.journal import events
from credits.payments.delivering import retirements_in
from credits.payments.looking import order_known_as
from credits.payments.orders import language_in
from credits.registry.queries import retirement_numbered


def freeze_delivered(session: Session) -> None:
    """Freeze the certificates of what the running transaction has delivered and retired. Flushes."""
    if session.in_nested_transaction():
        return
    for each in events.appended(session, {"order.delivered"}):
        order = order_known_as(session, each.subject)
        issuer, language = current_app.extensions["issuer"], language_in(order)
        for number in retirements_in(order):
            freeze(session, retirement=retirement_numbered(session, number), issuer=issuer, language=language)


def register() -> None:
    """Let it be so at every commit. Once for all applications of a process."""
    if not event.contains(db.session, "before_commit", freeze_delivered):
        # Before the others: they tell of what was appended, and then forget it.
        event.listen(db.session, "before_commit", freeze_delivered, insert=True)

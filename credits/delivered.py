"""What a delivery retired at once gets its certificates in the same transaction, whichever door or job delivered it."""

from flask import current_app
from sqlalchemy import event
from sqlalchemy.orm import Session

from credits.certificates.issuing import freeze
from credits.extensions import db
from credits.journal import events
from credits.payments.delivering import retirements_in
from credits.payments.looking import order_known_as
from credits.registry.queries import retirement_numbered


def freeze_delivered(session: Session) -> None:
    """Freeze the certificates of what the running transaction has delivered and retired. Flushes."""
    if session.in_nested_transaction():
        return
    for each in events.appended(session, {"order.delivered"}):
        for number in retirements_in(order_known_as(session, each.subject)):
            retirement = retirement_numbered(session, number)
            freeze(session, retirement=retirement, issuer=current_app.extensions["issuer"])


def register() -> None:
    """Let it be so at every commit. Once for all applications of a process."""
    if not event.contains(db.session, "before_commit", freeze_delivered):
        # Before the others: they tell of what was appended, and then forget it.
        event.listen(db.session, "before_commit", freeze_delivered, insert=True)

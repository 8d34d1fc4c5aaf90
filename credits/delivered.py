"""Who certifies what a delivery retires at once: handed to all that deliver, by webhook, poller, approval or round."""

from flask import current_app
from sqlalchemy.orm import Session

from credits.certificates.issuing import Issuer, freeze
from credits.payments.delivering import retirements_in
from credits.payments.models import Order
from credits.payments.orders import language_in
from credits.registry.queries import retirement_numbered


def certify(session: Session, order: Order) -> None:
    """Freeze the certificates of what the delivery of `order` has retired, as this application issues them. Flushes.

    Raises Undrawable.
    """
    freeze_delivered(session, order, issuer=current_app.extensions["issuer"])


def freeze_delivered(session: Session, order: Order, *, issuer: Issuer) -> None:
    """The same under the name of `issuer`. Flushes. Raises Undrawable."""
    language = language_in(order)
    for number in retirements_in(order):
        freeze(session, retirement=retirement_numbered(session, number), issuer=issuer, language=language)

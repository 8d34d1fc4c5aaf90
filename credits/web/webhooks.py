"""What the payment provider tells us by itself. Whoever knows the secret of our webhooks is the provider."""

import logging

from flask import Response, current_app, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from credits.extensions import csrf, db
from credits.identity import now
from credits.market_jobs import take_in
from credits.payments.gateway import BadEvent
from credits.provider import till
from credits.web.blueprint import bp

log = logging.getLogger(__name__)

LARGEST_EVENT = 256 * 1024  # bytes


@bp.post("/webhooks/stripe")
@csrf.exempt  # type: ignore[untyped-decorator]  # the signature says who it is
def stripe_webhook() -> ResponseReturnValue:
    """Take in an event: 200 once it has its effect, or has none; 400 for what is none; 503 for what may come again."""
    asked = till(current_app)
    if asked is None:
        raise NotFound
    request.max_content_length = LARGEST_EVENT
    at = now()
    try:
        told = asked.gateway.read_event(request.get_data(), request.headers.get("Stripe-Signature", ""), at)
    except BadEvent as refusal:
        return as_text(refusal.message, 400)
    try:
        effect = take_in(db.session(), told=told, till=asked, at=at)
    except Exception:  # whatever it is, the provider sends the event again
        db.session.rollback()
        log.exception("Event %s of the payment provider was not taken in. It comes again.", told.id)
        return as_text("Not now.", 503)
    return as_text(effect, 200)


def as_text(text: str, status: int) -> Response:
    return Response(f"{text}\n", status, mimetype="text/plain")

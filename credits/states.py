"""What a state is called on pages, and which tone it has.

Tones: good, wait (somebody must act), info (under way), stop, done, calm (at rest).
"""

from flask_babel import gettext

from credits.notices.wordings import N_

STATES = {
    "draft": (N_("Draft"), "calm"),
    "submitted": (N_("Submitted"), "info"),
    "in_review": (N_("In review"), "info"),
    "information_requested": (N_("Information requested"), "wait"),
    "verified": (N_("Verified"), "good"),
    "issued": (N_("Issued"), "good"),
    "rejected": (N_("Rejected"), "stop"),
    "withdrawn": (N_("Withdrawn"), "calm"),
    "suspended": (N_("Suspended"), "stop"),
    "active": (N_("Active"), "good"),
    "available": (N_("Available"), "good"),
    "reserved": (N_("Reserved"), "info"),
    "pending": (N_("Pending"), "wait"),
    "pending_transfer": (N_("Pending transfer"), "wait"),
    "held": (N_("Held"), "stop"),
    "buffer": (N_("Buffer"), "calm"),
    "retired": (N_("Retired"), "done"),
    "annotated": (N_("Retired, with a later annotation"), "wait"),
    "annulled": (N_("Annulled"), "stop"),
    "cancelled": (N_("Cancelled"), "calm"),
    "expired": (N_("Expired"), "calm"),
    "exported": (N_("Exported"), "calm"),
    "accepted": (N_("Accepted"), "good"),
    "refused": (N_("Refused"), "stop"),
    "approved": (N_("Approved"), "good"),
    "applied": (N_("Applied"), "wait"),
    "closed": (N_("Closed"), "calm"),
    "probation": (N_("Probation"), "wait"),
    "green": (N_("Green"), "good"),
    "yellow": (N_("Yellow"), "wait"),
    "red": (N_("Red"), "stop"),
    "open": (N_("Open"), "info"),
    "awaiting_payment": (N_("Awaiting payment"), "wait"),
    "paid": (N_("Paid"), "good"),
    "delivered": (N_("Delivered"), "done"),
    "refunded": (N_("Refunded"), "calm"),
    "waiting": (N_("Waiting"), "wait"),
    "paused": (N_("Paused"), "wait"),
    "fulfilled": (N_("Fulfilled"), "done"),
    "ended": (N_("Ended"), "calm"),
    "declined": (N_("Declined"), "stop"),
}


def state_shown(word: str) -> tuple[str, str]:
    """The word for a state in the language of the page, and its tone. Only this one is translated: lists have many."""
    text, tone = STATES[word]
    return gettext(text), tone

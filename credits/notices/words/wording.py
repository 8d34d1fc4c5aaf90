"""The kinds of notices, and what a wording consists of.

`N_` marks the texts for translation; they are translated when they are read, into the language of who reads.
`%(name)s` stands for a fact of that name, `{name}` in a path likewise.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from urllib.parse import quote

from credits.participants.wording import day_shown, moment_shown

MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}( [0-9]{2}:[0-9]{2} UTC)?")
# Facts that are words themselves.
TRANSLATED = {"mineral", "act", "outcome"}


class Kind(StrEnum):
    """An occurrence that people are told of."""

    EXPIRY_NEAR = "expiry_near"
    EXPIRED = "expired"
    HELD = "held"
    HELD_UNSOLD = "held_unsold"
    HELD_BEHIND_SOLD = "held_behind_sold"
    RELEASED = "released"
    SUSPENDED = "suspended"
    SUSPENSION_LIFTED = "suspension_lifted"
    CANCELLED = "cancelled"
    EXPORTED = "exported"
    ROLLED_BACK = "rolled_back"
    DEBITED = "debited"
    TRANSFER_OFFERED = "transfer_offered"
    TRANSFERS_OFFERED = "transfers_offered"
    TRANSFER_TO_APPROVE = "transfer_to_approve"
    TRANSFERS_TO_APPROVE = "transfers_to_approve"
    TRANSFER_OPENS = "transfer_opens"
    TRANSFER_ACCEPTED = "transfer_accepted"
    TRANSFER_REJECTED = "transfer_rejected"
    TRANSFER_WITHDRAWN = "transfer_withdrawn"
    TRANSFER_UNANSWERED = "transfer_unanswered"
    TRANSFER_LAPSED = "transfer_lapsed"
    TRANSFER_STOPPED = "transfer_stopped"
    BATCH_DRAWN = "batch_drawn"
    NOBODY_DRAWN = "nobody_drawn"
    BATCH_LEFT = "batch_left"
    GRIEVANCE_FILED = "grievance_filed"
    GRIEVANCE_MORE = "grievance_more"
    SAMPLE_DRAWN = "sample_drawn"
    BATCH_ASKED = "batch_asked"
    BATCH_ANSWERED = "batch_answered"
    BATCH_VERIFIED = "batch_verified"
    BATCH_TO_ISSUE = "batch_to_issue"
    BATCH_REJECTED = "batch_rejected"
    BATCH_ISSUED = "batch_issued"
    BATCH_STOPPED = "batch_stopped"
    FINDING_OPENED = "finding_opened"
    FINDING_SUSPECTED = "finding_suspected"
    FINDING_STOPS = "finding_stops"
    FINDING_CLOSED = "finding_closed"
    SITE_ON_PROBATION = "site_on_probation"
    SITE_SUSPENDED = "site_suspended"
    SITE_REINSTATED = "site_reinstated"
    PREMIUM_ARRIVED = "premium_arrived"
    PREMIUM_PAID = "premium_paid"
    PREMIUM_OVERDUE = "premium_overdue"
    PAYOUT_ASKED = "payout_asked"
    DECISION_WAITS = "decision_waits"
    DECISION_APPROVED = "decision_approved"
    DECISION_DECLINED = "decision_declined"
    ORGANISATION_WAITS = "organisation_waits"
    ORGANISATION_APPROVED = "organisation_approved"
    ORGANISATION_REFUSED = "organisation_refused"
    ORGANISATION_SUSPENDED = "organisation_suspended"
    ORDER_TO_PAY = "order_to_pay"
    ORDER_LAPSES_SOON = "order_lapses_soon"
    ORDER_CANCELLED = "order_cancelled"
    ORDER_DELIVERED = "order_delivered"
    ORDER_KEPT = "order_kept"
    ORDER_WAITS = "order_waits"
    ORDER_REFUNDED = "order_refunded"
    PAYMENT_SURPLUS = "payment_surplus"
    PAYMENT_ODD = "payment_odd"
    REFUND_FAILED = "refund_failed"
    DISPUTE_OPENED = "dispute_opened"
    DISPUTE_EXTENDED = "dispute_extended"
    DISPUTE_RECOVERED = "dispute_recovered"
    DISPUTE_CLOSED = "dispute_closed"
    STANDING_FILLED = "standing_filled"
    STANDING_PAUSED = "standing_paused"
    STANDING_EXPIRED = "standing_expired"


@dataclass(frozen=True)
class Wording:
    """title: one line, also the subject of the mail. path: of the page, on the registry's own address."""

    title: str
    happened: str
    next_step: str
    path: str
    link: str

    def told(self, facts: Mapping[str, Any], translate: Callable[[str], str]) -> "Wording":
        """The same with the facts in it, in the language that `translate` brings texts into."""
        values = {name: translate(value) if name in TRANSLATED else shown(value) for name, value in facts.items()}
        return Wording(
            title=" ".join((translate(self.title) % values).split()),
            happened=translate(self.happened) % values,
            next_step=translate(self.next_step) % values,
            path=self.path.format_map({name: quote(str(value)) for name, value in facts.items()}),
            link=translate(self.link) % values,
        )


def shown(value: Any) -> Any:
    """A fact as people read it: days and times are kept as machines write them."""
    if not (isinstance(value, str) and MOMENT.fullmatch(value)):
        return value
    try:
        moment = datetime.fromisoformat(value.removesuffix(" UTC"))
    except ValueError:
        return value  # somebody's own words
    return moment_shown(moment) if value.endswith(" UTC") else day_shown(moment)


def N_(text: str) -> str:  # noqa: N802  the name by which collectors of texts know it
    """Mark a text for translation."""
    return text


TO_THE_BATCH = N_("To the batch")

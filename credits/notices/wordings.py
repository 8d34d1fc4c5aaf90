"""What each kind of notice says: a title, what has happened, what to do next, and the page where that is done.

One entry a kind, and nothing else knows a sentence. `N_` marks the texts for translation; they are translated when
they are read, into the language of who reads. `%(name)s` stands for a fact of that name, `{name}` in a path likewise.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import quote


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
        values = {name: translate(value) if name in TRANSLATED else value for name, value in facts.items()}
        return Wording(
            title=" ".join((translate(self.title) % values).split()),
            happened=translate(self.happened) % values,
            next_step=translate(self.next_step) % values,
            path=self.path.format_map({name: quote(str(value)) for name, value in facts.items()}),
            link=translate(self.link) % values,
        )


def N_(text: str) -> str:  # noqa: N802  the name by which collectors of texts know it
    """Mark a text for translation."""
    return text


# Facts that are words themselves.
TRANSLATED = {"mineral", "act", "outcome"}
MINERALS = (
    N_("gold"), N_("cobalt"), N_("copper"), N_("lithium"), N_("tin"), N_("tantalum"), N_("tungsten"), N_("rare earths"),
)  # fmt: skip
ACTS = {
    "release": N_("Release a hold"),
    "cancellation": N_("Cancel credits"),
    "export": N_("Export credits"),
    "buffer_draw": N_("Draw from the buffer"),
    "roll_back": N_("Roll an issuance back"),
    "debit": N_("Debit the producer"),
    "lift": N_("Lift a suspension"),
    "ceiling": N_("Let a batch through above its ceiling"),
    "reinstatement": N_("Let a site return to active"),
    "disbursement": N_("Pay premium out"),
    "bank_payment": N_("Confirm a transfer"),
    "refund": N_("Refund an order"),
    "annotation": N_("Annotate a certificate"),
    "annulment": N_("Annul a certificate"),
}

TO_THE_ISSUANCE = N_("To the issuance")
TO_THE_TRANSFER = N_("To the transfer")
TO_THE_BATCH = N_("To the batch")
TO_THE_FINDINGS = N_("To the findings")
TO_THE_SITE = N_("To the site")
TO_THE_STANDING_ORDER = N_("To the standing order")
TO_THE_ORDER = N_("To the order")

WORDINGS: dict[Kind, Wording] = {
    Kind.EXPIRY_NEAR: Wording(
        N_("Credits of %(issuance)s can be used until %(last_day)s"),
        N_("Your organisation has credits of %(issuance)s. Their last day is %(last_day)s: days left: %(days)s."),
        N_("Retire or transfer them until then. Afterwards they expire and nobody can use them."),
        "/holdings/{issuance}?of={holder}",
        N_("To these credits"),
    ),
    Kind.EXPIRED: Wording(
        N_("Credits of %(issuance)s have expired"),
        N_("The last day of %(issuance)s has passed. Credits of your organisation for %(quantity)s of %(mineral)s have "
           "expired."),
        N_("Nothing can be done with them any more. Look when your other credits end."),
        "/holdings?of={holder}",
        N_("To the holdings"),
    ),
    Kind.HELD: Wording(
        N_("The registry holds credits of %(issuance)s"),
        N_("Credits of %(holder_name)s for %(quantity)s of %(mineral)s are frozen (%(hold)s). Reason: %(reason)s"),
        N_("They cannot be moved or retired until two people of the registry release them. Write to the registry if "
           "you know something about it."),
        "/holdings/{issuance}?of={holder}",
        N_("To these credits"),
    ),
    Kind.HELD_UNSOLD: Wording(
        N_("All unsold credits of %(site)s from %(first_day)s to %(last_day)s are frozen"),
        N_("The registry has frozen every unsold credit of this production of %(holder_name)s, as the rules demand "
           "after a finding under zero tolerance. Open offers have ended. Reason: %(reason)s"),
        N_("Speak with your verifier and the registry at once. Two people of the registry release the credits when the "
           "matter is settled."),
        "/holdings?of={holder}",
        N_("To the holdings"),
    ),
    Kind.HELD_BEHIND_SOLD: Wording(
        N_("About your credits of %(site)s from %(first_day)s to %(last_day)s"),
        N_("After a finding under zero tolerance the registry has frozen what was not sold yet of this production. "
           "Your organisation has, or has retired, credits of it (%(issuances)s). They are not frozen, and what was "
           "retired in good faith stays retired."),
        N_("Consider what you say about them in public until the matter is settled, and ask the registry what is "
           "known."),
        "/issuances/{issuance}",
        TO_THE_ISSUANCE,
    ),
    Kind.RELEASED: Wording(
        N_("The registry has released credits"),
        N_("The hold %(hold)s on credits of %(holder_name)s has ended. Every credit is back where it was."),
        N_("You can use them again."),
        "/holdings?of={holder}",
        N_("To the holdings"),
    ),
    Kind.SUSPENDED: Wording(
        N_("%(issuance)s is suspended"),
        N_("The registry has suspended this issuance, of which your organisation has credits. None of them can be "
           "moved or retired for now."),
        N_("Wait for the registry's decision: you are told when it is made."),
        "/issuances/{issuance}",
        TO_THE_ISSUANCE,
    ),
    Kind.SUSPENSION_LIFTED: Wording(
        N_("%(issuance)s is no longer suspended"),
        N_("The registry has lifted the suspension of this issuance, of which your organisation has credits."),
        N_("You can move and retire them again."),
        "/issuances/{issuance}",
        TO_THE_ISSUANCE,
    ),
    Kind.CANCELLED: Wording(
        N_("Credits of %(holder_name)s were cancelled"),
        N_("Two people of the registry have cancelled credits (%(about)s) for ever. Reason: %(reason)s"),
        N_("Write to the registry if you do not agree."),
        "/holdings?of={holder}",
        N_("To the holdings"),
    ),
    Kind.EXPORTED: Wording(
        N_("Credits of %(holder_name)s were exported"),
        N_("The registry has approved the export of credits of %(about)s. They are final here and continue in the "
           "other registry."),
        N_("Ask the other registry for them under the reference that you have given."),
        "/holdings?of={holder}",
        N_("To the holdings"),
    ),
    Kind.ROLLED_BACK: Wording(
        N_("%(issuance)s was rolled back"),
        N_("The registry has cancelled all of this issuance, and its batch %(batch)s is rejected. Reason: %(reason)s"),
        N_("Its days and papers are free again: register the production anew with the right figures."),
        "/batches/{batch}",
        TO_THE_BATCH,
    ),
    Kind.DEBITED: Wording(
        N_("Your next issuance will be smaller"),
        N_("More was issued as %(issuance)s than had been produced: %(quantity)s of %(mineral)s too much. As the "
           "credits have been sold, your next issuance of %(mineral)s is smaller by that (%(debit)s). Reason: "
           "%(reason)s"),
        N_("Nothing is to be done now. Write to the registry if you do not agree."),
        "/issuances/{issuance}",
        TO_THE_ISSUANCE,
    ),
    Kind.TRANSFER_OFFERED: Wording(
        N_("%(sender)s offers you credits"),
        N_("%(sender)s offers %(recipient)s credits for %(quantity)s of %(mineral)s (%(issuance)s)."),
        N_("Accept or reject them until %(until)s; unanswered, they go back."),
        "/transfers/{transfer}",
        TO_THE_TRANSFER,
    ),
    Kind.TRANSFERS_OFFERED: Wording(
        N_("%(sender)s offers you credits, in %(count)s transfers"),
        N_("%(sender)s offers %(recipient)s credits in %(count)s transfers."),
        N_("Accept or reject each of them until %(until)s; unanswered, they go back."),
        "/transfers?direction=incoming&state=pending",
        N_("To the transfers"),
    ),
    Kind.TRANSFER_TO_APPROVE: Wording(
        N_("%(transfer)s waits for a second person"),
        N_("%(person)s offers %(recipient)s credits of %(sender)s for %(quantity)s of %(mineral)s (%(issuance)s). It "
           "is the first transfer to this recipient, or a large one."),
        N_("Make sure that the recipient is the right one, then approve it, or have it withdrawn."),
        "/transfers/{transfer}",
        TO_THE_TRANSFER,
    ),
    Kind.TRANSFERS_TO_APPROVE: Wording(
        N_("%(count)s transfers wait for a second person"),
        N_("%(person)s offers credits of %(sender)s in %(count)s transfers that are the first to their recipients, or "
           "large ones."),
        N_("Make sure that the recipients are the right ones, then approve each, or have it withdrawn."),
        "/transfers?state=pending",
        N_("To the transfers"),
    ),
    Kind.TRANSFER_OPENS: Wording(
        N_("%(sender)s offers you credits, to be accepted from %(open_from)s"),
        N_("%(sender)s offers %(recipient)s credits for %(quantity)s of %(mineral)s (%(issuance)s). Two people of the "
           "sender stand for it; for safety it can be accepted from %(open_from)s."),
        N_("Accept or reject them until %(until)s; unanswered, they go back."),
        "/transfers/{transfer}",
        TO_THE_TRANSFER,
    ),
    Kind.TRANSFER_ACCEPTED: Wording(
        N_("%(recipient)s has accepted your credits"),
        N_("%(recipient)s has accepted the credits for %(quantity)s of %(mineral)s (%(issuance)s) that %(sender)s had "
           "offered."),
        N_("Nothing is left to do."),
        "/transfers/{transfer}",
        TO_THE_TRANSFER,
    ),
    Kind.TRANSFER_REJECTED: Wording(
        N_("%(recipient)s has rejected your credits"),
        N_("%(recipient)s does not take the credits for %(quantity)s of %(mineral)s (%(issuance)s). Reason: "
           "%(reason)s"),
        N_("They are available to %(sender)s again. Speak with the recipient before you offer them once more."),
        "/transfers/{transfer}",
        TO_THE_TRANSFER,
    ),
    Kind.TRANSFER_WITHDRAWN: Wording(
        N_("%(sender)s has withdrawn an offer"),
        N_("%(sender)s has taken back the offer of credits for %(quantity)s of %(mineral)s (%(issuance)s)."),
        N_("There is nothing left to answer."),
        "/transfers/{transfer}",
        TO_THE_TRANSFER,
    ),
    Kind.TRANSFER_UNANSWERED: Wording(
        N_("%(recipient)s has not answered in time"),
        N_("The credits for %(quantity)s of %(mineral)s (%(issuance)s) are available to %(sender)s again."),
        N_("Speak with the recipient, then offer them once more."),
        "/transfers/{transfer}",
        TO_THE_TRANSFER,
    ),
    Kind.TRANSFER_LAPSED: Wording(
        N_("An offer of %(sender)s has lapsed"),
        N_("The time to answer has passed: the credits for %(quantity)s of %(mineral)s (%(issuance)s) went back to "
           "%(sender)s."),
        N_("If you want them, ask the sender to offer them once more."),
        "/transfers/{transfer}",
        TO_THE_TRANSFER,
    ),
    Kind.TRANSFER_STOPPED: Wording(
        N_("An offer of %(sender)s has ended"),
        N_("The credits for %(quantity)s of %(mineral)s (%(issuance)s) cannot be accepted any more. Reason: "
           "%(reason)s"),
        N_("Speak with the sender about other credits."),
        "/transfers/{transfer}",
        TO_THE_TRANSFER,
    ),
    Kind.BATCH_DRAWN: Wording(
        N_("%(verifier)s was drawn to verify %(batch)s"),
        N_("The registry has drawn %(verifier)s by lot for %(batch)s of %(producer)s."),
        N_("Take it until %(until)s, or decline it if one of you has a tie to the producer, its group or its buyers. "
           "Otherwise another verifier is drawn then."),
        "/admin/batches/{batch}",
        TO_THE_BATCH,
    ),
    Kind.NOBODY_DRAWN: Wording(
        N_("Nobody can verify %(batch)s"),
        N_("No approved verifier is eligible for %(batch)s of %(producer)s: each has a tie, has been passed over, or "
           "has verified this producer too many vintages in a row."),
        N_("Approve another verifier, then draw anew."),
        "/admin/batches/{batch}/draw",
        TO_THE_BATCH,
    ),
    Kind.BATCH_LEFT: Wording(
        N_("%(batch)s is no longer with %(verifier)s"),
        N_("%(batch)s of %(producer)s has left the hands of %(verifier)s. Reason: %(reason)s"),
        N_("Nothing is left to do."),
        "/admin/",
        N_("To the queue"),
    ),
    Kind.GRIEVANCE_FILED: Wording(
        N_("A grievance about %(site)s"),
        N_("Somebody has filed %(grievance)s about the site %(site)s."),
        N_("Read it, look into it, and answer. It is sealed from the producer."),
        "/admin/grievances/{grievance}",
        N_("To the grievance"),
    ),
    Kind.GRIEVANCE_MORE: Wording(
        N_("More was said in %(grievance)s"),
        N_("Who filed %(grievance)s about the site %(site)s has added something."),
        N_("Read it and answer."),
        "/admin/grievances/{grievance}",
        N_("To the grievance"),
    ),
    Kind.SAMPLE_DRAWN: Wording(
        N_("The sample of %(group)s for %(year)s is drawn"),
        N_("The registry has drawn which members of %(group)s are visited for %(year)s, and %(verifier)s to "
           "visit them."),
        N_("Look who is to be visited. Until then nobody of the sample is issued credits of that year."),
        "{page}/{number}?year={year}",
        N_("To the group"),
    ),
    Kind.BATCH_ASKED: Wording(
        N_("The verifier asks about %(batch)s"),
        N_("%(verifier)s needs something more: %(text)s"),
        N_("Add what is missing, correct the figures if they are wrong, and answer. The review goes on then."),
        "/batches/{batch}",
        TO_THE_BATCH,
    ),
    Kind.BATCH_ANSWERED: Wording(
        N_("%(producer)s has answered about %(batch)s"),
        N_("The producer says: %(text)s"),
        N_("The batch is back in your review."),
        "/admin/batches/{batch}",
        TO_THE_BATCH,
    ),
    Kind.BATCH_VERIFIED: Wording(
        N_("%(batch)s is verified"),
        N_("%(verifier)s has confirmed %(batch)s of %(producer)s."),
        N_("Nothing is to be done now: the registry issues its credits next."),
        "/batches/{batch}",
        TO_THE_BATCH,
    ),
    Kind.BATCH_TO_ISSUE: Wording(
        N_("%(batch)s waits for its credits"),
        N_("%(verifier)s has verified %(batch)s of %(producer)s."),
        N_("Look at it and issue its credits."),
        "/admin/batches/{batch}",
        TO_THE_BATCH,
    ),
    Kind.BATCH_REJECTED: Wording(
        N_("%(batch)s is rejected"),
        N_("%(verifier)s has rejected %(batch)s of %(producer)s. Reasons: %(text)s"),
        N_("Its days and papers are free again: register the production anew once the reasons are dealt with."),
        "/batches/{batch}",
        TO_THE_BATCH,
    ),
    Kind.BATCH_ISSUED: Wording(
        N_("The credits of %(batch)s are issued"),
        N_("%(producer)s has new credits for %(quantity)s of %(mineral)s: %(issuance)s."),
        N_("You can transfer or sell them now."),
        "/holdings/{issuance}?of={holder}",
        N_("To these credits"),
    ),
    Kind.BATCH_STOPPED: Wording(
        N_("%(batch)s is stopped"),
        N_("A finding under zero tolerance about its site (%(finding)s) is open: %(batch)s of %(producer)s can neither "
           "be verified nor issued."),
        N_("Wait until the registry has closed the finding, or reject the batch."),
        "/admin/batches/{batch}",
        TO_THE_BATCH,
    ),
    Kind.FINDING_OPENED: Wording(
        N_("%(site)s: something to put right by %(due)s"),
        N_("%(finding)s: %(text)s"),
        N_("Put it right by %(due)s and tell your verifier or the registry, who close the finding. What is done: "
           "%(plan)s"),
        "/my/findings",
        TO_THE_FINDINGS,
    ),
    Kind.FINDING_SUSPECTED: Wording(
        N_("%(site)s: a suspicion under zero tolerance"),
        N_("%(finding)s: %(text)s"),
        N_("Nothing of the site is verified or issued until the suspicion is cleared or confirmed. Look into it."),
        "/admin/sites/{site_number}",
        TO_THE_SITE,
    ),
    Kind.FINDING_STOPS: Wording(
        N_("%(site)s is stopped: zero tolerance"),
        N_("%(finding)s: %(text)s"),
        N_("The site is suspended, its unsold credits of the days concerned are frozen and its batches stopped. "
           "Look into it."),
        "/admin/sites/{site_number}",
        TO_THE_SITE,
    ),
    Kind.FINDING_CLOSED: Wording(
        N_("%(finding)s about %(site)s is closed"),
        N_("The finding is closed. Reason: %(reason)s"),
        N_("Nothing is left to do about it."),
        "/my/findings",
        TO_THE_FINDINGS,
    ),
    Kind.SITE_ON_PROBATION: Wording(
        N_("%(site)s is on probation until %(until)s"),
        N_("Since %(from)s the site is on probation. Reason: %(reason)s"),
        N_("Put right what is open by %(until)s: otherwise the site is suspended."),
        "{page}/{site_number}",
        TO_THE_SITE,
    ),
    Kind.SITE_SUSPENDED: Wording(
        N_("%(site)s is suspended"),
        N_("Since %(from)s the site is suspended, until %(until)s at least: nothing of it is verified or issued. "
           "Reason: %(reason)s"),
        N_("Put right what is open. Two people of the registry then decide on the return."),
        "{page}/{site_number}",
        TO_THE_SITE,
    ),
    Kind.SITE_REINSTATED: Wording(
        N_("%(site)s is active again"),
        N_("The registry has let the site return to active. Reason: %(reason)s"),
        N_("Its batches go on."),
        "{page}/{site_number}",
        TO_THE_SITE,
    ),
    Kind.PREMIUM_ARRIVED: Wording(
        N_("%(amount)s of premium arrived for %(site)s"),
        N_("Credits of the site were sold with %(order)s. Its premium is held for the site."),
        N_("The site's committee decides what it is spent on: enter its minute, then ask for the money."),
        "/my/premium/{number}",
        N_("To the premium"),
    ),
    Kind.PREMIUM_PAID: Wording(
        N_("%(amount)s of premium are paid out to %(site)s"),
        N_("Two people of the registry have seen to %(payout)s."),
        N_("When it is spent, enter what was bought, with the receipts."),
        "/my/premium/minutes/{minute}",
        N_("To the decision of the committee"),
    ),
    Kind.PREMIUM_OVERDUE: Wording(
        N_("%(site)s has waited for its premium for %(days)s days"),
        N_("The buyer of %(order)s has paid, and the money is not all paid out."),
        N_("Ask the cooperative for its committee's decision, or pay what was asked for."),
        "/admin/premium",
        N_("To the premium"),
    ),
    Kind.PAYOUT_ASKED: Wording(
        N_("%(site)s asks for %(amount)s of its premium"),
        N_("On %(minute)s, the decision of its committee: %(payout)s."),
        N_("Pay it, then record it with its reference and proof; another issuer approves."),
        "/admin/payouts/{payout}",
        N_("To the payout"),
    ),
    Kind.DECISION_WAITS: Wording(
        N_("%(decision)s waits for a second person"),
        N_("%(person)s proposes: %(act)s, %(about)s. Reason: %(reason)s"),
        N_("Look at it, then approve or decline it."),
        "/admin/decisions/{decision}",
        N_("To the decision"),
    ),
    Kind.DECISION_APPROVED: Wording(
        N_("%(decision)s is approved"),
        N_("What you had proposed was approved and is done: %(act)s, %(about)s."),
        N_("Nothing is left to do."),
        "{page}/{decision}",
        N_("To the decision"),
    ),
    Kind.DECISION_DECLINED: Wording(
        N_("%(decision)s is declined"),
        N_("What you had proposed was declined: %(act)s, %(about)s."),
        N_("Speak with who decided if you do not agree."),
        "{page}/{decision}",
        N_("To the decision"),
    ),
    Kind.ORGANISATION_WAITS: Wording(
        N_("%(name)s wants to take part"),
        N_("%(name)s has signed up and waits for the registry's decision on who it is."),
        N_("Look at what it says of itself, then approve or refuse it."),
        "/admin/organisations/{organisation}",
        N_("To the organisation"),
    ),
    Kind.ORGANISATION_APPROVED: Wording(
        N_("%(name)s may take part"),
        N_("The registry has approved %(name)s."),
        N_("Sign in: everything is open to you now."),
        "/account",
        N_("To the account"),
    ),
    Kind.ORGANISATION_REFUSED: Wording(
        N_("%(name)s cannot take part"),
        N_("The registry has refused %(name)s. Reason: %(reason)s"),
        N_("Write to the registry if you do not agree."),
        "/account",
        N_("To the account"),
    ),
    Kind.ORGANISATION_SUSPENDED: Wording(
        N_("%(name)s is suspended"),
        N_("The registry has suspended %(name)s: nothing can be recorded or moved for it. Reason: %(reason)s"),
        N_("Write to the registry. It can approve your organisation again."),
        "/account",
        N_("To the account"),
    ),
    Kind.ORDER_TO_PAY: Wording(
        N_("Please send %(total)s for %(order)s"),
        N_("The credits of %(order)s are reserved for %(buyer)s until %(until)s."),
        N_("Send exactly %(total)s with the reference %(order)s, to the account on the order's page."),
        "{page}",
        TO_THE_ORDER,
    ),
    Kind.STANDING_FILLED: Wording(
        N_("%(standing)s has found credits: please pay %(order)s"),
        N_("%(quantity)s of %(mineral)s that fit are reserved for %(buyer)s until %(until)s, as %(order)s for "
           "%(total)s."),
        N_("Look at the order and pay it in time. Unpaid, the credits go back on sale and the standing order pauses."),
        "{page}",
        TO_THE_ORDER,
    ),
    Kind.STANDING_PAUSED: Wording(
        N_("%(standing)s is paused"),
        N_("%(reason)s %(missing)s of %(mineral)s are still wanted, and nothing more is ordered for it meanwhile."),
        N_("Resume it, and it waits behind the others; or end it. Its last day is %(until)s."),
        "{page}",
        TO_THE_STANDING_ORDER,
    ),
    Kind.STANDING_EXPIRED: Wording(
        N_("%(standing)s has ended on its last day"),
        N_("Its last day was %(until)s. %(missing)s of %(mineral)s at %(price)s a credit or less were not found."),
        N_("Leave a new one if you still want the credits."),
        "{page}",
        TO_THE_STANDING_ORDER,
    ),
    Kind.ORDER_LAPSES_SOON: Wording(
        N_("%(order)s waits for your money until %(until)s"),
        N_("The transfer of %(total)s for %(order)s has not been seen yet."),
        N_("Send it now, or cancel the order. After %(until)s others can buy the credits."),
        "{page}",
        TO_THE_ORDER,
    ),
    Kind.ORDER_CANCELLED: Wording(
        N_("%(order)s has ended without a payment"),
        N_("%(reason)s Nothing of %(order)s is reserved for %(buyer)s any more."),
        N_("Order again if you still want the credits. Money that comes now is sent back."),
        "{page}",
        TO_THE_ORDER,
    ),
    Kind.ORDER_DELIVERED: Wording(
        N_("%(order)s is paid and delivered"),
        N_("The credits of %(order)s were delivered to %(buyer)s, against %(total)s."),
        N_("The order's page has the invoice, and the certificates where the credits were retired at once."),
        "{page}",
        TO_THE_ORDER,
    ),
    Kind.ORDER_KEPT: Wording(
        N_("%(order)s is delivered, and was not retired"),
        N_("%(reason)s"),
        N_("Retire the credits by hand once that is possible, or transfer them."),
        "{page}",
        TO_THE_ORDER,
    ),
    Kind.ORDER_WAITS: Wording(
        N_("%(order)s is paid and cannot be delivered yet"),
        N_("The money of %(buyer)s for %(order)s is there. The credits wait: %(reason)s"),
        N_("They are delivered as soon as that is possible; otherwise the registry refunds the buyer."),
        "{page}",
        TO_THE_ORDER,
    ),
    Kind.ORDER_REFUNDED: Wording(
        N_("%(order)s is refunded"),
        N_("The credits of %(order)s went back to who sold them. Reason: %(reason)s"),
        N_("The buyer's money is sent back; the order's page says when it was."),
        "{page}",
        TO_THE_ORDER,
    ),
    Kind.PAYMENT_SURPLUS: Wording(
        N_("Money came for %(order)s that it does not want"),
        N_("%(buyer)s has paid %(order)s when it had ended, or once more. All of it goes back."),
        N_("Nothing is left to do for the buyer. What came by a transfer, the registry's bank sends back."),
        "{page}",
        TO_THE_ORDER,
    ),
    Kind.PAYMENT_ODD: Wording(
        N_("The payment provider says something else of %(order)s"),
        N_("What the provider tells of %(order)s is not what we know: %(about)s. Nothing was delivered by it."),
        N_("Look at the order and at the provider's own pages."),
        "{page}",
        TO_THE_ORDER,
    ),
    Kind.REFUND_FAILED: Wording(
        N_("The refund of %(order)s has come back"),
        N_("The money of %(order)s did not reach %(buyer)s and is with us again."),
        N_("Ask the buyer why, then send it once more."),
        "{page}",
        TO_THE_ORDER,
    ),
    Kind.DISPUTE_OPENED: Wording(
        N_("The payment of %(order)s is disputed"),
        N_("The bank of %(buyer)s asks for the money of %(order)s back. What is left of the credits is held "
           "meanwhile."),
        N_("Answer it at the payment provider. What was retired stays retired."),
        "{page}",
        TO_THE_ORDER,
    ),
    Kind.DISPUTE_EXTENDED: Wording(
        N_("More credits of %(order)s are held"),
        N_("Credits of %(order)s came back to %(buyer)s while its payment is disputed. They are held with the rest."),
        N_("They are free again if the dispute is won."),
        "{page}",
        TO_THE_ORDER,
    ),
    Kind.DISPUTE_RECOVERED: Wording(
        N_("Credits of %(order)s are the registry's"),
        N_("Credits of %(order)s came back to %(buyer)s, whose bank has taken the money back. They are in the "
           "registry's buffer now."),
        N_("The order's page says what of the money they leave uncovered."),
        "{page}",
        TO_THE_ORDER,
    ),
    Kind.DISPUTE_CLOSED: Wording(
        N_("The dispute about %(order)s has ended"),
        N_("The dispute about the payment of %(order)s by %(buyer)s was %(outcome)s."),
        N_("The order's page says what became of the credits and of the money."),
        "{page}",
        TO_THE_ORDER,
    ),
}  # fmt: skip


def wording(kind: Kind, facts: Mapping[str, Any], translate: Callable[[str], str]) -> Wording:
    """What a notice of this kind says about these facts, to somebody who reads the language of `translate`."""
    return WORDINGS[kind].told(facts, translate)

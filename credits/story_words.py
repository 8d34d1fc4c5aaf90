"""What is said of the journal's events in the history of a batch, and of the figures in them."""

from flask_babel import gettext as _


def fields() -> dict[str, str]:
    """What a figure of a batch is called, by its name in the journal."""
    return {
        "mineral": _("Mineral"),
        "form": _("Form"),
        "from": _("First day"),
        "to": _("Last day"),
        "gross_mg": _("Gross weight"),
        "moisture_ppm": _("Moisture"),
        "dry_mg": _("Dry weight"),
        "grade_ppm": _("Grade"),
        "contained_ng": _("Contained"),
        "sold_with_premium": _("Sold with a premium"),
        "registered_elsewhere": _("Registered elsewhere"),
        "miners": _("Miners"),
        "days_worked": _("Days worked"),
        "sold_to": _("Mineral sold to"),
    }


def event_words() -> dict[str, str]:
    """What is said of an event, by its kind."""
    return _words_of_the_batch() | _words_of_the_site() | _words_of_the_credits()


def _words_of_the_batch() -> dict[str, str]:
    return {
        "batch.drafted": _("Drafted"),
        "batch.amended": _("Figures changed"),
        "batch.submitted": _("Submitted"),
        "question.answered": _("Question of the data answered"),
        "batch.let_through": _("Let through above its plausible ceiling"),
        "sale.entered": _("Sale entered"),
        "sale.removed": _("Sale taken away"),
        "lots.drawn": _("Verifier drawn by lot"),
        "batch.independence_declared": _("Independence declared"),
        "batch.likeness_answered": _("Found out that two are not one"),
        "batch.given_back": _("Left the verifier's hands"),
        "batch.review_begun": _("Taken into review"),
        "batch.information_requested": _("Information requested"),
        "batch.question_answered": _("A question answered by the producer"),
        "batch.question_settled": _("A question settled"),
        "batch.answered": _("Answered by the producer"),
        "batch.verified": _("Verified"),
        "batch.rejected": _("Rejected"),
        "batch.withdrawn": _("Withdrawn"),
        "batch.stopped": _("Stopped by a finding"),
    }


def _words_of_the_site() -> dict[str, str]:
    return {
        "assessment.begun": _("Assessment of the site begun"),
        "assessment.saved": _("Part of the assessment saved"),
        "assessment.completed": _("Assessment of the site completed"),
        "finding.opened": _("Finding about the site opened"),
        "finding.confirmed": _("Finding about the site confirmed"),
        "finding.closed": _("Finding about the site closed"),
        "site.registered": _("Site registered"),
        "licence.added": _("Licence of the site added"),
        "site.matched": _("Site matched with the open data"),
        "site.limit_entered": _("Limit of the site entered"),
        "site.put_on_probation": _("Site put on probation"),
        "site.suspended": _("Site suspended"),
        "site.reinstated": _("Site active again"),
        "evidence.added": _("Paper added"),
        "evidence.removed": _("Paper taken away"),
        "evidence.question_answered": _("Question about a paper answered"),
    }


def _words_of_the_credits() -> dict[str, str]:
    return {
        "issuance.issued": _("Issued"),
        "transfer.proposed": _("Transfer proposed"),
        "transfer.accepted": _("Transfer accepted"),
        "transfer.rejected": _("Transfer refused"),
        "transfer.withdrawn": _("Transfer withdrawn"),
        "transfer.expired": _("Transfer expired"),
        "retirement.retired": _("Retired"),
        "issuance.suspended": _("Suspended"),
        "issuance.suspension_lifted": _("Suspension lifted"),
        "issuance.rolled_back": _("Rolled back"),
        "buffer.contributed": _("Share given to the buffer"),
        "cancellation.cancelled": _("Cancelled"),
        "debit.opened": _("Debit opened"),
        "expiry.warned": _("Holders warned of the last day"),
        "expiry.expired": _("Expired"),
        "export.exported": _("Exported"),
        "hold.held": _("Held"),
        "reservation.reserved": _("Reserved for a buyer"),
        "reservation.released": _("Reservation ended"),
        "order.delivered": _("Sold and delivered"),
        "order.refunded": _("Given back, refunded"),
        "dispute.opened": _("Held, the payment is disputed"),
        "dispute.extended": _("More of it held, the payment is disputed"),
        "dispute.recovered": _("Taken by the registry, the payment was taken back"),
        "dispute.closed": _("Dispute about the payment ended"),
    }

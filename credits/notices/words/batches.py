"""What is told of a batch on its way to credits, of who verifies it, and of grievances."""

from credits.notices.words.wording import N_, TO_THE_BATCH, Kind, Wording

WORDINGS = {
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
}  # fmt: skip

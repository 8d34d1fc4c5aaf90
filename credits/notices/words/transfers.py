"""What both sides of a transfer are told."""

from credits.notices.words.wording import N_, Kind, Wording

TO_THE_TRANSFER = N_("To the transfer")

WORDINGS = {
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
}  # fmt: skip

"""What holders are told of their credits: that they expire, are held, suspended or taken back."""

from credits.notices.words.wording import N_, TO_THE_BATCH, Kind, Wording

TO_THE_ISSUANCE = N_("To the issuance")

WORDINGS = {
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
}  # fmt: skip

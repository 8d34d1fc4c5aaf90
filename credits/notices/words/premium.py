"""What cooperatives and the registry are told of premium."""

from credits.notices.words.wording import N_, Kind, Wording

WORDINGS = {
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
}  # fmt: skip

"""What waits for the registry to decide, and what it has decided."""

from credits.notices.words.wording import N_, Kind, Wording

WORDINGS = {
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
}  # fmt: skip

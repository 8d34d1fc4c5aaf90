"""What is told of findings at a site, and of where its assurance stands."""

from credits.notices.words.wording import N_, Kind, Wording

TO_THE_FINDINGS = N_("To the findings")
TO_THE_SITE = N_("To the site")

WORDINGS = {
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
}  # fmt: skip

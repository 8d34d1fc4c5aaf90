"""Who may do what: pure rules over a person and an organisation.

Who may not even know of an organisation's affairs is answered Missing, who may know but not do, NotAllowed.
"""

from credits.errors import Missing, NotAllowed
from credits.participants.models import Kind, Organisation, RoleName, User

ROLES_OF: dict[Kind, tuple[RoleName, ...]] = {
    Kind.COOPERATIVE: (RoleName.CLERK, RoleName.MANAGER),
    Kind.GROUP_MANAGER: (RoleName.CLERK, RoleName.MANAGER),
    Kind.VERIFIER: (RoleName.REVIEWER, RoleName.LEAD),
    Kind.MANUFACTURER: (RoleName.INITIATOR, RoleName.APPROVER, RoleName.READER),
    Kind.RESELLER: (RoleName.INITIATOR, RoleName.APPROVER, RoleName.READER),
    Kind.REGISTRY: (RoleName.ISSUER, RoleName.AUDITOR),
}

# What the person who signs an organisation up is given: enough to run it alone and to add the others.
FIRST_ROLES: dict[Kind, tuple[RoleName, ...]] = {
    Kind.COOPERATIVE: (RoleName.MANAGER,),
    Kind.GROUP_MANAGER: (RoleName.MANAGER,),
    Kind.VERIFIER: (RoleName.LEAD,),
    Kind.MANUFACTURER: (RoleName.INITIATOR, RoleName.APPROVER),
    Kind.RESELLER: (RoleName.INITIATOR, RoleName.APPROVER),
    Kind.REGISTRY: (RoleName.ISSUER,),
}

PRODUCERS = (Kind.COOPERATIVE, Kind.GROUP_MANAGER)
BUYERS = (Kind.MANUFACTURER, Kind.RESELLER)
HEADS = (RoleName.MANAGER, RoleName.LEAD, RoleName.APPROVER, RoleName.ISSUER)
REGISTRARS = (RoleName.CLERK, RoleName.MANAGER)
DISPOSERS = (RoleName.MANAGER, RoleName.INITIATOR, RoleName.APPROVER)


class NotApproved(NotAllowed):
    code = "organisation_not_approved"


class WrongRole(NotAllowed):
    code = "wrong_role"


class OwnAffair(NotAllowed):
    code = "own_affair"


class NoSuchOrganisation(Missing):
    code = "no_such_organisation"


def has_any(by: User, *roles: RoleName) -> bool:
    """Whether the account is open and has one of `roles`."""
    return by.active and any(role.name in roles for role in by.roles)


def is_verifier(by: User) -> bool:
    return _of_approved(by, Kind.VERIFIER) and has_any(by, RoleName.REVIEWER, RoleName.LEAD)


def is_lead(by: User) -> bool:
    return _of_approved(by, Kind.VERIFIER) and has_any(by, RoleName.LEAD)


def is_issuer(by: User) -> bool:
    return _of_approved(by, Kind.REGISTRY) and has_any(by, RoleName.ISSUER)


def is_auditor(by: User) -> bool:
    return _of_approved(by, Kind.REGISTRY) and has_any(by, RoleName.AUDITOR)


def is_own(by: User, organisation: Organisation) -> bool:
    """Whether the person belongs to the organisation, or to the group manager that acts for it."""
    return by.organisation_id in (organisation.id, organisation.group_manager_id)


def may_see(by: User, organisation: Organisation) -> None:
    """Whose private affairs a person may read: their own, their groups', all of them for the registry."""
    if not (by.active and (is_own(by, organisation) or is_issuer(by) or is_auditor(by))):
        raise NoSuchOrganisation("There is no such organisation.")


def may_act_for(by: User, organisation: Organisation) -> None:
    """Whether registry records may be written in the organisation's name by its people at all.

    Raises NoSuchOrganisation for strangers, NotApproved before the registry knows who is acting.
    """
    if not (by.active and is_own(by, organisation)):
        raise NoSuchOrganisation("There is no such organisation.")
    for acting in (organisation, by.organisation):
        if not acting.approved:
            raise NotApproved(
                f"The registry has to approve {acting.name} first. Until then nothing can be recorded for it.",
                organisation=acting.number,
            )


def may_register_for(by: User, organisation: Organisation) -> None:
    """Sites, licences, batches and evidence: a clerk or manager of the producer or of its group manager."""
    may_act_for(by, organisation)
    if organisation.kind not in PRODUCERS or not has_any(by, *REGISTRARS):
        raise WrongRole("This is done by a clerk or manager of the producer.")


def may_dispose_of(by: User, holder: Organisation) -> None:
    """Credits: a manager of the producer (or of its group manager), an initiator or approver of the buyer."""
    may_act_for(by, holder)
    if holder.kind not in (*PRODUCERS, *BUYERS) or not has_any(by, *DISPOSERS):
        raise WrongRole("Credits are moved by a manager, initiator or approver of their holder.")


def may_buy(by: User, buyer: Organisation) -> None:
    """Orders: an initiator or approver of a manufacturer or reseller."""
    may_act_for(by, buyer)
    if buyer.kind not in BUYERS or not has_any(by, RoleName.INITIATOR, RoleName.APPROVER):
        raise WrongRole("Credits are bought by an initiator or approver of a manufacturer or reseller.")


def must_head(by: User, organisation: Organisation) -> None:
    """Seeing the organisation's people and closing accounts: who heads it. Strangers may not know of it."""
    may_see(by, organisation)
    if by.organisation_id != organisation.id or not has_any(by, *HEADS):
        raise WrongRole("People are added by a manager, lead, approver or issuer of the organisation.")


def may_manage_members(by: User, organisation: Organisation) -> None:
    """Adding people: who heads the organisation, once approved. Anybody could otherwise send mails through us."""
    must_head(by, organisation)
    if not organisation.approved:
        raise NotApproved(
            f"{organisation.name} is not approved by the registry, so nobody can be added to it.",
            organisation=organisation.number,
        )


def must_verify(by: User) -> None:
    if not is_verifier(by):
        raise WrongRole("This is done by a verifier's reviewer or lead.")


def must_issue(by: User) -> None:
    if not is_issuer(by):
        raise WrongRole("This is done by an issuer of the registry.")


def may_decide_on(by: User, organisation: Organisation) -> None:
    """Approval, refusal and suspension: an issuer of the registry, never of the organisation itself."""
    must_issue(by)
    if by.organisation_id == organisation.id:
        raise OwnAffair("Nobody decides on their own organisation.", organisation=organisation.number)


def _of_approved(by: User, kind: Kind) -> bool:
    return by.organisation.kind is kind and by.organisation.approved

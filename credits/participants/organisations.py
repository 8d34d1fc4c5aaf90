"""An organisation signs up, and the registry says whether it knows who that is."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from credits.errors import Conflict, Invalid
from credits.journal import events
from credits.participants import users
from credits.participants.countries import country
from credits.participants.models import Kind, Kyc, Language, Organisation, User
from credits.participants.permissions import FIRST_ROLES, NoSuchOrganisation, may_decide_on
from credits.participants.wording import email_address, line, paragraphs, printed


class AlreadyDecided(Conflict):
    code = "already_decided"


class RegistryExists(Conflict):
    code = "registry_exists"


class NotAGroupManager(Invalid):
    code = "not_a_group_manager"


def sign_up(
    session: Session,
    *,
    kind: Kind,
    name: str,
    legal_form: str,
    country_code: str,
    registration_number: str | None,
    address: str,
    contact_email: str,
    person: str,
    email: str,
    language: Language,
    password: str,
    handle: str,
    at: datetime,
) -> tuple[Organisation, User]:
    """Register an organisation and the person who heads it. It waits for the registry's approval.

    country_code: ISO 3166-1 alpha-3. registration_number: None for a group that is not formalised.
    password: its argon2id hash. handle: a random text of the door's, by which sessions name the person.

    Flushes. Raises Invalid for unsound fields, users.EmailTaken.
    """
    if kind is Kind.REGISTRY:
        raise Invalid("The registry itself does not sign up.")
    organisation = _register(
        session,
        kind=kind,
        name=name,
        legal_form=legal_form,
        country_code=country_code,
        registration_number=registration_number,
        address=address,
        contact_email=contact_email,
        at=at,
    )
    user = users.enter(
        session,
        organisation=organisation,
        name=person,
        email=email,
        language=language,
        roles=FIRST_ROLES[kind],
        password=password,
        handle=handle,
        at=at,
    )
    _tell(session, "organisation.signed_up", organisation, user.number, at, kind=kind.value)
    users.tell_of(session, user, actor=user.number, at=at)
    return organisation, user


def found_registry(
    session: Session,
    *,
    name: str,
    legal_form: str,
    country_code: str,
    registration_number: str | None,
    address: str,
    contact_email: str,
    person: str,
    email: str,
    language: Language,
    password: str,
    handle: str,
    at: datetime,
) -> tuple[Organisation, User]:
    """Enter the registry's own organisation and its first issuer, once in the life of a database.

    Nobody stands above to approve it, so it is approved from the first. Arguments as in `sign_up`.
    Flushes. Raises RegistryExists.
    """
    if session.scalars(select(Organisation.id).where(Organisation.kind == Kind.REGISTRY).limit(1)).first():
        raise RegistryExists("This database has its registry organisation already.")
    organisation = _register(
        session,
        kind=Kind.REGISTRY,
        name=name,
        legal_form=legal_form,
        country_code=country_code,
        registration_number=registration_number,
        address=address,
        contact_email=contact_email,
        at=at,
    )
    organisation.kyc = Kyc.APPROVED
    organisation.kyc_decided_at = at
    user = users.enter(
        session,
        organisation=organisation,
        name=person,
        email=email,
        language=language,
        roles=FIRST_ROLES[Kind.REGISTRY],
        password=password,
        handle=handle,
        at=at,
    )
    _tell(session, "registry.founded", organisation, events.SYSTEM, at)
    users.tell_of(session, user, actor=events.SYSTEM, at=at)
    return organisation, user


def approve(session: Session, organisation: Organisation, *, by: User, at: datetime) -> None:
    """The registry knows who this is: it may write records from now on. Also ends a suspension or a refusal.

    Flushes. Raises NotAllowed, AlreadyDecided.
    """
    _decide(session, organisation, Kyc.APPROVED, reason=None, by=by, at=at)


def refuse(session: Session, organisation: Organisation, *, reason: str, by: User, at: datetime) -> None:
    """The organisation may not take part. `reason` is told to it, and to nobody else.

    Flushes. Raises NotAllowed, AlreadyDecided (an approved one is suspended, not refused), UnsoundText.
    """
    _decide(session, organisation, Kyc.REFUSED, reason=reason, by=by, at=at)


def suspend(session: Session, organisation: Organisation, *, reason: str, by: User, at: datetime) -> None:
    """Stop an approved organisation from writing records, until it is approved again. Otherwise as `refuse`."""
    _decide(session, organisation, Kyc.SUSPENDED, reason=reason, by=by, at=at)


def join_group(session: Session, organisation: Organisation, *, manager: Organisation, by: User, at: datetime) -> None:
    """Let an approved group manager act for a cooperative. The registry enters it, on both sides' paper.

    Flushes. Raises NotAllowed, NotAGroupManager.
    """
    may_decide_on(by, organisation)
    _lock(session, organisation)
    if organisation.kind is not Kind.COOPERATIVE or manager.kind is not Kind.GROUP_MANAGER or not manager.approved:
        raise NotAGroupManager("A cooperative joins an approved group manager.")
    organisation.group_manager_id = manager.id
    session.flush()
    _tell(session, "organisation.joined_group", organisation, by.number, at, manager=manager.number)


def numbered(session: Session, number: str) -> Organisation:
    """The organisation with the public id `number`. Raises NoSuchOrganisation."""
    digits = number.removeprefix("ORG-")
    if digits == number or not (digits.isascii() and digits.isdigit() and 6 <= len(digits) <= 18):
        raise NoSuchOrganisation("There is no such organisation.")
    organisation = session.get(Organisation, int(digits))
    if organisation is None or organisation.number != number:
        raise NoSuchOrganisation("There is no such organisation.")
    return organisation


# What may follow on what.
_FOLLOWS = {
    Kyc.APPROVED: (Kyc.PENDING, Kyc.REFUSED, Kyc.SUSPENDED),
    Kyc.REFUSED: (Kyc.PENDING,),
    Kyc.SUSPENDED: (Kyc.APPROVED,),
}


def _decide(
    session: Session, organisation: Organisation, kyc: Kyc, *, reason: str | None, by: User, at: datetime
) -> None:
    may_decide_on(by, organisation)
    if reason is not None:
        reason = paragraphs(reason, "Reason")
    _lock(session, organisation)
    decided = (organisation.kyc, organisation.kyc_decided_by, organisation.kyc_reason)
    if reason is not None and decided == (kyc, by.id, reason):
        return  # sent twice: the same person has decided the same, for the same reason
    if organisation.kyc not in _FOLLOWS[kyc]:
        raise AlreadyDecided(
            f"{organisation.name} is {organisation.kyc.value} already.", organisation=organisation.number
        )
    organisation.kyc = kyc
    organisation.kyc_reason = reason
    organisation.kyc_decided_at = at
    organisation.kyc_decided_by = by.id
    session.flush()
    # From its approval on the public may know who it is.
    named = _naming(organisation) if kyc is Kyc.APPROVED else {}
    events.append(
        session,
        kind=f"organisation.{kyc.value}",
        subject=organisation.number,
        actor=by.number,
        at=at,
        facts={"kyc": kyc.value, **named},
        private={"reason": reason} if reason else None,
    )


def _register(
    session: Session,
    *,
    kind: Kind,
    name: str,
    legal_form: str,
    country_code: str,
    registration_number: str | None,
    address: str,
    contact_email: str,
    at: datetime,
) -> Organisation:
    organisation = Organisation(
        kind=kind,
        name=printed(name, "Name of the organisation"),
        legal_form=line(legal_form, "Legal form"),
        country=country(country_code),
        registration_number=line(registration_number, "Registration number") if registration_number else None,
        address=paragraphs(address, "Address", 500),
        contact_email=email_address(contact_email),
        registered_at=at,
    )
    session.add(organisation)
    session.flush()
    return organisation


def _lock(session: Session, organisation: Organisation) -> None:
    """Fresh from the database, and nobody else decides meanwhile."""
    session.refresh(organisation, with_for_update={"key_share": True})


def _tell(session: Session, what: str, organisation: Organisation, actor: str, at: datetime, **facts: str) -> None:
    """Append an event. Who waits for the approval, or was refused, is named to nobody outside."""
    unknown = organisation.kyc in (Kyc.PENDING, Kyc.REFUSED)
    events.append(
        session,
        kind=what,
        subject=organisation.number,
        actor=actor,
        at=at,
        facts=facts if unknown else {**_naming(organisation), **facts},
        private=_naming(organisation) if unknown else None,
    )


def _naming(organisation: Organisation) -> dict[str, str]:
    return {"name": organisation.name, "country": organisation.country}

"""Exporting: credits leave for another registry and are final here (invariant 14)."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from credits import ledger
from credits.ledger.models import AccountKind
from credits.ledger.posting import Posted, checked_quantity
from credits.participants.models import User
from credits.participants.permissions import may_dispose_of
from credits.participants.wording import line
from credits.registry.accounts import account_of, registry_account
from credits.registry.movements import Decision
from credits.registry.policy import Policy
from credits.registry.public import organisation_known_as
from credits.registry.queries import issuance_numbered
from credits.registry.telling import both_people, recorded
from credits.registry.transfer import must_not_be_suspended
from credits.registry.validity import must_not_have_expired


def check(session: Session, subject: str, request: dict[str, Any], by: User) -> dict[str, Any]:
    """What a holder asks to export. Nothing is frozen until an issuer approves it.

    request: holder, quantity (base units), registry (where to), reference (of the receiving registry).
    Raises NotAllowed, NoSuchOrganisation, NoSuchIssuance, BadQuantity, UnsoundText, Suspended.
    """
    holder = organisation_known_as(session, str(request.get("holder")))
    may_dispose_of(by, holder)
    must_not_be_suspended(session, issuance_numbered(session, subject))
    return {
        "holder": holder.number,
        "quantity": checked_quantity(request.get("quantity")),
        "registry": line(str(request.get("registry") or ""), "Receiving registry"),
        "reference": line(str(request.get("reference") or ""), "Reference of the receiving registry", 100),
    }


def export(session: Session, decision: Decision, policy: Policy, by: User, at: datetime) -> Posted:
    """Take the credits out for good. Flushes. Raises Suspended, Expired, InsufficientBalance."""
    issuance = issuance_numbered(session, decision.subject)
    holder = organisation_known_as(session, decision.request["holder"])
    must_not_be_suspended(session, issuance)
    must_not_have_expired(issuance, policy, at)
    facts = {name: decision.request[name] for name in ("holder", "registry", "reference")} | both_people(decision)
    numbers = {issuance.id: issuance.number}
    return ledger.post(
        session,
        issuance_id=issuance.id,
        source=account_of(session, holder, AccountKind.AVAILABLE),
        target=registry_account(session, AccountKind.EXPORTED),
        quantity=decision.request["quantity"],
        at=at,
        record=recorded(session, "export.exported", issuance.number, numbers, facts, decision.reason, by, at),
    )

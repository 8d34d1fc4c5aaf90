"""Saying something of a certificate later: proposed by one issuer, approved by another, shown beside it for ever.

An annotation adds a word, an annulment says that the certificate is not to be relied on. Neither brings credits back:
what is retired is final (invariants 11 and 14), and the document stays the same bytes.
"""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from credits.errors import Conflict
from credits.journal import events
from credits.participants.models import User
from credits.participants.permissions import must_issue
from credits.registry.models import Retirement
from credits.registry.movements import CertificateAnnotation, Decision, DecisionKind
from credits.registry.policy import Policy
from credits.registry.queries import retirement_numbered

TOLD = {DecisionKind.ANNOTATION: "certificate.annotated", DecisionKind.ANNULMENT: "certificate.annulled"}


class AnnulledAlready(Conflict):
    code = "annulled_already"


class Standing(StrEnum):
    """What is to be thought of a certificate now."""

    RETIRED = "retired"
    ANNOTATED = "annotated"
    ANNULLED = "annulled"


def check(session: Session, subject: str, request: dict[str, Any], by: User) -> dict[str, Any]:
    """Whether there is such a certificate. Raises NotAllowed, NoSuchRetirement."""
    must_issue(by)
    retirement_numbered(session, subject)
    return {}


def check_annulment(session: Session, subject: str, request: dict[str, Any], by: User) -> dict[str, Any]:
    """Whether there is such a certificate to annul. Raises NotAllowed, NoSuchRetirement, AnnulledAlready."""
    must_issue(by)
    if standing_of(annotations_of(session, retirement_numbered(session, subject))) is Standing.ANNULLED:
        raise AnnulledAlready(f"{subject} is annulled already.")
    return {}


def say(session: Session, decision: Decision, policy: Policy, by: User, at: datetime) -> None:
    """Write down for ever what two people say of a certificate: the decision's reason, in public.

    Flushes. Raises AnnulledAlready.
    """
    retirement = retirement_numbered(session, decision.subject)
    made = CertificateAnnotation(
        retirement_id=retirement.id, kind=decision.kind, text=decision.reason, decision_id=decision.id, said_at=at
    )
    try:
        with session.begin_nested():
            session.add(made)
    except IntegrityError:
        raise AnnulledAlready(f"{decision.subject} is annulled already.") from None
    events.append(
        session,
        kind=TOLD[decision.kind],
        subject=retirement.number,
        actor=by.number,
        at=at,
        facts={"decision": decision.number, "holder": retirement.holder.number, "text": decision.reason},
    )


def annotations_of(session: Session, retirement: Retirement) -> list[CertificateAnnotation]:
    """What was said of a retirement's certificate later, oldest first."""
    wanted = select(CertificateAnnotation).where(CertificateAnnotation.retirement_id == retirement.id)
    return list(session.scalars(wanted.order_by(CertificateAnnotation.id)))


def annulled_among(session: Session, retirements: Iterable[int]) -> set[int]:
    """Which of these retirements, by their ids, have an annulled certificate."""
    ids = sorted(set(retirements))
    if not ids:
        return set()
    wanted = select(CertificateAnnotation.retirement_id).where(
        CertificateAnnotation.retirement_id.in_(ids),
        CertificateAnnotation.kind == DecisionKind.ANNULMENT,
    )
    return set(session.scalars(wanted))


def standings_among(session: Session, retirements: Iterable[int]) -> dict[int, Standing]:
    """How these retirements' certificates stand, by their ids, in one query; none where nothing was said of it."""
    ids = sorted(set(retirements))
    if not ids:
        return {}
    wanted = select(CertificateAnnotation).where(CertificateAnnotation.retirement_id.in_(ids))
    said: dict[int, list[CertificateAnnotation]] = {}
    for each in session.scalars(wanted):
        said.setdefault(each.retirement_id, []).append(each)
    return {each: standing_of(annotations) for each, annotations in said.items()}


def standing_of(annotations: list[CertificateAnnotation]) -> Standing:
    if any(each.kind is DecisionKind.ANNULMENT for each in annotations):
        return Standing.ANNULLED
    return Standing.ANNOTATED if annotations else Standing.RETIRED

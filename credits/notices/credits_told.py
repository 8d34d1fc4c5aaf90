"""Who is told that something has happened to their credits."""

from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from credits.ledger.models import Entry, Posting
from credits.notices.occurrence import Occurrence, measured
from credits.notices.telling import tell, tell_each
from credits.notices.wordings import Kind
from credits.participants.models import Organisation
from credits.registry.debits import debit_numbered
from credits.registry.holders import holders_of
from credits.registry.holds import others
from credits.registry.models import Holding, Issuance
from credits.registry.movements import Earmark, ExpiryWarning
from credits.registry.public import site_known_as


def expiry_near(session: Session, what: Occurrence) -> None:
    """The holders who were noted as warned, which happens once for each of the policy's days."""
    issuance, last_day = what.issuance(session), date.fromisoformat(what.facts["last_day"])
    holders = session.scalars(
        select(Organisation)
        .join(ExpiryWarning, ExpiryWarning.organisation_id == Organisation.id)
        .where(
            ExpiryWarning.issuance_id == issuance.id,
            ExpiryWarning.days_before == what.facts["days_before"],
            ExpiryWarning.given_at == what.at,
        )
        .order_by(Organisation.id)
    )
    facts = {"issuance": issuance.number, "last_day": str(last_day), "days": (last_day - what.at.date()).days}
    told = [(holder, facts | {"holder": holder.number}) for holder in holders]
    tell_each(session, kind=Kind.EXPIRY_NEAR, told=told, at=what.at)


def expired(session: Session, what: Occurrence) -> None:
    """Everybody whose credits went, with how much it was."""
    issuance = what.issuance(session)
    told = [
        (holder, measured(issuance, quantity) | {"holder": holder.number}) for holder, quantity in losers(session, what)
    ]
    tell_each(session, kind=Kind.EXPIRED, told=told, at=what.at)


def held(session: Session, what: Occurrence) -> None:
    """The holder, which credits are frozen and why."""
    hold = opened_by(session, what)
    (holder, quantity), *_ = losers(session, what)
    facts = measured(what.issuance(session), quantity)
    facts |= {"holder": holder.number, "holder_name": holder.name, "hold": hold.number, "reason": hold.why}
    tell(session, to=holder, kind=Kind.HELD, facts=facts, at=what.at)


def held_unsold(session: Session, what: Occurrence) -> None:
    """Zero tolerance: the producer, and everybody who has, or has retired, credits of the same production."""
    issuances = session.scalars(
        select(Issuance).where(Issuance.number.in_(what.facts["issuances"])).order_by(Issuance.number)
    ).all()
    numbers = [issuance.number for issuance in issuances]
    producer = issuances[0].producer
    site = site_known_as(session, what.subject)
    facts = {"site": site.name, "first_day": what.facts["from"], "last_day": what.facts["to"]}
    own = {"holder": producer.number, "holder_name": producer.name, "reason": what.private(session)["reason"]}
    tell(session, to=producer, kind=Kind.HELD_UNSOLD, facts=facts | own, at=what.at)
    facts |= {"issuances": ", ".join(numbers), "issuance": numbers[0]}
    having = others(session, [issuance.id for issuance in issuances], producer)
    tell(session, to=having, kind=Kind.HELD_BEHIND_SOLD, facts=facts, at=what.at)


def released(session: Session, what: Occurrence) -> None:
    holder = what.organisation(session, "holder")
    facts = {"hold": what.facts["hold"], "holder": holder.number, "holder_name": holder.name}
    tell(session, to=holder, kind=Kind.RELEASED, facts=facts, at=what.at)


def suspended(session: Session, what: Occurrence) -> None:
    """Everybody who has credits of an issuance, that they stand still or move again."""
    kind = Kind.SUSPENDED if what.event.kind == "issuance.suspended" else Kind.SUSPENSION_LIFTED
    issuance = what.issuance(session)
    tell(session, to=holders_of(session, issuance), kind=kind, facts={"issuance": issuance.number}, at=what.at)


def gone(session: Session, what: Occurrence) -> None:
    """The holder of what was cancelled or exported."""
    kind = Kind.CANCELLED if what.event.kind == "cancellation.cancelled" else Kind.EXPORTED
    holder = what.organisation(session, "holder")
    facts = {"holder": holder.number, "holder_name": holder.name, "about": what.subject}
    facts |= {"reason": what.private(session)["reason"]}
    tell(session, to=holder, kind=kind, facts=facts, at=what.at)


def rolled_back(session: Session, what: Occurrence) -> None:
    issuance = what.issuance(session)
    facts = {"issuance": issuance.number, "batch": what.facts["batch"], "reason": what.private(session)["reason"]}
    tell(session, to=issuance.producer, kind=Kind.ROLLED_BACK, facts=facts, at=what.at)


def debited(session: Session, what: Occurrence) -> None:
    debit = debit_numbered(session, what.facts["debit"])
    facts = measured(debit.issuance, debit.quantity)
    facts |= {"debit": debit.number, "reason": what.private(session)["reason"]}
    tell(session, to=debit.producer, kind=Kind.DEBITED, facts=facts, at=what.at)


def losers(session: Session, what: Occurrence) -> list[tuple[Organisation, int]]:
    """From whose accounts serials went under an event, with the base units in all."""
    moved = func.sum(Entry.last - Entry.first + 1)
    rows = session.execute(
        select(Organisation, moved)
        .join(Holding, Holding.organisation_id == Organisation.id)
        .join(Entry, Entry.from_account_id == Holding.account_id)
        .join(Posting, Posting.id == Entry.posting_id)
        .where(Posting.event_id == what.event.id)
        .group_by(Organisation.id)
        .order_by(Organisation.id)
    )
    return [(holder, int(quantity)) for holder, quantity in rows]


def opened_by(session: Session, what: Occurrence) -> Earmark:
    """The hold that was placed under an event."""
    under = Posting.id == Earmark.opening_posting_id
    return session.scalars(select(Earmark).join(Posting, under).where(Posting.event_id == what.event.id)).one()

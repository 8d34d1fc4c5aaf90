"""Physical sales: the invoices by which the mineral of a batch was sold."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from credits.errors import Conflict, Invalid, Missing
from credits.journal import events
from credits.ledger.claims import claim, settle
from credits.participants.models import Organisation, User
from credits.participants.permissions import may_register_for
from credits.participants.wording import day_shown, line
from credits.registry import minerals
from credits.registry.doubts.screened import Sale
from credits.registry.production import Batch, BatchState, Site

OPEN_FOR_SALES = (BatchState.DRAFT, BatchState.INFORMATION_REQUESTED)
FREE = (BatchState.REJECTED, BatchState.WITHDRAWN)


class SaleKnown(Conflict):
    """The invoice supports a batch of this producer already (invariant 6)."""

    code = "sale_known"


class SalesClosed(Conflict):
    """Sales are entered while the producer can change the batch."""

    code = "sales_closed"


class BadSale(Invalid):
    """A sale before the mineral was dug, or after today."""

    code = "bad_sale"


class NoSuchSale(Missing):
    code = "no_such_sale"


@dataclass(frozen=True)
class SaleFacts:
    """kilograms: dry weight that was sold, decimal text. grade: per cent, for gold per thousand, decimal text."""

    number: str
    buyer: str
    sold_on: date
    kilograms: str
    grade: str


def enter(session: Session, *, batch: Batch, facts: SaleFacts, by: User, key: str, at: datetime) -> Sale:
    """Enter an invoice or receipt of a batch. Flushes.

    Raises NotAllowed, SalesClosed, SaleKnown, BadSale, BadMeasure, UnsoundText.
    """
    may_register_for(by, batch.site.producer)
    asked = {name: str(value) for name, value in vars(facts).items()} | {"act": "sale.enter", "batch": batch.number}
    if earlier := claim(session, caller=by.number, key=key, request=asked):
        return session.get_one(Sale, earlier["sale"])
    _must_be_open(session, batch)
    if facts.sold_on < batch.produced_from or facts.sold_on > at.date():
        raise BadSale(
            f"The mineral was sold between {day_shown(batch.produced_from)} and today.", asked=str(facts.sold_on)
        )
    per = 1000 if batch.mineral.per_thousand else 100
    weight, grade = minerals.weight_mg(facts.kilograms), minerals.share_ppm(facts.grade, per=per)
    if grade == 0:
        raise BadSale("A grade of 0 contains nothing.")
    number = line(facts.number, "Number of the invoice", 80)
    _refuse_known(session, batch, _compared(number))
    try:
        with session.begin_nested():
            sale = Sale(
                batch=batch,
                number=number,
                number_key=_compared(number),
                buyer=line(facts.buyer, "Buyer", 200),
                sold_on=facts.sold_on,
                weight_mg=weight,
                grade_ppm=grade,
                contained_ng=minerals.contained_ng(weight, grade),
                entered_by_id=by.id,
                entered_at=at,
            )
            session.add(sale)
            session.flush()
    except IntegrityError:
        raise SaleKnown("This invoice supports a batch already.", number=number) from None
    _tell(session, "sale.entered", sale, by, at)
    settle(session, {"sale": sale.id})
    return sale


def remove(session: Session, *, sale: Sale, by: User, at: datetime) -> None:
    """Take a mistaken sale away while the batch can be changed. Flushes. Raises NotAllowed, SalesClosed."""
    may_register_for(by, sale.batch.site.producer)
    _must_be_open(session, sale.batch)
    _tell(session, "sale.removed", sale, by, at)
    session.delete(sale)
    session.flush()


def sales_of(session: Session, batch: Batch) -> Sequence[Sale]:
    """The sales of a batch by day."""
    return session.scalars(select(Sale).where(Sale.batch_id == batch.id).order_by(Sale.sold_on, Sale.id)).all()


def sale_of(session: Session, batch: Batch, sale_id: int) -> Sale:
    """One sale of a batch. Raises NoSuchSale."""
    sale = session.get(Sale, sale_id)
    if sale is None or sale.batch_id != batch.id:
        raise NoSuchSale("There is no such sale.")
    return sale


def _must_be_open(session: Session, batch: Batch) -> None:
    session.refresh(batch, with_for_update=True)
    if batch.state not in OPEN_FOR_SALES:
        raise SalesClosed("Sales are entered while a batch is a draft, or when the verifier asks for more.")


def _refuse_known(session: Session, batch: Batch, compared: str) -> None:
    """Raise SaleKnown where another batch of the producer has this invoice."""
    # One at a time a producer: two batches with the same invoice would not see each other.
    producer = batch.site.producer_id
    session.execute(select(Organisation.id).where(Organisation.id == producer).with_for_update(key_share=True))
    wanted = select(Batch).join(Sale, Sale.batch_id == Batch.id).join(Site, Site.id == Batch.site_id)
    wanted = wanted.where(Sale.number_key == compared, Site.producer_id == producer, Batch.state.not_in(FREE))
    if other := session.scalars(wanted.limit(1)).first():
        raise SaleKnown(f"This invoice supports {other.number} already.", batch=other.number)


def _compared(number: str) -> str:
    """A number without marks, capitals and the zeros before it: INV-0012 and inv 12 are one."""
    folded = unicodedata.normalize("NFKC", number).casefold()
    parts = [part.lstrip("0") or "0" for part in re.findall(r"[0-9]+|[^\W_0-9]+", folded)]
    return "-".join(parts) or folded


def _tell(session: Session, kind: str, sale: Sale, by: User, at: datetime) -> None:
    facts = {"sold_on": str(sale.sold_on), "weight_mg": sale.weight_mg, "grade_ppm": sale.grade_ppm}
    private = {"number": sale.number, "buyer": sale.buyer}
    number = sale.batch.number
    events.append(
        session,
        kind=kind,
        subject=number,
        actor=by.number,
        at=at,
        facts={},
        private={name: str(value) for name, value in (facts | private).items()},
    )

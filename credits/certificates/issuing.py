"""A certificate's facts are frozen in the retirement's own transaction; its document is drawn once from them.

Who knows the facts can show that they were frozen then: an event of the log carries the root over them. The document
is drawn once that event is under a signed checkpoint, carries the proof, and is signed last.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any, Protocol

from sqlalchemy import Select, bindparam, func, insert, select, update
from sqlalchemy.orm import Session, joinedload

from credits.certificates import pdf
from credits.certificates.facts import SCHEMA, facts_of, read
from credits.certificates.inclusion import frozen_together
from credits.certificates.models import Certificate, Record
from credits.errors import Missing
from credits.journal import checkpoints, events
from credits.journal.canonical import encode
from credits.journal.log_models import LogLeaf
from credits.ledger.serials import SerialRange, parse
from credits.participants.models import Language, User
from credits.registry import annotating
from credits.registry.models import Bulk, Issuance, Retirement
from credits.registry.production import Batch, Site
from credits.registry.retirement import serials_of
from credits.registry.statements import retirements_in

NUMBERED = select(Certificate).where(Certificate.number == bindparam("number"))
# With what its page shows of where the credits are from.
SHOWN = NUMBERED.options(
    joinedload(Certificate.retirement)
    .joinedload(Retirement.issuance)
    .load_only(Issuance.number, Issuance.quantity, Issuance.mineral_code, Issuance.vintage)
    .joinedload(Issuance.batch)
    .load_only(Batch.state)
    .joinedload(Batch.site)
    .load_only(Site.country, Site.latitude, Site.longitude)
)


class NoSuchCertificate(Missing):
    code = "no_such_certificate"


class Prices(Protocol):
    """Knows what was paid for units, where that is public."""

    def paid_for(self, issuance: Issuance, ranges: Sequence[SerialRange]) -> dict[str, Any] | None: ...


class Unpriced:
    """Where nothing is sold, nothing is known of prices."""

    def __init__(self, session: Session, issuances: Collection[int]) -> None:
        pass

    def paid_for(self, issuance: Issuance, ranges: Sequence[SerialRange]) -> dict[str, Any] | None:
        return None


@dataclass(frozen=True)
class Issuer:
    """The registry as its certificates name it. url: its public address without a slash at the end.

    prices: who knows what was paid for units of some issuances.
    """

    name: str
    url: str
    prices: Callable[[Session, Collection[int]], Prices] = Unpriced

    @property
    def told(self) -> dict[str, str]:
        return {"name": self.name, "url": self.url}

    def certificate_url(self, number: str) -> str:
        return f"{self.url}/certificates/{number}"


def freeze(
    session: Session, *, retirement: Retirement, issuer: Issuer, language: Language | None = None
) -> Certificate:
    """Write down for ever what the certificate of `retirement` says, with its event. Flushes; before the commit.

    language: in which the document speaks, else that of who retired. Raises pdf.Undrawable, naming the letters.
    """
    earlier = session.get(Certificate, retirement.id)
    if earlier is not None:
        return earlier
    prices = issuer.prices(session, {retirement.issuance_id})
    row = drafted(retirement, issuer, prices, serials_of(session, retirement), language)
    (row,) = entered(session, [row], subject=retirement.number, by=retirement.retired_by, at=retirement.retired_at)
    certificate = Certificate(**row)
    session.add(certificate)
    session.flush()
    return certificate


def freeze_all(session: Session, *, statement: Bulk, issuer: Issuer, language: Language | None = None) -> None:
    """Write down for ever what the certificates of all retirements of a statement say. Flushes, as `freeze` does.

    Raises Undrawable, naming the line.
    """
    if session.scalars(
        select(Certificate).join(Certificate.retirement).where(Retirement.bulk_id == statement.id)
    ).first():
        return
    rows = []
    made = retirements_in(session, statement)
    prices = issuer.prices(session, {retirement.issuance_id for retirement, _ in made})
    for number, (retirement, serials) in enumerate(made, 1):
        try:
            rows.append(drafted(retirement, issuer, prices, serials, language))
        except pdf.Undrawable as refusal:
            raise pdf.Undrawable(f"Line {number}: {refusal.message}", **refusal.detail | {"line": number}) from None
    first, _ = made[0]
    rows = entered(session, rows, subject=statement.number, by=first.retired_by, at=first.retired_at)
    session.execute(insert(Certificate), rows)


def drafted(
    retirement: Retirement, issuer: Issuer, prices: Prices, serials: list[str], language: Language | None
) -> dict[str, Any]:
    """The row of a certificate that no event stands behind yet. Raises Undrawable."""
    spoken = language or retirement.retired_by.language
    facts = facts_of(
        retirement,
        registry=issuer.told,
        verify_url=issuer.certificate_url(retirement.number),
        serials=serials,
        premium=prices.paid_for(retirement.issuance, [parse(each)[1] for each in serials]),
        language=spoken,
    )
    pdf.must_be_drawable(facts)
    return {
        "retirement_id": retirement.id,
        "number": retirement.number,
        "language": spoken,
        "facts": encode(facts),
    }


def entered(
    session: Session, rows: list[dict[str, Any]], *, subject: str, by: User, at: datetime
) -> list[dict[str, Any]]:
    """The rows with the event that stands behind all of them, and the way of each to its root. Flushes.

    subject: the number of the retirement or of the statement; each of the facts names it.
    """
    root, ways = frozen_together([row["facts"] for row in rows])
    told = {"root": root, "leaves": len(rows), "schema": SCHEMA}
    event_id = events.append(session, kind="certificate.frozen", subject=subject, actor=by.number, at=at, facts=told)
    return [row | {"event_id": event_id, "inclusion": way} for row, way in zip(rows, ways, strict=True)]


def certificate_numbered(session: Session, number: str, wanted: Select[Certificate] = NUMBERED) -> Certificate:
    """The certificate with this number; public. wanted: SHOWN fetches its origin as well. Raises NoSuchCertificate."""
    certificate = session.scalars(wanted, {"number": number}).one_or_none()
    if certificate is None:
        raise NoSuchCertificate("There is no such certificate.")
    return certificate


def keep_document(session: Session, *, number: str, sha256: str, at: datetime) -> None:
    """Note which document is the certificate's, unless one was noted before: the first one stays. Flushes."""
    session.execute(
        update(Certificate)
        .where(Certificate.number == number, Certificate.document_sha256.is_(None))
        .values(document_sha256=sha256, drawn_at=at)
    )


def facts_in(certificate: Certificate) -> dict[str, Any]:
    """The frozen facts, read from their exact bytes."""
    return read(certificate.facts)


class Progress(StrEnum):
    """How far a certificate is: its facts stand from the beginning, its document follows within a minute."""

    FROZEN = "frozen"  # its event waits for the next head of the log
    LOGGED = "logged"  # its document is being drawn
    ISSUED = "issued"


def progress_of(session: Session, certificate: Certificate | Record) -> Progress:
    if certificate.document_sha256 is not None:
        return Progress.ISSUED
    if certificate.event_id is None or in_log(session, certificate.event_id):
        return Progress.LOGGED
    return Progress.FROZEN


def in_log(session: Session, event_id: int) -> bool:
    """Whether an event is under a checkpoint."""
    newest = checkpoints.newest(session)
    position = session.scalar(select(LogLeaf.position).where(LogLeaf.event_id == event_id))
    return newest is not None and position is not None and position < newest.size


def status_told(session: Session, certificate: Certificate) -> dict[str, Any]:
    """How a certificate stands now, as plain values: what was said of it later, and which bytes it is."""
    annotations = annotating.annotations_of(session, certificate.retirement)
    return {
        "number": certificate.number,
        "status": annotating.standing_of(annotations).value,
        "progress": progress_of(session, certificate).value,
        "annotations": [
            {
                "kind": each.kind.value,
                "text": each.text,
                "at": each.said_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            }
            for each in annotations
        ],
        "facts_sha256": sha256(certificate.facts).hexdigest(),
        "document_sha256": certificate.document_sha256,
    }


def issued_of(session: Session, statement: Bulk) -> int:
    """How many certificates of a statement have their document by now."""
    wanted = select(func.count()).select_from(Certificate).join(Certificate.retirement)
    return session.scalar(wanted.where(Retirement.bulk_id == statement.id, Certificate.drawn_at.is_not(None))) or 0


def undrawn(session: Session, limit: int) -> list[str]:
    """The numbers of certificates that wait for their document and can have it, oldest first.

    Their event is under a checkpoint. The earliest certificates have no event of their own and need none.
    """
    newest = checkpoints.newest(session)
    waiting = (
        select(Certificate.number)
        .outerjoin(LogLeaf, LogLeaf.event_id == Certificate.event_id)
        .where(Certificate.document_sha256.is_(None))
        .where(Certificate.event_id.is_(None) | (LogLeaf.position < (newest.size if newest else 0)))
        .order_by(Certificate.retirement_id)
    )
    return list(session.scalars(waiting.limit(limit)))

"""Documents besides the certificates: each says what was frozen when somebody asked for it, and that alone.

An event of the log carries the root over the facts, as a certificate's does; the document is drawn once that event is
under a signed checkpoint, carries the proof, and is signed last.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select, text, true, update
from sqlalchemy.orm import Session

from credits import ledger
from credits.certificates import account_facts, pdf, record_facts
from credits.certificates.account_facts import Days
from credits.certificates.inclusion import frozen_together
from credits.certificates.issuing import Issuer
from credits.certificates.models import Record, RecordKind, record_number
from credits.db import dialect_of
from credits.errors import Conflict, Missing
from credits.journal import checkpoints, events
from credits.journal.canonical import encode
from credits.journal.log_models import LogLeaf
from credits.participants.models import Language, Organisation, User
from credits.participants.permissions import is_auditor, is_issuer, may_see
from credits.registry.models import REGISTRY_CODE, Bulk, BulkKind, Issuance, Retirement, retirement_number
from credits.registry.movements import CertificateAnnotation, DecisionKind
from credits.registry.production import BatchState
from credits.registry.queries import digits_of, of_own


class NoSuchDocument(Missing):
    code = "no_such_document"


class NothingRetired(Conflict):
    """A statement of offers is no statement of retirements: each transfer is still to be accepted by itself."""

    code = "nothing_retired"


@dataclass(frozen=True)
class Asking:
    """By whom and when a document is asked for, and in which language it will speak."""

    issuer: Issuer
    language: Language
    by: User
    at: datetime

    def heading(self, schema: str, number: str, *, public: bool) -> dict[str, Any]:
        """How the facts of every document begin. public: its page is for everybody, else only the check of its file."""
        page = f"{self.issuer.url}/documents/{number}" if public else f"{self.issuer.url}/verify"
        return {
            "schema": schema,
            "language": self.language.value,
            "registry": {"code": REGISTRY_CODE} | self.issuer.told,
            "number": number,
            "verify_url": page,
            "asked_at": record_facts.told_moment(self.at),
        }


def of_bulk(session: Session, *, statement: Bulk, asking: Asking) -> Record:
    """The statement of a bulk retirement, frozen unless it was before in this language. Flushes.

    Raises NoSuchOrganisation, NothingRetired, Undrawable.
    """
    may_see(asking.by, statement.organisation)
    if statement.kind is not BulkKind.RETIREMENT:
        raise NothingRetired("Nothing was retired here: these are offers, which their recipients accept one by one.")
    # One at a time: the second one finds what the first one has frozen.
    session.execute(select(Bulk.id).where(Bulk.id == statement.id).with_for_update(key_share=True))
    wanted = select(Record).where(Record.bulk_id == statement.id, Record.language == asking.language)
    if earlier := session.scalars(wanted).one_or_none():
        return earlier
    made = Record(kind=RecordKind.BULK, organisation=statement.organisation, bulk=statement)
    return frozen(session, made, asking, False, lambda: record_facts.of_bulk(session, statement))


def of_issuance(session: Session, *, issuance: Issuance, asking: Asking) -> Record:
    """The certificate of an issuance, frozen unless it was before in this language; public. Flushes.

    What it says was written down with the issuance and is public: whoever has an account may ask for it.
    Raises Undrawable.
    """
    session.execute(select(Issuance.id).where(Issuance.id == issuance.id).with_for_update(key_share=True))
    wanted = select(Record).where(Record.issuance_id == issuance.id, Record.language == asking.language)
    if earlier := session.scalars(wanted).one_or_none():
        return earlier
    made = Record(kind=RecordKind.ISSUANCE, organisation=issuance.producer, issuance=issuance)
    url = asking.issuer.url
    return frozen(session, made, asking, True, lambda: record_facts.of_issuance(session, issuance, url))


def of_account(session: Session, *, holder: Organisation, days: Days, asking: Asking, key: str) -> Record:
    """What an organisation had, got and gave in these days, as of now. Private. Flushes.

    key: sent again, it gives the same statement. Raises NoSuchOrganisation, BadDays, TooManyMovements, Undrawable.
    """
    may_see(asking.by, holder)
    asked = {"act": "document.account", "holder": holder.number, "from": str(days.first), "to": str(days.last)}
    asked |= {"language": asking.language.value}
    if earlier := ledger.claim(session, caller=asking.by.number, key=key, request=asked):
        return session.get_one(Record, earlier["document"])
    made = Record(kind=RecordKind.ACCOUNT, organisation=holder)
    frozen(session, made, asking, False, lambda: account_facts.of_account(session, holder, days, asking.at))
    ledger.settle(session, {"document": made.id})
    return made


def frozen(
    session: Session, made: Record, asking: Asking, public: bool, told: Callable[[], tuple[str, dict[str, Any]]]
) -> Record:
    """Write a document's facts down for ever, with the event that stands behind them. Flushes. Raises Undrawable.

    told: the schema of its facts, and what they say besides the heading.
    """
    schema, content = told()
    made.id = next_id(session)
    facts = asking.heading(schema, record_number(made.id), public=public) | content
    pdf.must_be_drawable(facts)
    made.facts = encode(facts)
    root, (made.inclusion,) = frozen_together([made.facts])
    made.language, made.asked_by_id, made.asked_at = asking.language, asking.by.id, asking.at
    made.event_id = events.append(
        session,
        kind="certificate.frozen",
        subject=made.number,
        actor=asking.by.number,
        at=asking.at,
        facts={"root": root, "leaves": 1, "schema": schema},
    )
    session.add(made)
    session.flush()
    return made


def next_id(session: Session) -> int:
    """The id of the next document, known before its facts, which name it. Where SQLite writes, nobody else does."""
    if dialect_of(session) == "postgresql":
        return int(session.scalars(text("SELECT nextval(pg_get_serial_sequence('document', 'id'))")).one())
    return (session.scalar(select(func.max(Record.id))) or 0) + 1


def record_numbered(session: Session, number: str) -> Record:
    """The document with this number, for the registry's own work. Raises NoSuchDocument."""
    found = session.get(Record, digits_of(number, "ASMC-D-"))
    if found is None or found.number != number:
        raise NoSuchDocument("There is no such document.")
    return found


def record_for(session: Session, by: User | None, number: str) -> Record:
    """The document, if `by` may see it: of an issuance anybody; of private affairs its people and the registry.

    Raises NoSuchDocument.
    """
    found = record_numbered(session, number)
    if found.kind is RecordKind.ISSUANCE:
        return found
    if by is None or session.scalars(select(Record.id).where(Record.id == found.id, seen_by(by))).first() is None:
        raise NoSuchDocument("There is no such document.")
    return found


def seen_by(by: User) -> ColumnElement[bool]:
    """Condition: the document tells of an organisation whose affairs `by` may see."""
    if is_issuer(by) or is_auditor(by):
        return true()
    return Record.organisation_id.in_(select(Organisation.id).where(of_own(by)))


def records_of(by: User, kind: RecordKind | None) -> Select[Record]:
    """The documents that tell of affairs which `by` may see, newest first; of one kind, or of all."""
    wanted = select(Record).where(seen_by(by)).order_by(Record.id.desc())
    return wanted if kind is None else wanted.where(Record.kind == kind)


def records_of_bulk(session: Session, statement: Bulk) -> list[Record]:
    return list(session.scalars(select(Record).where(Record.bulk_id == statement.id).order_by(Record.id)))


def records_of_issuance(session: Session, issuance: Issuance) -> list[Record]:
    return list(session.scalars(select(Record).where(Record.issuance_id == issuance.id).order_by(Record.id)))


def accounts_of(session: Session, holder: Organisation, limit: int) -> list[Record]:
    """The newest account statements of an organisation."""
    wanted = select(Record).where(Record.organisation_id == holder.id, Record.kind == RecordKind.ACCOUNT)
    return list(session.scalars(wanted.order_by(Record.id.desc()).limit(limit)))


def annulled_in(session: Session, record: Record) -> list[str]:
    """The numbers of the certificates in a statement of retirements that were annulled since; the first hundred."""
    if record.bulk_id is None:
        return []
    wanted = select(CertificateAnnotation.retirement_id).join(
        Retirement, Retirement.id == CertificateAnnotation.retirement_id
    )
    wanted = wanted.where(Retirement.bulk_id == record.bulk_id, CertificateAnnotation.kind == DecisionKind.ANNULMENT)
    return [retirement_number(each) for each in session.scalars(wanted.order_by(Retirement.id).limit(100))]


def is_suspended(record: Record) -> bool:
    """Whether a document certifies an issuance that has been suspended since."""
    return record.issuance is not None and record.issuance.batch.state is BatchState.SUSPENDED


def status_told(session: Session, record: Record) -> dict[str, Any]:
    """What became since of what a document tells of, as plain values. annulled: the first hundred of what it lists."""
    annulled = annulled_in(session, record)
    return {
        "number": record.number,
        "status": "annulled_in_part" if annulled else "suspended" if is_suspended(record) else "unchanged",
        "annulled": annulled,
        "facts_sha256": sha256(record.facts).hexdigest(),
        "document_sha256": record.document_sha256,
    }


def keep_document(session: Session, *, number: str, sha256: str, at: datetime) -> None:
    """Note which file is the document, unless one was noted before: the first one stays. Flushes."""
    session.execute(
        update(Record)
        .where(Record.id == digits_of(number, "ASMC-D-"), Record.document_sha256.is_(None))
        .values(document_sha256=sha256, drawn_at=at.astimezone(UTC))
    )


def undrawn(session: Session, limit: int) -> list[str]:
    """The numbers of documents that wait for their file and can have it, oldest first."""
    newest = checkpoints.newest(session)
    waiting = (
        select(Record.id)
        .join(LogLeaf, LogLeaf.event_id == Record.event_id)
        .where(Record.document_sha256.is_(None), LogLeaf.position < (newest.size if newest else 0))
        .order_by(Record.id)
    )
    return [record_number(each) for each in session.scalars(waiting.limit(limit))]

"""The verification statement: what a lead verifier confirmed, frozen at once, drawn and signed once, kept for ever."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from credits.certificates import pdf, signing
from credits.certificates.issuing import Issuer
from credits.certificates.models import VerificationStatement
from credits.errors import Missing
from credits.files import Files
from credits.journal import events
from credits.journal.canonical import encode
from credits.journal.merkle import leaf_hash
from credits.journal.models import Event
from credits.participants.models import Language, User
from credits.registry.assurance.assessed import plan_of
from credits.registry.doubts import plausibility, screening_questions
from credits.registry.making.reckoning import reckon
from credits.registry.models import REGISTRY_CODE
from credits.registry.production import Batch
from credits.registry.queries import batches_of
from credits.registry.reviews.review_threads import threads_of

SCHEMA = "asmc-verification-statement-1"
PUBLIC_STATES = ("issued", "suspended")


class NoSuchStatement(Missing):
    code = "no_such_statement"


def number_of(batch: Batch) -> str:
    """The public number of a batch's statement: ASMC-V-000007."""
    return f"{REGISTRY_CODE}-V-{batch.id:06d}"


def freeze(session: Session, *, batch: Batch, issuer: Issuer, language: Language) -> VerificationStatement:
    """Write down for ever what is confirmed about a batch. Flushes; call it before the verification's commit.

    language: in which the document will speak. Raises pdf.Undrawable, naming the letters.
    """
    earlier = session.get(VerificationStatement, batch.id)
    if earlier is not None:
        return earlier
    facts = facts_of(session, batch, issuer)
    pdf.must_be_drawable(facts)
    made = VerificationStatement(batch=batch, number=number_of(batch), language=language, facts=encode(facts))
    session.add(made)
    session.flush()
    return made


def facts_of(session: Session, batch: Batch, issuer: Issuer) -> dict[str, Any]:
    """All that the statement says, as plain values. No exact position, and of people only who verified."""
    assurance, lead = batch.assurance, batch.verified_by
    assert assurance is not None
    assert lead is not None
    assert batch.verified_at is not None
    site, producer = batch.site, batch.site.producer
    number = number_of(batch)
    visit = None
    if assurance.visited_from is not None:
        visit = {"from": str(assurance.visited_from), "to": str(assurance.visited_to)}
    return {
        "schema": SCHEMA,
        "registry": {"code": REGISTRY_CODE, "name": issuer.name, "url": issuer.url},
        "number": number,
        "url": f"{issuer.url}/verifications/{number}",
        "verified_at": batch.verified_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "batch": batch.number,
        "mineral": {"code": batch.mineral_code, "name": batch.mineral.name, "form": batch.form},
        "production": {"from": str(batch.produced_from), "to": str(batch.produced_to)},
        "vintage": batch.vintage,
        "arithmetic": arithmetic_of(batch),
        "plausible": plausible_of(session, batch),
        "work": {"miners": batch.miners, "days": batch.days_worked},
        "producer": {
            "name": producer.name,
            "number": producer.number,
            "group": producer.group_manager.name if producer.group_manager else None,
            "country": producer.country,
        },
        "site": {
            "name": site.name,
            "code": f"{site.country}-{site.code}",
            "district": f"{site.district}, {site.province}",
            "country": site.country,
        },
        "verifier": {"name": lead.organisation.name, "number": lead.organisation.number, "lead": lead.name},
        "assurance": {
            "standard": assurance.standard,
            "version": assurance.version,
            "level": assurance.level,
            "visit": visit,
            "remote_reason": assurance.remote_reason or None,
            "valid": {"from": str(assurance.valid_from), "to": str(assurance.valid_to)},
        },
        "looked_into": looked_into(session, batch),
        "findings": plan_of(session, site),
        "independence": batch.independence or "",
        "opinion": opinion_of(batch),
        "papers": [paper.sha256 for paper in batch.evidence],
        "proof": {"leaf": leaf_of(session, batch), "url": f"{issuer.url}/verifications/{number}.tlog-proof"},
    }


def arithmetic_of(batch: Batch) -> dict[str, Any]:
    """The figures of a batch, exact, as people write them."""
    figures, mineral = reckon(batch), batch.mineral
    return {
        "per_thousand": mineral.per_thousand,
        "gross": figures.gross,
        "moisture": figures.moisture,
        "dry": figures.dry,
        "grade": figures.grade,
        "substance": mineral.contained,
        "contained": f"{figures.contained} {mineral.base_unit}",
        "whole": mineral.quantity(figures.whole),
        "deducted": mineral.quantity(figures.deducted),
        "at_most": mineral.quantity(figures.at_most),
        "credits": mineral.in_credits(figures.at_most),
        "credit": mineral.credit,
    }


def plausible_of(session: Session, batch: Batch) -> dict[str, Any]:
    """The ceiling that the quantity was held against, and whether two administrators let it through above."""
    found = plausibility.of_batch(session, batch)
    lowest = found.lowest
    return {
        "ceiling": batch.mineral.quantity(found.ceiling) if found.ceiling is not None else None,
        "bound": lowest.name.value if lowest else None,
        "let_through": bool(found.exceeded),
    }


def looked_into(session: Session, batch: Batch) -> dict[str, Any]:
    """What stood behind the opinion, in numbers: papers, questions of the data, questions to the producer."""
    return {
        "papers": len(batch.evidence),
        "questions_of_data": len(screening_questions.questions_of(session, batch)),
        "questions_to_producer": len(threads_of(session, batch)),
    }


def opinion_of(batch: Batch) -> str:
    """The lead's own words with the decision."""
    said = [each.text for each in batch.remarks if each.kind.value == "decision" and each.made_at == batch.verified_at]
    return said[-1] if said else ""


def leaf_of(session: Session, batch: Batch) -> str:
    """The hash under which the log holds the event of the verification, hexadecimal."""
    return leaf_hash(bytes(event_of(session, batch).body)).hex()


def event_of(session: Session, batch: Batch) -> Event:
    """The event of the verification."""
    told = [event for event in events.story(session, batch.number) if event.kind == "batch.verified"]
    return told[-1]


def statement_numbered(session: Session, number: str) -> VerificationStatement:
    """The statement with this number, for the registry's own work. Raises NoSuchStatement."""
    found = session.scalars(select(VerificationStatement).where(VerificationStatement.number == number)).one_or_none()
    if found is None:
        raise NoSuchStatement("There is no such verification statement.")
    return found


def statement_for(session: Session, by: User | None, number: str) -> VerificationStatement:
    """The statement, public once credits were issued of its batch, before that for the parties alone.

    Raises NoSuchStatement.
    """
    found = statement_numbered(session, number)
    if found.batch.state.value in PUBLIC_STATES:
        return found
    if by is None or session.scalars(batches_of(by).where(Batch.id == found.batch_id)).one_or_none() is None:
        raise NoSuchStatement("There is no such verification statement.")
    return found


def statement_of(session: Session, batch: Batch) -> VerificationStatement | None:
    """The statement about a batch, if there is one."""
    return session.get(VerificationStatement, batch.id)


def drawn(
    statement: VerificationStatement,
    files: Files,
    *,
    seal: signing.Seal,
    translate: Callable[[str], str],
    at: datetime,
) -> str:
    """Draw and sign the document from the frozen facts, keep the file and return its SHA-256. Touches no database.

    seal: the registry's key; at: the time of the signature. Both enter the bytes, which are therefore kept.
    """
    facts = facts_in(statement) | {"language": statement.language.value, "fingerprint": seal.fingerprint}
    document = pdf.draw(facts, document="verification", translate=translate)
    return files.keep(signing.signed(document, seal, reason=translate("Verification statement"), at=at))


def keep_document(session: Session, *, number: str, sha256: str, at: datetime) -> None:
    """Note which document is the statement's, unless one was noted before: the first one stays. Flushes."""
    session.execute(
        update(VerificationStatement)
        .where(VerificationStatement.number == number, VerificationStatement.document_sha256.is_(None))
        .values(document_sha256=sha256, drawn_at=at)
    )


def facts_in(statement: VerificationStatement) -> dict[str, Any]:
    """The frozen facts, read from their exact bytes."""
    facts: dict[str, Any] = json.loads(statement.facts)
    return facts


def keeps(session: Session, sha256: str) -> bool:
    """Whether this very file is the document of a statement."""
    wanted = select(VerificationStatement.batch_id).where(VerificationStatement.document_sha256 == sha256)
    return session.scalars(wanted.limit(1)).first() is not None


def undrawn(session: Session, limit: int) -> list[VerificationStatement]:
    """Statements that wait for their document, oldest first."""
    waiting = select(VerificationStatement).where(VerificationStatement.document_sha256.is_(None))
    return list(session.scalars(waiting.order_by(VerificationStatement.batch_id).limit(limit)))

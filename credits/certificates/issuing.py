"""A certificate's facts are frozen in the retirement's own transaction; its document is drawn once from them."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from credits.certificates import claims, pdf
from credits.certificates.models import Certificate
from credits.errors import Missing
from credits.files import Files
from credits.journal.canonical import encode
from credits.participants.countries import name_of
from credits.registry.models import REGISTRY_CODE, Bulk, Retirement
from credits.registry.retirement import serials_of
from credits.registry.statements import retirements_in

SCHEMA = "asmc-retirement-certificate-1"


class NoSuchCertificate(Missing):
    code = "no_such_certificate"


@dataclass(frozen=True)
class Issuer:
    """The registry as its certificates name it. url: its public address without a slash at the end."""

    name: str
    url: str

    def certificate_url(self, number: str) -> str:
        return f"{self.url}/certificates/{number}"


def freeze(session: Session, *, retirement: Retirement, issuer: Issuer) -> Certificate:
    """Write down for ever what the certificate of `retirement` says. Flushes; call it before the retirement's commit.

    Raises pdf.Undrawable, naming the letters.
    """
    earlier = session.get(Certificate, retirement.id)
    if earlier is not None:
        return earlier
    facts = facts_of(retirement, issuer, serials_of(session, retirement))
    pdf.must_be_drawable(facts)
    certificate = Certificate(retirement=retirement, number=retirement.number, facts=encode(facts))
    session.add(certificate)
    session.flush()
    return certificate


def freeze_all(session: Session, *, statement: Bulk, issuer: Issuer) -> None:
    """Write down for ever what the certificates of all retirements of a statement say. Flushes, as `freeze` does.

    Raises Undrawable, naming the line.
    """
    if session.scalars(
        select(Certificate).join(Certificate.retirement).where(Retirement.bulk_id == statement.id)
    ).first():
        return
    rows = []
    for number, (retirement, serials) in enumerate(retirements_in(session, statement), 1):
        facts = facts_of(retirement, issuer, serials)
        try:
            pdf.must_be_drawable(facts)
        except pdf.Undrawable as refusal:
            raise pdf.Undrawable(f"Line {number}: {refusal.message}", **refusal.detail | {"line": number}) from None
        rows.append({"retirement_id": retirement.id, "number": retirement.number, "facts": encode(facts)})
    session.execute(insert(Certificate), rows)


def facts_of(retirement: Retirement, issuer: Issuer, serials: list[str]) -> dict[str, Any]:
    """All that the certificate says, as plain values."""
    issuance, mineral = retirement.issuance, retirement.issuance.mineral
    origin = issuance.facts
    years = sorted({str(retirement.claim_from.year), str(retirement.claim_to.year)})
    return {
        "schema": SCHEMA,
        "registry": {"code": REGISTRY_CODE, "name": issuer.name, "url": issuer.url},
        "number": retirement.number,
        "verify_url": issuer.certificate_url(retirement.number),
        "retired_at": retirement.retired_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "status": "retired",
        "account": {
            "name": retirement.holder.name,
            "number": retirement.holder.number,
            "country": retirement.holder.country,
        },
        "beneficiary": {
            "name": retirement.beneficiary,
            "country": retirement.beneficiary_country,
            "identifier": retirement.beneficiary_identifier,
        },
        "purpose": retirement.purpose,
        "claim_period": {"from": str(retirement.claim_from), "to": str(retirement.claim_to)},
        "mineral": {
            "code": mineral.code,
            "name": mineral.name,
            "credit": mineral.credit,
            "base_unit": mineral.base_unit,
        },
        "credits": mineral.in_credits(retirement.quantity),
        "quantity_base_units": retirement.quantity,
        "quantity": mineral.quantity(retirement.quantity),
        "basis": mineral.basis,
        "origins": [in_brief(origin) | {"issuance": issuance.number, "serials": serials}],
        "premium": None,
        "claim": {
            "text": claims.sentence(
                year="/".join(years),
                company=retirement.beneficiary,
                mineral=mineral,
                cooperative=origin["producer"]["cooperative"],
                country=name_of(origin["producer"]["country"]),
                base_units=retirement.quantity,
            ),
            "limits": list(claims.LIMITS),
        },
        "transferable": False,
    }


def in_brief(origin: dict[str, Any]) -> dict[str, Any]:
    """What serials stand for, with the improvement plan as its points and last day: in full it stands by the issuance.

    The earliest issuances have kept no plan.
    """
    assurance = origin["assurance"]
    if "plan" not in assurance:
        return origin
    days = [point["due"] for point in assurance["plan"]]
    return origin | {"assurance": assurance | {"plan": {"points": len(days), "last_due": max(days, default=None)}}}


def certificate_numbered(session: Session, number: str) -> Certificate:
    """The certificate with this number; public. Raises NoSuchCertificate."""
    certificate = session.scalars(select(Certificate).where(Certificate.number == number)).one_or_none()
    if certificate is None:
        raise NoSuchCertificate("There is no such certificate.")
    return certificate


def drawn(certificate: Certificate, files: Files) -> str:
    """Draw the document from the frozen facts, keep the file and return its SHA-256. Touches no database."""
    return files.keep(pdf.draw(facts_in(certificate)))


def keep_document(session: Session, *, number: str, sha256: str, at: datetime) -> None:
    """Note which document is the certificate's, unless one was noted before: the first one stays. Flushes."""
    session.execute(
        update(Certificate)
        .where(Certificate.number == number, Certificate.document_sha256.is_(None))
        .values(document_sha256=sha256, drawn_at=at)
    )


def facts_in(certificate: Certificate) -> dict[str, Any]:
    """The frozen facts, read from their exact bytes."""
    facts: dict[str, Any] = json.loads(certificate.facts)
    return facts


def undrawn(session: Session, limit: int) -> list[Certificate]:
    """Certificates that wait for their document, oldest first."""
    waiting = select(Certificate).where(Certificate.document_sha256.is_(None)).order_by(Certificate.retirement_id)
    return list(session.scalars(waiting.limit(limit)))

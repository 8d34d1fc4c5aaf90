"""What a statement of a bulk retirement and a certificate of issuance say, as plain values."""

import json
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from credits.certificates.facts import in_brief, mineral_told
from credits.certificates.kinds import BULK_SCHEMA, ISSUANCE_SCHEMA
from credits.certificates.models import Certificate, VerificationStatement
from credits.journal.merkle import leaf_hash
from credits.journal.models import Event
from credits.ledger.models import Posting
from credits.ledger.serials import SerialRange, written
from credits.participants.models import Organisation
from credits.registry.minerals import MINERALS
from credits.registry.models import Bulk, Issuance, Retirement


def of_bulk(session: Session, statement: Bulk) -> tuple[str, dict[str, Any]]:
    """Every certificate of a bulk retirement in brief, with its own fingerprint, and the sums."""
    wanted = select(Certificate.facts).join(Certificate.retirement).where(Retirement.bulk_id == statement.id)
    lines = []
    for frozen in session.scalars(wanted.order_by(Retirement.id)):
        facts = json.loads(frozen)
        lines.append(
            {
                "number": facts["number"],
                "facts_sha256": sha256(frozen).hexdigest(),
                "beneficiary": facts["beneficiary"],
                "claim_period": facts["claim_period"],
                "mineral": facts["mineral"]["code"],
                "credits": facts["credits"],
                "quantity_base_units": facts["quantity_base_units"],
                "serials": [serial for origin in facts["origins"] for serial in origin["serials"]],
            }
        )
    return BULK_SCHEMA, {
        "bulk": {
            "number": statement.number,
            "retired_at": told_moment(statement.made_at),
            "lines": statement.lines,
            "lines_sha256": statement.lines_sha256,
        },
        "account": organisation_told(statement.organisation),
        "certificates": lines,
        "totals": totals_of(lines),
        "beneficiaries": beneficiaries_of(lines),
    }


def totals_of(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the lines come to, mineral by mineral."""
    sums: dict[str, list[int]] = {}
    for line in lines:
        sums.setdefault(line["mineral"], []).append(line["quantity_base_units"])
    return [amount_told(code, sum(sums[code])) | {"certificates": len(sums[code])} for code in sorted(sums)]


def beneficiaries_of(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the lines come to for each beneficiary and mineral, in the order in which the lines name them."""
    sums: dict[tuple[str, str, str, str], list[int]] = {}
    for line in lines:
        named = line["beneficiary"]
        key = (named["name"], named["country"], named["identifier"], line["mineral"])
        sums.setdefault(key, []).append(line["quantity_base_units"])
    return [
        {"name": name, "country": country, "identifier": identifier, "certificates": len(parts)}
        | amount_told(code, sum(parts))
        for (name, country, identifier, code), parts in sums.items()
    ]


def of_issuance(session: Session, issuance: Issuance, url: str) -> tuple[str, dict[str, Any]]:
    """What was issued, of which production, and on whose word; all of it as it was on that day."""
    mineral = issuance.mineral
    statement = session.get(VerificationStatement, issuance.batch_id)
    amount = amount_told(mineral.code, issuance.quantity)
    event = session.get_one(Event, session.get_one(Posting, issuance.posting_id).event_id)
    return ISSUANCE_SCHEMA, {
        "issuance": issuance.number,
        "issued_at": told_moment(issuance.issued_at),
        "batch": issuance.batch.number,
        "producer": {
            "name": issuance.facts["producer"]["cooperative"],
            "number": issuance.producer.number,
            "country": issuance.facts["producer"]["country"],
        },
        "mineral": mineral_told(mineral.code),
        "credits": amount["credits"],
        "quantity_base_units": issuance.quantity,
        "quantity": mineral.quantity(issuance.quantity),
        "serials": written(issuance.number, SerialRange(1, issuance.quantity)),
        "origin": in_brief(issuance.facts),
        "verification_statement": statement.number if statement else None,
        "totals": [amount],
        "proof": {
            "leaf": leaf_hash(bytes(event.body)).hex(),
            "url": f"{url}/issuances/{issuance.number}.tlog-proof",
        },
    }


def amount_told(code: str, base_units: int) -> dict[str, Any]:
    """So much of a mineral, in credits and base units."""
    return {
        "mineral": mineral_told(code),
        "credits": MINERALS[code].in_credits(base_units),
        "quantity_base_units": base_units,
    }


def organisation_told(organisation: Organisation) -> dict[str, Any]:
    return {"name": organisation.name, "number": organisation.number, "country": organisation.country}


def told_moment(at: datetime) -> str:
    """A time as facts say it: in UTC, to the second."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

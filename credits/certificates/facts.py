"""What a certificate of retirement says, as plain values: frozen with the retirement, printed and attached later."""

import json
from datetime import UTC
from typing import Any

from credits.certificates.wording import Words, words_of
from credits.participants.models import Language
from credits.registry.minerals import MINERALS
from credits.registry.models import REGISTRY_CODE, Retirement

SCHEMA = "asmc-retirement-certificate-2"
FIRST_SCHEMA = "asmc-retirement-certificate-1"  # without language and event; such certificates stay as they are


def facts_of(
    retirement: Retirement,
    *,
    registry: dict[str, str],
    verify_url: str,
    serials: list[str],
    premium: dict[str, Any] | None,
    language: Language,
) -> dict[str, Any]:
    """All that the certificate says.

    registry: its name and url; serials: every range, as it is written; premium: what was paid, where that is public.
    """
    issuance, mineral = retirement.issuance, retirement.issuance.mineral
    origin, words = issuance.facts, words_of(language.value)
    return {
        "schema": SCHEMA,
        "language": language.value,
        "registry": {"code": REGISTRY_CODE} | registry,
        "number": retirement.number,
        "statement": f"BULK-{retirement.bulk_id:06d}" if retirement.bulk_id else None,
        "verify_url": verify_url,
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
        "mineral": mineral_told(mineral.code),
        "credits": mineral.in_credits(retirement.quantity),
        "quantity_base_units": retirement.quantity,
        "quantity": mineral.quantity(retirement.quantity),
        "basis": mineral.basis,
        "surplus": surplus_of(retirement),
        "origins": [in_brief(origin) | {"issuance": issuance.number, "serials": serials}],
        "premium": premium,
        "claim": {"text": claim_text(retirement, words), "limits": list(words.texts["claim"]["limits"])},
        "transferable": False,
    }


def surplus_of(retirement: Retirement) -> int | None:
    """Its base units beyond the declared use; None where no use was declared."""
    counted = retirement.use
    return counted.surplus if counted is not None and counted.declared is not None else None


def mineral_told(code: str) -> dict[str, Any]:
    """A mineral with its units, by which the figures of a document are read."""
    mineral = MINERALS[code]
    return {
        "code": mineral.code,
        "name": mineral.name,
        "contained": mineral.contained,
        "per_thousand": mineral.per_thousand,
        "credit": mineral.credit,
        "base_unit": mineral.base_unit,
        "units_per_credit": mineral.units_per_credit,
    }


def claim_text(retirement: Retirement, words: Words) -> str:
    """The sentence that the beneficiary may say, in the language of the certificate."""
    mineral, producer = retirement.issuance.mineral, retirement.issuance.facts["producer"]
    return words.claim(
        year="/".join(sorted({str(retirement.claim_from.year), str(retirement.claim_to.year)})),
        company=retirement.beneficiary,
        mineral=mineral.code,
        cooperative=producer["cooperative"],
        country=words.country(producer["country"]),
        number=mineral.in_credits(retirement.quantity),
        quantity=words.quantity(retirement.quantity, mineral.base_unit),
    )


def in_brief(origin: dict[str, Any]) -> dict[str, Any]:
    """What serials stand for, with the improvement plan as its points and last day: in full it stands by the issuance.

    The earliest issuances have kept no plan.
    """
    assurance = origin["assurance"]
    if "plan" not in assurance:
        return origin
    days = [point["due"] for point in assurance["plan"]]
    return origin | {"assurance": assurance | {"plan": {"points": len(days), "last_due": max(days, default=None)}}}


def read(frozen: bytes) -> dict[str, Any]:
    """The facts in their exact bytes, with what the first schema left out and every certificate needs to be drawn."""
    facts: dict[str, Any] = json.loads(frozen)
    if facts["schema"] == FIRST_SCHEMA:
        facts |= {"language": Language.EN.value, "statement": None}
        facts["mineral"] = mineral_told(facts["mineral"]["code"]) | facts["mineral"]
    return facts

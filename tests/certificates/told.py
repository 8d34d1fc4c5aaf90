"""What a certificate tells: the facts of one retirement, whole, which a test bends."""

from copy import deepcopy
from typing import Any

FACTS: dict[str, Any] = {
    "schema": "asmc-retirement-certificate-2",
    "language": "en",
    "statement": None,
    "registry": {"code": "ASMC", "name": "ASM Credits Registry", "url": "https://registry.example"},
    "number": "ASMC-R-000017",
    "verify_url": "https://registry.example/certificates/ASMC-R-000017",
    "retired_at": "2026-11-22T06:00:00Z",
    "status": "retired",
    "account": {"name": "Volta Trading SA", "number": "ASMC-A-000031", "country": "CHE"},
    "beneficiary": {"name": "Volta Batteries GmbH", "country": "DEU", "identifier": "HRB 204812 B"},
    "purpose": "Traction batteries, model year 2026",
    "claim_period": {"from": "2026-01-01", "to": "2026-12-31"},
    "mineral": {
        "code": "CO",
        "name": "cobalt",
        "contained": "Co",
        "per_thousand": False,
        "credit": "1 t",
        "base_unit": "kg",
        "units_per_credit": 1000,
    },
    "credits": "0.75",
    "quantity_base_units": 750,
    "quantity": "750 kg",
    "basis": "contained cobalt, dry weight × % Co",
    "origins": [
        {
            "serials": [
                "ASMC-CO-COD-KAM001-2026-0001-000000001-000000500-K",
                "ASMC-CO-COD-KAM001-2026-0001-000001501-000001750-7",
            ],
            "producer": {
                "cooperative": "Coopérative Kilima",
                "group": "Groupe du Lualaba",
                "site_name": "Kamilombe",
                "site_code": "KAM001",
                "district": "Kolwezi",
                "country": "COD",
            },
            "production": {"from": "2026-07-01", "to": "2026-09-30"},
            "vintage": 2026,
            "assurance": {
                "standard": "CRAFT Code",
                "version": "2.1",
                "level": "progressing",
                "verifier": "Vérification Indépendante SARL",
                "visit": {"from": "2026-10-05", "to": "2026-10-08"},
                "remote_reason": None,
                "valid_from": "2026-06-01",
                "valid_until": "2027-05-31",
            },
            "conflict_affected": {"flag": "yes", "source": "IPIS", "date": "2026-05-01"},
        }
    ],
    "premium": {"to_site": "USD 3,750.00", "verification": "USD 187.50", "fee": "USD 312.50", "quantity": "750 kg"},
    "claim": {
        "text": "In 2026, Volta Batteries GmbH supported responsible artisanal cobalt mining.",
        "limits": ["The cobalt in our products is not physically traced to this site."],
    },
    "transferable": False,
}


def told_facts(**bent: Any) -> dict[str, Any]:
    return deepcopy(FACTS) | bent

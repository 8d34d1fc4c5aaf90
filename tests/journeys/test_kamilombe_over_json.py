"""The whole way of 2,500 kg of cobalt again, by programs alone: real HTTP, bearer tokens, idempotency keys."""

import json
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import quote

from flask import Flask
from sqlalchemy.orm import Session

from credits.participants.models import User
from tests.batch_stage import ALL_MET
from tests.documents import worked
from tests.factories import ApiTokenFactory
from tests.journeys.conftest import Cast, days_ago

BOUNDARY = "of-the-evidence"


@dataclass
class Program:
    """A program that acts for one person: `send` gives the status and the JSON answer."""

    base: str
    secret: str | None = None
    numbers: Any = field(default_factory=lambda: count(1))

    def get(self, path: str) -> Any:
        status, answer = self.send("GET", path)
        assert status == 200, answer
        return answer

    def post(self, path: str, /, **asked: Any) -> Any:
        status, answer = self.send("POST", path, json.dumps(asked).encode(), "application/json")
        assert status in (200, 201), answer
        return answer

    def attach(self, path: str, kind: str) -> Any:
        parts = [
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="kind"\r\n\r\n{kind}\r\n',
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="reference"\r\n\r\n{kind}-17\r\n',
            (
                f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{kind}.csv"\r\n'
                f"Content-Type: text/csv\r\n\r\n{kind},kg\n2026,8000\n\r\n--{BOUNDARY}--\r\n"
            ),
        ]
        body = "".join(parts).encode()
        status, answer = self.send("POST", path, body, f"multipart/form-data; boundary={BOUNDARY}")
        assert status == 201, answer
        return answer

    def send(self, method: str, path: str, body: bytes | None = None, kind: str = "") -> tuple[int, Any]:
        request = urllib.request.Request(f"{self.base}/api/v1{path}", body, method=method)
        if self.secret:
            request.add_header("Authorization", f"Bearer {self.secret}")
        if body is not None:
            request.add_header("Content-Type", kind)
            request.add_header("Idempotency-Key", f"journey-{next(self.numbers)}")
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code, json.loads(refusal.read())


def test_from_the_site_to_the_certificate(registry: Flask, cast: Cast, session: Session) -> None:
    base = registry.config["PUBLIC_URL"]
    public = Program(base)

    def acting_for(user: User) -> Program:
        token = f"asmc_{user.id:043d}"
        ApiTokenFactory(user=user, secret=token)
        session.commit()
        return Program(base, token)

    coop, verifier, issuer, maker, second = (acting_for(user) for user in vars(cast).values())

    site = coop.post(
        "/sites",
        producer=cast.coop.organisation.number,
        name="Kamilombe",
        country="COD",
        province="Lualaba",
        district="Mutshatsha",
        latitude="-10.7537",
        longitude="25.3916",
        access="tolerated",
        concession_owner="Gécamines",
        method="underground",
        mercury="no",
        miners=820,
        conflict_affected="unknown",
    )["number"]
    assert coop.get(f"/sites/{site}/candidates")[0]["site"]["pcode"] == "codmine03715"
    licence = {"number": "PE-4711", "authority": "CAMI", "valid_from": days_ago(400), "valid_to": days_ago(-400)}
    coop.post(f"/sites/{site}/licences", **licence)

    batch = coop.post(
        "/batches",
        site=site,
        mineral="CO",
        form="ore",
        produced_from=days_ago(120),
        produced_to=days_ago(31),
        gross_kg="10000",
        moisture="20",
        grade="31.25",
        miners=820,
        days_worked=60,
    )
    number = batch["number"]
    assert batch["contained"] == 2_500
    for kind in ("scale_log", "assay"):
        coop.attach(f"/batches/{number}/evidence", kind)
    coop.post(f"/batches/{number}/submit")

    verifier.post(f"/batches/{number}/take")
    verifier.post(f"/batches/{number}/request-information", text="The invoice, please.")
    coop.attach(f"/batches/{number}/evidence", "sales_invoice")
    coop.post(f"/batches/{number}/answer", text="It is there now.")
    verifier.post(f"/batches/{number}/assessment", **ALL_MET)
    verifier.post(f"/batches/{number}/assessment/complete", next_due=days_ago(-365))
    verifier.post(
        f"/batches/{number}/verify",
        visited_from=days_ago(20),
        visited_to=days_ago(18),
        valid_from=days_ago(200),
        valid_to=days_ago(-165),
        opinion="All agrees.",
        revision=verifier.get(f"/batches/{number}")["revision"],
    )
    issuance = issuer.post("/issuances", batch=number)
    assert issuance["quantity"] == 2_500

    for buyer, user, quantity in ((maker, cast.maker, 1_500), (second, cast.second, 1_000)):
        offer = coop.post(
            "/transfers", issuance=issuance["number"], recipient=user.organisation.number, quantity=quantity
        )
        assert buyer.post(f"/transfers/{offer['number']}/accept")["state"] == "accepted"

    year = issuance["vintage"]
    retirement = maker.post(
        "/retirements",
        issuance=issuance["number"],
        quantity=750,
        beneficiary="Nordlicht Batteries AB",
        country="SWE",
        identifier="SE 556000-0001",
        purpose="Cells of model N1",
        claim_from=f"{year}-01-01",
        claim_to=f"{year}-12-31",
    )
    certificate = public.get(f"/certificates/{retirement['number']}")
    assert "0.75" in json.dumps(certificate)
    worked(registry, session)
    with urllib.request.urlopen(f"{base}/certificates/{retirement['number']}.pdf", timeout=60) as document:
        assert document.read(5) == b"%PDF-"

    places = public.get(f"/serials/{quote(issuance['serials'])}")["places"]
    assert [(place["quantity"], place["state"], place["holder"]["name"]) for place in places] == [
        (750, "retired", "Nordlicht Batteries"),
        (750, "available", "Nordlicht Batteries"),
        (1_000, "available", "Hikari Motors"),
    ]
    status, refusal = maker.send(
        "POST",
        "/transfers",
        json.dumps(
            {"issuance": issuance["number"], "recipient": cast.second.organisation.number, "quantity": 751}
        ).encode(),
        "application/json",
    )
    assert (status, refusal["code"]) == (409, "insufficient_balance")

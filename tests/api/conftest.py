"""Machines that talk to the API, each with a token of its own."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from io import BytesIO
from itertools import count
from typing import Any

import pytest

from credits.participants.models import Kind, RoleName
from credits.participants.tokens import MARK
from tests.batch_stage import ALL_MET
from tests.conftest import Visitor
from tests.factories import ApiTokenFactory, OrganisationFactory, UserFactory

PREFIX = "/api/v1"
PAPERS = ("scale_log", "assay", "sales_invoice")


@dataclass
class Machine:
    """A program with a token. Each change has a key of its own unless the test gives one."""

    client: Visitor
    secret: str = ""
    number: str = ""
    keys: Iterator[int] = field(default_factory=count)

    def get(self, path: str, **query: Any) -> Any:
        return self.send("GET", path, query_string=query or None)

    def post(self, path: str, body: Any = None, *, key: str | None = None, **more: Any) -> Any:
        if body is not None:
            more["json"] = body
        return self.send("POST", path, key=key, **more)

    def send(self, method: str, path: str, *, key: str | None = None, **more: Any) -> Any:
        headers = {"Authorization": f"Bearer {self.secret}"} if self.secret else {}
        if method == "POST":
            headers["Idempotency-Key"] = key if key is not None else f"key-{next(self.keys)}"
        headers |= more.pop("headers", {})
        return self.client.open(PREFIX + path, method=method, headers=headers, **more)

    def verify(self, batch: str, finding: dict[str, Any]) -> Any:
        """Confirm a batch as it is now."""
        revision = self.get(f"/batches/{batch}").json.get("revision", "?")
        return self.post(f"/batches/{batch}/verify", finding | {"revision": revision})

    def paper(self, batch: str, kind: str, content: bytes | None = None, **more: Any) -> Any:
        content = f"{batch},{kind}\n1,2\n".encode() if content is None else content
        form = {"kind": kind, "file": (BytesIO(content), f"{kind}.csv")}
        return self.post(f"/batches/{batch}/evidence", data=form | more, content_type="multipart/form-data")


@pytest.fixture
def stranger(client) -> Machine:
    return Machine(client)


@pytest.fixture
def machine(client):
    """Makes a machine of a new organisation of this kind, or of `organisation`."""

    def made(kind: Kind = Kind.COOPERATIVE, may: list[RoleName] | None = None, **of: Any) -> Machine:
        organisation = of.get("organisation") or OrganisationFactory(kind=kind)
        user = UserFactory(organisation=organisation, may=may)
        secret = f"{MARK}{user.id:043d}"
        ApiTokenFactory(user=user, secret=secret)
        return Machine(client, secret, organisation.number)

    return made


@pytest.fixture
def cooperative(machine) -> Machine:
    return machine()


@pytest.fixture
def verifier(machine) -> Machine:
    return machine(Kind.VERIFIER)


@pytest.fixture
def issuer(machine) -> Machine:
    return machine(Kind.REGISTRY)


@pytest.fixture
def maker(machine) -> Machine:
    return machine(Kind.MANUFACTURER)


def day(back: int) -> str:
    return str(date.today() - timedelta(days=back))


@pytest.fixture
def site() -> dict[str, Any]:
    return {
        "name": "Kamilombe",
        "country": "COD",
        "province": "Lualaba",
        "district": "Kolwezi",
        "latitude": "-10.7164",
        "longitude": "25.4667",
        "access": "tolerated",
        "concession_owner": "State mining company",
        "method": "underground",
        "mercury": "no",
        "miners": 820,
        "conflict_affected": "unknown",
    }


@pytest.fixture
def licence() -> dict[str, str]:
    return {"number": "LIC-1", "authority": "Cadastre minier", "valid_from": day(700), "valid_to": day(-700)}


@pytest.fixture
def batch() -> dict[str, Any]:
    """10 t of hydroxide, a fifth of it water, 31.25 per cent cobalt: 2,500 kg."""
    return {
        "site": "COD-KAM001",
        "mineral": "CO",
        "form": "hydroxide",
        "produced_from": day(120),
        "produced_to": day(31),
        "gross_kg": "10000",
        "moisture": "20",
        "grade": "31.25",
        "miners": 820,
        "days_worked": 75,
        "sold_to": "Depot 7",
    }


@pytest.fixture
def finding() -> dict[str, Any]:
    return {
        "visited_from": day(25),
        "visited_to": day(22),
        "valid_from": day(365),
        "valid_to": day(-365),
        "opinion": "Weights, assay and sales agree.",
    }


@pytest.fixture
def assess(verifier) -> Callable[[str], None]:
    """Assess the site of a batch in the verifier's review: all is met."""

    def done(number: str) -> None:
        assert verifier.post(f"/batches/{number}/assessment", ALL_MET).json["missing"] == []
        completed = verifier.post(f"/batches/{number}/assessment/complete", {"next_due": day(-365)})
        assert completed.json["level_number"] == 6

    return done


@pytest.fixture
def claim(batch) -> dict[str, Any]:
    year = batch["produced_to"][:4]
    return {
        "quantity": 750,
        "beneficiary": "Nordlicht Batteries AB",
        "country": "SWE",
        "identifier": "SE 556000-0001",
        "purpose": "Cobalt in the cells of model N1",
        "claim_from": f"{year}-01-01",
        "claim_to": f"{year}-12-31",
    }


@pytest.fixture
def submitted(cooperative, verifier, site, licence, batch) -> str:
    """The number of a batch that waits for its verifier: the only one there is, so the lot falls on it."""
    assert cooperative.post("/sites", site).status_code == 201
    assert cooperative.post("/sites/COD-KAM001/licences", licence).status_code == 201
    number = cooperative.post("/batches", batch).json["number"]
    for kind in PAPERS:
        assert cooperative.paper(number, kind).status_code == 201
    assert cooperative.post(f"/batches/{number}/submit").status_code == 200
    return number


@pytest.fixture
def issuance(submitted, verifier, issuer, finding, assess) -> str:
    """The number of an issuance of 2,500 kg of cobalt that the cooperative holds."""
    assert verifier.post(f"/batches/{submitted}/take").status_code == 200
    assess(submitted)
    assert verifier.verify(submitted, finding).status_code == 200
    return issuer.post("/issuances", {"batch": submitted}).json["number"]

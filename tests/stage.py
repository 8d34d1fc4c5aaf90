"""People and papers for the rules: a producer, a verifier, an issuer, two buyers, and a batch at each stage."""

from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from config import ROOT
from credits.files import Files
from credits.participants.models import Kind, Organisation, RoleName, User
from credits.registry import batches, evidence, issuance, policy, retirement, sites, transfer, verification
from credits.registry.batches import Production
from credits.registry.models import Issuance, Retirement, Transfer
from credits.registry.policy import Policy
from credits.registry.production import Access, Answer, Batch, EvidenceKind, Method, Site
from credits.registry.retirement import Claim
from credits.registry.sites import SiteFacts
from credits.registry.verification import Finding
from tests.factories import AT, UserFactory

FACTS = SiteFacts(
    name="Kamilombe",
    country="COD",
    province="Lualaba",
    district="Kolwezi",
    latitude="-10.7164",
    longitude="25.4667",
    access=Access.TOLERATED,
    concession_owner="State mining company",
    method=Method.UNDERGROUND,
    mercury=Answer.NO,
    miners=800,
    conflict_affected=Answer.UNKNOWN,
    conflict_source="",
    conflict_checked_on=None,
)
COBALT = Production(
    mineral_code="CO",
    form="ore",
    produced_from=date(2026, 4, 1),
    produced_to=date(2026, 5, 31),
    gross_kg="10000",
    moisture="20",
    grade="31.25",
    miners=800,
    days_worked=50,
    sold_to="Depot",
    sold_with_premium=0,
    registered_elsewhere=0,
)
FINDING = Finding(
    standard="CRAFT Code",
    version="2.0",
    level="Module 4: progressing",
    visited_from=date(2026, 6, 1),
    visited_to=date(2026, 6, 3),
    remote_reason="",
    valid_from=date(2026, 1, 1),
    valid_to=date(2026, 12, 31),
    independence="No interest in producer, site or buyers.",
    opinion="Weights and assay agree with the visit.",
)
CLAIM = Claim(
    beneficiary="Nordlicht Batteries AB",
    country="SWE",
    identifier="SE 556000-0001",
    purpose="Cells of model N1",
    claim_from=date(2026, 1, 1),
    claim_to=date(2026, 12, 31),
)


@dataclass
class Stage:
    """A registry with its people on it, and the steps of a batch's way as one call each."""

    session: Session
    files: Files
    policy: Policy
    at: datetime = AT
    numbers: Any = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.manager: User = UserFactory(kind=Kind.COOPERATIVE)
        self.coop: Organisation = self.manager.organisation
        self.clerk: User = UserFactory(organisation=self.coop, may=[RoleName.CLERK])
        self.lead: User = UserFactory(kind=Kind.VERIFIER)
        self.issuer: User = UserFactory(kind=Kind.REGISTRY)
        self.buyer: User = UserFactory(kind=Kind.MANUFACTURER)
        self.second: User = UserFactory(kind=Kind.MANUFACTURER)

    def key(self) -> str:
        return f"key-{next(self.numbers)}"

    def site(self, **bent: Any) -> Site:
        facts = SiteFacts(**vars(FACTS) | bent)
        site = sites.register(
            self.session, producer=self.coop, facts=facts, by=self.manager, key=self.key(), at=self.at
        )
        self.licence(site, date(2025, 1, 1), date(2027, 12, 31))
        return site

    def licence(self, site: Site, first: date, last: date) -> None:
        sites.add_licence(
            self.session,
            site=site,
            number=f"LIC-{next(self.numbers)}",
            authority="Ministry of Mines",
            valid_from=first,
            valid_to=last,
            by=self.manager,
            key=self.key(),
            at=self.at,
        )

    def draft(self, site: Site | None = None, **bent: Any) -> Batch:
        return batches.draft(
            self.session,
            site=site or self.site(),
            production=Production(**vars(COBALT) | bent),
            by=self.clerk,
            key=self.key(),
            at=self.at,
        )

    def paper(self, batch: Batch, kind: EvidenceKind, **bent: Any) -> Any:
        number = next(self.numbers)
        asked = {
            "batch": batch,
            "kind": kind,
            "reference": f"REF-{number}",
            "filename": f"paper-{number}.csv",
            "content": f"paper,{number}\n".encode(),
            "files": self.files,
            "policy": self.policy,
            "by": self.clerk,
            "key": self.key(),
            "at": self.at,
        }
        return evidence.add(self.session, **asked | bent)

    def complete(self, site: Site | None = None, **bent: Any) -> Batch:
        """A draft with all its papers."""
        batch = self.draft(site, **bent)
        for kind in self.policy.required_evidence:
            self.paper(batch, kind)
        self.session.refresh(batch)
        return batch

    def submitted(self, site: Site | None = None, **bent: Any) -> Batch:
        batch = self.complete(site, **bent)
        batches.submit(self.session, batch=batch, policy=self.policy, by=self.clerk, at=self.at)
        return batch

    def in_review(self, site: Site | None = None, **bent: Any) -> Batch:
        batch = self.submitted(site, **bent)
        verification.take(self.session, batch=batch, by=self.lead, at=self.at)
        return batch

    def verified(self, site: Site | None = None, finding: Finding = FINDING, **bent: Any) -> Batch:
        batch = self.in_review(site, **bent)
        verification.verify(self.session, batch=batch, finding=finding, by=self.lead, key=self.key(), at=self.at)
        return batch

    def issued(self, site: Site | None = None, **bent: Any) -> Issuance:
        """2,500 kg of cobalt as serials of the cooperative."""
        return self.issue(self.verified(site, **bent))

    def issue(self, batch: Batch, **bent: Any) -> Issuance:
        asked = {"batch": batch, "policy": self.policy, "by": self.issuer, "key": self.key(), "at": self.at}
        return issuance.issue(self.session, **asked | bent)

    def offered(self, made: Issuance, quantity: int, to: User | None = None, **bent: Any) -> Transfer:
        asked = {
            "issuance": made,
            "sender": self.coop,
            "recipient": (to or self.buyer).organisation,
            "quantity": quantity,
            "note": "",
            "policy": self.policy,
            "by": self.manager,
            "key": self.key(),
            "at": self.at,
        }
        return transfer.propose(self.session, **asked | bent)

    def handed_over(self, made: Issuance, quantity: int, to: User | None = None) -> Transfer:
        offer = self.offered(made, quantity, to)
        transfer.accept(self.session, transfer=offer, by=to or self.buyer, at=self.at)
        return offer

    def retired(self, made: Issuance, quantity: int, **bent: Any) -> Retirement:
        asked = {
            "issuance": made,
            "holder": self.buyer.organisation,
            "quantity": quantity,
            "claim": CLAIM,
            "policy": self.policy,
            "by": self.buyer,
            "key": self.key(),
            "at": self.at,
        }
        return retirement.retire(self.session, **asked | bent)


@pytest.fixture(scope="session")
def house_policy() -> Policy:
    return policy.read(ROOT / "policy.toml")


@pytest.fixture
def stage(session: Session, tmp_path: Path, house_policy: Policy) -> Stage:
    return Stage(session, Files(tmp_path / "evidence"), house_policy)

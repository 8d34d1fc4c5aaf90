"""People and papers for the rules: a producer, a verifier, an issuer, two buyers, and a batch at each stage."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from config import ROOT
from credits.files import Files
from credits.ledger import invariants
from credits.ledger.models import AccountKind
from credits.participants.models import Kind, Organisation, RoleName, User
from credits.registry import (
    decisions,
    expiry,
    holds,
    issuance,
    policy,
    queries,
    reservation,
    retirement,
    suspension,
    transfer,
)
from credits.registry.models import Issuance, Retirement, Transfer
from credits.registry.movements import Decision, DecisionKind, Earmark
from credits.registry.policy import Policy
from credits.registry.production import Batch, Site
from credits.registry.retirement import Claim
from tests import factories
from tests.batch_stage import BatchStage
from tests.factories import AT, UserFactory
from tests.market_stage import MarketStage
from tests.prepared import Birth, Prepared, prepared_step

CLAIM = Claim(
    beneficiary="Nordlicht Batteries AB",
    country="SWE",
    identifier="SE 556000-0001",
    purpose="Cells of model N1",
    claim_from=date(2026, 1, 1),
    claim_to=date(2026, 12, 31),
)
# What is sent to the JSON API where every requirement is met.


@dataclass
class Stage(BatchStage, MarketStage):
    """A registry with its people on it, and the steps of a batch's way as one call each."""

    session: Session
    files: Files
    policy: Policy
    at: datetime = AT
    numbers: Any = field(default_factory=lambda: count(1))
    prepared: Prepared | None = None

    def __post_init__(self) -> None:
        self.birth: Birth | None = None
        if self.prepared is None or not self.prepared.populate(self):
            self._bring_people()

    def _bring_people(self) -> None:
        self.manager: User = UserFactory(kind=Kind.COOPERATIVE)
        self.coop: Organisation = self.manager.organisation
        self.clerk: User = UserFactory(organisation=self.coop, may=[RoleName.CLERK])
        self.lead: User = UserFactory(kind=Kind.VERIFIER)
        self.issuer: User = UserFactory(kind=Kind.REGISTRY)
        self.colleague: User = UserFactory(organisation=self.issuer.organisation, may=[RoleName.ISSUER])
        self.buyer: User = UserFactory(kind=Kind.MANUFACTURER)
        self.second: User = UserFactory(kind=Kind.MANUFACTURER)

    @prepared_step
    def issued(self, site: Site | None = None, **bent: Any) -> Issuance:
        """2,500 kg of cobalt as serials of the cooperative."""
        return self.issue(self.verified(site, **bent))

    def issue(self, batch: Batch, **bent: Any) -> Issuance:
        asked = {"batch": batch, "policy": self.policy, "by": self.issuer, "key": self.key(), "at": self.at}
        return issuance.issue(self.session, **asked | bent)

    def emptied(self, stage: Callable[..., Batch]) -> Batch:
        """A batch that counted on a remainder which another batch has used up meanwhile: nothing is left to issue.

        stage: how far it has come: `self.submitted` or `self.verified`.
        """
        site = self.site()
        self.issued(site, gross_kg="1240", moisture="0", grade="31.2")  # leaves 0.88 kg
        small = {"gross_kg": "1", "moisture": "0", "days_worked": 1}
        batch = stage(site, grade="12", produced_from=date(2026, 6, 1), produced_to=date(2026, 6, 5), **small)
        self.issued(site, grade="50", produced_from=date(2026, 6, 6), produced_to=date(2026, 6, 10), **small)
        return batch

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

    def unanswered(self, at: datetime) -> list[Transfer]:
        """End the offers that nobody has answered by then."""
        due = transfer.unanswered(self.session, at=at)
        ended = [each for each in due if transfer.expire(self.session, transfer_id=each, at=at)]
        return [self.session.get_one(Transfer, each) for each in ended]

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

    def reserved(self, *chosen: tuple[Issuance, int], **bent: Any) -> Earmark:
        asked = {
            "holder": self.coop,
            "chosen": chosen,
            "why": "Order 17",
            "policy": self.policy,
            "by": self.manager,
            "key": self.key(),
            "at": self.at,
        }
        return reservation.reserve(self.session, **asked | bent)

    def held(self, made: Issuance, quantity: int | None = None, **bent: Any) -> Earmark:
        asked = {
            "issuance": made,
            "holder": self.coop,
            "quantity": quantity,
            "reason": "A question about the scale.",
            "by": self.issuer,
            "key": self.key(),
            "at": self.at,
        }
        return holds.hold(self.session, **asked | bent)

    def frozen(self, made: Issuance, **bent: Any) -> holds.Frozen:
        """The periods of an issuance under zero tolerance."""
        asked = {
            "site": made.batch.site,
            "first_day": made.batch.produced_from,
            "last_day": made.batch.produced_to,
            "reason": "Children at work.",
            "by": self.issuer,
            "key": self.key(),
            "at": self.at,
        }
        return holds.hold_periods(self.session, **asked | bent)

    def expired(self, at: datetime) -> list[Issuance]:
        """What of all issuances expires now."""
        due = [self.session.get_one(Issuance, each) for each in expiry.due(self.session, policy=self.policy, at=at)]
        return [each for each in due if expiry.expire(self.session, each, self.policy, at)]

    def suspended(self, made: Issuance, **bent: Any) -> Issuance:
        asked = {"issuance": made, "reason": "Under review.", "by": self.issuer, "key": self.key(), "at": self.at}
        suspension.suspend(self.session, **asked | bent)
        return made

    def proposed(self, kind: DecisionKind, subject: str, by: User | None = None, **request: Any) -> Decision:
        return decisions.propose(
            self.session,
            kind=kind,
            subject=subject,
            request=request,
            reason="The assay was wrong.",
            by=by or self.issuer,
            key=self.key(),
            at=self.at,
        )

    def approve(self, decision: Decision, **bent: Any) -> Decision:
        asked = {"decision": decision, "policy": self.policy, "by": self.colleague}
        asked |= {"key": self.key(), "at": self.at}
        decisions.approve(self.session, **asked | bent)
        return decision

    def decided(self, kind: DecisionKind, subject: str, by: User | None = None, **request: Any) -> Decision:
        """Proposed by one person and approved by another."""
        return self.approve(self.proposed(kind, subject, by, **request))

    def balance(self, made: Issuance, organisation: Organisation | None = None) -> dict[AccountKind, int]:
        """What an organisation, else the producer, has of an issuance."""
        return queries.held_of(self.session, organisation or self.coop, made).by_kind

    def serials(self, made: Issuance, organisation: Organisation | None = None) -> list[tuple[str, int, int]]:
        """Where the serials stand that an organisation, else the producer, has: kind of account, first, last."""
        found = queries.every_serial_held(self.session, organisation or self.coop, made)
        return [(kind.value, units.first, units.last) for kind, units, _ in found]

    def take_away(self, trigger: str, table: str) -> None:
        """Drop one wall of the database, to see the one behind it."""
        on = f" ON {table}" if self.session.get_bind().dialect.name == "postgresql" else ""
        self.session.execute(text(f"DROP TRIGGER {trigger}{on}"))

    def must_be_sound(self) -> None:
        """The ledger keeps every promise, and what is not yet checked at commit is checked now."""
        self.session.commit()
        assert [promise.name for promise in invariants.check(self.session) if not promise.holds] == []


@pytest.fixture(scope="session")
def house_policy() -> Policy:
    """The house's own numbers. Without a second person for transfers, of which tests/registry/test_guarding.py is."""
    return replace(policy.read(ROOT / "policy.toml"), guarded=())


@pytest.fixture
def stage(session: Session, tmp_path: Path, house_policy: Policy, prepared_steps: Prepared) -> Stage:
    return Stage(session, Files(tmp_path / "evidence"), house_policy, prepared=prepared_steps)


@pytest.fixture
def stage_of_app(app: Flask, session: Session, prepared_steps: Prepared) -> Stage:
    """The stage with the application's own files and policy, for what is looked at through its doors."""
    return Stage(session, app.extensions["evidence_files"], app.extensions["policy"], prepared=prepared_steps)


def prepare(session: Session, folder: Path, policy: Policy) -> Prepared:
    """Everything up to an issuance, done in the empty database of `session`."""
    made = Prepared(policy)
    before = factories.write_to(session)
    with made.being_kept():
        stage = Stage(session, Files(folder), policy, prepared=made)
        made.keep("people", stage)
        stage.issued()
    factories.write_to(before)
    return made

"""People and papers for the rules: a producer, a verifier, an issuer, two buyers, and a batch at each stage."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select, text
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
from credits.registry.assurance import assessing
from credits.registry.assurance.assessed import current
from credits.registry.assurance.assurance_models import Assessment
from credits.registry.calendar import months_before
from credits.registry.doubts import screening_questions
from credits.registry.making import batches
from credits.registry.making.figures import Production
from credits.registry.making.revisions import revision_of
from credits.registry.mines import sites
from credits.registry.mines.sites import SiteFacts
from credits.registry.models import Issuance, Retirement, Transfer
from credits.registry.movements import Decision, DecisionKind, Earmark
from credits.registry.papers import evidence
from credits.registry.papers.evidence_looking import look
from credits.registry.policy import Policy
from credits.registry.production import Access, Answer, Batch, EvidenceKind, Method, Site
from credits.registry.retirement import Claim
from credits.registry.reviews import assigning, reassigning, verification
from credits.registry.reviews.verification import Finding
from tests import factories
from tests.factories import AT, UserFactory
from tests.market_stage import MarketStage
from tests.prepared import Birth, Prepared, prepared_step

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
    days_worked=2,
    sold_to="Depot",
    sold_with_premium=0,
    registered_elsewhere=0,
)
FINDING = Finding(
    visited_from=date(2026, 6, 1),
    visited_to=date(2026, 6, 3),
    remote_reason="",
    valid_from=date(2026, 1, 1),
    valid_to=date(2026, 12, 31),
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
# What is sent to the JSON API where every requirement is met.
ALL_MET = {
    "answers": [
        {"requirement": code, "answer": answer, "evidence": "Seen on the visit."}
        for answer, codes in (
            ("conform", ("1.1", "1.2", "1.3", "2.1", "2.2")),
            ("none", ("3.1", "3.2", "3.3", "3.4", "3.5", "3.6")),
            ("controlled", ("4.1", "4.2", "4.3", "4.4", "5.1", "5.2", "5.3", "5.4")),
        )
        for code in codes
    ]
}
LEVEL = "Step 6: other high risks controlled"


def assessed(session: Session, batch: Batch, policy: Policy, *, by: User, at: datetime) -> Assessment:
    """A completed assessment of the batch's site, written past the operations: everything met, good for a year."""
    if there := current(session, batch.site, by.organisation_id, at.date()):
        return there
    made = Assessment(
        site=batch.site,
        batch=batch,
        edition=assessing.kept(session, policy.standards.default, at),
        verifier_organisation_id=by.organisation_id,
        begun_by=by,
        begun_at=at,
        completed_by=by,
        completed_at=at,
        level_number=6,
        level=LEVEL,
        next_due=months_before(at.date(), -12),
    )
    session.add(made)
    session.flush()
    return made


@dataclass
class Stage(MarketStage):
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

    def key(self) -> str:
        return f"key-{next(self.numbers)}"

    @prepared_step
    def site(self, **bent: Any) -> Site:
        """A site of the cooperative; the second one of the same place under a name of its own."""
        others = self.session.scalars(select(func.count()).where(Site.producer_id == self.coop.id)).one()
        facts = SiteFacts(**vars(FACTS) | {"name": f"Kamilombe {others + 1}" if others else "Kamilombe"} | bent)
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

    @prepared_step
    def draft(self, site: Site | None = None, **bent: Any) -> Batch:
        first, last = (bent.get(day, getattr(COBALT, day)) for day in ("produced_from", "produced_to"))
        bent.setdefault("days_worked", min(COBALT.days_worked, max((last - first).days + 1, 0)))
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
        name = bent.pop("filename", f"paper-{number}.csv")
        content = bent.pop("content", f"paper,{number}\n".encode())
        asked = {
            "batch": batch,
            "kind": kind,
            "reference": f"REF-{number}",
            "issuer": "",
            "looked": look(name, content, self.policy),
            "files": self.files,
            "policy": self.policy,
            "by": self.clerk,
            "key": self.key(),
            "at": self.at,
        }
        return evidence.add(self.session, **asked | bent)

    @prepared_step
    def complete(self, site: Site | None = None, **bent: Any) -> Batch:
        """A draft with all its papers."""
        batch = self.draft(site, **bent)
        for kind in self.policy.required_evidence:
            self.paper(batch, kind)
        self.session.refresh(batch)
        return batch

    @prepared_step
    def submitted(self, site: Site | None = None, **bent: Any) -> Batch:
        batch = self.complete(site, **bent)
        batches.submit(self.session, batch=batch, policy=self.policy, by=self.clerk, at=self.at)
        return batch

    @prepared_step
    def in_review(self, site: Site | None = None, **bent: Any) -> Batch:
        batch = self.submitted(site, **bent)
        self.drawn(batch)
        verification.take(self.session, batch=batch, by=self.lead, at=self.at)
        assessed(self.session, batch, self.policy, by=self.lead, at=self.at)
        return batch

    def drawn(self, batch: Batch, lead: User | None = None) -> Batch:
        """The lot of a submitted batch falls on the stage's own verifier, or on that of `lead`."""
        wanted, issuer = (lead or self.lead).organisation_id, self.issuer
        while (standing := assigning.standing(self.session, batch)) is None or standing.organisation_id != wanted:
            reassigning.draw_anew(
                self.session,
                batch=batch,
                reason="The stage wants another one.",
                policy=self.policy,
                by=issuer,
                key=self.key(),
                at=self.at,
            )
            issuer = UserFactory(organisation=self.issuer.organisation, may=[RoleName.ISSUER])
        return batch

    def answered(self, batch: Batch) -> None:
        """Every question that the data raise about a batch in review."""
        for question in screening_questions.open_questions(self.session, batch):
            screening_questions.answer(
                self.session,
                batch=batch,
                code=question.code,
                text="Seen on the visit, and explained.",
                by=self.lead,
                key=self.key(),
                at=self.at,
            )

    @prepared_step
    def verified(self, site: Site | None = None, finding: Finding = FINDING, **bent: Any) -> Batch:
        batch = self.in_review(site, **bent)
        self.answered(batch)
        verification.verify(
            self.session,
            batch=batch,
            seen=revision_of(batch),
            finding=finding,
            by=self.lead,
            key=self.key(),
            at=self.at,
        )
        return batch

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

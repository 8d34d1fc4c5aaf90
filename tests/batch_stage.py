"""A site and the way of a batch from its draft to what a verifier confirms, as one call each."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from credits.files import Files
from credits.participants.models import Organisation, RoleName, User
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
from credits.registry.papers import evidence
from credits.registry.papers.evidence_looking import look
from credits.registry.policy import Policy
from credits.registry.production import Access, Answer, Assurance, Batch, EvidenceKind, Method, Site
from credits.registry.reviews import assigning, reassigning, verification
from credits.registry.reviews.verification import Finding
from tests.factories import UserFactory
from tests.prepared import prepared_step

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


class BatchStage:
    """What the stage does until credits are issued, with the people, the policy and the keys that are on it."""

    session: Session
    files: Files
    policy: Policy
    at: datetime
    numbers: Any
    coop: Organisation
    manager: User
    clerk: User
    lead: User
    issuer: User

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
        self.verify(batch, finding=finding)
        return batch

    def verify(self, batch: Batch, **bent: Any) -> Assurance:
        """Confirm a batch as it is now."""
        asked = {"batch": batch, "seen": revision_of(batch), "finding": FINDING, "by": self.lead}
        asked |= {"key": self.key(), "at": self.at}
        return verification.verify(self.session, **asked | bent)

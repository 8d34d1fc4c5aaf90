"""The demo world: a cobalt site, a gold site, their buyers and their people, built through the operations alone.

All names are made up. Days are counted back from `at`, so that the world is fresh whenever it is built.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy.orm import Session

from credits.certificates import issuing
from credits.certificates.issuing import Issuer
from credits.files import Files
from credits.participants import organisations, users
from credits.participants.models import Kind, Language, Organisation, RoleName, User
from credits.registry import (
    batches,
    evidence,
    issuance,
    plausibility_limits,
    retirement,
    screening_questions,
    sites,
    transfer,
    trust,
    verification,
)
from credits.registry.batches import Production
from credits.registry.evidence_looking import look
from credits.registry.models import Issuance, Retirement, Transfer
from credits.registry.plausibility_limits import LimitFacts
from credits.registry.policy import Policy
from credits.registry.production import Access, Answer, Batch, EvidenceKind, Method, Site
from credits.registry.retirement import Claim
from credits.registry.screened import Basis, LimitKind, Per
from credits.registry.sites import SiteFacts
from credits.registry.verification import Finding

DOMAIN = "demo.example"


@dataclass(frozen=True)
class Told:
    """What the main thread of the world came to: one batch followed to one certificate."""

    batch: Batch
    issuance: Issuance
    transfer: Transfer
    retirement: Retirement


@dataclass
class World:
    """Builds the world step by step. password: an argon2id hash that every demo person shares."""

    session: Session
    policy: Policy
    evidence_files: Files
    issuer: Issuer
    password: str
    at: datetime
    handles: Iterator[str]

    def __post_init__(self) -> None:
        self.keys = (f"demo-{number:03d}" for number in count(1))
        self.papers = count(1)

    def build(self) -> Told:
        """Fill an empty, migrated database. Flushes; the caller commits."""
        self.people()
        self.trusted()
        main = self.cobalt_story()
        self.gold_story()
        self.open_ends()
        return main

    def day(self, back: int) -> date:
        return self.at.date() - timedelta(days=back)

    @property
    def joined(self) -> datetime:
        """When all of them had joined, and knew each other."""
        return self.at - timedelta(days=30)

    def people(self) -> None:
        registry, self.ana = organisations.found_registry(
            self.session,
            name="ASM Credit Registry",
            legal_form="association",
            country_code="CHE",
            registration_number="CHE-000.000.001",
            address="Rue de la Paix 1, Geneva",
            contact_email=f"registry@{DOMAIN}",
            person="Ana Keller",
            email=f"issuer@{DOMAIN}",
            language=Language.EN,
            password=self.password,
            handle=next(self.handles),
            at=self.joined,
        )
        self.joins(registry, "Tomás Rivera", "issuer2", Language.ES, RoleName.ISSUER, by=self.ana)
        self.joins(registry, "Aisha Bello", "auditor", Language.EN, RoleName.AUDITOR, by=self.ana)
        self.coop, self.chantal = self.organisation(
            Kind.COOPERATIVE, "Coopérative minière Kamilombe Demo", "COD", "Chantal Ilunga", "cooperative", Language.FR
        )
        self.clerk = self.joins(self.coop, "Joseph Kabamba", "clerk", Language.FR, RoleName.CLERK, by=self.chantal)
        self.group, self.luz = self.organisation(
            Kind.GROUP_MANAGER, "Oro Justo Group Demo", "PER", "Luz Quispe", "group", Language.ES
        )
        self.gold_coop, self.rosa = self.organisation(
            Kind.COOPERATIVE, "Minera Cerro Claro Demo", "PER", "Rosa Huamán", "gold", Language.ES
        )
        organisations.join_group(self.session, self.gold_coop, manager=self.group, by=self.ana, at=self.joined)
        _, self.lead = self.organisation(
            Kind.VERIFIER, "Great Lakes Assurance Demo", "RWA", "Grace Uwase", "verifier", Language.EN
        )
        self.joins(self.lead.organisation, "Paul Mwangi", "reviewer", Language.SW, RoleName.REVIEWER, by=self.lead)
        self.maker, self.ingrid = self.organisation(
            Kind.MANUFACTURER, "Nordlicht Batteries Demo", "SWE", "Ingrid Larsson", "manufacturer", Language.EN
        )
        self.second, self.ken = self.organisation(
            Kind.MANUFACTURER, "Hikari Motors Demo", "JPN", "Ken Watanabe", "manufacturer2", Language.EN
        )
        self.broker, self.maya = self.organisation(
            Kind.RESELLER, "Clear Origin Brokers Demo", "GBR", "Maya Patel", "reseller", Language.EN
        )
        organisations.sign_up(
            self.session,
            **self.card(Kind.COOPERATIVE, "Ushirika wa Wachimbaji Demo", "TZA", "Neema Mushi", "waiting", Language.SW),
        )

    def trusted(self) -> None:
        """To whom each of them may send credits at once: two people have said so, long enough ago."""
        for holder, by, second, recipients in (
            (self.coop, self.chantal, self.ana, (self.maker, self.second, self.broker)),
            (self.gold_coop, self.luz, self.rosa, (self.maker, self.broker)),
            (self.maker, self.ingrid, self.ana, (self.second, self.broker)),
            (self.second, self.ken, self.ana, (self.maker, self.broker)),
            (self.broker, self.maya, self.ana, (self.maker, self.second)),
        ):
            for recipient in recipients:
                made = trust.propose(
                    self.session, holder=holder, recipient=recipient, by=by, key=next(self.keys), at=self.joined
                )
                trust.approve(self.session, trust=made, policy=self.policy, by=second, at=self.joined)

    def card(
        self, kind: Kind, name: str, country: str, person: str, mailbox: str, language: Language
    ) -> dict[str, Any]:
        return {
            "kind": kind,
            "name": name,
            "legal_form": "cooperative" if kind is Kind.COOPERATIVE else "company",
            "country_code": country,
            "registration_number": f"DEMO-{country}-{mailbox.upper()}",
            "address": "Demo Street 1",
            "contact_email": f"{mailbox}@{DOMAIN}",
            "person": person,
            "email": f"{mailbox}@{DOMAIN}",
            "language": language,
            "password": self.password,
            "handle": next(self.handles),
            "at": self.joined,
        }

    def organisation(
        self, kind: Kind, name: str, country: str, person: str, mailbox: str, language: Language
    ) -> tuple[Organisation, User]:
        organisation, user = organisations.sign_up(
            self.session, **self.card(kind, name, country, person, mailbox, language)
        )
        organisations.approve(self.session, organisation, by=self.ana, at=self.joined)
        return organisation, user

    def joins(
        self, organisation: Organisation, name: str, mailbox: str, language: Language, role: RoleName, *, by: User
    ) -> User:
        return users.add(
            self.session,
            organisation=organisation,
            name=name,
            email=f"{mailbox}@{DOMAIN}",
            language=language,
            roles=[role],
            handle=next(self.handles),
            by=by,
            at=self.joined,
            password=self.password,
        )

    def cobalt_story(self) -> Told:
        """Registered, asked about, verified, issued, transferred, retired: the whole way of one batch."""
        self.kamilombe = self.site(
            self.coop,
            SiteFacts(
                name="Kamilombe Demo",
                country="COD",
                province="Lualaba",
                district="Kolwezi",
                latitude="-10.7164",
                longitude="25.4667",
                access=Access.TOLERATED,
                concession_owner="State mining company",
                method=Method.UNDERGROUND,
                mercury=Answer.NO,
                miners=820,
                conflict_affected=Answer.NO,
                conflict_source="Made-up list of the demo world",
                conflict_checked_on=self.day(60),
            ),
            by=self.chantal,
        )
        self.limit(self.kamilombe, LimitKind.LICENCE_CAP, Per.YEAR, "120000")
        batch = self.batch(self.kamilombe, self.cobalt(120, 31, "10000", "31.25"), by=self.clerk)
        verification.take(self.session, batch=batch, by=self.lead, at=self.at)
        verification.request_information(
            self.session,
            batch=batch,
            text="Please add the sales invoice of the depot for this period.",
            by=self.lead,
            key=next(self.keys),
            at=self.at,
        )
        self.paper(batch, EvidenceKind.SALES_INVOICE, by=self.clerk)
        batches.answer(
            self.session,
            batch=batch,
            text="The invoice is added.",
            policy=self.policy,
            by=self.clerk,
            key=next(self.keys),
            at=self.at,
        )
        made = self.verified_and_issued(batch)
        first = self.handed_over(made, self.maker, self.ingrid, 1_500)
        self.handed_over(made, self.second, self.ken, 1_000)
        retired = retirement.retire(
            self.session,
            issuance=made,
            holder=self.maker,
            quantity=750,
            claim=Claim(
                beneficiary="Nordlicht Batteries Demo AB",
                country="SWE",
                identifier="SE 556000-0001",
                purpose=f"Cobalt in the cells of model N1, product year {made.vintage}",
                claim_from=date(made.vintage, 1, 1),
                claim_to=date(made.vintage, 12, 31),
            ),
            policy=self.policy,
            by=self.ingrid,
            key=next(self.keys),
            at=self.at,
        )
        issuing.freeze(self.session, retirement=retired, issuer=self.issuer)
        return Told(batch, made, first, retired)

    def gold_story(self) -> None:
        """A group manager acts for a member: gold, issued, half of it on offer to a reseller who has not answered."""
        facts = SiteFacts(
            name="Cerro Claro Demo",
            country="PER",
            province="Arequipa",
            district="Caravelí",
            latitude="-15.7721",
            longitude="-73.3652",
            access=Access.OWN_TITLE,
            concession_owner="Minera Cerro Claro Demo",
            method=Method.UNDERGROUND,
            mercury=Answer.NO,
            miners=64,
            conflict_affected=Answer.UNKNOWN,
            conflict_source="",
            conflict_checked_on=None,
        )
        self.cerro = self.site(self.gold_coop, facts, by=self.luz)
        gold = Production(
            mineral_code="AU",
            form="doré",
            produced_from=self.day(110),
            produced_to=self.day(50),
            gross_kg="1.3",
            moisture="0",
            grade="915.5",
            miners=64,
            days_worked=48,
            sold_to="Refinery of the demo world",
            sold_with_premium=90_000,
            registered_elsewhere=0,
        )
        batch = self.batch(self.cerro, gold, by=self.luz)
        verification.take(self.session, batch=batch, by=self.lead, at=self.at)
        made = self.verified_and_issued(batch)
        self.offered(made, self.gold_coop, self.luz, self.broker, 500_000)

    def open_ends(self) -> None:
        """Work that waits for somebody: a draft, a batch to review, a batch to issue."""
        waiting = self.batch(self.kamilombe, self.cobalt(30, 16, "4200", "18.4"), by=self.clerk)
        assert waiting.state
        ready = self.batch(self.kamilombe, self.cobalt(15, 8, "3100", "22.75"), by=self.clerk)
        verification.take(self.session, batch=ready, by=self.lead, at=self.at)
        self.verified(ready)
        batches.draft(
            self.session,
            site=self.kamilombe,
            production=self.cobalt(7, 1, "900", "20"),
            by=self.clerk,
            key=next(self.keys),
            at=self.at,
        )

    def site(self, producer: Organisation, facts: SiteFacts, *, by: User) -> Site:
        site = sites.register(self.session, producer=producer, facts=facts, by=by, key=next(self.keys), at=self.at)
        sites.add_licence(
            self.session,
            site=site,
            number=f"LIC-{site.country}-{site.code}-DEMO",
            authority="Mining authority of the demo world",
            valid_from=self.day(700),
            valid_to=self.day(-700),
            by=by,
            key=next(self.keys),
            at=self.at,
        )
        return site

    def limit(self, site: Site, kind: LimitKind, per: Per, kilograms: str) -> None:
        facts = LimitFacts(
            kind=kind,
            mineral_code="CO",
            kilograms=kilograms,
            basis=Basis.ORE,
            per=per,
            counts_from=self.day(700),
            source="Annex 2 of the licence of the demo world",
            source_date=self.day(700),
            licence=site.licences[0],
        )
        plausibility_limits.enter(self.session, site=site, facts=facts, by=self.lead, key=next(self.keys), at=self.at)

    def cobalt(self, first: int, last: int, gross_kg: str, grade: str) -> Production:
        return Production(
            mineral_code="CO",
            form="ore",
            produced_from=self.day(first),
            produced_to=self.day(last),
            gross_kg=gross_kg,
            moisture="20",
            grade=grade,
            miners=820,
            days_worked=first - last,
            sold_to="Depot of the demo world",
            sold_with_premium=0,
            registered_elsewhere=0,
        )

    def batch(self, site: Site, production: Production, *, by: User) -> Batch:
        """Drafted with its papers and submitted."""
        batch = batches.draft(self.session, site=site, production=production, by=by, key=next(self.keys), at=self.at)
        for kind in self.policy.required_evidence:
            self.paper(batch, kind, by=by)
        self.session.refresh(batch)
        batches.submit(self.session, batch=batch, policy=self.policy, by=by, at=self.at)
        return batch

    def paper(self, batch: Batch, kind: EvidenceKind, *, by: User) -> None:
        number = next(self.papers)
        content = f"demo paper,{kind.value}\nbatch,{batch.number}\npaper,{number}\n".encode()
        evidence.add(
            self.session,
            batch=batch,
            kind=kind,
            reference=f"DEMO-{number:04d}",
            issuer="",
            looked=look(f"{kind.value}-{number:04d}.csv", content, self.policy),
            files=self.evidence_files,
            policy=self.policy,
            by=by,
            key=next(self.keys),
            at=self.at,
        )

    def finding(self) -> Finding:
        return Finding(
            standard="CRAFT Code",
            version="2.0",
            level="Module 4: progressing, with an improvement plan",
            visited_from=self.day(25),
            visited_to=self.day(22),
            remote_reason="",
            valid_from=self.day(365),
            valid_to=self.day(-365),
            independence="I and my organisation have no interest in the producer, the site or the buyers.",
            opinion="Weights, assay and sales agree with the visit.",
        )

    def verified(self, batch: Batch) -> None:
        """Every question of the data answered, then confirmed."""
        for question in screening_questions.open_questions(self.session, batch):
            screening_questions.answer(
                self.session,
                batch=batch,
                code=question.code,
                text="Looked into on the visit: the new shafts and the shifts of the season explain it.",
                by=self.lead,
                key=next(self.keys),
                at=self.at,
            )
        verification.verify(
            self.session, batch=batch, finding=self.finding(), by=self.lead, key=next(self.keys), at=self.at
        )

    def verified_and_issued(self, batch: Batch) -> Issuance:
        self.verified(batch)
        return issuance.issue(
            self.session, batch=batch, policy=self.policy, by=self.ana, key=next(self.keys), at=self.at
        )

    def offered(
        self, made: Issuance, sender: Organisation, by: User, recipient: Organisation, quantity: int
    ) -> Transfer:
        return transfer.propose(
            self.session,
            issuance=made,
            sender=sender,
            recipient=recipient,
            quantity=quantity,
            note="",
            policy=self.policy,
            by=by,
            key=next(self.keys),
            at=self.at,
        )

    def handed_over(self, made: Issuance, recipient: Organisation, by: User, quantity: int) -> Transfer:
        offer = self.offered(made, self.coop, self.chantal, recipient, quantity)
        transfer.accept(self.session, transfer=offer, by=by, at=self.at)
        return offer

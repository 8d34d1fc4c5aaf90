"""The demo world: a cobalt site, a gold site, their buyers and their people, built through the operations alone.

All names are made up. Days are counted back from `at`, so that the world is fresh whenever it is built.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from credits.certificates import issuing, verified
from credits.cli.demo_assessments import assess
from credits.cli.demo_claims import declare_cobalt
from credits.cli.demo_people import People
from credits.cli.demo_sites import RECORDS, cerro_claro, kamilombe
from credits.participants.models import Language, Organisation, User
from credits.registry import issuance, retirement, transfer
from credits.registry.doubts import plausibility_limits, screening_questions
from credits.registry.doubts.plausibility_limits import LimitFacts
from credits.registry.doubts.screened import Basis, LimitKind, Per
from credits.registry.making import batches
from credits.registry.making.figures import Production
from credits.registry.making.revisions import revision_of
from credits.registry.mines import site_records, sites
from credits.registry.mines.sites import SiteFacts
from credits.registry.models import Issuance, Retirement, Transfer
from credits.registry.papers import evidence
from credits.registry.papers.evidence_looking import look
from credits.registry.production import Batch, EvidenceKind, Site
from credits.registry.retirement import Claim
from credits.registry.reviews import verification
from credits.registry.reviews.verification import Finding


@dataclass(frozen=True)
class Told:
    """What the main thread of the world came to: one batch followed to one certificate."""

    batch: Batch
    issuance: Issuance
    transfer: Transfer
    retirement: Retirement


class World(People):
    """Builds the world step by step."""

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

    def cobalt_story(self) -> Told:
        """Registered, asked about, verified, issued, transferred, retired: the whole way of one batch."""
        self.kamilombe = self.known_site()
        batch = self.answered_batch(self.kamilombe)
        made = self.verified_and_issued(batch)
        first = self.handed_over(made, self.maker, self.ingrid, 1_500)
        self.handed_over(made, self.second, self.ken, 1_000)
        declare_cobalt(self, made.vintage)
        retired = self.retired_for_maker(made, 750)
        issuing.freeze(self.session, retirement=retired, issuer=self.issuer)
        return Told(batch, made, first, retired)

    def known_site(self) -> Site:
        """A cobalt site whose size and past are on record."""
        site = self.site(self.coop, kamilombe(checked_on=self.day(60)), by=self.chantal)
        self.limit(site, LimitKind.LICENCE_CAP, Per.YEAR, "120000")
        for kind, days_ago, figures in RECORDS:
            site_records.enter(
                self.session,
                site=site,
                kind=kind,
                day=self.day(days_ago),
                figures=figures,
                by=self.clerk,
                key=next(self.keys),
                at=self.at,
            )
        return site

    def answered_batch(self, site: Site) -> Batch:
        """A batch in review, about which the verifier has asked for a paper and got it."""
        batch = self.batch(site, self.cobalt(120, 31, "10000", "31.25"), by=self.clerk)
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
        return batch

    def retired_for_maker(self, made: Issuance, quantity: int) -> Retirement:
        """The manufacturer retires cobalt in its own name, for the year of its vintage."""
        return retirement.retire(
            self.session,
            issuance=made,
            holder=self.maker,
            quantity=quantity,
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

    def gold_story(self) -> None:
        """A group manager acts for a member: gold, issued, half of it on offer to a reseller who has not answered."""
        self.cerro = self.site(self.gold_coop, cerro_claro(), by=self.luz)
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
        self.gold = self.verified_and_issued(batch)
        self.offered(self.gold, self.gold_coop, self.luz, self.broker, 500_000)

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
            visited_from=self.day(212),
            visited_to=self.day(209),
            remote_reason="",
            valid_from=self.day(209),
            valid_to=self.day(209 - 365),
            opinion="Weights, assay and sales agree with the visit.",
        )

    def verified(self, batch: Batch) -> None:
        """Every question of the data answered, the site assessed, then confirmed."""
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
        assess(self.session, batch=batch, policy=self.policy, by=self.lead, key=next(self.keys), at=self.at)
        verification.verify(
            self.session,
            batch=batch,
            seen=revision_of(batch),
            finding=self.finding(),
            by=self.lead,
            key=next(self.keys),
            at=self.at,
        )
        verified.freeze(self.session, batch=batch, issuer=self.issuer, language=Language.EN)

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

"""What has to stand before an operation, and what a door does: the scenes that the crash suite plays."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select

from config import ROOT
from credits import jobs
from credits.certificates import issuing
from credits.journal import keys
from credits.journal.models import RegistryIdentity
from credits.participants.models import RoleName
from credits.registry import bulk, guarding, policy, trust
from credits.registry.assurance import assessing, findings
from credits.registry.assurance.assessing import Given
from credits.registry.assurance.assurance_models import Severity, Source
from credits.registry.assurance.findings import FindingFacts
from credits.registry.assurance.standards import Word
from credits.registry.bulk_lines import RetirementLine, TransferLine
from credits.registry.choosing import Choice
from credits.registry.doubts import plausibility_limits, plausibility_sales
from credits.registry.doubts.plausibility_limits import LimitFacts
from credits.registry.doubts.plausibility_sales import SaleFacts
from credits.registry.doubts.screened import Basis, LimitKind, Per
from credits.registry.making import batches
from credits.registry.mines import grievances, sites
from credits.registry.mines.observed import ObservedSite
from credits.registry.models import Issuance
from credits.registry.movements import Debit, DecisionKind, Earmark
from credits.registry.reviews import reassigning, review_points, review_threads, verification
from credits.registry.reviews.review_points import Asked
from tests.batch_stage import COBALT
from tests.factories import UserFactory
from tests.stage import CLAIM, Stage

ISSUER = issuing.Issuer("Registry", "https://registry.example")
MONTHS = timedelta(days=1_100)  # until what was issued has expired
JUNE = {"produced_from": date(2026, 6, 1), "produced_to": date(2026, 6, 15)}

CAPACITY = LimitFacts(
    kind=LimitKind.INSTALLED_CAPACITY,
    mineral_code="CO",
    kilograms="2000",
    basis=Basis.CONTAINED,
    per=Per.YEAR,
    counts_from=date(2026, 1, 1),
    source="Inspection of the plant",
    source_date=date(2026, 2, 3),
)
INVOICE = SaleFacts(number="INV-17", buyer="Depot", sold_on=date(2026, 6, 2), kilograms="4000", grade="31.25")


def sharing(s: Stage) -> Stage:
    """The stage under a policy that gives 10 % of each issuance to the buffer."""
    s.policy = replace(s.policy, buffer_share_ppm=100_000)
    return s


def guarded(s: Stage) -> Stage:
    """The stage under the house's own policy, with a second manager of the cooperative."""
    s.policy = policy.read(ROOT / "policy.toml")
    s.partner = UserFactory(organisation=s.coop, may=[RoleName.MANAGER])  # type: ignore[attr-defined]
    return s


def guarded_offer(s: Stage) -> Any:
    return guarded(s).offered(s.issued(), 100)


def approved(s: Any, offer: Any) -> Any:
    guarding.approve(s.session, transfer=offer, policy=s.policy, by=s.partner, at=s.at)
    return offer


def offered_trust(s: Any) -> Any:
    return trust.propose(s.session, holder=s.coop, recipient=s.buyer.organisation, by=s.manager, key=s.key(), at=s.at)


def stocked(s: Stage) -> Issuance:
    """An issuance of which the buyer has a part, in two pieces."""
    made = s.issued()
    s.handed_over(made, 100)
    s.offered(made, 50)
    s.handed_over(made, 100)
    return made


def in_two(s: Stage) -> tuple[Issuance, Issuance]:
    """Two issuances of one site, of each of which the buyer has a part."""
    site = s.site()
    both = s.issued(site), s.issued(site, **JUNE)
    for made in both:
        s.handed_over(made, 100)
    return both


def debited(s: Stage) -> Debit:
    made = s.issued()
    s.handed_over(made, 10)
    s.decided(DecisionKind.DEBIT, made.number, quantity=50)
    return s.session.scalars(select(Debit)).one()


def after_a_debit(s: Stage) -> Any:
    debit = debited(s)
    return s.verified(debit.issuance.batch.site, **JUNE)


def held_over_a_reservation(s: Stage) -> Any:
    made = s.issued()
    s.reserved((made, 100))
    frozen = s.frozen(made)
    assert frozen.hold is not None
    return s.proposed(DecisionKind.CANCELLATION, frozen.hold.number)


def proposed(kind: DecisionKind, make: Callable[[Stage], Issuance | Earmark] = Stage.issued, **request: Any) -> Any:
    """A proposal that waits, about what `make` gives."""

    def prepare(s: Stage) -> Any:
        subject = make(s)
        about = request | ({"holder": s.coop.number} if "quantity" in request and isinstance(subject, Issuance) else {})
        return s.proposed(kind, subject.number, s.manager if kind is DecisionKind.EXPORT else None, **about)

    return prepare


def to_be_drawn(s: Stage) -> Any:
    return sharing(s).proposed(DecisionKind.BUFFER_DRAW, debited(s).number, quantity=20)


def answered(s: Stage, batch: Any) -> Any:
    return batches.answer(s.session, batch=batch, text="Here it is.", policy=s.policy, by=s.clerk, key=s.key(), at=s.at)


def questioned(s: Stage, batch: Any) -> Any:
    verification.request_information(s.session, batch=batch, text="Which scale?", by=s.lead, key=s.key(), at=s.at)
    return batch


def asked_twice(s: Stage, batch: Any) -> tuple[Any, Any]:
    # The batch, and the first of two questions.
    points = [Asked("Which scale?"), Asked(ready="moisture_how")]
    review_points.ask(s.session, batch=batch, points=points, by=s.lead, key=s.key(), at=s.at)
    return batch, review_threads.waiting(s.session, batch)[0]


def answered_one(s: Stage, batch: Any, point: Any) -> Any:
    answers = {point.remark_id: "The new one."}
    return review_points.answer(
        s.session, batch=batch, answers=answers, policy=s.policy, by=s.clerk, key=s.key(), at=s.at
    )


def settled(s: Stage, batch: Any, point: Any) -> Any:
    return review_points.mark_settled(s.session, batch=batch, point_id=point.remark_id, by=s.lead, at=s.at)


def observed(s: Stage) -> ObservedSite:
    seen = ObservedSite(
        pcode="K-1", source="IPIS", name="Kamilombe", country="COD", province="", territory="", village=""
    )
    s.session.add(seen)
    s.session.flush()
    return seen


def matched(s: Stage, site: Any, seen: ObservedSite) -> Any:
    sites.confirm_match(s.session, site=site, observed=seen, by=s.manager, at=s.at)


def limited(s: Stage, site: Any) -> Any:
    """A plant that brings out 2 t of cobalt a year."""
    return plausibility_limits.enter(s.session, site=site, facts=CAPACITY, by=s.lead, key=s.key(), at=s.at)


def sold(s: Stage, batch: Any) -> Any:
    return plausibility_sales.enter(s.session, batch=batch, facts=INVOICE, by=s.clerk, key=s.key(), at=s.at)


def stopped(s: Stage) -> Any:
    """A batch above what its site can have produced, and the proposal to let it through."""
    site = s.site()
    limited(s, site)
    return s.proposed(DecisionKind.CEILING, s.submitted(site).number)


def found(s: Stage, made: Issuance) -> Any:
    """A verifier finds forced labour at the site of an issuance."""
    facts = FindingFacts(
        severity=Severity.ZERO_TOLERANCE,
        text="Debt bondage.",
        due_on=s.at.date(),
        source=Source.VERIFIER,
        concerns=(made.batch.produced_from, made.batch.produced_to),
    )
    asked = {"site": made.batch.site, "facts": facts, "policy": s.policy, "by": s.lead, "at": s.at}
    return findings.open_finding(s.session, **asked, key=s.key())


def assessed(s: Stage) -> Any:
    """An assessment with every answer: one risk is under mitigation."""
    batch = s.submitted()
    verification.take(s.session, batch=batch, by=s.lead, at=s.at)
    asked = {"policy": s.policy, "by": s.lead, "at": s.at}
    made = assessing.begin(s.session, batch=batch, **asked)
    gap = Given(Word.PROGRESSING, "Seen.", None, "No receipts.", Severity.MAJOR, "Receipts.", date(2026, 10, 1))
    for module in made.edition.standard.modules:
        best = Given(module.answers.words[0], evidence="Seen.")
        given = {each.code: gap if each.code == "4.4" else best for each in module.requirements}
        assessing.save_module(s.session, assessment=made, module=module, given=given, seen=None, **asked)
    return made


def completed(s: Stage, assessment: Any) -> Any:
    asked = {"next_due": date(2027, 6, 30), "policy": s.policy, "by": s.lead, "key": s.key(), "at": s.at}
    return assessing.complete(s.session, assessment=assessment, **asked)


def tied(s: Stage, batch: Any) -> Any:
    asked = {"ties": "A cousin.", "policy": s.policy, "by": s.lead, "key": s.key(), "at": s.at}
    return reassigning.decline(s.session, batch=batch, **asked)


def drawn_anew(s: Stage, batch: Any) -> Any:
    asked = {"reason": "Ill.", "policy": s.policy, "by": s.issuer, "key": s.key(), "at": s.at}
    return reassigning.draw_anew(s.session, batch=batch, **asked)


def complained(s: Stage, site: Any) -> Any:
    asked = {"words": "Dust.", "contact": "", "key": s.key(), "policy": s.policy, "at": s.at}
    return grievances.file(s.session, site=site, **asked)


def amended(s: Stage, batch: Any) -> Any:
    production = replace(COBALT, miners=700)
    batches.amend(s.session, batch=batch, production=production, seen=batch.revision, by=s.clerk, at=s.at)


def retired_in_bulk(s: Stage, *made: Issuance) -> Any:
    lines = [RetirementLine(each.number, quantity, CLAIM) for quantity in (10, 20) for each in made]
    statement = bulk.retire(
        s.session, holder=s.buyer.organisation, lines=lines, policy=s.policy, by=s.buyer, key=s.key(), at=s.at
    )
    issuing.freeze_all(s.session, statement=statement, issuer=ISSUER)


def retired_by_choice(s: Stage, *made: Issuance) -> Any:
    chosen = {"choice": Choice(made[0].mineral_code, 110, 150), "claim": CLAIM}
    asking = {"policy": s.policy, "by": s.buyer, "key": s.key(), "at": s.at}
    bulk.retire_chosen(s.session, holder=s.buyer.organisation, **chosen, **asking)


def offered_in_bulk(s: Stage, *made: Issuance) -> Any:
    whom = (s.buyer.organisation, s.second.organisation)
    lines = [TransferLine(each.number, 10, to.number) for to in whom for each in made]
    bulk.transfer(s.session, sender=s.coop, lines=lines, policy=s.policy, by=s.manager, key=s.key(), at=s.at)


def published(s: Stage, *_: Any) -> Any:
    """What the worker does every half minute. DATA_DIR lies beside the papers."""
    folder = s.files.root.parent / "data"
    registry_id = s.session.scalars(select(RegistryIdentity.registry_id)).one()
    made = keys.load(folder) or keys.make(
        folder, origin=f"registry.example/{registry_id}", seed=bytes(range(32)), at=s.at
    )
    jobs.publish_log(s.session, keys=made, data_dir=folder, at=s.at)


def published_twice(s: Stage) -> None:
    s.issued()
    s.session.commit()
    published(s)
    s.site(name="Mutoshi")

"""Batches on the producer's side: drafted, amended, submitted, answered, withdrawn."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from credits.errors import Conflict, Invalid, Missing
from credits.journal import events
from credits.journal.canonical import encode, exact
from credits.ledger.claims import claim, settle
from credits.participants.models import User
from credits.participants.permissions import may_register_for
from credits.participants.wording import day_shown, line, paragraphs
from credits.registry import minerals
from credits.registry.calendar import checked_period, months_before
from credits.registry.doubts.plausibility_grades import GradeDoubtful, doubt, must_be_possible
from credits.registry.issuance_counts import CarriedRemainder
from credits.registry.mines.licensed import uncovered
from credits.registry.papers.evidence import free
from credits.registry.policy import Policy
from credits.registry.production import Batch, BatchState, EvidenceKind, Remark, RemarkKind, Site
from credits.registry.reviews import review_threads
from credits.registry.reviews.assigning import assign
from credits.registry.stillness import keep_site_still

COUNTED = tuple(set(BatchState) - {BatchState.DRAFT, BatchState.REJECTED, BatchState.WITHDRAWN})
MOST_WORK = 1_000_000


class NoSuchBatch(Missing):
    code = "no_such_batch"


class WrongState(Conflict):
    """The batch is not where this step begins."""

    code = "wrong_state"


class Incomplete(Conflict):
    """Something is missing before the batch can be submitted."""

    code = "incomplete"


class Overlapping(Conflict):
    """The site has a batch of this mineral for some of these days already (invariant 5)."""

    code = "overlapping_batch"


class ChangedMeanwhile(Conflict):
    """Somebody else, or the same person in another tab, has changed the batch since it was looked at."""

    code = "changed_meanwhile"


class BadProduction(Invalid):
    """Figures of production that cannot be."""

    code = "bad_production"


@dataclass(frozen=True)
class Production:
    """What a producer says of a batch. Weights are decimal kilograms as text.

    moisture: per cent. grade: per cent of the contained substance, for gold the fineness per thousand.
    sold_with_premium, registered_elsewhere: base units that cannot become credits any more (invariant 4).
    grade_confirmed: whether somebody was asked back about a very low grade, and stands by it.
    """

    mineral_code: str
    form: str
    produced_from: date
    produced_to: date
    gross_kg: str
    moisture: str
    grade: str
    miners: int
    days_worked: int
    sold_to: str
    sold_with_premium: int
    registered_elsewhere: int
    grade_confirmed: bool = False


def draft(session: Session, *, site: Site, production: Production, by: User, key: str, at: datetime) -> Batch:
    """Begin a batch. Flushes. Raises NotAllowed, Invalid."""
    may_register_for(by, site.producer)
    asked = {name: str(value) for name, value in vars(production).items()} | {"act": "batch.draft", "site": site.id}
    if earlier := claim(session, caller=by.number, key=key, request=asked):
        return session.get_one(Batch, earlier["batch"])
    batch = Batch(site=site, state=BatchState.DRAFT, drafted_by_id=by.id, drafted_at=at, carried_ng=0)
    fill(batch, production, today=at.date())
    session.add(batch)
    session.flush()
    tell(session, "batch.drafted", batch, by, at, {"site": f"{site.country}-{site.code}"})
    settle(session, {"batch": batch.id})
    return batch


def amend(session: Session, *, batch: Batch, production: Production, seen: int, by: User, at: datetime) -> None:
    """Change a batch that is a draft or about which the verifier has asked.

    seen: the revision of the batch that the person looked at, so that two tabs never overwrite each other unseen.
    Flushes. Raises WrongState, ChangedMeanwhile, Invalid.
    """
    may_register_for(by, batch.site.producer)
    keep_site_still(session, batch.site)
    lock_in(session, batch, BatchState.DRAFT, BatchState.INFORMATION_REQUESTED)
    if batch.revision != seen:
        raise ChangedMeanwhile("The batch was changed in the meantime. Look at it again before you change it.")
    before = described(batch) | {"sold_to": batch.sold_to}
    fill(batch, production, today=at.date())
    if batch.state is not BatchState.DRAFT:
        refuse_overlap(session, batch)
    session.flush()
    after = described(batch) | {"sold_to": batch.sold_to}
    changed = {name: [before[name], after[name]] for name in after if before[name] != after[name]}
    if changed:
        batch.revision += 1
        session.flush()
        # The log is public, and nobody outside may read a draft: only the hash of its figures stands there.
        events.append(
            session,
            kind="batch.amended",
            subject=batch.number,
            actor=by.number,
            at=at,
            facts={"fields": sorted(changed)},
            private={"changed": encode(changed).decode()},
        )


def fill(batch: Batch, production: Production, *, today: date) -> None:
    """Put the producer's figures into `batch`, with the exact arithmetic. Raises Invalid."""
    mineral = minerals.mineral_of(production.mineral_code)
    if production.form not in mineral.forms:
        raise BadProduction(f"{mineral.name.capitalize()} is delivered as {' or '.join(mineral.forms)}.")
    checked_period(production.produced_from, production.produced_to, "Production period")
    if production.produced_to > today:
        raise BadProduction("The production period has not ended yet.", last_day=str(production.produced_to))
    for name in ("miners", "days_worked", "sold_with_premium", "registered_elsewhere"):
        if not 0 <= getattr(production, name) < (MOST_WORK if name in ("miners", "days_worked") else 2**63):
            raise BadProduction(f"The number for {name.replace('_', ' ')} cannot be.", field=name)
    if production.days_worked > (production.produced_to - production.produced_from).days + 1:
        raise BadProduction("More days were worked than the production period has.", field="days_worked")
    moisture_ppm = minerals.share_ppm(production.moisture, per=100)
    if mineral.per_thousand and moisture_ppm:
        raise BadProduction("Gold is weighed as it is: leave the moisture at 0.")
    batch.mineral_code = mineral.code
    batch.form = production.form
    batch.produced_from, batch.produced_to = production.produced_from, production.produced_to
    batch.gross_mg = minerals.weight_mg(production.gross_kg)
    batch.moisture_ppm = moisture_ppm
    batch.dry_mg = minerals.dried_mg(batch.gross_mg, moisture_ppm)
    if batch.dry_mg == 0:
        raise BadProduction("With that much moisture nothing is left.")
    batch.grade_ppm = graded(batch, production)
    batch.contained_ng = minerals.contained_ng(batch.dry_mg, batch.grade_ppm)
    batch.miners, batch.days_worked = production.miners, production.days_worked
    batch.sold_to = line(production.sold_to, "Buyer of the mineral", 200) if production.sold_to.strip() else ""
    batch.sold_with_premium = production.sold_with_premium
    batch.registered_elsewhere = production.registered_elsewhere
    if production.sold_with_premium + production.registered_elsewhere > whole_units(batch):
        raise BadProduction("More was sold with a premium or registered elsewhere than the batch contains.")


def graded(batch: Batch, production: Production) -> int:
    """The grade in parts per million. Raises BadMeasure, BadProduction, GradeImpossible, GradeDoubtful."""
    mineral = minerals.mineral_of(production.mineral_code)
    grade_ppm = minerals.share_ppm(production.grade, per=1000 if mineral.per_thousand else 100)
    if grade_ppm == 0:
        raise BadProduction("A grade of 0 contains nothing.")
    must_be_possible(mineral, production.form, grade_ppm)
    asked = doubt(mineral, production.form, grade_ppm)
    if asked and not production.grade_confirmed and grade_ppm != batch.grade_ppm:  # one that stands was asked about
        raise GradeDoubtful(asked, field="grade")
    return grade_ppm


def missing(batch: Batch, policy: Policy) -> list[str]:
    """What the producer must still add before the batch can be submitted, as sentences."""
    wanted = []
    if unlicensed := uncovered(batch.site.licences, batch.produced_from, batch.produced_to):
        wanted.append(unlicensed)
    there = {paper.kind for paper in batch.evidence}
    wanted += [PAPERS[kind] for kind in policy.required_evidence if kind not in there]
    return wanted


def is_licensed(batch: Batch) -> bool:
    """Whether one licence of the site covers the whole production period."""
    return uncovered(batch.site.licences, batch.produced_from, batch.produced_to) is None


PAPERS = {
    EvidenceKind.SCALE_LOG: "The scale log.",
    EvidenceKind.ASSAY: "The assay of the laboratory.",
    EvidenceKind.SALES_INVOICE: "The sales invoice.",
    EvidenceKind.ROYALTY_RECEIPT: "The royalty receipt.",
    EvidenceKind.TAG_LOG: "The log of tags and seals.",
    EvidenceKind.PHOTO: "A photo.",
    EvidenceKind.OTHER: "Another paper.",
}


def submit(session: Session, *, batch: Batch, policy: Policy, by: User, at: datetime) -> None:
    """Hand a draft in; its verifier is drawn at once. Flushes.

    Raises NotAllowed, WrongState, Incomplete, Overlapping.
    """
    may_register_for(by, batch.site.producer)
    keep_site_still(session, batch.site)
    lock_in(session, batch, BatchState.DRAFT)
    if wanted := missing(batch, policy):
        raise Incomplete("Before the batch can be submitted: " + " ".join(wanted), missing=wanted)
    refuse_hopeless(session, batch, policy, at.date())
    refuse_overlap(session, batch)
    batch.state = BatchState.SUBMITTED
    batch.submitted_by_id, batch.submitted_at = by.id, at
    session.flush()
    papers = [paper.sha256 for paper in batch.evidence]
    told = described(batch) | {"evidence": papers}
    event_id = tell(session, "batch.submitted", batch, by, at, told, {"sold_to": batch.sold_to})
    assign(session, batch, event_id=event_id, policy=policy, reason="", actor=events.SYSTEM, at=at)


def refuse_hopeless(session: Session, batch: Batch, policy: Policy, today: date) -> None:
    """Raise Incomplete where no credits could come of the batch, so that nobody works on it in vain."""
    carried = session.get(CarriedRemainder, (batch.site.producer_id, batch.mineral_code))
    fine = batch.contained_ng + (carried.nanograms if carried else 0)
    whole = minerals.in_base_units(batch.mineral, fine).base_units
    if whole - batch.sold_with_premium - batch.registered_elsewhere < 1:
        raise Incomplete(
            f"Less than one {batch.mineral.base_unit} is left to issue. Register a longer period as one batch.",
            contained=whole,
        )
    if batch.produced_to < months_before(today, policy.months_to_issue):
        raise Incomplete(
            f"The last production day is more than {policy.months_to_issue} months ago: too late to issue credits."
        )


def whole_units(batch: Batch) -> int:
    """Whole base units that the batch contains by itself."""
    return minerals.in_base_units(batch.mineral, batch.contained_ng).base_units


def refuse_overlap(session: Session, batch: Batch) -> None:
    """Raise Overlapping where another counted batch of the site shares mineral and days.

    After `keep_site_still`: two batches submitted together would not see each other.
    """
    other = session.scalars(
        select(Batch)
        .where(
            Batch.site_id == batch.site_id,
            Batch.mineral_code == batch.mineral_code,
            Batch.id != batch.id,
            Batch.state.in_(COUNTED),
            Batch.produced_from <= batch.produced_to,
            Batch.produced_to >= batch.produced_from,
        )
        .limit(1)
    ).one_or_none()
    if other is not None:
        raise Overlapping(
            f"{other.number} of this site already covers {day_shown(other.produced_from)} to "
            f"{day_shown(other.produced_to)}. Please choose days that no other batch covers.",
            batch=other.number,
        )


def answer(session: Session, *, batch: Batch, text: str, policy: Policy, by: User, key: str, at: datetime) -> Remark:
    """Answer all that the verifier has asked by one text; the batch goes back into review.

    Flushes. Raises WrongState, Incomplete.
    """
    may_register_for(by, batch.site.producer)
    asked = {"act": "batch.answer", "batch": batch.number, "text": text}
    if earlier := claim(session, caller=by.number, key=key, request=asked):
        return session.get_one(Remark, earlier["remark"])
    lock_in(session, batch, BatchState.INFORMATION_REQUESTED)
    if wanted := missing(batch, policy):
        raise Incomplete("Before you can answer: " + " ".join(wanted), missing=wanted)
    refuse_hopeless(session, batch, policy, at.date())
    batch.state = BatchState.IN_REVIEW
    made = remark(session, batch, RemarkKind.ANSWER, text, by, at)
    review_threads.reply(session, made, review_threads.waiting(session, batch))
    papers = [paper.sha256 for paper in batch.evidence]
    tell(session, "batch.answered", batch, by, at, {"evidence": papers}, {"text": made.text})
    settle(session, {"remark": made.id})
    return made


def withdraw(session: Session, *, batch: Batch, by: User, at: datetime) -> None:
    """Take a batch back before its credits are issued. Flushes. Raises WrongState."""
    may_register_for(by, batch.site.producer)
    lock_in(
        session,
        batch,
        BatchState.DRAFT,
        BatchState.SUBMITTED,
        BatchState.IN_REVIEW,
        BatchState.INFORMATION_REQUESTED,
        BatchState.VERIFIED,  # a verified batch that cannot be issued must not be a dead end
    )
    batch.state = BatchState.WITHDRAWN
    free(session, batch)
    tell(session, "batch.withdrawn", batch, by, at, {})


def lock_in(session: Session, batch: Batch, *states: BatchState) -> None:
    """Lock the batch, read it anew and see that it is in one of `states`. Raises WrongState."""
    session.refresh(batch, with_for_update=True)
    if batch.state not in states:
        raise WrongState(
            f"{batch.number} is {batch.state.value.replace('_', ' ')}: this step is not open now.",
            state=batch.state.value,
        )


def remark(session: Session, batch: Batch, kind: RemarkKind, text: str, by: User, at: datetime) -> Remark:
    """Write down what was said about a batch. Flushes. Raises UnsoundText."""
    made = Remark(batch=batch, kind=kind, text=paragraphs(text, "Text", 4000), author_id=by.id, made_at=at)
    session.add(made)
    session.flush()
    return made


def described(batch: Batch) -> dict[str, Any]:
    """The producer's figures as the journal keeps them."""
    return {
        "mineral": batch.mineral_code,
        "form": batch.form,
        "from": str(batch.produced_from),
        "to": str(batch.produced_to),
        "gross_mg": batch.gross_mg,
        "moisture_ppm": batch.moisture_ppm,
        "dry_mg": batch.dry_mg,
        "grade_ppm": batch.grade_ppm,
        "contained_ng": exact(batch.contained_ng),
        "sold_with_premium": batch.sold_with_premium,
        "registered_elsewhere": batch.registered_elsewhere,
        "miners": batch.miners,
        "days_worked": batch.days_worked,
    }


def tell(
    session: Session,
    what: str,
    batch: Batch,
    by: User,
    at: datetime,
    facts: dict[str, Any],
    private: dict[str, str] | None = None,
) -> int:
    """Append the event of a step; what people wrote to each other is private, and its hash binds them to it. Its id."""
    return events.append(session, kind=what, subject=batch.number, actor=by.number, at=at, facts=facts, private=private)

"""What a batch lacks before it can be handed in, and what keeps it from ever becoming credits."""

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from credits.errors import Conflict
from credits.participants.wording import day_shown
from credits.registry import minerals
from credits.registry.calendar import months_before
from credits.registry.issuance_counts import CarriedRemainder
from credits.registry.mines.licensed import uncovered
from credits.registry.policy import Policy
from credits.registry.production import Batch, BatchState, EvidenceKind

COUNTED = tuple(set(BatchState) - {BatchState.DRAFT, BatchState.REJECTED, BatchState.WITHDRAWN})
PAPERS = {
    EvidenceKind.SCALE_LOG: "The scale log.",
    EvidenceKind.ASSAY: "The assay of the laboratory.",
    EvidenceKind.SALES_INVOICE: "The sales invoice.",
    EvidenceKind.ROYALTY_RECEIPT: "The royalty receipt.",
    EvidenceKind.TAG_LOG: "The log of tags and seals.",
    EvidenceKind.PHOTO: "A photo.",
    EvidenceKind.OTHER: "Another paper.",
}


class Incomplete(Conflict):
    """Something is missing before the batch can be submitted."""

    code = "incomplete"


class Overlapping(Conflict):
    """The site has a batch of this mineral for some of these days already (invariant 5)."""

    code = "overlapping_batch"


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

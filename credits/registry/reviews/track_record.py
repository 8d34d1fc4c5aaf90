"""What became of a producer's earlier batches: for the verifier of the next one."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session, selectinload

from credits.participants.models import Organisation
from credits.registry.doubts.plausibility_chart import FULL, LEAST
from credits.registry.minerals import in_base_units
from credits.registry.models import Issuance
from credits.registry.production import Batch, BatchState, Site

SHOWN = 12
UNSUBMITTED = (BatchState.DRAFT, BatchState.WITHDRAWN)
TONES = {
    BatchState.ISSUED: "good",
    BatchState.SUSPENDED: "stop",
    BatchState.REJECTED: "stop",
    BatchState.VERIFIED: "info",
}


@dataclass(frozen=True)
class Earlier:
    """One batch. contained: base units; issued: base units, or None; height: of 1,000, beside those of its mineral."""

    batch: Batch
    contained: int
    issued: int | None
    height: int

    @property
    def tone(self) -> str:
        return TONES.get(self.batch.state, "wait")


@dataclass(frozen=True)
class TrackRecord:
    """states: how many batches of the producer are in each; rows: the newest, oldest first."""

    states: Counter[BatchState]
    rows: Sequence[Earlier]


def of_producer(session: Session, producer: Organisation) -> TrackRecord:
    """All that a producer has submitted. Bars are to the scale of the largest batch of the same mineral."""
    submitted = select(Batch).join(Batch.site).where(Site.producer_id == producer.id, Batch.state.not_in(UNSUBMITTED))
    counted = submitted.with_only_columns(Batch.state, func.count()).group_by(Batch.state)
    found: dict[BatchState, int] = dict(session.execute(counted).all())
    states = Counter({state: found[state] for state in BatchState if state in found})
    newest = submitted.options(selectinload(Batch.site)).order_by(Batch.produced_to.desc(), Batch.id.desc())
    batches = list(session.scalars(newest.limit(SHOWN)))[::-1]
    quantities = select(Issuance.batch_id, Issuance.quantity).where(
        Issuance.batch_id.in_([each.id for each in batches])
    )
    issued: dict[int, int] = dict(session.execute(quantities).all())
    largest: dict[str, int] = {}
    for each in batches:
        largest[each.mineral_code] = max(largest.get(each.mineral_code, 1), each.contained_ng)
    rows = [
        Earlier(
            each,
            in_base_units(each.mineral, each.contained_ng).base_units,
            issued.get(each.id),
            max(LEAST, FULL * each.contained_ng // largest[each.mineral_code]),
        )
        for each in batches
    ]
    return TrackRecord(states, rows)

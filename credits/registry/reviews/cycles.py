"""How long a lead verifies the same producer: at most so many cycles in a row (invariant 9).

A cycle is one vintage of a producer: the year of the last production day, which is also what its assurance is given
for; however many batches a producer has in a year, verifying them is one cycle. Vintages are in a row for a lead when
no vintage stands between them that others verified and the lead did not. A year without a verified batch breaks no row,
for nobody else has looked in it; nor does another lead's batch in a vintage that the lead verified too.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from credits.errors import Conflict
from credits.participants.models import Organisation, User
from credits.registry.production import Batch, BatchState, Site
from credits.registry.reviews.kinship import address_key

CONFIRMED = (BatchState.VERIFIED, BatchState.ISSUED, BatchState.SUSPENDED)


class TooManyCycles(Conflict):
    """The lead has verified this producer as many vintages in a row as the policy allows."""

    code = "too_many_cycles"


@dataclass(frozen=True)
class Row:
    """The vintages in a row that a lead has verified a producer, the newest such row."""

    producer: Organisation
    lead: User
    vintages: list[int]
    batches: int


def verified_vintages(session: Session, producer_id: int, *, but: Batch | None = None) -> set[tuple[int, int]]:
    """(vintage, id of the person who verified) of a producer's confirmed batches. but: one that does not count."""
    wanted = (
        select(Batch.id, Batch.produced_to, Batch.verified_by_id)
        .join(Site, Site.id == Batch.site_id)
        .where(Site.producer_id == producer_id, Batch.state.in_(CONFIRMED))
    )
    left_out = but.id if but is not None else None
    return {(last.year, lead) for number, last, lead in session.execute(wanted) if number != left_out and lead}


def row_with(verified: Iterable[tuple[int, int]], leads: Collection[int], vintage: int) -> list[int]:
    """The vintages in a row, `vintage` among them, if one of `leads` verified it. leads: accounts of one person."""
    known = list(verified)
    own = {year for year, lead in known if lead in leads} | {vintage}
    others = {year for year, _ in known} - own
    floor = max((year for year in others if year < vintage), default=0)
    roof = min((year for year in others if year > vintage), default=10_000)
    return sorted(year for year in own if floor < year < roof)


def accounts_of(lead: User) -> set[int]:
    """The accounts in the organisation of `lead` that lead to the same mailbox: one person's."""
    mailbox = address_key(lead.email)
    return {each.id for each in lead.organisation.members if address_key(each.email) == mailbox}


def has_turn(session: Session, batch: Batch, lead: User, most: int) -> bool:
    """Whether `lead` may verify this batch of its producer, as far as the cycles go."""
    verified = verified_vintages(session, batch.site.producer_id, but=batch)
    return len(row_with(verified, accounts_of(lead), batch.vintage)) <= most


def must_have_turn(session: Session, batch: Batch, lead: User, most: int) -> None:
    """Raise TooManyCycles unless `lead` may verify this batch, as far as the cycles go."""
    if not has_turn(session, batch, lead, most):
        raise TooManyCycles(
            f"{lead.name} has verified {batch.site.producer.name} for {most} vintages in a row, which is the most that "
            "one lead may. Another lead verifies this vintage.",
            most=most,
        )


def rows_of(session: Session, organisation: Organisation) -> list[Row]:
    """For each lead of a verifier and each producer, the newest row of vintages: what its rotation is judged by."""
    wanted = (
        select(Site.producer_id, Batch.verified_by_id, Batch.produced_to)
        .join(Site, Site.id == Batch.site_id)
        .join(User, User.id == Batch.verified_by_id)
        .where(User.organisation_id == organisation.id, Batch.state.in_(CONFIRMED))
    )
    found: dict[tuple[int, int], list[int]] = {}
    for producer_id, lead_id, last in session.execute(wanted):
        assert lead_id is not None
        found.setdefault((producer_id, lead_id), []).append(last.year)
    rows = []
    for (producer_id, lead_id), years in sorted(found.items()):
        producer, lead = session.get_one(Organisation, producer_id), session.get_one(User, lead_id)
        vintages = row_with(verified_vintages(session, producer_id), accounts_of(lead), max(years))
        rows.append(Row(producer, lead, vintages, len(years)))
    return rows

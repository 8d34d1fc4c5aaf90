"""Which verifier reviews a batch: the registry draws it by lot among those who may, reproducibly (see draws.py).

Who may: an approved verifier's organisation with a lead whose turn it is (see cycles.py), that is not the producer, not
its group manager, does not own the concession, and shares no mailbox and no registration number with them (kinship.py).
What a verifier knows of minerals and countries is not recorded, so nobody is left out for it.

Once a batch of a producer came to nothing, being withdrawn or rejected, what it submits for the same vintage or days
goes to the verifier that was drawn first for them: otherwise a producer could try, with batches of one day, until the
lot falls on a friend, and then submit what it really has.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session, object_session

from credits.errors import Conflict, NotAllowed
from credits.journal import events
from credits.journal.merkle import leaf_hash
from credits.journal.models import Event, RegistryIdentity
from credits.participants.models import Kind, Kyc, Organisation, Role, RoleName, User
from credits.participants.permissions import HEADS, has_any
from credits.registry.policy import Policy
from credits.registry.production import Batch, BatchState, Site
from credits.registry.reviews import draws
from credits.registry.reviews.assigned import STANDING, Assignment, AssignmentState, Draw
from credits.registry.reviews.cycles import has_turn
from credits.registry.reviews.kinship import Tie, among_people, between_organisations, to_owner


class NotDrawn(NotAllowed):
    """The registry has drawn another verifier for this batch, or none yet."""

    code = "not_drawn"


class NotDeclared(Conflict):
    """The person has not declared yet to have no tie to this job."""

    code = "not_declared"


@dataclass(frozen=True)
class Eligible:
    """An organisation that may be drawn, and those of its leads who may decide then."""

    organisation: Organisation
    leads: list[User]


def standing(session: Session, batch: Batch) -> Assignment | None:
    """The assignment of a batch that has not ended."""
    wanted = select(Assignment).where(Assignment.batch_id == batch.id, Assignment.state.in_(STANDING))
    return session.scalars(wanted, execution_options={"populate_existing": True}).one_or_none()


def taken_by(session: Session, by: User, batch: Batch) -> Assignment | None:
    """The assignment under which the organisation of `by` works on this batch."""
    found = standing(session, batch)
    own = found is not None and found.organisation_id == by.organisation_id
    return found if own and found is not None and found.state is AssignmentState.TAKEN else None


def history_of(session: Session, batch: Batch) -> list[Assignment]:
    """All assignments of a batch, oldest first."""
    return list(session.scalars(select(Assignment).where(Assignment.batch_id == batch.id).order_by(Assignment.id)))


def assign(
    session: Session, batch: Batch, *, event_id: int, policy: Policy, reason: str, actor: str, at: datetime
) -> Assignment:
    """Draw the verifier of a submitted batch that has none.

    Whoever declined it or was relieved of it is not drawn again, and who let it lapse not twice in a row.
    event_id: the event just before, whose hash is in the seed. reason: why it is drawn anew, else empty. Flushes.
    """
    before = history_of(session, batch)
    passed_over = {
        each.organisation_id for each in before if each.state is not AssignmentState.LAPSED or each is before[-1]
    }
    candidates = [each for each in eligible(session, batch, policy) if each.organisation.id not in passed_over]
    earlier = drawn_before(session, batch, candidates) if not before else None
    if earlier is not None:
        candidates = [each for each in candidates if each.organisation.id == earlier.organisation_id]
        reason = f"{earlier.batch.number}, for days or the vintage of this batch, was with this verifier first."
    made = draw_lots(
        session,
        about=batch.number,
        candidates=[each.organisation.number for each in candidates],
        take=1,
        event_id=event_id,
        reason=reason,
        actor=actor,
        at=at,
    )
    chosen = next((each.organisation for each in candidates if [each.organisation.number] == made.drawn), None)
    assignment = Assignment(
        batch=batch,
        draw=made,
        organisation=chosen,
        state=AssignmentState.OFFERED if chosen else AssignmentState.NOBODY,
        most_cycles=policy.most_cycles,
        due_at=at + timedelta(days=policy.days_to_take),
    )
    session.add(assignment)
    session.flush()
    return assignment


def draw_lots(
    session: Session,
    *,
    about: str,
    candidates: list[str],
    take: int,
    event_id: int,
    reason: str,
    actor: str,
    at: datetime,
) -> Draw:
    """Draw `take` of `candidates` for what is named; the journal has all that it takes to draw again. Flushes."""
    before = session.scalars(select(Draw.round).where(Draw.about == about).order_by(Draw.round.desc()).limit(1)).first()
    turn = (before or 0) + 1
    leaf = leaf_hash(session.get_one(Event, event_id).body).hex()
    registry = session.scalars(select(RegistryIdentity.registry_id)).one()
    seed = draws.seed_of(registry=registry, about=about, round=turn, leaf=leaf)
    made = Draw(
        about=about,
        round=turn,
        event_id=event_id,
        seed=seed,
        candidates=sorted(candidates),
        take=take,
        drawn=draws.draw(seed, candidates, take),
        reason=reason,
        made_at=at,
    )
    session.add(made)
    session.flush()
    facts = {"draw": made.number, "round": turn, "leaf": leaf, "seed": seed, "take": take}
    facts |= {"candidates": made.candidates, "drawn": made.drawn, "reason": reason}
    events.append(session, kind="lots.drawn", subject=about, actor=actor, at=at, facts=facts)
    return made


def eligible(session: Session, batch: Batch, policy: Policy) -> list[Eligible]:
    """Who may be drawn for a batch, by number."""
    wanted = (
        select(User)
        .join(Organisation, Organisation.id == User.organisation_id)
        .join(Role, Role.user_id == User.id)
        .where(Organisation.kind == Kind.VERIFIER, Organisation.kyc == Kyc.APPROVED)
        .where(User.active, Role.name == RoleName.LEAD)
        .order_by(Organisation.id, User.id)
    )
    found: dict[Organisation, list[User]] = {}
    for lead in session.scalars(wanted):
        found.setdefault(lead.organisation, []).append(lead)
    free = {one: leads for one, leads in found.items() if not any(tie.certain for tie in ties_of(leads[0], batch))}
    in_turn = {
        one: [each for each in leads if has_turn(session, batch, each, policy.most_cycles)]
        for one, leads in free.items()
    }
    return [Eligible(organisation, leads) for organisation, leads in in_turn.items() if leads]


def ties_of(person: User, batch: Batch) -> list[Tie]:
    """What ties a person or the heads of a verifier, or the verifier itself, to a batch: its producer, group or owner.

    A tie that the verifier has declared to the producer, for whichever batch, stays.
    """
    site, verifier = batch.site, person.organisation
    if verifier.id in (site.producer_id, site.producer.group_manager_id):
        return [Tie(f"self {verifier.number}", True, "Nobody verifies their own organisation.")]
    side = [each for each in (site.producer, site.producer.group_manager) if each is not None]
    found = [tie for each in side if (tie := between_organisations(verifier, each))]
    if owning := to_owner(verifier, site):
        found.append(owning)
    if has_declared_tie(verifier, site.producer):
        about = f"declared {verifier.number} {site.producer.number}"
        found.append(Tie(about, True, f"{verifier.name} has declared a tie to {site.producer.name}."))
    heads = [each for each in verifier.members if each.active and has_any(each, *HEADS) and each is not person]
    found += among_people([person, *heads], [each for organisation in side for each in organisation.members])
    return found


def has_declared_tie(verifier: Organisation, producer: Organisation) -> bool:
    """Whether a verifier has declined a batch of a producer for a tie."""
    session = object_session(verifier)
    assert session is not None
    wanted = (
        select(Assignment.id)
        .join(Batch, Batch.id == Assignment.batch_id)
        .join(Site, Site.id == Batch.site_id)
        .where(
            Assignment.organisation_id == verifier.id,
            Assignment.state == AssignmentState.DECLINED,
            Site.producer_id == producer.id,
        )
        .limit(1)
    )
    return session.scalars(wanted).first() is not None


def drawn_before(session: Session, batch: Batch, candidates: list[Eligible]) -> Assignment | None:
    """Who of `candidates` was drawn first for days or the vintage of this batch, once any such batch came to nothing.

    Of the same producer and mineral. The others count in whatever state they are: a trial may be left open, too.
    """
    year = (date(batch.vintage, 1, 1), date(batch.vintage, 12, 31))
    wanted = (
        select(Assignment)
        .join(Batch, Batch.id == Assignment.batch_id)
        .join(Site, Site.id == Batch.site_id)
        .where(
            Site.producer_id == batch.site.producer_id,
            Batch.id != batch.id,
            Batch.mineral_code == batch.mineral_code,
            or_(
                Batch.produced_to.between(*year),
                and_(Batch.produced_from <= batch.produced_to, Batch.produced_to >= batch.produced_from),
            ),
            Assignment.state.in_((AssignmentState.OFFERED, AssignmentState.TAKEN)),
        )
        .order_by(Assignment.id)
    )
    found = list(session.scalars(wanted))
    if not any(each.batch.state in (BatchState.WITHDRAWN, BatchState.REJECTED) for each in found):
        return None
    may = {each.organisation.id for each in candidates}
    return next((each for each in found if each.organisation_id in may), None)


def must_be_drawn(by: User, batch: Batch) -> Assignment:
    """The standing assignment of a batch to the organisation of `by`. Raises NotDrawn."""
    session = object_session(batch)
    assert session is not None
    found = standing(session, batch)
    if found is None or found.organisation_id != by.organisation_id:
        raise NotDrawn("The registry draws who verifies a batch, and has not drawn your organisation for this one.")
    return found

"""The external audit of a group: once a year a sample of its members is drawn, and the verifier that visits them.

The sample is the square root of the number of members, rounded up. What counts, said simply: a member that its verifier
visited counts by that visit; a member of the sample counts once it was visited and conforms; and a member that was
verified from a distance counts on the strength of its group, which is when all of that year's sample was visited and
conforms.
"""

from datetime import date, datetime
from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from credits import ledger
from credits.errors import Conflict, Invalid, NotAllowed
from credits.journal import events
from credits.participants.models import Kind, Kyc, Organisation, Role, RoleName, User
from credits.participants.permissions import WrongRole, is_lead, must_issue
from credits.participants.wording import paragraphs
from credits.registry.assurance.group_models import GroupAudit, SampleVisit
from credits.registry.assurance.groups import audit_of, must_be_year, sample_size, standing_of
from credits.registry.calendar import checked_period
from credits.registry.production import Batch
from credits.registry.reviews.assigning import draw_lots
from credits.registry.reviews.kinship import among_people, between_organisations


class DrawnAlready(Conflict):
    """A group's sample is drawn once a year, whatever came of it."""

    code = "drawn_already"


class NobodyEligible(Conflict):
    code = "nobody_eligible"


class NotControlled(Conflict):
    """Members whose control of the year is missing: a sample is drawn of a group that has looked at all of its own."""

    code = "not_controlled"


class NotInSample(NotAllowed):
    code = "not_in_sample"


def begin_audit(session: Session, *, group: Organisation, year: int, by: User, key: str, at: datetime) -> GroupAudit:
    """Draw the sample of a group for a year, and the verifier that visits it. Once a year, by the registry.

    Flushes. Raises NotAllowed, NotControlled, DrawnAlready, NobodyEligible, Invalid.
    """
    must_issue(by)
    asked = {"act": "group.begin_audit", "group": group.number, "year": year}
    if earlier := ledger.claim(session, caller=by.number, key=key, request=asked):
        return session.get_one(GroupAudit, earlier["audit"])
    must_be_year(year, at)
    session.refresh(group, with_for_update={"key_share": True})
    if audit_of(session, group, year) is not None:
        raise DrawnAlready(f"The sample of {group.name} for {year} was drawn already.")
    controlled = must_be_controlled(session, group, year)
    verifiers = eligible(session, group, controlled)
    if not verifiers:
        raise NobodyEligible("No approved verifier without a tie to this group has a lead.")
    members = [member.number for member in controlled]
    begun = {"year": year, "members": len(members)}
    event_id = events.append(
        session, kind="group.audit_begun", subject=group.number, actor=by.number, at=at, facts=begun
    )
    draw = partial(draw_lots, session, event_id=event_id, reason="", actor=by.number, at=at)
    sample = draw(about=f"{group.number}/{year}/sample", candidates=members, take=sample_size(len(members)))
    named = [each.number for each in verifiers]
    verifier = draw(about=f"{group.number}/{year}/verifier", candidates=named, take=1)
    made = GroupAudit(
        group=group,
        year=year,
        members=len(members),
        sample_draw=sample,
        verifier_draw=verifier,
        organisation=next(each for each in verifiers if [each.number] == verifier.drawn),
        begun_by=by,
        begun_at=at,
    )
    session.add(made)
    session.flush()
    facts = {"year": year, "sample": sample.drawn, "verifier": made.organisation.number}
    events.append(session, kind="group.sample_drawn", subject=group.number, actor=by.number, at=at, facts=facts)
    ledger.settle(session, {"audit": made.id})
    return made


def must_be_controlled(session: Session, group: Organisation, year: int) -> list[Organisation]:
    """The members of a group, all of whom it has controlled itself in a year. Raises NotControlled."""
    standings = standing_of(session, group, year)
    missing = [each.member.name for each in standings if each.control is None]
    if missing or not standings:
        listed = ", ".join(missing[:20]) or "the group has no approved member"
        raise NotControlled(f"The group controls all of its members first. Missing for {year}: {listed}.")
    return [each.member for each in standings]


def visit(
    session: Session,
    *,
    audit: GroupAudit,
    member: Organisation,
    visited: tuple[date, date],
    conforms: bool,
    report: str,
    by: User,
    key: str,
    at: datetime,
) -> SampleVisit:
    """Write down what the drawn verifier found at a member of the sample; by doing so `by` declares to have no tie.

    Flushes. Raises NotAllowed, NotInSample, Invalid, UnsoundText.
    """
    if by.organisation_id != audit.organisation_id or not is_lead(by):
        raise WrongRole("A lead of the verifier that was drawn writes down its visits.")
    if member.number not in audit.sample_draw.drawn:
        raise NotInSample(f"{member.name} is not in the sample.")
    asked = {"act": "group.visit", "audit": audit.id, "member": member.number, "report": report}
    asked |= {"visited": [str(day) for day in visited], "conforms": conforms}
    if earlier := ledger.claim(session, caller=by.number, key=key, request=asked):
        return session.get_one(SampleVisit, earlier["visit"])
    for tie in among_people([by], [*member.members, *audit.group.members]):
        if tie.certain:
            raise WrongRole(tie.sentence)
    _must_be_days_of_a_visit(visited, audit.year, at.date())
    made = SampleVisit(
        audit=audit,
        member=member,
        visited_from=visited[0],
        visited_to=visited[1],
        conforms=conforms,
        report=paragraphs(report, "Report", 4_000),
        declaration=declaration(by, member, audit.group),
        visited_by=by,
        entered_at=at,
    )
    session.add(made)
    session.flush()
    _tell_visited(session, made, by, at)
    ledger.settle(session, {"visit": made.id})
    return made


def _must_be_days_of_a_visit(visited: tuple[date, date], year: int, today: date) -> None:
    """Raise Invalid or BadPeriod unless the sample of `year` can have been visited on these days."""
    checked_period(*visited, "Visit")
    if visited[1] > today:
        raise Invalid("The visit lies in the future.")
    if visited[0].year < year:
        raise Invalid(f"The visit lies before {year}.")


def _tell_visited(session: Session, made: SampleVisit, by: User, at: datetime) -> None:
    events.append(
        session,
        kind="group.member_visited",
        subject=made.audit.group.number,
        actor=by.number,
        at=at,
        facts={
            "year": made.audit.year,
            "member": made.member.number,
            "verifier": by.organisation.number,
            "from": str(made.visited_from),
            "to": str(made.visited_to),
            "conforms": made.conforms,
        },
        private={"report": made.report, "declaration": made.declaration},
    )


def declaration(by: User, member: Organisation, group: Organisation) -> str:
    """What a lead declares by writing down a visit."""
    return (
        f"Neither I nor {by.organisation.name} own, manage, finance or buy from {member.name} or {group.name}; nobody "
        "close to me does; and we are paid for this visit alone and not by its outcome."
    )


def obstacles(session: Session, batch: Batch) -> list[str]:
    """What of its group stands against issuing the credits of a batch, as sentences."""
    group, year = batch.site.producer.group_manager, batch.vintage
    if group is None:
        return []
    standings = standing_of(session, group, year)
    sampled = [each for each in standings if each.sampled]
    wanting = [each for each in sampled if each.visit is None or not each.visit.conforms]
    producer = batch.site.producer.name
    found = []
    for each in wanting:
        if each.member.id == batch.site.producer_id:
            how = "has not been visited yet" if each.visit is None else "was visited and does not conform"
            found.append(f"{producer} is in the sample of its group for {year}, and {how}.")
    from_afar = batch.assurance is not None and batch.assurance.visited_from is None
    if from_afar and (not sampled or wanting):
        lacking = ", ".join(each.member.name for each in wanting[:10])
        why = f"lacks {lacking}" if sampled else "has not been drawn"
        found.append(
            f"Verified from a distance, {producer} counts on the strength of its group: the sample of {year} {why}."
        )
    return found


def eligible(session: Session, group: Organisation, members: list[Organisation]) -> list[Organisation]:
    """The approved verifiers with a lead and without a certain tie to the group or a member, by number."""
    wanted = (
        select(User)
        .join(Organisation, Organisation.id == User.organisation_id)
        .join(Role, Role.user_id == User.id)
        .where(Organisation.kind == Kind.VERIFIER, Organisation.kyc == Kyc.APPROVED)
        .where(User.active, Role.name == RoleName.LEAD)
        .order_by(Organisation.id)
    )
    side = [group, *members]
    people = [person for organisation in side for person in organisation.members]
    found: dict[Organisation, None] = {}
    for lead in session.scalars(wanted):
        ties = among_people([lead], people)
        ties += [tie for each in side if (tie := between_organisations(lead.organisation, each))]
        if not any(tie.certain for tie in ties):
            found[lead.organisation] = None
    return list(found)

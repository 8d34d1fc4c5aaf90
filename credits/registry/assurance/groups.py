"""Group certification: the manager controls every member each year; a verifier visits a sample (group_audits.py)."""

import tomllib
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from math import isqrt
from pathlib import Path
from typing import Any

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from credits import ledger
from credits.errors import Invalid, Missing
from credits.journal import events
from credits.journal.canonical import encode
from credits.participants.models import Kind, Kyc, Organisation, RoleName, User
from credits.participants.permissions import (
    NoSuchOrganisation,
    WrongRole,
    has_any,
    is_auditor,
    is_issuer,
    is_verifier,
    may_act_for,
)
from credits.participants.wording import paragraphs
from credits.registry.assurance.group_models import GroupAudit, MemberControl, SampleVisit

CHECKLIST = Path(__file__).parents[1] / "data" / "group_checklist.toml"
ANSWERS = ("yes", "no", "not_applicable")
EARLIEST = 2020


class NoSuchAudit(Missing):
    code = "no_such_audit"


@dataclass(frozen=True)
class Item:
    """One point of the internal control."""

    code: str
    topic: str
    question: str


@dataclass(frozen=True)
class Standing:
    """Where a member stands in a year: its newest control, whether it is in the sample, and its newest visit."""

    member: Organisation
    control: MemberControl | None
    sampled: bool
    visit: SampleVisit | None


@cache
def checklist() -> tuple[str, tuple[Item, ...]]:
    """The version of the checklist, and its points."""
    written = tomllib.loads(CHECKLIST.read_text(encoding="utf-8"))
    return written["version"], tuple(Item(**item) for item in written["item"])


def sample_size(members: int) -> int:
    """The square root of the number of members, rounded up."""
    return isqrt(members - 1) + 1 if members > 0 else 0


def members_of(session: Session, group: Organisation) -> list[Organisation]:
    """The approved cooperatives of a group, by number."""
    wanted = select(Organisation).where(Organisation.group_manager_id == group.id, Organisation.kyc == Kyc.APPROVED)
    return list(session.scalars(wanted.order_by(Organisation.id)))


def control(
    session: Session,
    *,
    group: Organisation,
    member: Organisation,
    year: int,
    answers: dict[str, dict[str, str]],
    controlled_on: date,
    by: User,
    key: str,
    at: datetime,
) -> MemberControl:
    """Write down the group's own control of a member in a year. A later one takes its place; both are kept.

    answers: for every point of the checklist {"answer": yes | no | not_applicable, "note": …}.
    Flushes. Raises NotAllowed, Invalid, UnsoundText.
    """
    must_manage(by, group)
    if member.group_manager_id != group.id:
        raise NoSuchOrganisation("There is no such member of this group.")
    asked = {"act": "group.control", "member": member.number, "year": year, "on": str(controlled_on)}
    asked |= {code: f"{given['answer']} {given['note']}" for code, given in answers.items()}
    if earlier := ledger.claim(session, caller=by.number, key=key, request=asked):
        return session.get_one(MemberControl, earlier["control"])
    must_be_year(year, at)
    if controlled_on > at.date() or controlled_on.year < year:
        raise Invalid("The day of the control lies in the future, or before its year.")
    version, _ = checklist()
    sound = answered(answers)
    made = MemberControl(
        group=group,
        member=member,
        year=year,
        version=version,
        answers=sound,
        conforms=all(given["answer"] != "no" for given in sound.values()),
        controlled_on=controlled_on,
        entered_by=by,
        entered_at=at,
    )
    session.add(made)
    session.flush()
    facts = {"member": member.number, "year": year, "version": version, "conforms": made.conforms}
    events.append(
        session,
        kind="group.member_controlled",
        subject=group.number,
        actor=by.number,
        at=at,
        facts=facts,
        private={"answers": encode(sound).decode()},
    )
    ledger.settle(session, {"control": made.id})
    return made


def answered(answers: dict[str, dict[str, str]]) -> dict[str, Any]:
    """The answers in sound form, one for every point; a "no" says why. Raises Invalid, UnsoundText."""
    sound = {}
    for item in checklist()[1]:
        given = answers.get(item.code, {"answer": "", "note": ""})
        note = given["note"].strip()
        if given["answer"] not in ANSWERS:
            raise Invalid(f"Answer every point: “{item.question}” is open.", item=item.code)
        if given["answer"] == "no" and not note:
            raise Invalid(f"Say what is wrong, and until when it is mended: “{item.question}”", item=item.code)
        sound[item.code] = {"answer": given["answer"], "note": paragraphs(note, "Note", 500) if note else ""}
    return sound


def standing_of(session: Session, group: Organisation, year: int) -> list[Standing]:
    """Where each member stands in a year. Members that were drawn and have left the group since are among them."""
    audit = audit_of(session, group, year)
    members = members_of(session, group)
    sampled = audit.sample_draw.drawn if audit else []
    gone = [number for number in sampled if number not in {member.number for member in members}]
    if gone:
        ids = [int(number.removeprefix("ORG-")) for number in gone]
        members += session.scalars(select(Organisation).where(Organisation.id.in_(ids))).all()
    controls = select(MemberControl).where(MemberControl.group_id == group.id, MemberControl.year == year)
    newest = {each.member_id: each for each in session.scalars(controls.order_by(MemberControl.id))}
    visits: dict[int, SampleVisit] = {}
    if audit:
        found = select(SampleVisit).where(SampleVisit.audit_id == audit.id).order_by(SampleVisit.id)
        visits = {each.member_id: each for each in session.scalars(found)}
    return [
        Standing(member, newest.get(member.id), member.number in sampled, visits.get(member.id)) for member in members
    ]


def audit_of(session: Session, group: Organisation, year: int) -> GroupAudit | None:
    """The audit of a group in a year."""
    return session.scalars(
        select(GroupAudit).where(GroupAudit.group_id == group.id, GroupAudit.year == year)
    ).one_or_none()


def groups_of(by: User) -> Select[Organisation]:
    """The groups that `by` may see: their own, those drawn for their organisation, all of them for the registry."""
    wanted = select(Organisation).where(Organisation.kind == Kind.GROUP_MANAGER).order_by(Organisation.name)
    if is_issuer(by) or is_auditor(by):
        return wanted
    drawn = select(GroupAudit.group_id).where(GroupAudit.organisation_id == by.organisation_id)
    own = Organisation.id == by.organisation_id
    return wanted.where(or_(own, Organisation.id.in_(drawn)) if is_verifier(by) else own)


def group_numbered(session: Session, by: User, number: str) -> Organisation:
    """The group manager with this number, if `by` may see its affairs. Raises NoSuchOrganisation."""
    for found in session.scalars(groups_of(by)):
        if found.number == number:
            return found
    raise NoSuchOrganisation("There is no such group.")


def member_numbered(session: Session, group: Organisation, number: str) -> Organisation:
    """The member of a group with this number. Raises NoSuchOrganisation."""
    for member in members_of(session, group):
        if member.number == number:
            return member
    raise NoSuchOrganisation("There is no such member of this group.")


def must_manage(by: User, group: Organisation) -> None:
    """Raise unless `by` enters records for this group manager."""
    may_act_for(by, group)
    if group.kind is not Kind.GROUP_MANAGER or not has_any(by, RoleName.MANAGER, RoleName.CLERK):
        raise WrongRole("A manager or clerk of the group manager enters its control.")


def must_be_year(year: int, at: datetime) -> None:
    """Raise Invalid for a year that nobody can have controlled yet."""
    if not EARLIEST <= year <= at.year:
        raise Invalid(f"Choose a year from {EARLIEST} to {at.year}.")

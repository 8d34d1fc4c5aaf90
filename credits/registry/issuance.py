"""Issuing: a verified batch becomes serials, once and for good (invariants 4, 8, 9 and 10)."""

import json
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, object_session

from credits import ledger
from credits.db import inserting
from credits.errors import Conflict, NotAllowed
from credits.journal import events
from credits.ledger.models import AccountKind
from credits.ledger.posting import Record
from credits.ledger.serials import SerialRange, written
from credits.participants.models import User
from credits.participants.permissions import is_own, must_issue
from credits.registry.accounts import account_of
from credits.registry.assurance import group_audits
from credits.registry.assurance.assessed import frozen_of
from credits.registry.buffer import contribute
from credits.registry.calendar import months_before, outside
from credits.registry.debits import lock_carry, lock_open, owed, pay_off
from credits.registry.doubts.plausibility import keep_ground_as_it_is, obstacle
from credits.registry.issuance_counts import CarriedRemainder, SiteVintage
from credits.registry.making.batches import lock_in
from credits.registry.minerals import Contained, in_base_units
from credits.registry.mines.licensed import uncovered
from credits.registry.mines.standing import obstacles_of
from credits.registry.models import REGISTRY_CODE, Issuance
from credits.registry.policy import Policy
from credits.registry.production import Batch, BatchState
from credits.registry.reviews.kinship_questions import open_questions, ties_behind, ties_to_issuer


class NotThreePeople(NotAllowed):
    """Submitter, verifier and issuer are different people in different organisations (invariant 9)."""

    code = "not_three_people"


class NotIssuable(Conflict):
    """A condition of invariant 8 is not met; the message names all that are not."""

    code = "not_issuable"


class NothingToIssue(Conflict):
    """After deductions less than one base unit is left."""

    code = "nothing_to_issue"


def issue(session: Session, *, batch: Batch, policy: Policy, by: User, key: str, at: datetime) -> Issuance:
    """Issue the credits of a verified batch to its producer.

    The quantity is the contained quantity with the producer's carried remainder, rounded down, less what was
    sold with a premium or registered elsewhere and the producer's open debits; the new remainder waits for the next
    batch. The buffer's share of it goes on to the registry's buffer.
    Flushes. Raises NotAllowed, NotThreePeople, WrongState, NotIssuable, NothingToIssue.
    """
    must_issue(by)
    asked = {"act": "batch.issue", "batch": batch.number}
    if earlier := ledger.claim(session, caller=by.number, key=key, request=asked):
        return session.get_one(Issuance, earlier["issuance"])
    keep_ground_as_it_is(session, batch.site)
    lock_in(session, batch, BatchState.VERIFIED)
    must_be_third(by, batch)
    wanting = obstacles(batch, policy, at)
    wanting += [tie.sentence for tie in open_questions(session, batch, by) if tie.sentence not in wanting]
    if wanting:
        raise NotIssuable("These credits cannot be issued: " + " ".join(wanting), obstacles=wanting)
    carried = lock_carry(session, batch.site.producer_id, batch.mineral_code)
    debits = lock_open(session, batch.site.producer_id, batch.mineral_code)
    owing = sum(debit.still_open for debit in debits)
    quantity = taken_from_carry(session, batch, carried, owing)
    issuance = enter(session, batch, quantity, by, at)
    pay_off(session, debits, owing, posting_id=issuance.posting_id, at=at)
    contribute(session, issuance=issuance, policy=policy, by=by, at=at)
    batch.state = BatchState.ISSUED
    ledger.settle(session, {"issuance": issuance.id})
    return issuance


def must_be_third(by: User, batch: Batch) -> None:
    """Raise NotThreePeople unless submitter, verifier and `by` are three people of three organisations."""
    assert batch.submitted_by is not None
    assert batch.verified_by is not None
    people = (batch.submitted_by, batch.verified_by, by)
    producer = batch.site.producer
    ends = {batch.verified_by.organisation_id, by.organisation_id}
    # A group manager stands on the producer's side, be it the one of now or the one whose person has submitted.
    own_side = {producer.id, producer.group_manager_id, batch.submitted_by.organisation_id}
    if len({person.id for person in people}) < len(people) or len(ends) < 2 or ends & own_side:
        raise NotThreePeople("Submitter, verifier and issuer must be different people in three organisations.")
    for tie in (*ties_behind(batch), *ties_to_issuer(batch, by)):
        if tie.certain:
            raise NotThreePeople(tie.sentence, about=tie.about)
    if not is_own(batch.submitted_by, producer):
        raise NotThreePeople(
            f"Who submitted {batch.number} acts for its producer no longer, as the group has changed. "
            "The producer withdraws the batch and submits it anew.",
            batch=batch.number,
        )


def obstacles(batch: Batch, policy: Policy, at: datetime) -> list[str]:
    """What stands against issuing `batch` now, as sentences (invariants 7 and 8)."""
    period = (batch.produced_from, batch.produced_to)
    found = []
    if not batch.site.producer.approved:
        found.append("The producer is not approved by the registry.")
    if unlicensed := uncovered(batch.site.licences, *period):
        found.append(unlicensed)
    assurance = batch.assurance
    if assurance is None:
        found.append("The batch has no assurance.")
    elif left_out := outside((assurance.valid_from, assurance.valid_to), period):
        found.append(f"The assurance does not cover the whole production period: {left_out} lies outside it.")
    if not batch.independence:
        found.append("The verifier's declaration of independence is missing.")
    session = object_session(batch)
    assert session is not None
    found += obstacles_of(session, batch, at.date())
    found += [tie.sentence for tie in open_questions(session, batch)]
    found += group_audits.obstacles(session, batch)
    if above := obstacle(session, batch):
        found.append(above)
    if batch.produced_to >= at.date():
        found.append("The production period has not ended.")
    if batch.produced_to < months_before(at.date(), policy.months_to_issue):
        found.append(f"The last production day is more than {policy.months_to_issue} months ago.")
    return found


def waiting_remainder(session: Session, batch: Batch) -> int:
    """Nanograms left over from the producer's earlier batches, which issuing `batch` now would take up."""
    carried = session.get(CarriedRemainder, (batch.site.producer_id, batch.mineral_code))
    return carried.nanograms if carried else 0


def expected(session: Session, batch: Batch) -> Contained:
    """What issuing `batch` would give now, deductions made, and what would be carried on."""
    owing = owed(session, batch.site.producer_id, batch.mineral_code)
    return after_deductions(batch, waiting_remainder(session, batch), owing)


def after_deductions(batch: Batch, carried_ng: int, owing: int) -> Contained:
    """What is left of `batch` and the carried remainder. owing: base units of the producer's open debits."""
    total = in_base_units(batch.mineral, batch.contained_ng + carried_ng)
    deducted = batch.sold_with_premium + batch.registered_elsewhere + owing
    return Contained(total.base_units - deducted, total.remainder_ng)


def taken_from_carry(session: Session, batch: Batch, carried: CarriedRemainder, owing: int) -> int:
    """Settle the producer's carried remainder and return the base units to issue. Raises NothingToIssue.

    carried, owing: locked by the caller, who makes good these very debits.
    """
    batch.carried_ng = carried.nanograms
    outcome = after_deductions(batch, carried.nanograms, owing)
    if outcome.base_units < 1:
        among = f", open debits of {owing} base units among them," if owing else ""
        raise NothingToIssue(f"After the deductions{among} less than one base unit is left to issue.", debits=owing)
    carried.nanograms = outcome.remainder_ng
    session.flush()
    return outcome.base_units


def enter(session: Session, batch: Batch, quantity: int, by: User, at: datetime) -> Issuance:
    """The ledger's posting, its event and the attributes of the new issuance. Flushes."""
    site = batch.site
    sequence = next_sequence(session, site.id, batch.vintage)
    number = numbered(batch, sequence)
    target = account_of(session, site.producer, AccountKind.AVAILABLE)
    facts = origin(batch)

    def record(_: int) -> Record:
        told = {"batch": batch.number, "quantity": quantity, "serials": written(number, SerialRange(1, quantity))}
        told |= {"producer": site.producer.number, "attributes": facts}
        return lambda moves: events.drafted(
            session, kind="issuance.issued", subject=number, actor=by.number, at=at, facts=told
        )

    posting = ledger.issue(session, quantity=quantity, target=target, at=at, record=record)
    (ledger_id,) = posting.ranges
    assert batch.verified_by is not None
    issuance = Issuance(
        id=ledger_id,
        quantity=quantity,
        number=number,
        batch=batch,
        site_id=site.id,
        vintage=batch.vintage,
        sequence=sequence,
        mineral_code=batch.mineral_code,
        producer=site.producer,
        submitter_id=batch.submitted_by_id,
        verifier_id=batch.verified_by_id,
        verifier_organisation_id=batch.verified_by.organisation_id,
        issuer_id=by.id,
        issuer_organisation_id=by.organisation_id,
        posting_id=posting.id,
        issued_at=at,
        facts=facts,
    )
    session.add(issuance)
    session.flush()
    return issuance


def numbered(batch: Batch, sequence: int) -> str:
    """What an issuance of `batch` is called: ASMC-CO-COD-KAM001-2026-0042."""
    site = batch.site
    return f"{REGISTRY_CODE}-{batch.mineral_code}-{site.country}-{site.code}-{batch.vintage}-{sequence:04d}"


def foreseen_number(session: Session, batch: Batch) -> str:
    """The number that issuing `batch` now would give. Another issuance of the site may still take it first."""
    counted = session.get(SiteVintage, (batch.site_id, batch.vintage))
    return numbered(batch, (counted.issuances if counted else 0) + 1)


def next_sequence(session: Session, site_id: int, vintage: int) -> int:
    """The number of a site's next issuance of one vintage. The row counts, so no two issuances share it."""
    counting = inserting(session, SiteVintage).values(site_id=site_id, vintage=vintage, issuances=1)
    counting = counting.on_conflict_do_update(
        index_elements=[SiteVintage.site_id, SiteVintage.vintage], set_={"issuances": SiteVintage.issuances + 1}
    )
    sequence: int = session.scalars(counting.returning(SiteVintage.issuances)).one()
    return sequence


def origin(batch: Batch) -> dict[str, Any]:
    """Where the credits come from, as it is now: frozen with the issuance, printed on every certificate."""
    site, assurance, session = batch.site, batch.assurance, object_session(batch)
    assert assurance is not None
    assert session is not None
    group = site.producer.group_manager
    visit = None
    if assurance.visited_from is not None:
        visit = {"from": str(assurance.visited_from), "to": str(assurance.visited_to)}
    return {
        "producer": {
            "cooperative": site.producer.name,
            "number": site.producer.number,
            "group": group.name if group else None,
            "site_name": site.name,
            "site_code": f"{site.country}-{site.code}",
            "district": f"{site.district}, {site.province}",
            "country": site.country,
            "access": site.access.value,
            "concession_owner": site.concession_owner,
            "method": site.method.value,
            "mercury": confirmed_mercury(session, batch),
        },
        "production": {"from": str(batch.produced_from), "to": str(batch.produced_to)},
        "vintage": batch.vintage,
        "assurance": {
            "standard": assurance.standard,
            "version": assurance.version,
            "level": assurance.level,
            "verifier": assurance.verifier.organisation.name,
            "visit": visit,
            "remote_reason": assurance.remote_reason or None,
            "valid_from": str(assurance.valid_from),
            "valid_until": str(assurance.valid_to),
            **frozen_of(session, assurance),
        },
        "conflict_affected": {
            "flag": site.conflict_affected.value,
            "source": site.conflict_source or None,
            "date": str(site.conflict_checked_on) if site.conflict_checked_on else None,
        },
    }


def confirmed_mercury(session: Session, batch: Batch) -> str:
    """What the site said of mercury when the batch was verified: later records count from the next batch on."""
    for event in reversed(events.story(session, batch.number)):
        if event.kind == "batch.verified":
            told: dict[str, str] = json.loads(bytes(event.body))["facts"]
            if "mercury" in told:  # not in a verification of before this was kept
                return told["mercury"]
    return batch.site.mercury.value


def issuance_of(session: Session, batch: Batch) -> Issuance | None:
    """The issuance that came of a batch, if any."""
    return session.scalars(select(Issuance).where(Issuance.batch_id == batch.id)).one_or_none()

"""Every operation of the registry that writes, and what must stand before it: what the crash suite dies in.

`prepare` makes what `act` works on, and returns it: one row, or several. `act` is one unit of work of a door.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select

from config import ROOT
from credits import jobs
from credits.certificates import issuing
from credits.journal import keys
from credits.journal.models import RegistryIdentity
from credits.participants.models import RoleName
from credits.registry import (
    batches,
    bulk,
    decisions,
    evidence,
    expiry,
    guarding,
    policy,
    reservation,
    sites,
    transfer,
    trust,
    verification,
)
from credits.registry.bulk_lines import RetirementLine, TransferLine
from credits.registry.choosing import Choice
from credits.registry.models import Issuance
from credits.registry.movements import Debit, DecisionKind, Earmark
from credits.registry.observed import ObservedSite
from credits.registry.production import EvidenceKind
from tests.factories import UserFactory
from tests.stage import CLAIM, COBALT, FINDING, Stage

ISSUER = issuing.Issuer("Registry", "https://registry.example")
MONTHS = timedelta(days=1_100)  # until what was issued has expired
JUNE = {"produced_from": date(2026, 6, 1), "produced_to": date(2026, 6, 15)}


@dataclass(frozen=True)
class Step:
    """refused: the code of the refusal that the act ends with. parts: it commits more than once."""

    prepare: Callable[[Stage], Any]
    act: Callable[..., Any]
    refused: str = ""
    parts: bool = False


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


def observed(s: Stage) -> ObservedSite:
    seen = ObservedSite(
        pcode="K-1", source="IPIS", name="Kamilombe", country="COD", province="", territory="", village=""
    )
    s.session.add(seen)
    s.session.flush()
    return seen


def matched(s: Stage, site: Any, seen: ObservedSite) -> Any:
    sites.confirm_match(s.session, site=site, observed=seen, by=s.manager, at=s.at)


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


STEPS: dict[str, Step] = {
    # a batch's way
    "site": Step(lambda s: None, lambda s: s.site()),
    "match": Step(lambda s: (s.site(), observed(s)), matched),
    "draft": Step(Stage.site, lambda s, site: s.draft(site)),
    "amend": Step(Stage.draft, amended),
    "evidence": Step(Stage.draft, lambda s, batch: s.paper(batch, EvidenceKind.ASSAY)),
    "evidence away": Step(
        lambda s: s.paper(s.draft(), EvidenceKind.ASSAY),
        lambda s, paper: evidence.remove(s.session, paper=paper, by=s.clerk, at=s.at),
    ),
    "submit": Step(
        Stage.complete,
        lambda s, batch: batches.submit(s.session, batch=batch, policy=s.policy, by=s.clerk, at=s.at),
    ),
    "withdraw": Step(Stage.submitted, lambda s, batch: batches.withdraw(s.session, batch=batch, by=s.clerk, at=s.at)),
    "take into review": Step(
        Stage.submitted, lambda s, batch: verification.take(s.session, batch=batch, by=s.lead, at=s.at)
    ),
    "ask": Step(Stage.in_review, questioned),
    "answer": Step(lambda s: questioned(s, s.in_review()), answered),
    "verify": Step(
        Stage.in_review,
        lambda s, batch: verification.verify(s.session, batch=batch, finding=FINDING, by=s.lead, key=s.key(), at=s.at),
    ),
    "reject": Step(
        Stage.verified,
        lambda s, batch: verification.reject(s.session, batch=batch, text="No.", by=s.lead, key=s.key(), at=s.at),
    ),
    "issue": Step(Stage.verified, Stage.issue),
    "issue with a buffer": Step(lambda s: sharing(s).verified(), Stage.issue),
    "issue after a debit": Step(after_a_debit, Stage.issue),
    # movements of their holders
    "offer": Step(Stage.issued, lambda s, made: s.offered(made, 100)),
    "offer too much": Step(Stage.issued, lambda s, made: s.offered(made, 10_000), refused="insufficient_balance"),
    "accept": Step(
        lambda s: s.offered(s.issued(), 100),
        lambda s, offer: transfer.accept(s.session, transfer=offer, by=s.buyer, at=s.at),
    ),
    "refuse an offer": Step(
        lambda s: s.offered(s.issued(), 100),
        lambda s, offer: transfer.reject(s.session, transfer=offer, reason="Too late.", by=s.buyer, at=s.at),
    ),
    "withdraw an offer": Step(
        lambda s: s.offered(s.issued(), 100),
        lambda s, offer: transfer.withdraw(s.session, transfer=offer, by=s.manager, at=s.at),
    ),
    "offers unanswered": Step(
        lambda s: s.offered(s.issued(), 100),
        lambda s, _: transfer.expire_due(s.session, at=s.at + timedelta(days=60)),
    ),
    "approve an offer": Step(guarded_offer, approved),
    "accept what two have approved": Step(
        lambda s: approved(s, guarded_offer(s)),
        lambda s, offer: transfer.accept(s.session, transfer=offer, by=s.buyer, at=s.at + timedelta(days=5)),
    ),
    "trust a recipient": Step(guarded, offered_trust),
    "approve a trust": Step(
        lambda s: offered_trust(guarded(s)),
        lambda s, asking: trust.approve(s.session, trust=asking, policy=s.policy, by=s.partner, at=s.at),
    ),
    "retire": Step(
        stocked,
        lambda s, made: issuing.freeze(s.session, retirement=s.retired(made, 150), issuer=ISSUER),
    ),
    "retire too much": Step(stocked, lambda s, made: s.retired(made, 201), refused="insufficient_balance"),
    "retire in bulk": Step(in_two, retired_in_bulk),
    "retire by choice": Step(in_two, retired_by_choice),
    "offer in bulk": Step(in_two, offered_in_bulk),
    "reserve": Step(in_two, lambda s, one, two: s.reserved((one, 70), (two, 30))),
    "release a reservation": Step(
        lambda s: s.reserved((s.issued(), 70)),
        lambda s, kept: reservation.release(s.session, reservation=kept, by=s.manager, at=s.at),
    ),
    # what the registry does at once
    "hold": Step(Stage.issued, lambda s, made: s.held(made, 100)),
    "hold of a period": Step(stocked, lambda s, made: s.frozen(made)),
    "suspend": Step(Stage.issued, Stage.suspended),
    "expire": Step(stocked, lambda s, _: expiry.expire_due(s.session, policy=s.policy, at=s.at + MONTHS)),
    "warn": Step(
        stocked, lambda s, _: expiry.warn_due(s.session, policy=s.policy, at=s.at + MONTHS - timedelta(days=60))
    ),
    # what takes two people
    "propose": Step(
        Stage.issued,
        lambda s, made: s.proposed(DecisionKind.CANCELLATION, made.number, holder=s.coop.number, quantity=7),
    ),
    "decline": Step(
        proposed(DecisionKind.ROLL_BACK),
        lambda s, asking: decisions.decline(s.session, decision=asking, by=s.colleague, key=s.key(), at=s.at),
    ),
    "take a proposal back": Step(
        proposed(DecisionKind.ROLL_BACK),
        lambda s, asking: decisions.withdraw(s.session, decision=asking, by=s.issuer, key=s.key(), at=s.at),
    ),
    "release a hold": Step(proposed(DecisionKind.RELEASE, lambda s: s.held(s.issued(), 100)), Stage.approve),
    "cancel": Step(proposed(DecisionKind.CANCELLATION, quantity=100), Stage.approve),
    "cancel a hold": Step(held_over_a_reservation, Stage.approve),
    "export": Step(
        proposed(DecisionKind.EXPORT, quantity=100, registry="Another registry", reference="X-1"), Stage.approve
    ),
    "debit": Step(proposed(DecisionKind.DEBIT, stocked, quantity=50), Stage.approve),
    "draw from the buffer": Step(to_be_drawn, Stage.approve),
    "roll back": Step(
        lambda s: s.proposed(DecisionKind.ROLL_BACK, sharing(s).issued().number),
        Stage.approve,
    ),
    "lift a suspension": Step(proposed(DecisionKind.LIFT, lambda s: s.suspended(s.issued())), Stage.approve),
    # the log
    "publish": Step(Stage.issued, published, parts=True),
    "publish again": Step(published_twice, published, parts=True),
}

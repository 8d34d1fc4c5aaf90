"""Every operation of the registry that writes, and what must stand before it: what the crash suite dies in.

`prepare` makes what `act` works on, and returns it: one row, or several. `act` is one unit of work of a door.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from credits.certificates import issuing, verified
from credits.participants.models import Language
from credits.registry import decisions, expiry, reservation, transfer, trust
from credits.registry.doubts import plausibility_sales
from credits.registry.making import batches
from credits.registry.making.revisions import revision_of
from credits.registry.movements import DecisionKind
from credits.registry.papers import evidence
from credits.registry.production import EvidenceKind
from credits.registry.reviews import verification
from tests.batch_stage import FINDING
from tests.stage import Stage
from tests.suites.scenes import (
    ISSUER,
    MONTHS,
    after_a_debit,
    amended,
    answered,
    answered_one,
    approved,
    asked_twice,
    assessed,
    complained,
    completed,
    drawn_anew,
    found,
    guarded,
    guarded_offer,
    held_over_a_reservation,
    in_two,
    limited,
    matched,
    observed,
    offered_in_bulk,
    offered_trust,
    proposed,
    published,
    published_twice,
    questioned,
    retired_by_choice,
    retired_in_bulk,
    settled,
    sharing,
    sold,
    stocked,
    stopped,
    tied,
    to_be_drawn,
)


@dataclass(frozen=True)
class Step:
    """refused: the code of the refusal that the act ends with. parts: it commits more than once."""

    prepare: Callable[[Stage], Any]
    act: Callable[..., Any]
    refused: str = ""
    parts: bool = False


STEPS: dict[str, Step] = {
    # a batch's way
    "site": Step(lambda s: None, lambda s: s.site()),
    "match": Step(lambda s: (s.site(), observed(s)), matched),
    "draft": Step(Stage.site, lambda s, site: s.draft(site)),
    "amend": Step(Stage.draft, amended),
    "limit": Step(Stage.site, limited),
    "sale": Step(Stage.draft, sold),
    "sale away": Step(
        lambda s: sold(s, s.draft()),
        lambda s, sale: plausibility_sales.remove(s.session, sale=sale, by=s.clerk, at=s.at),
    ),
    "let through above the ceiling": Step(stopped, Stage.approve),
    "evidence": Step(Stage.draft, lambda s, batch: s.paper(batch, EvidenceKind.ASSAY)),
    "evidence away": Step(
        lambda s: s.paper(s.draft(), EvidenceKind.ASSAY),
        lambda s, paper: evidence.remove(s.session, paper=paper, files=s.files, by=s.clerk, at=s.at),
    ),
    "submit": Step(
        Stage.complete,
        lambda s, batch: batches.submit(s.session, batch=batch, policy=s.policy, by=s.clerk, at=s.at),
    ),
    "withdraw": Step(Stage.submitted, lambda s, batch: batches.withdraw(s.session, batch=batch, by=s.clerk, at=s.at)),
    "take into review": Step(
        Stage.submitted, lambda s, batch: verification.take(s.session, batch=batch, by=s.lead, at=s.at)
    ),
    "decline for a tie": Step(Stage.in_review, tied),
    "draw anew": Step(Stage.submitted, drawn_anew),
    "file a grievance": Step(Stage.site, complained),
    "ask": Step(Stage.in_review, questioned),
    "answer": Step(lambda s: questioned(s, s.in_review()), answered),
    "ask several things": Step(Stage.in_review, asked_twice),
    "answer one of them": Step(lambda s: asked_twice(s, s.in_review()), answered_one),
    "settle one of them": Step(lambda s: asked_twice(s, s.in_review()), settled),
    "statement": Step(
        Stage.verified,
        lambda s, batch: verified.freeze(s.session, batch=batch, issuer=ISSUER, language=Language.EN),
    ),
    "verify": Step(
        Stage.in_review,
        lambda s, batch: verification.verify(
            s.session, batch=batch, seen=revision_of(batch), finding=FINDING, by=s.lead, key=s.key(), at=s.at
        ),
    ),
    "complete an assessment": Step(assessed, completed),
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
        lambda s, _: s.unanswered(s.at + timedelta(days=60)),
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
    "zero tolerance": Step(stocked, found),
    "hold of a period": Step(stocked, lambda s, made: s.frozen(made)),
    "suspend": Step(Stage.issued, Stage.suspended),
    "expire": Step(stocked, lambda s, _: s.expired(s.at + MONTHS)),
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

"""Batches on the producer's side: drafted, amended, submitted, answered, withdrawn."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from credits.errors import Conflict, Missing
from credits.journal import events
from credits.journal.canonical import encode
from credits.ledger.claims import claim, settle
from credits.participants.models import User
from credits.participants.permissions import may_register_for
from credits.participants.wording import paragraphs
from credits.registry.making.completeness import Incomplete, missing, refuse_hopeless, refuse_overlap
from credits.registry.making.figures import Production, described, fill
from credits.registry.papers.evidence import free
from credits.registry.policy import Policy
from credits.registry.production import Batch, BatchState, Remark, RemarkKind, Site
from credits.registry.reviews import review_threads
from credits.registry.reviews.assigning import assign
from credits.registry.stillness import keep_site_still


class NoSuchBatch(Missing):
    code = "no_such_batch"


class WrongState(Conflict):
    """The batch is not where this step begins."""

    code = "wrong_state"


class ChangedMeanwhile(Conflict):
    """Somebody else, or the same person in another tab, has changed the batch since it was looked at."""

    code = "changed_meanwhile"


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

"""Who is told how a batch fares."""

from sqlalchemy.orm import Session

from credits.notices.occurrence import Occurrence, measured
from credits.notices.telling import issuers, tell
from credits.notices.wordings import Kind
from credits.registry.production import Batch
from credits.registry.queries import digits_of


def asked(session: Session, what: Occurrence) -> None:
    tell_producer(session, what, Kind.BATCH_ASKED)


def rejected(session: Session, what: Occurrence) -> None:
    tell_producer(session, what, Kind.BATCH_REJECTED)


def tell_producer(session: Session, what: Occurrence, kind: Kind) -> None:
    """The producer, what the verifier says."""
    batch, verifier = batch_of(session, what), what.organisation(session, "verifier")
    producer = batch.site.producer
    facts = {"batch": batch.number, "producer": producer.name, "verifier": verifier.name}
    facts |= {"text": what.private(session)["text"]}
    tell(session, to=producer, kind=kind, facts=facts, at=what.at)


def answered(session: Session, what: Occurrence) -> None:
    """The reviewer, what the producer answers."""
    batch = batch_of(session, what)
    facts = {"batch": batch.number, "producer": batch.site.producer.name, "text": what.private(session)["text"]}
    if batch.reviewer is not None:
        tell(session, to=batch.reviewer, kind=Kind.BATCH_ANSWERED, facts=facts, at=what.at)


def verified(session: Session, what: Occurrence) -> None:
    """The producer, that it goes on; the issuers, that it is their turn."""
    batch, verifier = batch_of(session, what), what.organisation(session, "verifier")
    facts = {"batch": batch.number, "producer": batch.site.producer.name, "verifier": verifier.name}
    tell(session, to=batch.site.producer, kind=Kind.BATCH_VERIFIED, facts=facts, at=what.at)
    tell(session, to=issuers(session), kind=Kind.BATCH_TO_ISSUE, facts=facts, at=what.at)


def issued(session: Session, what: Occurrence) -> None:
    """The producer, which credits there are now."""
    issuance = what.issuance(session)
    facts = measured(issuance, issuance.quantity)
    facts |= {"batch": what.facts["batch"], "producer": issuance.producer.name, "holder": issuance.producer.number}
    tell(session, to=issuance.producer, kind=Kind.BATCH_ISSUED, facts=facts, at=what.at)


def batch_of(session: Session, what: Occurrence) -> Batch:
    return session.get_one(Batch, digits_of(what.subject, "BATCH-"))

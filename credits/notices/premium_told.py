"""Who is told of premium: the producer what arrived and was paid out, the issuers what was asked for and is late."""

from sqlalchemy.orm import Session

from credits.notices.occurrence import Occurrence
from credits.notices.telling import issuers, tell
from credits.notices.wordings import Kind
from credits.payments.models import Currency
from credits.payments.prices import written
from credits.registry.public import site_known_as


def collected(session: Session, what: Occurrence) -> None:
    """The producer of each site, what a sale has brought it. What the buyer keeps from others is theirs to know."""
    told = what.facts.get("premium") or what.private(session)["premium"]
    for each in told.split():
        number, _, amount = each.rpartition(":")
        site = site_known_as(session, number)
        facts = {"site": site.name, "number": number, "order": what.subject}
        facts["amount"] = written(int(amount), Currency(what.facts["currency"]))
        tell(session, to=site.producer, kind=Kind.PREMIUM_ARRIVED, facts=facts, at=what.at)


def asked(session: Session, what: Occurrence) -> None:
    tell(session, to=issuers(session), kind=Kind.PAYOUT_ASKED, facts=payout_in(session, what), at=what.at)


def disbursed(session: Session, what: Occurrence) -> None:
    producer = site_known_as(session, what.subject).producer
    tell(session, to=producer, kind=Kind.PREMIUM_PAID, facts=payout_in(session, what), at=what.at)


def overdue(session: Session, what: Occurrence) -> None:
    """The issuers, that a site waits longer for its premium than it should."""
    site = site_known_as(session, what.facts["site"])
    facts = {"site": site.name, "order": what.subject, "days": what.facts["days"]}
    tell(session, to=issuers(session), kind=Kind.PREMIUM_OVERDUE, facts=facts, at=what.at)


def payout_in(session: Session, what: Occurrence) -> dict[str, str]:
    amount = written(what.facts["amount"], Currency(what.facts["currency"]))
    site = site_known_as(session, what.subject)
    return {"payout": what.facts["payout"], "minute": what.facts["minute"], "amount": amount, "site": site.name}

"""A site's premium committee: who is in it, what it decides, and what it takes back.

Made by a manager of the cooperative for the committee. Names stay private; women and men are counted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from credits.errors import Conflict, Invalid, Missing
from credits.files import Files
from credits.journal import events
from credits.ledger.claims import claim, settle
from credits.participants.models import RoleName, User
from credits.participants.permissions import WrongRole, has_any, is_auditor, is_issuer, may_register_for
from credits.participants.wording import paragraphs
from credits.payments.models import Currency
from credits.payments.premiums import premium_papers
from credits.payments.premiums.premium_models import Committee, Minute, PaperKind, Revocation, Theme
from credits.payments.premiums.site_premium import locked_premium
from credits.payments.prices import written
from credits.registry.mines.sites import number_of
from credits.registry.papers.evidence_looking import Looked
from credits.registry.policy import Policy
from credits.registry.production import Site
from credits.registry.queries import digits_of, sites_to_enter

MOST_MEMBERS = 1_000


class NoCommittee(Conflict):
    """Nobody has said yet who decides on this site's premium."""

    code = "no_committee"


class BadCommittee(Invalid):
    code = "bad_committee"


class BadMinute(Invalid):
    """Members, days or amounts that cannot be."""

    code = "bad_minute"


class NotHeld(Conflict):
    """The site does not hold so much that is free."""

    code = "premium_not_held"


class RevokedAlready(Conflict):
    code = "minute_revoked"


class NoSuchMinute(Missing):
    code = "no_such_minute"


@dataclass(frozen=True)
class Decided:
    """What a minute says. by_theme: minor units. women, men: members who were there."""

    currency: Currency
    by_theme: Mapping[Theme, int]
    women: int
    men: int
    said: str
    decided_on: date

    @property
    def amount(self) -> int:
        return sum(self.by_theme.values())

    @property
    def told(self) -> dict[str, str]:
        """As plain values."""
        plain = {name: str(value) for name, value in vars(self).items() if name != "by_theme"}
        return plain | {theme.value: str(amount) for theme, amount in self.by_theme.items()}


def may_speak_for(by: User, site: Site) -> None:
    """Raise NotAllowed unless `by` is a manager of the site's producer, or of the group that acts for it."""
    may_register_for(by, site.producer)
    if not has_any(by, RoleName.MANAGER):
        raise WrongRole("What the committee decides is entered by a manager of the producer.")


def name_committee(
    session: Session, *, site: Site, women: int, men: int, names: str, since: date, by: User, key: str, at: datetime
) -> Committee:
    """Write down who is in the committee from a day on. Flushes. Raises NotAllowed, BadCommittee, UnsoundText."""
    may_speak_for(by, site)
    asked = {"act": "premium.committee", "site": site.id, "women": str(women), "men": str(men)}
    if earlier := claim(session, caller=by.number, key=key, request=asked | {"names": names, "since": str(since)}):
        return session.get_one(Committee, earlier["committee"])
    if not (0 <= women <= MOST_MEMBERS and 0 <= men <= MOST_MEMBERS and women + men):
        raise BadCommittee("Say how many women and men are in the committee: at least one member.", field="women")
    if since > at.date():
        raise BadCommittee("The day lies in the future.", field="since")
    said = paragraphs(names, "Names of the members", 4_000)
    made = Committee(site=site, women=women, men=men, names=said, since=since, entered_by_id=by.id, entered_at=at)
    session.add(made)
    session.flush()
    facts = {"women": women, "men": men, "since": str(since)}
    tell(session, "premium.committee", site, facts, by, at, {"names": said})
    settle(session, {"committee": made.id})
    return made


def committee_of(session: Session, site: Site) -> Committee | None:
    """Who decides now."""
    wanted = select(Committee).where(Committee.site_id == site.id).order_by(Committee.id.desc()).limit(1)
    return session.scalars(wanted).one_or_none()


def decide(
    session: Session,
    *,
    site: Site,
    decided: Decided,
    minute: Looked,
    open_to_public: bool,
    files: Files,
    policy: Policy,
    by: User,
    key: str,
    at: datetime,
) -> Minute:
    """Enter what the committee decided to spend premium on, with its signed minute. Flushes, and keeps the file.

    open_to_public: whether everybody may look at the minute. Raises NotAllowed, NoCommittee, BadMinute, NotHeld,
    PaperUsed, UnusableFile, TooMuchToday, UnsoundText.
    """
    may_speak_for(by, site)
    asked = {"act": "premium.decide", "site": site.id, "open": str(open_to_public), "file": minute.sha256}
    if earlier := claim(session, caller=by.number, key=key, request=asked | decided.told):
        return session.get_one(Minute, earlier["minute"])
    committee = must_be_sound(session, site, decided, at)
    must_be_free(session, site, decided)
    made = minuted(committee, decided, by, at)
    session.add(made)
    session.flush()
    paper = premium_papers.keep(
        session,
        looked=minute,
        kind=PaperKind.MINUTE,
        behind=made,
        open_to_public=open_to_public,
        files=files,
        policy=policy,
        by=by,
        at=at,
    )
    facts: dict[str, object] = {"minute": made.number, "sha256": paper.sha256, "on": str(made.decided_on)}
    facts |= {"currency": made.currency.value, "amount": made.amount, "women": made.women, "men": made.men}
    facts |= {"themes": {theme.value: amount for theme, amount in made.by_theme.items()}}
    tell(session, "premium.decided", site, facts, by, at)
    settle(session, {"minute": made.id})
    return made


def must_be_free(session: Session, site: Site, decided: Decided) -> None:
    """Raise NotHeld where the site has less to decide on; nobody else decides meanwhile."""
    there = locked_premium(session, site, decided.currency)
    if decided.amount > there.free:
        raise NotHeld(
            f"The committee can decide on {written(there.free, decided.currency)} now; "
            f"this minute spends {written(decided.amount, decided.currency)}.",
            asked=decided.amount,
            free=there.free,
        )


def minuted(committee: Committee, decided: Decided, by: User, at: datetime) -> Minute:
    """The decision as it is kept. Raises UnsoundText."""
    return Minute(
        site=committee.site,
        committee=committee,
        currency=decided.currency,
        amount=decided.amount,
        **{theme.value: decided.by_theme.get(theme, 0) for theme in Theme},
        women=decided.women,
        men=decided.men,
        said=paragraphs(decided.said, "What was decided", 4_000),
        decided_on=decided.decided_on,
        entered_by_id=by.id,
        entered_at=at,
    )


def must_be_sound(session: Session, site: Site, decided: Decided, at: datetime) -> Committee:
    """The committee that has decided. Raises NoCommittee, BadMinute."""
    committee = committee_of(session, site)
    if committee is None:
        raise NoCommittee("Write down first who is in the site's premium committee.")
    if any(amount < 0 for amount in decided.by_theme.values()) or decided.amount <= 0:
        raise BadMinute("Give an amount for at least one theme.", field="amount")
    if not (0 <= decided.women <= committee.women and 0 <= decided.men <= committee.men):
        raise BadMinute(
            f"The committee has {committee.women} women and {committee.men} men; no more can have been there.",
            field="women",
        )
    if not decided.women + decided.men:
        raise BadMinute("Say how many members were there.", field="women")
    if not committee.since <= decided.decided_on <= at.date():
        raise BadMinute("The day lies in the future, or before this committee.", field="decided_on")
    return committee


def revoke(session: Session, *, minute: Minute, reason: str, by: User, key: str, at: datetime) -> None:
    """Take a decision back: no more of it is paid out than was asked for. Flushes.

    Raises NotAllowed, RevokedAlready, UnsoundText.
    """
    may_speak_for(by, minute.site)
    asked = {"act": "premium.revoke", "minute": minute.number, "reason": reason}
    if claim(session, caller=by.number, key=key, request=asked) is not None:
        return
    session.refresh(minute, with_for_update=True)
    if session.get(Revocation, minute.id) is not None:
        raise RevokedAlready(f"{minute.number} was taken back already.", minute=minute.number)
    said = paragraphs(reason, "Reason", 1_000)
    session.add(Revocation(decision_id=minute.id, reason=said, revoked_by_id=by.id, revoked_at=at))
    session.flush()
    session.expire(minute, ["revocation"])
    tell(session, "premium.revoked", minute.site, {"minute": minute.number}, by, at, {"reason": said})
    settle(session, {"minute": minute.id})


def minute_numbered(session: Session, by: User, number: str) -> Minute:
    """The minute with this number of a site of one's own, or of any for the registry. Raises NoSuchMinute."""
    wanted = select(Minute).where(Minute.id == digits_of(number, "MINUTE-"))
    if not (is_issuer(by) or is_auditor(by)):
        wanted = wanted.where(Minute.site_id.in_(sites_to_enter(by)))
    found = session.scalars(wanted).one_or_none()
    if found is None:
        raise NoSuchMinute("There is no such decision of a committee.")
    return found


def tell(
    session: Session,
    kind: str,
    site: Site,
    facts: Mapping[str, object],
    by: User,
    at: datetime,
    private: dict[str, str] | None = None,
) -> int:
    return events.append(
        session, kind=kind, subject=number_of(site), actor=by.number, at=at, facts=facts, private=private
    )

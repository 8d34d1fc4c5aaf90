"""What was bought with premium: entered by the cooperative with its receipts, and corrected by taking back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from credits.errors import Conflict, Invalid, Missing
from credits.files import Files
from credits.journal import events
from credits.ledger.claims import claim, settle
from credits.participants.models import User
from credits.participants.permissions import is_auditor, is_issuer, may_register_for
from credits.participants.wording import paragraphs
from credits.payments.premiums import premium_papers
from credits.payments.premiums.premium_models import (
    Minute,
    PaperKind,
    Payout,
    PayoutState,
    PremiumPaper,
    PremiumUse,
    Theme,
)
from credits.payments.prices import written
from credits.registry.mines.sites import number_of
from credits.registry.papers.evidence_looking import Looked
from credits.registry.policy import Policy
from credits.registry.queries import digits_of, sites_to_enter


class BeyondPayout(Conflict):
    """So much of the theme was not decided, or not paid out, or is accounted for already."""

    code = "beyond_payout"


class NotPaidOut(Conflict):
    code = "not_paid_out"


class BadUse(Invalid):
    code = "bad_use"


class TakenBackAlready(Conflict):
    code = "use_taken_back"


class NoSuchUse(Missing):
    code = "no_such_use"


@dataclass(frozen=True)
class Bought:
    """amount: minor units of the payout's currency."""

    theme: Theme
    amount: int
    what: str
    on: date


@dataclass(frozen=True)
class Shown:
    """A receipt or photo that was looked at, and whether everybody may see it."""

    kind: PaperKind
    looked: Looked
    open_to_public: bool


def use(
    session: Session,
    *,
    payout: Payout,
    bought: Bought,
    papers: Sequence[Shown],
    files: Files,
    policy: Policy,
    by: User,
    key: str,
    at: datetime,
) -> PremiumUse:
    """Enter what was bought, with at least one receipt. Flushes, and keeps the files.

    Raises NotAllowed, NotPaidOut, BeyondPayout, BadUse, PaperUsed, UnusableFile, TooMuchToday, UnsoundText.
    """
    site = payout.minute.site
    may_register_for(by, site.producer)
    asked = {"act": "premium.use", "payout": payout.number} | {name: str(value) for name, value in vars(bought).items()}
    asked |= {"papers": " ".join(f"{each.kind.value}:{each.looked.sha256}" for each in papers)}
    if earlier := claim(session, caller=by.number, key=key, request=asked):
        return session.get_one(PremiumUse, earlier["use"])
    if not any(each.kind is PaperKind.RECEIPT for each in papers):
        raise BadUse("Send the receipt: what is bought with premium is shown.", field="receipt")
    session.refresh(payout.minute, with_for_update=True)
    session.refresh(payout, with_for_update=True)
    must_be_left(session, payout, bought, at)
    made = PremiumUse(
        payout=payout,
        theme=bought.theme,
        amount=bought.amount,
        bought=paragraphs(bought.what, "What was bought", 2_000),
        bought_on=bought.on,
        entered_by_id=by.id,
        entered_at=at,
    )
    session.add(made)
    session.flush()
    for each in papers:
        premium_papers.keep(
            session,
            looked=each.looked,
            kind=each.kind,
            behind=made,
            open_to_public=each.open_to_public,
            files=files,
            policy=policy,
            by=by,
            at=at,
        )
    tell(session, "premium.used", made, by, at, [each.looked.sha256 for each in papers], None)
    settle(session, {"use": made.id})
    return made


def must_be_left(session: Session, payout: Payout, bought: Bought, at: datetime) -> None:
    """Raise NotPaidOut, BeyondPayout or BadUse where this cannot have been bought with the payout."""
    minute = payout.minute
    if payout.state is not PayoutState.PAID or payout.paid_on is None:
        raise NotPaidOut(f"{payout.number} is not paid out yet.", state=payout.state.value)
    if type(bought.amount) is not int or bought.amount < 1:
        raise BadUse("An amount is more than 0.", field="amount")
    if not minute.decided_on <= bought.on <= at.date():
        raise BadUse("The day lies in the future, or before the committee's decision.", field="bought_on")
    left = min(payout.amount - used_of(session, payout), left_of_theme(session, minute, bought.theme))
    if bought.amount > left:
        raise BeyondPayout(
            f"{written(left, minute.currency)} of {payout.number} can still be accounted for under this theme.",
            asked=bought.amount,
            left=left,
        )


def used_of(session: Session, payout: Payout) -> int:
    found = session.scalars(select(PremiumUse).where(PremiumUse.disbursement_id == payout.id))
    return sum(each.counted for each in found)


def left_by_theme(session: Session, payout: Payout) -> dict[Theme, int]:
    """What of a payout can still be accounted for under each theme of its decision, in minor units."""
    left = payout.amount - used_of(session, payout)
    return {theme: min(left, left_of_theme(session, payout.minute, theme)) for theme in payout.minute.by_theme}


def left_of_theme(session: Session, minute: Minute, theme: Theme) -> int:
    """What the committee has decided for a theme less what was bought for it, over all payouts."""
    payouts = select(Payout.id).where(Payout.decision_id == minute.id)
    wanted = select(PremiumUse).where(PremiumUse.disbursement_id.in_(payouts), PremiumUse.theme == theme)
    return minute.by_theme.get(theme, 0) - sum(each.counted for each in session.scalars(wanted))


def take_back(session: Session, *, wrong: PremiumUse, reason: str, by: User, key: str, at: datetime) -> PremiumUse:
    """Say that an entry was wrong: a second one takes it back, whole, and its papers can stand behind the right one.

    Flushes. Raises NotAllowed, TakenBackAlready, UnsoundText.
    """
    may_register_for(by, wrong.payout.minute.site.producer)
    asked = {"act": "premium.take_back", "use": wrong.number, "reason": reason}
    if earlier := claim(session, caller=by.number, key=key, request=asked):
        return session.get_one(PremiumUse, earlier["use"])
    # The minute first, as `use` and the database's own trigger lock them; then the payout, then the lock of the papers.
    session.refresh(wrong.payout.minute, with_for_update=True)
    session.refresh(wrong.payout, with_for_update=True)
    session.refresh(wrong, ["corrected_by"])
    if wrong.corrects_id is not None or wrong.corrected_by is not None:
        raise TakenBackAlready(f"{wrong.number} was taken back already, or takes another one back.")
    made = PremiumUse(
        payout=wrong.payout,
        theme=wrong.theme,
        amount=wrong.amount,
        bought=paragraphs(reason, "Reason", 500),
        bought_on=wrong.bought_on,
        corrects=wrong,
        entered_by_id=by.id,
        entered_at=at,
    )
    session.add(made)
    session.flush()
    for paper in session.scalars(select(PremiumPaper).where(PremiumPaper.use_id == wrong.id)):
        paper.counts = False
    session.flush()
    tell(session, "premium.corrected", made, by, at, [], wrong.number)
    settle(session, {"use": made.id})
    return made


def use_numbered(session: Session, by: User, number: str) -> PremiumUse:
    """The entry with this number, of a site of one's own or of any for the registry. Raises NoSuchUse."""
    wanted = select(PremiumUse).where(PremiumUse.id == digits_of(number, "USE-"))
    if not (is_issuer(by) or is_auditor(by)):
        own = select(Payout.id).join(Minute, Minute.id == Payout.decision_id)
        wanted = wanted.where(PremiumUse.disbursement_id.in_(own.where(Minute.site_id.in_(sites_to_enter(by)))))
    found = session.scalars(wanted).one_or_none()
    if found is None:
        raise NoSuchUse("There is no such entry.")
    return found


def tell(
    session: Session, kind: str, made: PremiumUse, by: User, at: datetime, papers: list[str], corrects: str | None
) -> None:
    minute = made.payout.minute
    facts = {"use": made.number, "payout": made.payout.number, "theme": made.theme.value, "amount": made.amount}
    facts |= {"currency": minute.currency.value, "on": str(made.bought_on)}
    facts |= {"corrects": corrects} if corrects else {"papers": " ".join(papers)}
    subject = number_of(minute.site)
    events.append(session, kind=kind, subject=subject, actor=by.number, at=at, facts=facts)

"""Premium: what sites received, decided, were paid and bought; public to read, entered by the cooperative."""

from typing import Any

from flask import current_app

from credits import receiving
from credits.api.blueprint import Area
from credits.api.doing import Sent, With, created, page_of
from credits.api.reading import MULTIPART
from credits.api.schemas.movements import Decision
from credits.api.schemas.premium import (
    BoughtAnswer,
    BoughtRequest,
    Committee,
    CommitteeRequest,
    Minute,
    MinuteRequest,
    OwnPayout,
    PaidRequest,
    Payout,
    PayoutRequest,
    PayoutsQuery,
    SitePremium,
    Trail,
)
from credits.extensions import db
from credits.identity import current_user, now
from credits.payments.models import Currency
from credits.payments.premiums import committees, disbursing, following, premium_figures, spending
from credits.payments.premiums.committees import Decided
from credits.payments.premiums.premium_models import PaperKind, PayoutState, Theme
from credits.payments.premiums.site_premium import premium_of
from credits.payments.premiums.spending import Bought, Shown
from credits.payments.prices import parse, plain
from credits.registry import public, queries
from credits.registry.mines.sites import number_of

area = Area("premium", "Premium: what sites received, what committees decided, what was paid out and bought.")


@area.get("/sites/<number>/premium", gives=SitePremium(many=True), public=True)
def show_premium(number: str) -> list[Any]:
    """What became of a site's premium, by currency. Public."""
    return premium_of(db.session(), public.site_known_as(db.session, number))


@area.get("/sites/<number>/premium/decisions", gives=Minute(many=True), public=True)
def list_decisions(number: str) -> list[With]:
    """What a site's committee decided, what was paid out on it and bought with it, the newest first. Public."""
    site = public.site_known_as(db.session, number)
    return [minute_told(minute) for minute in premium_figures.minutes_of(db.session(), site)]


@area.get("/serials/<serial>/premium", gives=Trail(many=True), public=True)
def follow_premium(serial: str) -> list[With]:
    """From a serial to the orders it was bought in, the newest 100 at most, and to the payouts of their premium."""
    issuance, units = public.units_named(db.session, serial)
    return [trail_told(trail) for trail in following.trails_of(db.session(), issuance, [units])]


@area.post("/sites/<number>/premium/committee", takes=CommitteeRequest, gives=Committee, creates=True)
def name_committee(key: str, asked: dict[str, Any], number: str) -> Sent:
    """Write down who is in a site's premium committee."""
    site = queries.site_coded(db.session, current_user(), number)
    made = committees.name_committee(db.session(), site=site, **asked, by=current_user(), key=key, at=now())
    db.session.commit()
    return created(made, "api.premium.show_premium", number=number)


@area.post("/sites/<number>/premium/decisions", takes=MinuteRequest, location=MULTIPART, gives=Minute, creates=True)
def enter_decision(key: str, asked: dict[str, Any], number: str) -> Sent:
    """Enter what a site's committee decided to spend premium on, with its signed minute."""
    queries.site_coded(db.session, current_user(), number)
    currency = asked["currency"]
    decided = Decided(
        currency=currency,
        by_theme={theme: parse(asked[theme.value], currency) for theme in Theme if asked[theme.value].strip()},
        **{name: asked[name] for name in ("women", "men", "said", "decided_on")},
    )
    looked = receiving.looked_at(asked["file"].filename or "", asked["file"].read())
    made = committees.decide(
        db.session(),
        site=queries.site_coded(db.session, current_user(), number),
        decided=decided,
        minute=looked,
        open_to_public=asked["open_to_public"],
        **kept_in(),
        by=current_user(),
        key=key,
        at=now(),
    )
    db.session.commit()
    return created(minute_told(made), "api.premium.list_decisions", number=number)


@area.post("/premium/decisions/<number>/payouts", takes=PayoutRequest, gives=Payout, creates=True)
def ask_for_payout(key: str, asked: dict[str, Any], number: str) -> Sent:
    """Ask the registry to pay premium out on a decision of the committee."""
    minute = committees.minute_numbered(db.session(), current_user(), number)
    amount = parse(asked.pop("amount"), minute.currency)
    made = disbursing.ask(db.session(), minute=minute, amount=amount, **asked, by=current_user(), key=key, at=now())
    db.session.commit()
    where = number_of(minute.site)
    return created(payout_told(made, minute.currency), "api.premium.list_decisions", number=where)


@area.get("/premium/payouts", takes=PayoutsQuery, gives=OwnPayout(many=True))
def list_payouts(asked: dict[str, Any]) -> tuple[list[With], dict[str, str]]:
    """Payouts of one's own sites, or of all for the registry, the newest first, with who is paid."""
    found, total = page_of(disbursing.payouts_of(current_user(), asked["state"]), asked)
    return [own_payout_told(each) for each in found], total


@area.get("/premium/payouts/<number>", gives=OwnPayout)
def show_payout(number: str) -> With:
    """One payout, with who is paid: for its own people and the registry."""
    return own_payout_told(disbursing.payout_numbered(db.session(), current_user(), number))


@area.post("/premium/payouts/<number>/record", takes=PaidRequest, location=MULTIPART, gives=Decision, creates=True)
def record_payout(key: str, asked: dict[str, Any], number: str) -> Sent:
    """Record, as an issuer, that it was paid, with its proof. It counts once another issuer approves the decision."""
    disbursing.payout_numbered(db.session(), current_user(), number)
    looked = receiving.looked_at(asked["file"].filename or "", asked["file"].read())
    made = disbursing.record(
        db.session(),
        payout=disbursing.payout_numbered(db.session(), current_user(), number),
        proof=looked,
        **{name: asked[name] for name in ("reference", "paid_on", "open_to_public")},
        **kept_in(),
        by=current_user(),
        key=key,
        at=now(),
    )
    db.session.commit()
    return created(made, "api.decisions.show_decision", number=made.number)


@area.post("/premium/payouts/<number>/uses", takes=BoughtRequest, location=MULTIPART, gives=BoughtAnswer, creates=True)
def enter_use(key: str, asked: dict[str, Any], number: str) -> Sent:
    """Enter what was bought with a payout, with its receipt."""
    currency = disbursing.payout_numbered(db.session(), current_user(), number).minute.currency
    bought = Bought(asked["theme"], parse(asked["amount"], currency), asked["what"], asked["bought_on"])
    looked = receiving.looked_at(asked["file"].filename or "", asked["file"].read())
    payout = disbursing.payout_numbered(db.session(), current_user(), number)
    made = spending.use(
        db.session(),
        payout=payout,
        bought=bought,
        papers=[Shown(PaperKind.RECEIPT, looked, asked["open_to_public"])],
        **kept_in(),
        by=current_user(),
        key=key,
        at=now(),
    )
    db.session.commit()
    return created(use_told(made, currency), "api.premium.list_decisions", number=number_of(payout.minute.site))


def kept_in() -> dict[str, Any]:
    return {"files": current_app.extensions["premium_files"], "policy": current_app.extensions["policy"]}


def minute_told(minute: Any) -> With:
    return With(
        minute,
        site=number_of(minute.site),
        themes={theme.value: plain(amount, minute.currency) for theme, amount in minute.by_theme.items()},
        taken_back=minute.revocation is not None,
        minute_sha256=[paper.sha256 for paper in minute.papers],
        payouts=[payout_told(each, minute.currency) for each in minute.payouts if each.state is PayoutState.PAID],
    )


def own_payout_told(payout: Any) -> With:
    told = payout_told(payout, payout.minute.currency)
    return With(told, site=number_of(payout.minute.site), decision=payout.minute.number)


def payout_told(payout: Any, currency: Currency) -> With:
    return With(payout, currency=currency, uses=[use_told(each, currency) for each in payout.uses])


def use_told(use: Any, currency: Currency) -> With:
    return With(use, currency=currency, papers_sha256=[paper.sha256 for paper in use.papers])


def trail_told(trail: following.Trail) -> With:
    order = trail.order
    shown = order.open_to_public
    return With(
        trail,
        paid_on=order.paid_at.date() if order.paid_at else None,
        share=plain(trail.share, order.currency) if shown else None,
        held=plain(trail.held, order.currency) if shown else None,
        payouts=[payout_told(piece.payout, order.currency) for piece in trail.pieces],
    )

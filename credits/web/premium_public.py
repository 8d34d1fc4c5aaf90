"""The money as everybody may follow it: from a unit to its order, the site's share, the decision and the receipt."""

import io

from flask import Response, current_app, render_template, request, send_file
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.exceptions import NotFound

from credits.errors import Missing
from credits.extensions import db
from credits.identity import current_user, now, signed_in, visitor
from credits.ledger.serials import SerialRange
from credits.participants.models import User
from credits.participants.permissions import is_auditor, is_issuer, is_own
from credits.payments.models import Order, OrderState
from credits.payments.premiums import following, pacing, premium_figures, premium_papers, site_premium
from credits.payments.premiums.following import Trail
from credits.payments.premiums.premium_chart import chart_of
from credits.payments.premiums.premium_models import Minute, PremiumPaper
from credits.payments.premiums.tracing import MOST_LINES
from credits.payments.prices import plain
from credits.premium_words import PREMIUM_WORDS
from credits.registry import public, queries
from credits.registry.mines.sites import number_of
from credits.registry.models import RetiredRange
from credits.registry.papers.evidence_looking import page_of as drawn_page
from credits.registry.production import Site
from credits.web.blueprint import bp
from credits.web.evidence import sealed
from credits.web.holdings import as_cell
from credits.web.paging import page_of
from credits.web.premium import days_to_disburse
from credits.web.premium_statements import as_csv

SOLD = (OrderState.DELIVERED, OrderState.REFUNDED)


class NothingSold(Missing):
    """There is no order, serial or certificate of this number."""

    code = "no_such_money"


@bp.get("/premium")
def premium() -> ResponseReturnValue:
    """All premium: how much, how fast, and where."""
    page = page_of(site_premium.sites_with_premium())
    of_sites = site_premium.totals_of(db.session(), page.rows)
    return render_template(
        "premium/premium.html",
        totals=site_premium.totals(db.session()),
        pace=pacing.pace(db.session(), goal=days_to_disburse(), today=now().date()),
        page=page,
        sites=[(site, of_sites[site.id]) for site in page.rows],
        number_of=number_of,
    )


@bp.get("/premium/<asked>")
def follow_money(asked: str) -> ResponseReturnValue:
    """What became of the money for an order, a serial or a certificate."""
    trails = trails_for(db.session(), asked.strip().upper())
    user = visitor()
    return render_template(
        "premium/follow_money.html",
        asked=asked.strip().upper(),
        trails=trails,
        most=MOST_LINES,
        open_orders={trail.order.id for trail in trails if sees_amounts(user, trail)},
        sites={trail.line.issuance_id: db.session.get_one(Site, trail.line.issuance.site_id) for trail in trails},
        number_of=number_of,
        words=PREMIUM_WORDS,
    )


def trails_for(session: Session, asked: str) -> list[Trail]:
    """The trails from a number. Raises NothingSold, or what its own look-up raises."""
    if asked.startswith("ORDER-"):
        order = session.get(Order, queries.digits_of(asked, "ORDER-"))
        if order is None or order.number != asked or order.state not in SOLD:
            raise NothingSold("There is no such order, or nothing of it was delivered.")
        return following.trails_of_order(session, order)
    if asked.startswith("ASMC-R-"):
        retirement = queries.retirement_numbered(session, asked)
        wanted = select(RetiredRange).where(RetiredRange.retirement_id == retirement.id).order_by(RetiredRange.first)
        ranges = [SerialRange(each.first, each.last) for each in session.scalars(wanted)]
        return following.trails_of(session, retirement.issuance, ranges)
    issuance, units = public.units_named(session, asked)
    return following.trails_of(session, issuance, [units])


def sees_amounts(user: User | None, trail: Trail) -> bool:
    """Whether `user` may know what was paid: everybody where the buyer consents, else both sides and the registry."""
    if trail.order.open_to_public:
        return True
    if user is None:
        return False
    both = (trail.order.buyer, trail.line.seller)
    return is_issuer(user) or is_auditor(user) or (user.active and any(is_own(user, each) for each in both))


@bp.get("/sites/<number>/premium")
def public_site_premium(number: str) -> ResponseReturnValue:
    site = public.site_known_as(db.session, number)
    found = premium_figures.site_figures(db.session(), site)
    minutes = select(Minute).where(Minute.site_id == site.id).order_by(Minute.id.desc())
    return render_template(
        "premium/public_site_premium.html",
        place=site,
        number=number,
        figures=found,
        charts={each.premium.currency: chart_of(each.themes) for each in found},
        pace=pacing.pace(db.session(), site, goal=days_to_disburse(), today=now().date()),
        page=page_of(minutes),
        words=PREMIUM_WORDS,
    )


@bp.get("/sites/<number>/premium.csv")
def public_site_premium_csv(number: str) -> ResponseReturnValue:
    """The payouts of a site by amount and theme, not by person."""
    site = public.site_known_as(db.session, number)
    rows = []
    for minute in reversed(premium_figures.minutes_of(db.session(), site)):
        for theme, amount in minute.by_theme.items():
            state = "taken back" if minute.revocation else ""
            said = (theme.value, plain(amount, minute.currency), minute.currency.value, as_cell(minute.said), state)
            rows.append(("decided", minute.number, "", minute.decided_on, *said))
        for payout in minute.payouts:
            if payout.paid_on is None:
                continue
            paid = ("", plain(payout.amount, minute.currency), minute.currency.value, payout.means.value, "")
            rows.append(("paid out", minute.number, payout.number, payout.paid_on, *paid))
            for use in payout.uses:
                amount_text = plain(abs(use.counted), minute.currency)
                signed = amount_text if use.counted > 0 else f"-{amount_text}"
                spent = (use.theme.value, signed, minute.currency.value, as_cell(use.bought), "")
                rows.append(("spent", minute.number, payout.number, use.bought_on, *spent))
    columns = ("what", "decision", "payout", "day", "theme", "amount", "currency", "text", "state")
    return as_csv(columns, rows, f"premium-{number}.csv")


@bp.get("/premium/papers/<int:paper_id>")
def premium_paper(paper_id: int) -> ResponseReturnValue:
    """A paper on the screen, for everybody where there is consent, else for its own people and the registry."""
    paper = premium_papers.paper_for(db.session(), visitor(), paper_id)
    asked = request.args.get("page", 1, type=int)
    return render_template(
        "premium/premium_paper.html",
        paper=paper,
        place=premium_papers.site_behind(db.session(), paper),
        page=asked if 1 <= asked <= paper.pages else 1,
        may_have=may_have(paper),
        number_of=number_of,
        words=PREMIUM_WORDS,
    )


@bp.get("/premium/papers/<int:paper_id>/pages/<int:page>.jpg")
def premium_page(paper_id: int, page: int) -> ResponseReturnValue:
    """One page as a picture of its pixels: no position, device or program of the original comes along."""
    paper = premium_papers.paper_for(db.session(), visitor(), paper_id)
    if not 1 <= page <= paper.pages:
        raise NotFound
    pages, sha256, media_type = current_app.extensions["evidence_pages"], paper.sha256, paper.media_type
    picture = pages.find(sha256, page)
    if picture is None:
        db.session.rollback()  # drawing takes a while
        content = current_app.extensions["premium_files"].read(sha256)
        picture = drawn_page(media_type, content, page, current_app.extensions["policy"])
        pages.keep(sha256, page, picture)
    return sealed(Response(picture, mimetype="image/jpeg"))


@bp.get("/premium/papers/<int:paper_id>/original")
@signed_in
def premium_original(paper_id: int) -> ResponseReturnValue:
    """The file as it was sent, with all that a phone wrote into it: for its own people and the registry."""
    paper = premium_papers.paper_for(db.session(), current_user(), paper_id)
    if not may_have(paper):
        raise premium_papers.NoSuchPaper("There is no such paper.")
    content = io.BytesIO(current_app.extensions["premium_files"].read(paper.sha256))
    answer = send_file(content, mimetype=paper.media_type, as_attachment=True, download_name=paper.filename)
    return sealed(answer)


def may_have(paper: PremiumPaper) -> bool:
    user = visitor()
    return user is not None and premium_papers.sees(db.session(), user, paper)

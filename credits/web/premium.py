"""A site's own premium: what it holds, what its committee decides, what is paid out, and what is bought with it."""

from typing import Any

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from credits import receiving
from credits.errors import CreditsError
from credits.extensions import db
from credits.form_fields import OnceForm
from credits.identity import current_user, now, signed_in
from credits.participants.models import RoleName
from credits.participants.permissions import has_any, may_register_for, may_see
from credits.payments.premiums import committees, disbursing, pacing, premium_figures, premium_papers, spending
from credits.payments.premiums.premium_chart import chart_of
from credits.payments.premiums.premium_models import PaperKind, Theme
from credits.payments.premiums.site_premium import premium_of
from credits.payments.premiums.spending import Shown
from credits.premium_words import PREMIUM_WORDS
from credits.registry import queries, searching
from credits.registry.mines.sites import number_of
from credits.registry.production import Site
from credits.web.blueprint import bp
from credits.web.paging import page_of
from credits.web.premium_forms import CommitteeForm, MinuteForm, PayoutForm, ReasonForm, UseForm


@bp.get("/my/premium")
@signed_in
def my_premium() -> ResponseReturnValue:
    page = page_of(searching.sites(current_user(), text=""))
    return render_template(
        "premium/my_premium.html",
        page=page,
        premium={site.id: premium_of(db.session(), site) for site in page.rows},
        number_of=number_of,
    )


@bp.get("/my/premium/<number>")
@signed_in
def site_premium(number: str) -> ResponseReturnValue:
    mine = own_site(number)
    found = premium_figures.site_figures(db.session(), mine)
    return render_template(
        "premium/site_premium.html",
        mine=mine,
        number=number,
        committee=committees.committee_of(db.session(), mine),
        figures=found,
        charts={each.premium.currency: chart_of(each.themes) for each in found},
        pace=pacing.pace(db.session(), mine, goal=days_to_disburse(), today=now().date()),
        minutes=premium_figures.minutes_of(db.session(), mine),
        may_speak=speaks_for(mine),
        words=PREMIUM_WORDS,
    )


def own_site(number: str) -> Site:
    """The site with this number, for its own people and the registry; verifiers have no business with its money."""
    found = queries.site_coded(db.session, current_user(), number)
    may_see(current_user(), found.producer)
    return found


def speaks_for(mine: Site) -> bool:
    """Whether pages offer what a manager does for the committee."""
    user = current_user()
    return searching.registers_for(user, mine.producer) and has_any(user, RoleName.MANAGER)


def days_to_disburse() -> int:
    days: int = current_app.extensions["policy"].market.days_to_disburse
    return days


def kept_in() -> dict[str, Any]:
    """What operations that keep papers are handed."""
    return {"files": current_app.extensions["premium_files"], "policy": current_app.extensions["policy"]}


def signed(form: OnceForm) -> dict[str, Any]:
    return {"by": current_user(), "key": form.key.data, "at": now()}


@bp.route("/my/premium/<number>/committee", methods=["GET", "POST"])
@signed_in
def name_committee(number: str) -> ResponseReturnValue:
    mine = own_site(number)
    committees.may_speak_for(current_user(), mine)
    form = CommitteeForm()
    status = 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        try:
            committees.name_committee(
                db.session(),
                site=mine,
                women=form.women.number or 0,
                men=form.men.number or 0,
                names=form.names.data,
                since=form.since.data,
                **signed(form),
            )
            db.session.commit()
            flash(_("The committee is written down."), "success")
            return redirect(url_for("web.site_premium", number=number), 303)
        except CreditsError as refusal:
            status = form.refused(refusal)
    return render_template("premium/name_committee.html", form=form, mine=mine, number=number), status


@bp.route("/my/premium/<number>/decide/<currency>", methods=["GET", "POST"])
@signed_in
def decide_premium(number: str, currency: str) -> ResponseReturnValue:
    mine = own_site(number)
    committees.may_speak_for(current_user(), mine)
    there = next((each for each in premium_of(db.session(), mine) if each.currency.value == currency), None)
    if there is None or committees.committee_of(db.session(), mine) is None:
        return redirect(url_for("web.site_premium", number=number), 303)
    form = MinuteForm(money=there.currency)
    status = 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        try:
            looked = receiving.looked_at(form.file.data.filename, form.file.data.read())
            minute = committees.decide(
                db.session(),
                site=own_site(number),
                decided=form.decided,
                minute=looked,
                open_to_public=form.open_to_public.data,
                **kept_in(),
                **signed(form),
            )
            db.session.commit()
            flash(_("The decision is entered. Now ask for the money to be paid out."), "success")
            return redirect(url_for("web.minute", number=minute.number), 303)
        except CreditsError as refusal:
            status = form.refused(refusal)
            mine = own_site(number)
    return render_template(
        "premium/decide_premium.html", form=form, mine=mine, number=number, there=there, themes=list(Theme)
    ), status


@bp.get("/my/premium/minutes/<number>")
@signed_in
def minute(number: str) -> ResponseReturnValue:
    found = committees.minute_numbered(db.session(), current_user(), number)
    return render_template(
        "premium/minute.html",
        minute=found,
        left=disbursing.left_of(db.session(), found),
        number=number_of(found.site),
        may_speak=speaks_for(found.site),
        may_use=searching.registers_for(current_user(), found.site.producer),
        waiting={each.subject for each in db.session.scalars(disbursing.waiting_decisions())},
        words=PREMIUM_WORDS,
        key=OnceForm().key.data,
    )


@bp.route("/my/premium/minutes/<number>/revoke", methods=["GET", "POST"])
@signed_in
def revoke_minute(number: str) -> ResponseReturnValue:
    found = committees.minute_numbered(db.session(), current_user(), number)
    committees.may_speak_for(current_user(), found.site)
    form = ReasonForm()
    status = 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        try:
            committees.revoke(db.session(), minute=found, reason=form.reason.data, **signed(form))
            db.session.commit()
            flash(_("The decision is taken back."), "success")
            return redirect(url_for("web.minute", number=number), 303)
        except CreditsError as refusal:
            status = form.refused(refusal)
            found = committees.minute_numbered(db.session(), current_user(), number)
    left = disbursing.left_of(db.session(), found)
    return render_template("premium/revoke_minute.html", form=form, minute=found, left=left), status


@bp.route("/my/premium/minutes/<number>/payouts/new", methods=["GET", "POST"])
@signed_in
def ask_for_payout(number: str) -> ResponseReturnValue:
    found = committees.minute_numbered(db.session(), current_user(), number)
    committees.may_speak_for(current_user(), found.site)
    form = PayoutForm(money=found.currency)
    status = 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        try:
            disbursing.ask(db.session(), minute=found, **form.asked, **signed(form))
            db.session.commit()
            flash(_("The registry is asked to pay. Two of its people see to it."), "success")
            return redirect(url_for("web.minute", number=number), 303)
        except CreditsError as refusal:
            status = form.refused(refusal)
            found = committees.minute_numbered(db.session(), current_user(), number)
    left = disbursing.left_of(db.session(), found)
    return render_template("premium/ask_for_payout.html", form=form, minute=found, left=left), status


@bp.post("/my/premium/payouts/<number>/withdraw")
@signed_in
def withdraw_payout(number: str) -> ResponseReturnValue:
    payout = disbursing.payout_numbered(db.session(), current_user(), number)
    back, form = payout.minute.number, OnceForm()
    try:
        disbursing.withdraw(db.session(), payout=payout, **signed(form))
        db.session.commit()
        flash(_("It is taken back: nothing is paid."), "success")
    except CreditsError as refusal:
        form.refused(refusal)
        flash(str(refusal), "error")
    return redirect(url_for("web.minute", number=back), 303)


@bp.route("/my/premium/payouts/<number>/uses/new", methods=["GET", "POST"])
@signed_in
def use_premium(number: str) -> ResponseReturnValue:
    payout = disbursing.payout_numbered(db.session(), current_user(), number)
    may_register_for(current_user(), payout.minute.site.producer)
    form = UseForm(money=payout.minute.currency)
    form.offer(spending.left_by_theme(db.session(), payout))
    status = 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        try:
            papers = sent_with(form)
            payout = disbursing.payout_numbered(db.session(), current_user(), number)
            spending.use(db.session(), payout=payout, bought=form.bought, papers=papers, **kept_in(), **signed(form))
            db.session.commit()
            flash(_("It is written down, with its receipt."), "success")
            return redirect(url_for("web.minute", number=payout.minute.number), 303)
        except CreditsError as refusal:
            status = form.refused(refusal)
            payout = disbursing.payout_numbered(db.session(), current_user(), number)
    left = payout.amount - spending.used_of(db.session(), payout)
    return render_template(
        "premium/use_premium.html", form=form, payout=payout, minute=payout.minute, left=left
    ), status


def sent_with(form: UseForm) -> list[Shown]:
    """The receipt and the photo, each looked at outside of any transaction. Raises UnusableFile."""
    files = [(PaperKind.RECEIPT, form.receipt.data, form.show_receipt.data)]
    if form.photo.data:
        files.append((PaperKind.PHOTO, form.photo.data, form.show_photo.data))
    return [Shown(kind, receiving.looked_at(file.filename, file.read()), shown) for kind, file, shown in files]


@bp.route("/my/premium/uses/<number>/take-back", methods=["GET", "POST"])
@signed_in
def take_back_use(number: str) -> ResponseReturnValue:
    wrong = spending.use_numbered(db.session(), current_user(), number)
    may_register_for(current_user(), wrong.payout.minute.site.producer)
    form = ReasonForm()
    status = 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        try:
            spending.take_back(db.session(), wrong=wrong, reason=form.reason.data, **signed(form))
            db.session.commit()
            flash(_("The entry is taken back. Now enter it as it was."), "success")
            return redirect(url_for("web.minute", number=wrong.payout.minute.number), 303)
        except CreditsError as refusal:
            status = form.refused(refusal)
            wrong = spending.use_numbered(db.session(), current_user(), number)
    return render_template(
        "premium/take_back_use.html", form=form, use=wrong, minute=wrong.payout.minute, words=PREMIUM_WORDS
    ), status


@bp.post("/my/premium/papers/<int:paper_id>/consent")
@signed_in
def consent_to_paper(paper_id: int) -> ResponseReturnValue:
    """Let everybody look at a paper, or nobody any more."""
    paper = premium_papers.paper_for(db.session(), current_user(), paper_id)
    site = premium_papers.site_behind(db.session(), paper)
    may_register_for(current_user(), site.producer)
    shown = request.form.get("open") == "yes"
    premium_papers.consent(db.session(), paper=paper, open_to_public=shown, by=current_user(), at=now())
    db.session.commit()
    flash(
        _("Everybody may look at it now.") if shown else _("Only your people and the registry see it now."), "success"
    )
    return redirect(url_for("web.site_premium", number=number_of(site)), 303)

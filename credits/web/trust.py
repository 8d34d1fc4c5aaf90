"""Trusted recipients: to whom a holder may send credits at once, as two people have decided."""

from collections.abc import Callable

from flask import current_app, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from credits.errors import CreditsError
from credits.extensions import db
from credits.form_fields import OnceForm
from credits.identity import current_user, now, signed_in
from credits.participants.permissions import may_dispose_of
from credits.registry import queries, trust
from credits.registry.second_person import may_be_second, stood_since
from credits.registry.trusted import Trust
from credits.web.blueprint import bp
from credits.web.holdings import asked_holder, may_move
from credits.web.paging import asked_text, page_of


@bp.get("/trusted")
@signed_in
def trusted() -> ResponseReturnValue:
    user = current_user()
    policy = current_app.extensions["policy"]
    page = page_of(trust.trusts_of(user))
    return render_template(
        "trust/trusted.html",
        page=page,
        holders=[each for each in queries.holders_of(db.session, user) if may_move(user, each)],
        now=now(),
        waits=bool(policy.guarded),
        approves={
            each.id
            for each in page.rows
            if each.approved_by_id is None
            and may_be_second(
                db.session(),
                holder=each.holder,
                first=each.proposed_by,
                since=stood_since(policy, each.proposed_at),
                by=user,
            )
        },
        ends={each.id for each in page.rows if may_move(user, each.holder)},
        days=policy.days_to_trust,
        hours=policy.hours_to_wait,
    )


@bp.get("/trusted/new")
@signed_in
def choose_trusted() -> ResponseReturnValue:
    user = current_user()
    holder = asked_holder(user)
    may_dispose_of(user, holder)
    asked = asked_text()
    page = page_of(queries.recipients(holder, asked))
    return render_template("trust/choose_trusted.html", holder=holder, asked=asked, page=page)


@bp.route("/trusted/new/<number>", methods=["GET", "POST"])
@signed_in
def new_trust(number: str) -> ResponseReturnValue:
    user = current_user()
    holder = asked_holder(user)
    may_dispose_of(user, holder)
    recipient = queries.recipient_numbered(db.session, holder, number)
    form = OnceForm()
    status = 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        try:
            trust.propose(db.session(), holder=holder, recipient=recipient, by=user, key=form.key.data, at=now())
            db.session.commit()
            flash(_("%(name)s is proposed. Now a second person approves it.", name=recipient.name), "success")
            return redirect(url_for("web.trusted"), 303)
        except CreditsError as refusal:
            status = form.refused(refusal)
    days = current_app.extensions["policy"].days_to_trust
    return render_template("trust/new_trust.html", form=form, holder=holder, recipient=recipient, days=days), status


@bp.post("/trusted/<number>/approve")
@signed_in
def approve_trust(number: str) -> ResponseReturnValue:
    policy = current_app.extensions["policy"]
    return decided(
        number, lambda found: trust.approve(db.session(), trust=found, policy=policy, by=current_user(), at=now())
    )


@bp.post("/trusted/<number>/end")
@signed_in
def end_trust(number: str) -> ResponseReturnValue:
    return decided(number, lambda found: trust.end(db.session(), trust=found, by=current_user(), at=now()))


def decided(number: str, act: Callable[[Trust], None]) -> ResponseReturnValue:
    """Do what the one-button form says; where a rule says no, the list says why."""
    found = trust.trust_numbered(db.session(), current_user(), number)
    try:
        act(found)
        db.session.commit()
        flash(_("Noted."), "success")
    except CreditsError as refusal:
        db.session.rollback()
        flash(str(refusal), "error")
    return redirect(url_for("web.trusted"), 303)

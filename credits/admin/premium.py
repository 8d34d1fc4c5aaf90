"""Premium in the panel: what is overdue, what cooperatives have asked for, and recording that it was paid."""

from typing import ClassVar

from flask import current_app, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf.file import FileField, FileRequired
from sqlalchemy import select
from wtforms import BooleanField, DateField, StringField
from wtforms.validators import InputRequired, Length

from credits import receiving
from credits.admin.blueprint import bp
from credits.errors import CreditsError
from credits.extensions import db
from credits.form_fields import OnceForm
from credits.identity import current_user, issuers_only, now, registry_only
from credits.participants.permissions import is_issuer
from credits.payments.premiums import disbursing, pacing
from credits.payments.premiums.premium_models import Payout, PayoutState
from credits.payments.premiums.premium_papers import PaperUsed
from credits.payments.premiums.site_premium import premium_in
from credits.premium_words import PREMIUM_WORDS
from credits.registry.mines.sites import number_of
from credits.registry.papers.evidence_looking import UnusableFile

MOST_SHOWN = 100


class PaidForm(OnceForm):
    field_for: ClassVar[dict[str, str]] = dict.fromkeys((PaperUsed.code, UnusableFile.code), "file")
    reference = StringField(lazy_gettext("Reference of the payment"), [InputRequired(), Length(max=80)])
    paid_on = DateField(lazy_gettext("Paid on"), [InputRequired()])
    file = FileField(lazy_gettext("Proof of it"), [FileRequired(lazy_gettext("Choose the file."))])
    open_to_public = BooleanField(lazy_gettext("Everybody may look at the proof"))


@bp.get("/premium")
@registry_only
def premium() -> ResponseReturnValue:
    """What waits for longer than the goal, and what was asked for."""
    goal = current_app.extensions["policy"].market.days_to_disburse
    today = now().date()
    asked = select(Payout).where(Payout.state == PayoutState.ASKED).order_by(Payout.id).limit(MOST_SHOWN)
    return render_template(
        "admin/premium/premium.html",
        goal=goal,
        overdue=pacing.overdue(db.session(), goal=goal, today=today),
        pace=pacing.pace(db.session(), goal=goal, today=today),
        asked=db.session.scalars(asked).all(),
        waiting={each.subject: each.number for each in db.session.scalars(disbursing.waiting_decisions())},
        today=today,
        number_of=number_of,
        words=PREMIUM_WORDS,
    )


@bp.get("/payouts/<number>")
@registry_only
def payout(number: str) -> ResponseReturnValue:
    return payout_page(number, PaidForm(), 200)


@bp.post("/payouts/<number>")
@issuers_only
def record_payout(number: str) -> ResponseReturnValue:
    form, status = PaidForm(), 422
    if form.validate_on_submit():
        try:
            proof = receiving.looked_at(form.file.data.filename, form.file.data.read())
            decision = disbursing.record(
                db.session(),
                payout=disbursing.payout_numbered(db.session(), current_user(), number),
                reference=form.reference.data or "",
                paid_on=form.paid_on.data,
                proof=proof,
                open_to_public=form.open_to_public.data,
                files=current_app.extensions["premium_files"],
                policy=current_app.extensions["policy"],
                by=current_user(),
                key=form.key.data or "",
                at=now(),
            )
            db.session.commit()
            flash(_("%(number)s waits for another issuer.", number=decision.number), "success")
            return redirect(url_for("admin.decision", number=decision.number), 303)
        except CreditsError as refusal:
            status = form.refused(refusal)
    return payout_page(number, form, status)


def payout_page(number: str, form: PaidForm, status: int) -> ResponseReturnValue:
    found = disbursing.payout_numbered(db.session(), current_user(), number)
    waiting = db.session.scalars(disbursing.waiting_decisions()).all()
    decision = next((each for each in waiting if each.subject == found.number), None)
    page = render_template(
        "admin/premium/payout.html",
        payout=found,
        minute=found.minute,
        there=premium_in(db.session(), found.minute.site, found.minute.currency),
        decision=decision,
        form=form,
        open=found.state is PayoutState.ASKED and decision is None and is_issuer(current_user()),
        number_of=number_of,
        words=PREMIUM_WORDS,
    )
    return page, status

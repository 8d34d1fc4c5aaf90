"""Credits taken out of circulation for good, in somebody's name."""

from typing import Any

from flask import current_app, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext
from sqlalchemy import select
from sqlalchemy.orm import joinedload
from wtforms import HiddenField, SelectField, StringField, TextAreaField
from wtforms.fields import SelectChoice
from wtforms.validators import DataRequired, InputRequired, Length

from credits import languages
from credits.certificates.issuing import facts_in, freeze
from credits.certificates.models import Certificate
from credits.errors import CreditsError
from credits.extensions import db
from credits.form_fields import Amount, Day, OnceForm, printable
from credits.identity import current_user, now, signed_in
from credits.participants import countries
from credits.participants.models import Language, Organisation
from credits.participants.permissions import may_dispose_of
from credits.registry import queries
from credits.registry.annotating import standings_among
from credits.registry.models import Issuance, Retirement
from credits.registry.retirement import Claim, retire
from credits.web.amounts import base_units_in
from credits.web.blueprint import bp
from credits.web.holdings import nothing_to_move
from credits.web.paging import page_of


class ClaimFields(OnceForm):
    """In whose name and for which products."""

    beneficiary = StringField(lazy_gettext("Beneficiary: its legal name"), [DataRequired(), Length(max=200), printable])
    country = SelectField(lazy_gettext("Country of the beneficiary"), validators=[InputRequired()])
    identifier = StringField(
        lazy_gettext("Identifier of the beneficiary"), [DataRequired(), Length(max=100), printable]
    )
    purpose = TextAreaField(lazy_gettext("Purpose"), [DataRequired(), Length(max=500), printable])
    claim_from = Day(lazy_gettext("First day of the claim period"), [InputRequired()])
    claim_to = Day(lazy_gettext("Last day of the claim period"), [InputRequired()])

    @property
    def claim(self) -> Claim:
        assert self.claim_from.data
        assert self.claim_to.data
        return Claim(
            beneficiary=self.beneficiary.data,
            country=self.country.data,
            identifier=self.identifier.data,
            purpose=self.purpose.data,
            claim_from=self.claim_from.data,
            claim_to=self.claim_to.data,
        )


class SpokenClaim(ClaimFields):
    """With the language of the certificate."""

    language = SelectField(
        lazy_gettext("Language of the certificate"),
        choices=[SelectChoice(code, name) for code, name in languages.NAMES],
        default=lambda: current_user().language.value,
    )


class RetireForm(SpokenClaim):
    quantity = Amount(lazy_gettext("How many credits?"), [InputRequired(), Length(max=40)])
    confirmed = HiddenField()

    @property
    def language_name(self) -> str:
        return dict(languages.NAMES)[self.language.data]


@bp.get("/retirements")
@signed_in
def retirements() -> ResponseReturnValue:
    user = current_user()
    wanted = queries.retirements_of(user).options(joinedload(Retirement.issuance), joinedload(Retirement.holder))
    page = page_of(wanted)
    ids = [each.id for each in page.rows]
    drawn = select(Certificate.retirement_id).where(
        Certificate.retirement_id.in_(ids), Certificate.document_sha256.is_not(None)
    )
    return render_template(
        "retirements/retirements.html",
        page=page,
        organisation=user.organisation,
        issued=set(db.session.scalars(drawn)),
        standings=standings_among(db.session(), ids),
    )


@bp.route("/holdings/<number>/retire", methods=["GET", "POST"])
@signed_in
def retire_credits(number: str) -> ResponseReturnValue:
    user = current_user()
    holder = user.organisation
    may_dispose_of(user, holder)
    issuance = queries.issuance_numbered(db.session, number)
    form = RetireForm()
    held = queries.held_of(db.session, holder, issuance)
    # What is sent once more may have taken the last of them: its key knows.
    if not form.is_submitted() and (refusal := nothing_to_move(held, holder, "retire")):
        return refusal
    form.country.choices = [
        SelectChoice(code, name) for code, name in [("", ""), *countries.listed(languages.current())]
    ]
    status = 422 if form.is_submitted() else 200
    if "change" in request.form:
        status, form.confirmed.data = 200, ""
    elif form.validate_on_submit():
        try:
            if form.confirmed.data:
                certificate = retire_and_freeze(form, issuance, holder)
                db.session.commit()
                return redirect(url_for("web.retirement", number=certificate.number), 303)
            facts = rehearse(form, issuance, holder)
            form.confirmed.data = "yes"
            country = countries.name_of(facts["beneficiary"]["country"], languages.current())
            return render_template("retirements/check.html", form=form, facts=facts, issuance=issuance, country=country)
        except CreditsError as refusal:
            status = form.refused(refusal)
            form.confirmed.data = ""
    held = queries.held_of(db.session, holder, issuance)
    return render_template("retirements/new.html", form=form, issuance=issuance, held=held, holder=holder), status


def retire_and_freeze(form: RetireForm, issuance: Issuance, holder: Organisation) -> Certificate:
    """The retirement and the facts of its certificate, in one transaction."""
    retirement = retire(
        db.session,
        issuance=issuance,
        holder=holder,
        quantity=issuance.mineral.base_units(form.quantity.plain),
        claim=form.claim,
        policy=current_app.extensions["policy"],
        by=current_user(),
        key=form.key.data,
        at=now(),
    )
    issuer, language = current_app.extensions["issuer"], Language(form.language.data)
    return freeze(db.session, retirement=retirement, issuer=issuer, language=language)


def rehearse(form: RetireForm, issuance: Issuance, holder: Organisation) -> dict[str, Any]:
    """What the certificate would say, found by retiring and undoing it: every rule has then been asked."""
    base_units_in(queries.held_of(db.session, holder, issuance), form.quantity.plain)
    facts = facts_in(retire_and_freeze(form, issuance, holder))
    db.session.rollback()
    return facts

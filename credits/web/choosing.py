"""Choosing which credits to use across issuances: of one vintage or site, or simply the oldest first.

What is chosen becomes the lines of a statement, which are checked and confirmed as lines from a spreadsheet are.
"""

from typing import Any

from flask import current_app, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from wtforms import SelectField, StringField, TextAreaField
from wtforms.fields import SelectChoice
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from credits import languages
from credits.errors import CreditsError, Missing
from credits.extensions import db
from credits.form_fields import Amount, OnceForm, Whole, printable
from credits.identity import current_user, now, signed_in
from credits.participants import countries
from credits.participants.models import Organisation
from credits.participants.permissions import BUYERS, may_dispose_of
from credits.registry import public, queries
from credits.registry.choosing import Choice, choose
from credits.registry.minerals import mineral_of
from credits.registry.models import BulkKind, Issuance
from credits.registry.queries import Held
from credits.registry.retirement import NotABuyer
from credits.web import bulk_text
from credits.web.blueprint import bp
from credits.web.bulk import LinesForm, checked, previewed
from credits.web.holdings import asked_holder
from credits.web.retirements import ClaimFields


class NoSuchRecipient(Missing):
    code = "no_such_recipient"


class ChooseForm(OnceForm):
    """Which credits. What may be chosen is what the holder has."""

    mineral = SelectField(lazy_gettext("Mineral"), validators=[InputRequired()])
    quantity = Amount(lazy_gettext("How many credits?"), [InputRequired(), Length(max=40)])
    at_least = Amount(lazy_gettext("At least"), [Optional(), Length(max=40)])
    issuance = SelectField(lazy_gettext("Only of this issuance"), validators=[Optional()])
    vintage = Whole(lazy_gettext("Only of this vintage"), [Optional()])
    site = SelectField(lazy_gettext("Only of this site"), validators=[Optional()])

    def offer(self, stock: list[Held]) -> None:
        """Let only what is available be chosen."""
        issuances = [held.issuance for held in stock if held.available]
        minerals = {each.mineral_code: each.mineral.name.capitalize() for each in issuances}
        sites = {each.facts["producer"]["site_code"]: each.facts["producer"]["site_name"] for each in issuances}
        self.mineral.choices = [SelectChoice(code, name) for code, name in sorted(minerals.items())]
        self.issuance.choices = [SelectChoice("", _("any"))]
        self.issuance.choices += [SelectChoice(each.number, each.number) for each in issuances]
        self.site.choices = [SelectChoice("", _("any"))]
        self.site.choices += [SelectChoice(code, f"{name}, {code}") for code, name in sorted(sites.items())]

    @property
    def choice(self) -> Choice:
        """Raises BadMeasure, NoSuchIssuance, NoSuchSite."""
        mineral = mineral_of(self.mineral.data)
        most = mineral.base_units(self.quantity.plain)
        return Choice(
            mineral_code=mineral.code,
            at_least=mineral.base_units(self.at_least.plain) if self.at_least.plain else most,
            at_most=most,
            issuance=queries.issuance_numbered(db.session(), self.issuance.data) if self.issuance.data else None,
            vintage=self.vintage.number,
            site=public.site_known_as(db.session(), self.site.data) if self.site.data else None,
        )


class ChooseToRetireForm(ClaimFields, ChooseForm):
    pass


class ChooseToOfferForm(ChooseForm):
    recipient = StringField(lazy_gettext("Recipient"), [DataRequired(), Length(max=200), printable])
    note = TextAreaField(lazy_gettext("Note to the recipient"), [Optional(), Length(max=500), printable])


@bp.route("/retirements/choose", methods=["GET", "POST"])
@signed_in
def choose_to_retire() -> ResponseReturnValue:
    holder = current_user().organisation
    may_dispose_of(current_user(), holder)
    if holder.kind not in BUYERS:
        raise NotABuyer(_("Credits are retired by a manufacturer or reseller. A producer transfers or sells them."))
    form = ChooseToRetireForm()
    form.country.choices = [
        SelectChoice(code, name) for code, name in [("", ""), *countries.listed(languages.current())]
    ]

    def lines(chosen: list[tuple[Issuance, int]]) -> str:
        claim = form.claim
        said = [claim.beneficiary, claim.country, claim.identifier, " ".join(claim.purpose.split())]
        said += [str(claim.claim_from), str(claim.claim_to)]
        return bulk_text.written(bulk_text.RETIREMENT, [[*of(each), *said] for each in chosen])

    return choosing_page(BulkKind.RETIREMENT, holder, form, lines)


@bp.route("/transfers/choose", methods=["GET", "POST"])
@signed_in
def choose_to_offer() -> ResponseReturnValue:
    holder = asked_holder(current_user())
    may_dispose_of(current_user(), holder)
    form = ChooseToOfferForm()

    def lines(chosen: list[tuple[Issuance, int]]) -> str:
        recipient = recipient_named(holder, form.recipient.data)
        note = " ".join((form.note.data or "").split())
        return bulk_text.written(bulk_text.TRANSFER, [[*of(each), recipient.number, note] for each in chosen])

    return choosing_page(BulkKind.TRANSFER, holder, form, lines)


def choosing_page(kind: BulkKind, holder: Organisation, form: ChooseForm, lines: Any) -> ResponseReturnValue:
    """The form, and once something is chosen the last page before it happens."""
    stock = queries.holdings_of(db.session(), holder)
    form.offer(stock)
    status = 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        try:
            chosen = choose(
                db.session(), holder=holder, choice=form.choice, policy=current_app.extensions["policy"], at=now()
            )
            text = lines(chosen)
            preview = previewed(kind, holder, text)
            if not preview.lines.wrong:
                return checked(kind, holder, LinesForm(formdata=None, text=text), preview)
            form.form_errors += dict.fromkeys(preview.lines.wrong.values())
            status = 409
        except CreditsError as refusal:
            status = form.refused(refusal)
    page = {"form": form, "kind": kind.value, "holder": holder, "has": bool(form.mineral.choices)}
    return render_template("bulk/choose.html", **page, of=request.args.get("of")), status


def of(chosen: tuple[Issuance, int]) -> list[str]:
    """The first columns of a chosen line."""
    issuance, quantity = chosen
    return [issuance.number, issuance.mineral.in_credits(quantity)]


def recipient_named(sender: Organisation, typed: str) -> Organisation:
    """The approved holder with this number, or with exactly this name. Raises NoSuchRecipient."""
    named = typed.strip()
    found = db.session.scalars(queries.recipients(sender, named).limit(50)).all()
    same = [each for each in found if each.name.casefold() == named.casefold()]
    if len(same) == 1:
        return same[0]
    if same:
        raise NoSuchRecipient(_("Several organisations have this name: write the number, such as ORG-000012."))
    try:
        return queries.recipient_numbered(db.session(), sender, named.upper())
    except CreditsError:
        raise NoSuchRecipient(
            _("No approved holder has exactly this name or number. Look it up in the search above.")
        ) from None

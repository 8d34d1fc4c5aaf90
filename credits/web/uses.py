"""What a buyer declares to use of a mineral in a year, and how far that is covered."""

from collections.abc import Callable
from typing import ClassVar

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy.orm import joinedload, selectinload
from wtforms import HiddenField, SelectField, StringField, TextAreaField
from wtforms.fields import SelectChoice
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from credits import languages
from credits.errors import CreditsError, Invalid
from credits.extensions import db
from credits.form_fields import Amount, OnceForm, Whole, printable
from credits.identity import current_user, now, signed_in
from credits.participants import countries
from credits.participants.models import Kind, Organisation
from credits.participants.permissions import BUYERS
from credits.registry.minerals import MINERALS, BadMeasure, Mineral, mineral_of
from credits.registry.use import use_cover, use_declaring
from credits.registry.use.use_declaring import EndUser, Use, in_total, worked_out
from credits.registry.use.use_models import UseLine
from credits.web.blueprint import bp
from credits.web.holdings import may_move
from credits.web.paging import Page, asked_number, page_of

COVERS = 10  # on a page


class AmountForm(OnceForm):
    """How much is used: grams in a unit and units, or the whole of it."""

    field_for: ClassVar[dict[str, str]] = {
        use_declaring.BadYear.code: "year",
        use_declaring.DeclaredAlready.code: "product_line",
        use_declaring.DeclaresItself.code: "beneficiary",
    }

    grams = Amount(lazy_gettext("Grams of the mineral in one unit"), [Optional(), Length(max=40)])
    units = Whole(lazy_gettext("Units in the year"), [Optional()])
    total = Amount(lazy_gettext("Or the whole use in credits"), [Optional(), Length(max=40)])
    confirmed = HiddenField()

    def use_of(self, mineral: Mineral) -> Use:
        """Raises Invalid, BadMeasure."""
        worked = bool((self.grams.data or "").strip()) or self.units.number is not None
        total = bool((self.total.data or "").strip())
        if worked == total:
            said = _("Fill in grams and units, or the whole use: one of the two.")
            raise Invalid(said, field="total" if total else "grams")
        grams, units = (self.grams.data or "").strip(), self.units.number
        if not total and (not grams or units is None):
            said = _("Grams in one unit and the number of units belong together: fill in both.")
            raise Invalid(said, field="units" if grams else "grams")
        try:
            return in_total(mineral, self.total.plain) if total else worked_out(mineral, self.grams.plain, units or 0)
        except BadMeasure as refusal:
            refusal.detail.setdefault("field", "total" if total else "grams")
            raise


class UseForm(AmountForm):
    beneficiary = StringField(lazy_gettext("End user: its legal name"), [DataRequired(), Length(max=200), printable])
    country = SelectField(lazy_gettext("Country of the end user"), validators=[InputRequired()])
    identifier = StringField(lazy_gettext("Identifier of the end user"), [DataRequired(), Length(max=100), printable])
    mineral = SelectField(lazy_gettext("Mineral"), [InputRequired()])
    year = Whole(lazy_gettext("Year"), [InputRequired()])
    product_line = StringField(lazy_gettext("Product line"), [DataRequired(), Length(max=200), printable])

    def offer(self, organisation: Organisation) -> None:
        """Ask a manufacturer for nobody but itself."""
        self.mineral.choices = [SelectChoice("", _("Choose…"))]
        self.mineral.choices += [SelectChoice(each.code, each.name.capitalize()) for each in MINERALS.values()]
        if organisation.kind is Kind.MANUFACTURER:
            for name in ("beneficiary", "country", "identifier"):
                delattr(self, name)
            return
        named = [("", ""), *countries.listed(languages.current())]
        self.country.choices = [SelectChoice(code, name) for code, name in named]

    @property
    def end_user(self) -> EndUser | None:
        if "beneficiary" not in self:
            return None
        return EndUser(self.beneficiary.data, self.country.data, self.identifier.data)


class ChangeUseForm(AmountForm):
    reason = TextAreaField(lazy_gettext("Why does it change?"), [DataRequired(), Length(max=500), printable])


@bp.get("/uses")
@signed_in
def uses() -> ResponseReturnValue:
    user = current_user()
    if user.organisation.kind not in BUYERS:
        wanted = use_cover.uses_of(user).options(joinedload(UseLine.organisation), selectinload(UseLine.versions))
        return render_template("uses/lines.html", page=page_of(wanted))
    policy = current_app.extensions["policy"]
    covers = use_cover.covers_of(db.session(), user.organisation, policy=policy, at=now())
    pages = max(1, -(-len(covers) // COVERS))
    number = min(asked_number("page", 1), pages)
    rows = covers[(number - 1) * COVERS : number * COVERS]
    return render_template(
        "uses/uses.html",
        page=Page(rows, number, pages, len(covers)),
        organisation=user.organisation,
        may=may_move(user, user.organisation),
        refuses=policy.beyond_declared_use == "refuse",
    )


@bp.route("/uses/new", methods=["GET", "POST"])
@signed_in
def declare_use() -> ResponseReturnValue:
    user = current_user()
    use_declaring.must_declare(user, user.organisation)
    form = UseForm()
    if not form.is_submitted():
        form.year.data = now().year
    form.offer(user.organisation)

    def asked() -> tuple[Mineral, Use]:
        mineral = mineral_of(form.mineral.data)
        return mineral, form.use_of(mineral)

    def declare(use: Use) -> UseLine:
        return use_declaring.declare(
            db.session(),
            organisation=user.organisation,
            mineral_code=form.mineral.data,
            year=form.year.number or 0,
            product_line=form.product_line.data,
            use=use,
            end_user=form.end_user,
            by=current_user(),
            key=form.key.data,
            at=now(),
        )

    return in_two_steps(form, asked, declare, "uses/declare_use.html", line=None)


@bp.get("/uses/<number>")
@signed_in
def use(number: str) -> ResponseReturnValue:
    user = current_user()
    line = use_cover.use_numbered(db.session(), user, number)
    return render_template(
        "uses/use.html", line=line, may=may_move(user, line.organisation), in_grams=use_declaring.in_grams
    )


@bp.route("/uses/<number>/change", methods=["GET", "POST"])
@signed_in
def change_use(number: str) -> ResponseReturnValue:
    user = current_user()
    line = use_cover.use_numbered(db.session(), user, number)
    use_declaring.must_declare(user, line.organisation)
    form = ChangeUseForm()

    def asked() -> tuple[Mineral, Use]:
        return line.mineral, form.use_of(line.mineral)

    def change(use: Use) -> UseLine:
        return use_declaring.change(
            db.session(), line=line, use=use, reason=form.reason.data, by=current_user(), key=form.key.data, at=now()
        )

    return in_two_steps(form, asked, change, "uses/change_use.html", line=line)


def in_two_steps(
    form: AmountForm,
    asked: Callable[[], tuple[Mineral, Use]],
    carry_out: Callable[[Use], UseLine],
    template: str,
    line: UseLine | None,
) -> ResponseReturnValue:
    """The form; then the arithmetic and what will be declared; then the declaration."""
    status = 422 if form.is_submitted() else 200
    if "change" in request.form:
        status, form.confirmed.data = 200, ""
    elif form.validate_on_submit():
        try:
            mineral, use = asked()
            made = carry_out(use)
            if form.confirmed.data:
                db.session.commit()
                flash(_("It is declared."), "success")
                return redirect(url_for("web.use", number=made.number), 303)
            told = {"beneficiary": made.beneficiary, "year": made.year, "product_line": made.product_line}
            db.session.rollback()
            form.confirmed.data = "yes"
            page = {"form": form, "mineral": mineral, "use": use, "told": told, "number": line and line.number}
            return render_template("uses/check_use.html", **page, in_grams=use_declaring.in_grams)
        except CreditsError as refusal:
            status = form.refused(refusal)
            form.confirmed.data = ""
    return render_template(template, form=form, line=line, minerals=MINERALS.values()), status

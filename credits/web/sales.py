"""The invoices by which the mineral of a batch was sold."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from wtforms import StringField, ValidationError
from wtforms.validators import DataRequired, InputRequired, Length

from credits.errors import CreditsError
from credits.extensions import db
from credits.form_fields import Amount, Day, OnceForm, accepted_by, printable
from credits.identity import current_user, now, signed_in
from credits.participants.permissions import may_register_for
from credits.registry import queries, searching
from credits.registry.doubts import plausibility_sales
from credits.registry.doubts.plausibility_claims import weight
from credits.registry.doubts.plausibility_sales import OPEN_FOR_SALES, SaleFacts, sale_of, sales_of
from credits.registry.making.reckoning import grade_digits, shown
from credits.registry.minerals import contained_ng, in_base_units, share_ppm, weight_mg
from credits.web.blueprint import bp


class SaleForm(OnceForm):
    number = StringField(lazy_gettext("Number of the invoice or receipt"), [DataRequired(), Length(max=80), printable])
    buyer = StringField(lazy_gettext("Buyer"), [DataRequired(), Length(max=200), printable])
    sold_on = Day(lazy_gettext("Sold on"), [InputRequired()])
    kilograms = Amount(lazy_gettext("Dry weight sold"), [InputRequired(), Length(max=40), accepted_by(weight_mg)])
    grade = Amount(lazy_gettext("Grade on the invoice"), [InputRequired(), Length(max=40)])
    per = 100

    def validate_grade(self, field: Amount) -> None:
        accepted_by(lambda text: share_ppm(text, per=self.per))(self, field)

    def validate_sold_on(self, field: Day) -> None:
        if field.data and field.data > now().date():
            raise ValidationError(_("This day lies in the future."))


@bp.route("/batches/<number>/sales", methods=["GET", "POST"])
@signed_in
def sales(number: str) -> ResponseReturnValue:
    user = current_user()
    batch = queries.batch_numbered(db.session, user, number)
    form = SaleForm()
    form.per = 1000 if batch.mineral.per_thousand else 100
    status = 422 if form.is_submitted() else 200
    if form.is_submitted():
        may_register_for(user, batch.site.producer)
    if form.validate_on_submit():
        facts = SaleFacts(
            number=form.number.data,
            buyer=form.buyer.data,
            sold_on=form.sold_on.data,
            kilograms=form.kilograms.plain,
            grade=form.grade.plain,
        )
        try:
            plausibility_sales.enter(db.session, batch=batch, facts=facts, by=user, key=form.key.data, at=now())
            db.session.commit()
            flash(_("The sale is entered."), "success")
            return redirect(url_for("web.sales", number=number), 303)
        except CreditsError as refusal:
            status = form.refused(refusal)
    rows = sales_of(db.session, batch)
    sold = in_base_units(batch.mineral, sum(contained_ng(row.weight_mg, row.grade_ppm) for row in rows)).base_units
    page = render_template(
        "batches/sales.html",
        batch=batch,
        form=form,
        sales=rows,
        sold=sold,
        claimed=in_base_units(batch.mineral, batch.contained_ng).base_units,
        weight=weight,
        grade=lambda row: shown(row.grade_ppm, grade_digits(batch)),
        may_change=searching.registers_for(user, batch.site.producer) and batch.state in OPEN_FOR_SALES,
    )
    return page, status


@bp.post("/batches/<number>/sales/<int:sale_id>/remove")
@signed_in
def remove_sale(number: str, sale_id: int) -> ResponseReturnValue:
    user = current_user()
    batch = queries.batch_numbered(db.session, user, number)
    plausibility_sales.remove(db.session, sale=sale_of(db.session, batch, sale_id), by=user, at=now())
    db.session.commit()
    flash(_("The sale is taken away."), "success")
    return redirect(url_for("web.sales", number=number), 303)

"""A group manager's own control: which members were looked at this year, point by point, and whom a verifier visits."""

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from wtforms import DateField, RadioField, StringField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length

from credits.errors import CreditsError
from credits.extensions import db
from credits.form_fields import OnceForm
from credits.identity import current_user, now, signed_in
from credits.registry.assurance import groups
from credits.web.blueprint import bp

ANSWERS = {
    "yes": lazy_gettext("Yes"),
    "no": lazy_gettext("No"),
    "not_applicable": lazy_gettext("Does not apply"),
}


@bp.get("/groups/<number>")
@signed_in
def group(number: str) -> ResponseReturnValue:
    """Where each member stands in a year."""
    user, year = current_user(), asked_year()
    found = groups.group_numbered(db.session(), user, number)
    return render_template(
        "groups/group.html",
        group=found,
        year=year,
        years=range(now().year, now().year - 4, -1),
        standings=groups.standing_of(db.session(), found, year),
        audit=groups.audit_of(db.session(), found, year),
        own=found.id == user.organisation_id,
        size=groups.sample_size,
    )


@bp.route("/groups/<number>/members/<member_number>/control", methods=["GET", "POST"])
@signed_in
def control_member(number: str, member_number: str) -> ResponseReturnValue:
    """The checklist of one member and year: one page, a choice a point."""
    user, year = current_user(), asked_year()
    found = groups.group_numbered(db.session(), user, number)
    groups.must_manage(user, found)
    member = groups.member_numbered(db.session(), found, member_number)
    form = checklist_form()(controlled_on=now().date())
    status = 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        try:
            groups.control(
                db.session(),
                group=found,
                member=member,
                year=year,
                answers=answers_of(form),
                controlled_on=form.controlled_on.data,
                by=user,
                key=form.key.data,
                at=now(),
            )
            db.session.commit()
            flash(_("The control of %(name)s for %(year)s is kept.", name=member.name, year=year), "success")
            return redirect(url_for("web.group", number=number, year=year), 303)
        except CreditsError as refusal:
            status = form.refused(refusal)
    return render_template(
        "groups/control_member.html", form=form, group=found, member=member, year=year, items=groups.checklist()[1]
    ), status


def checklist_form() -> type[OnceForm]:
    """A form with a choice and a note for every point of the checklist."""
    fields: dict[str, Any] = {
        "controlled_on": DateField(lazy_gettext("Day of the control"), [InputRequired()]),
    }
    choices = [SelectChoice(value, label) for value, label in ANSWERS.items()]
    for item in groups.checklist()[1]:
        fields[item.code] = RadioField(item.question, [InputRequired()], choices=choices)
        fields[f"{item.code}_note"] = StringField(lazy_gettext("Note"), [Length(max=500)])
    return type("ChecklistForm", (OnceForm,), fields)


def answers_of(form: Any) -> dict[str, dict[str, str]]:
    return {
        item.code: {"answer": form[item.code].data, "note": form[f"{item.code}_note"].data or ""}
        for item in groups.checklist()[1]
    }


def asked_year() -> int:
    """The year in the address, this one where there is none that can be."""
    year = request.args.get("year", type=int) or now().year
    return year if groups.EARLIEST <= year <= now().year else now().year

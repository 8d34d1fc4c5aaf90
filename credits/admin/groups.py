"""Groups as the registry and the drawn verifier see them: who was controlled, who is visited, and what was found."""

from uuid import uuid4

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from wtforms import DateField, HiddenField, RadioField, TextAreaField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length

from credits.admin.blueprint import bp
from credits.admin.reviews import refused
from credits.errors import CreditsError
from credits.extensions import db
from credits.identity import current_user, issuers_only, now, staff_only, verifiers_only
from credits.participants import organisations
from credits.participants.models import Organisation
from credits.participants.permissions import is_issuer, is_lead
from credits.registry.assurance import group_audits
from credits.registry.assurance import groups as rules
from credits.registry.assurance.group_models import GroupAudit


class BeginForm(FlaskForm):
    key = HiddenField(default="")


class VisitForm(FlaskForm):
    key = HiddenField(default="")
    visited_from = DateField(lazy_gettext("First day of the visit"), [InputRequired()])
    visited_to = DateField(lazy_gettext("Last day of the visit"), [InputRequired()])
    conforms = RadioField(
        lazy_gettext("Does the member conform?"),
        [InputRequired()],
        choices=[SelectChoice("yes", lazy_gettext("Yes")), SelectChoice("no", lazy_gettext("No"))],
    )
    report = TextAreaField(lazy_gettext("What was found"), [InputRequired(), Length(max=4000)])


@bp.get("/groups")
@staff_only
def groups() -> ResponseReturnValue:
    found = db.session.scalars(rules.groups_of(current_user())).all()
    year = asked_year()
    return render_template(
        "admin/groups/groups.html",
        rows=[(each, rules.standing_of(db.session(), each, year), audited(each, year)) for each in found],
        year=year,
    )


@bp.get("/groups/<number>")
@staff_only
def group(number: str) -> ResponseReturnValue:
    found = rules.group_numbered(db.session(), current_user(), number)
    return _page(found, asked_year(), BeginForm(key=uuid4().hex), 200)


@bp.post("/groups/<number>/audit")
@issuers_only
def begin_group_audit(number: str) -> ResponseReturnValue:
    """Draw the sample and its verifier."""
    user, year, form = current_user(), asked_year(), BeginForm()
    found = rules.group_numbered(db.session(), user, number)
    status = 422
    if form.validate_on_submit():
        try:
            group_audits.begin_audit(db.session(), group=found, year=year, by=user, key=form.key.data, at=now())
            db.session.commit()
            flash(_("The sample of %(name)s for %(year)s is drawn.", name=found.name, year=year), "success")
            return redirect(url_for("admin.group", number=number, year=year), 303)
        except CreditsError as refusal:
            status = refused(form, refusal)
            found = rules.group_numbered(db.session(), user, number)
    return _page(found, year, form, status)


@bp.route("/groups/<number>/members/<member_number>/visit", methods=["GET", "POST"])
@verifiers_only
def visit_member(number: str, member_number: str) -> ResponseReturnValue:
    """Write down what was found at a member of the sample."""
    user, year = current_user(), asked_year()
    found = rules.group_numbered(db.session(), user, number)
    member, audit = organisations.numbered(db.session, member_number), rules.audit_of(db.session(), found, year)
    if audit is None or member.number not in audit.sample_draw.drawn or audit.organisation_id != user.organisation_id:
        raise group_audits.NotInSample(_("Your organisation visits the members that were drawn, and nobody else."))
    form = VisitForm()
    if not form.is_submitted():
        form.key.data = uuid4().hex
    status = 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        try:
            group_audits.visit(
                db.session(),
                audit=audit,
                member=member,
                visited=(form.visited_from.data, form.visited_to.data),
                conforms=form.conforms.data == "yes",
                report=form.report.data,
                by=user,
                key=form.key.data,
                at=now(),
            )
            db.session.commit()
            flash(_("The visit to %(name)s is kept.", name=member.name), "success")
            return redirect(url_for("admin.group", number=number, year=year), 303)
        except CreditsError as refusal:
            status = refused(form, refusal)
    return render_template(
        "admin/groups/visit_member.html",
        form=form,
        group=found,
        member=member,
        year=year,
        declaration=group_audits.declaration(user, member, found),
    ), status


def _page(found: Organisation, year: int, form: BeginForm, status: int) -> ResponseReturnValue:
    user = current_user()
    standings, audit = rules.standing_of(db.session(), found, year), audited(found, year)
    page = render_template(
        "admin/groups/group.html",
        group=found,
        year=year,
        years=range(now().year, now().year - 4, -1),
        standings=standings,
        audit=audit,
        form=form,
        size=rules.sample_size(len(standings)),
        may_begin=is_issuer(user) and audit is None and bool(standings),
        may_visit=audit is not None and audit.organisation_id == user.organisation_id and is_lead(user),
    )
    return page, status


def audited(group: Organisation, year: int) -> GroupAudit | None:
    return rules.audit_of(db.session(), group, year)


def asked_year() -> int:
    """The year in the address, this one where there is none that can be."""
    year = request.args.get("year", type=int) or now().year
    return year if rules.EARLIEST <= year <= now().year else now().year

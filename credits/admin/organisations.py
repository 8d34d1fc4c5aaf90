"""The registry looks at who wants to take part, and decides."""

from collections.abc import Callable
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from wtforms import SelectField, TextAreaField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length

from credits import languages
from credits.admin.blueprint import bp
from credits.errors import CreditsError
from credits.extensions import db
from credits.identity import current_user, issuers_only, now, registry_only
from credits.journal import events
from credits.notices import outbox
from credits.participants import countries, queries
from credits.participants import organisations as participants
from credits.participants.models import Kind, Kyc, Organisation
from credits.participants.permissions import is_issuer
from credits.problems import status_of
from credits.registry.reviews import cycles, waiting_jobs


class ReasonForm(FlaskForm):
    reason = TextAreaField(lazy_gettext("Reason"), [InputRequired(), Length(max=2000)])


class GroupForm(FlaskForm):
    manager = SelectField(lazy_gettext("Group manager"), validators=[InputRequired()])


@bp.get("/organisations")
@registry_only
def organisations() -> ResponseReturnValue:
    asked = request.args.get("kyc", "")
    wanted = max(1, request.args.get("page", 1, type=int))
    found, page, pages = queries.organisations(
        db.session,
        kyc=Kyc(asked) if asked in list(Kyc) else None,
        text=request.args.get("q", "").strip()[:200],
        page=wanted,
    )
    return render_template(
        "admin/organisations/organisations.html",
        organisations=found,
        page=page,
        pages=pages,
        asked=asked,
        states=list(Kyc),
        country_of=_country_of,
        unreached=outbox.given_up(db.session()),
    )


@bp.get("/organisations/<number>")
@registry_only
def organisation(number: str) -> ResponseReturnValue:
    return _page(participants.numbered(db.session, number), ReasonForm(), 200)


@bp.post("/organisations/<number>/approve")
@issuers_only
def approve_organisation(number: str) -> ResponseReturnValue:
    subject = participants.numbered(db.session, number)
    try:
        participants.approve(db.session, subject, by=current_user(), at=now())
        db.session.commit()
        flash(_("%(name)s may take part now.", name=subject.name), "success")
    except participants.AlreadyDecided:
        db.session.rollback()
        if not subject.approved:
            raise
        flash(_("%(name)s is approved already.", name=subject.name), "info")  # pressed twice
    return redirect(url_for("admin.organisation", number=number), 303)


@bp.post("/organisations/<number>/refuse")
@issuers_only
def refuse_organisation(number: str) -> ResponseReturnValue:
    return _decide(number, participants.refuse)


@bp.post("/organisations/<number>/suspend")
@issuers_only
def suspend_organisation(number: str) -> ResponseReturnValue:
    return _decide(number, participants.suspend)


@bp.post("/organisations/<number>/group")
@issuers_only
def join_group(number: str) -> ResponseReturnValue:
    subject = participants.numbered(db.session, number)
    form = group_form_of()
    status = 422
    if form.validate_on_submit():
        try:
            manager = participants.numbered(db.session, form.manager.data)
            participants.join_group(db.session, subject, manager=manager, by=current_user(), at=now())
            db.session.commit()
            flash(_("%(manager)s acts for %(name)s now.", manager=manager.name, name=subject.name), "success")
            return redirect(url_for("admin.organisation", number=number), 303)
        except CreditsError as refusal:
            db.session.rollback()
            form.form_errors.append(str(refusal))
            status = status_of(refusal)
    return _page(subject, ReasonForm(formdata=None), status, form)


def group_form_of(**sent: None) -> GroupForm:
    """The form with the managers there are. formdata=None: whatever was sent belongs to another form."""
    form = GroupForm(**sent)
    managers = queries.group_managers(db.session)
    form.manager.choices = [SelectChoice(manager.number, manager.name) for manager in managers]
    return form


def _decide(number: str, decide: Callable[..., None]) -> ResponseReturnValue:
    """Refuse or suspend, with the reason that the form gives; without one, the same page says what is missing."""
    subject = participants.numbered(db.session, number)
    form = ReasonForm()
    status = 422
    if form.validate_on_submit():
        try:
            decide(db.session, subject, reason=form.reason.data, by=current_user(), at=now())
            db.session.commit()
            flash(_("The decision is kept, with its reason."), "success")
            return redirect(url_for("admin.organisation", number=number), 303)
        except CreditsError as refusal:
            db.session.rollback()
            form.form_errors.append(str(refusal))
            status = status_of(refusal)
    return _page(subject, form, status)


def _page(
    subject: Organisation, form: ReasonForm, status: int, group_form: GroupForm | None = None
) -> ResponseReturnValue:
    if group_form is None and subject.kind is Kind.COOPERATIVE:
        group_form = group_form_of(formdata=None)
    page = render_template(
        "admin/organisations/organisation.html",
        organisation=subject,
        country=_country_of(subject),
        lookalikes=queries.lookalikes(db.session, subject),
        story=events.story(db.session, subject.number),
        own=subject.id == current_user().organisation_id,
        may_decide=is_issuer(current_user()),
        form=form,
        group_form=group_form,
        **_work_of(subject),
    )
    return page, status


def _work_of(subject: Organisation) -> dict[str, Any]:
    """What a verifier was drawn for, what became of it, and how long its leads have verified whom."""
    if subject.kind is not Kind.VERIFIER:
        return {"jobs": None, "outcomes": {}, "rows": []}
    return {
        "jobs": waiting_jobs.jobs_of(db.session(), subject),
        "outcomes": waiting_jobs.outcomes_of(db.session(), subject),
        "rows": cycles.rows_of(db.session(), subject),
    }


def _country_of(subject: Organisation) -> str:
    return countries.name_of(subject.country, languages.current())

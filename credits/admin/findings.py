"""Findings in the panel: listed, opened by hand, confirmed, and closed with evidence and a reason."""

from collections.abc import Callable
from datetime import date
from uuid import uuid4

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from wtforms import DateField, HiddenField, SelectField, StringField, TextAreaField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length, Optional

from credits.admin.assessments import answer_words
from credits.admin.blueprint import bp
from credits.admin.reviews import refused
from credits.errors import CreditsError
from credits.extensions import db
from credits.identity import current_user, now, staff_only
from credits.participants.permissions import is_issuer
from credits.registry import finders, queries
from credits.registry.assurance import finding_lists
from credits.registry.assurance import findings as rules
from credits.registry.assurance.assurance_models import Certainty, Severity, SiteFinding, Source
from credits.registry.assurance.finding_lists import Which
from credits.registry.assurance.findings import LONGEST_PLAN, LONGEST_TEXT, FindingFacts
from credits.registry.mines.sites import number_of
from credits.registry.production import Site


class FindingForm(FlaskForm):
    key = HiddenField(default="")
    confirmed = HiddenField(default="")
    severity = SelectField(
        lazy_gettext("Severity"),
        [InputRequired()],
        choices=[
            SelectChoice("", lazy_gettext("Choose…")),
            SelectChoice("minor", lazy_gettext("Minor")),
            SelectChoice("major", lazy_gettext("Major")),
            SelectChoice("suspected", lazy_gettext("Zero tolerance, suspected")),
            SelectChoice("found", lazy_gettext("Zero tolerance, found")),
        ],
    )
    text = TextAreaField(lazy_gettext("What was found"), [InputRequired(), Length(max=LONGEST_TEXT)])
    plan = StringField(lazy_gettext("What is done about it"), [Optional(), Length(max=LONGEST_PLAN)])
    due_on = DateField(lazy_gettext("Put right by"), [InputRequired()])
    first_day = DateField(lazy_gettext("Production concerned, from"), [Optional()])
    last_day = DateField(lazy_gettext("Production concerned, until"), [Optional()])

    def facts(self, source: Source) -> FindingFacts:
        zero_tolerance = self.severity.data in ("suspected", "found")
        first, last = self.first_day.data, self.last_day.data
        assert self.due_on.data
        return FindingFacts(
            severity=Severity.ZERO_TOLERANCE if zero_tolerance else Severity(self.severity.data),
            certainty=Certainty.SUSPECTED if self.severity.data == "suspected" else Certainty.FOUND,
            text=self.text.data or "",
            plan=self.plan.data or "",
            due_on=self.due_on.data,
            concerns=(first, last) if first and last else None,
            source=source,
        )


class ConfirmForm(FlaskForm):
    key = HiddenField(default="")
    first_day = DateField(lazy_gettext("Production concerned, from"), [InputRequired()])
    last_day = DateField(lazy_gettext("Production concerned, until"), [InputRequired()])


class CloseForm(FlaskForm):
    key = HiddenField(default="")
    evidence = TextAreaField(lazy_gettext("Evidence"), [InputRequired(), Length(max=LONGEST_TEXT)])
    reason = TextAreaField(lazy_gettext("Reason"), [InputRequired(), Length(max=LONGEST_TEXT)])


@bp.get("/findings")
@staff_only
def findings() -> ResponseReturnValue:
    asked = request.args.get("show", Which.OPEN.value)
    which = Which(asked) if asked in list(Which) else Which.OPEN
    text = request.args.get("q", "").strip()[:200]
    wanted = finding_lists.findings_seen(current_user(), which=which, text=text, today=now().date())
    rows, page, pages = finding_lists.page_of(db.session(), wanted, request.args.get("page", 1, type=int))
    return render_template(
        "admin/findings/findings.html",
        findings=rows,
        page=page,
        pages=pages,
        which=which,
        text=text,
        words=answer_words(),
        number_of=number_of,
        today=now().date(),
    )


@bp.route("/sites/<number>/findings/new", methods=["GET", "POST"])
@staff_only
def open_finding(number: str) -> ResponseReturnValue:
    place = queries.site_coded(db.session, current_user(), number)
    finders.must_find(db.session(), current_user(), place)
    form = FindingForm()
    status = _begun(form)
    if "change" in request.form:
        form.confirmed.data, status = "", 200
    elif form.validate_on_submit():
        try:
            made = _opened(form, place)
            if form.severity.data == "found" and not form.confirmed.data:
                told = made.number
                db.session.rollback()
                place = queries.site_coded(db.session, current_user(), number)
                form.confirmed.data = "yes"
                return render_template(
                    "admin/findings/check_finding.html", form=form, place=place, number=number, told=told
                )
            db.session.commit()
            flash(_("%(number)s is open. Everybody concerned is told.", number=made.number), "success")
            return redirect(url_for("admin.finding", number=made.number), 303)
        except CreditsError as refusal:
            status = refused(form, refusal)
            form.confirmed.data = ""
            place = queries.site_coded(db.session, current_user(), number)
    return render_template("admin/findings/open_finding.html", form=form, place=place, number=number), status


def _opened(form: FindingForm, place: Site) -> SiteFinding:
    return rules.open_finding(
        db.session(),
        site=place,
        facts=form.facts(Source.REGISTRY if is_issuer(current_user()) else Source.VERIFIER),
        policy=current_app.extensions["policy"],
        by=current_user(),
        key=form.key.data or "",
        at=now(),
    )


@bp.get("/findings/<number>")
@staff_only
def finding(number: str) -> ResponseReturnValue:
    return _page(finding_lists.finding_seen(db.session(), current_user(), number), 200)


@bp.post("/findings/<number>/close")
@staff_only
def close_finding(number: str) -> ResponseReturnValue:
    found, form, status = finding_lists.finding_seen(db.session(), current_user(), number), CloseForm(), 422
    if form.validate_on_submit():
        try:
            rules.close(
                db.session(),
                finding=found,
                evidence=form.evidence.data or "",
                reason=form.reason.data or "",
                by=current_user(),
                key=form.key.data or "",
                at=now(),
            )
            db.session.commit()
            flash(_("%(number)s is closed. The producer is told.", number=number), "success")
            return redirect(url_for("admin.finding", number=number), 303)
        except CreditsError as refusal:
            status = refused(form, refusal)
            found = finding_lists.finding_seen(db.session(), current_user(), number)
    return _page(found, status, close=form)


@bp.post("/findings/<number>/confirm")
@staff_only
def confirm_finding(number: str) -> ResponseReturnValue:
    found, form, status = finding_lists.finding_seen(db.session(), current_user(), number), ConfirmForm(), 422
    if form.validate_on_submit():
        assert form.first_day.data
        assert form.last_day.data
        try:
            rules.confirm(
                db.session(),
                finding=found,
                concerns=(form.first_day.data, form.last_day.data),
                policy=current_app.extensions["policy"],
                by=current_user(),
                key=form.key.data or "",
                at=now(),
            )
            db.session.commit()
            flash(_("%(number)s is confirmed. Everybody concerned is told.", number=number), "warning")
            return redirect(url_for("admin.finding", number=number), 303)
        except CreditsError as refusal:
            status = refused(form, refusal)
            found = finding_lists.finding_seen(db.session(), current_user(), number)
    return _page(found, status, confirm=form)


def _page(
    found: SiteFinding, status: int, *, close: CloseForm | None = None, confirm: ConfirmForm | None = None
) -> ResponseReturnValue:
    today: date = now().date()
    page = render_template(
        "admin/findings/finding.html",
        finding=found,
        place=found.site,
        number=number_of(found.site),
        words=answer_words(),
        today=today,
        close=close or CloseForm(key=uuid4().hex, formdata=None),
        confirm=confirm or ConfirmForm(key=uuid4().hex, last_day=today, formdata=None),
        may_confirm=found.is_open and _is_allowed(lambda: finders.must_find(db.session(), current_user(), found.site)),
        may_close=found.is_open and _is_allowed(lambda: finders.must_close(db.session(), current_user(), found)),
    )
    return page, status


def _is_allowed(rule: Callable[[], None]) -> bool:
    try:
        rule()
    except CreditsError:
        return False
    return True


def _begun(form: FlaskForm) -> int:
    """Give a form that is shown first its key. Returns the status of its page."""
    if form.is_submitted():
        return 422
    form.key.data = uuid4().hex
    return 200

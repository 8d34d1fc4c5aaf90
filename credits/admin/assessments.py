"""The verifier's checklist: a site answered requirement by requirement, saved module by module, completed by a lead."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import uuid4

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from wtforms import DateField, HiddenField
from wtforms.validators import InputRequired

from credits import stories
from credits.admin.blueprint import bp
from credits.admin.reviews import refused
from credits.errors import CreditsError, Missing
from credits.extensions import db
from credits.identity import current_user, now, staff_only, verifiers_only
from credits.participants.models import User
from credits.participants.permissions import is_lead
from credits.problems import status_of
from credits.registry import queries
from credits.registry.assurance import assessed, assessing, findings
from credits.registry.assurance.assessing import Given, last_saved
from credits.registry.assurance.assurance_models import Assessment, Severity
from credits.registry.assurance.standards import Module, Word
from credits.registry.mines.jobs_at_sites import REVIEWING
from credits.registry.mines.site_states import months_on, state_on
from credits.registry.production import Batch, Evidence
from credits.registry.reviews.verification import must_review

FIELDS = ("answer", "evidence", "paper", "finding", "severity", "plan", "due", "from", "to")
NO_PAPER = "0"


class CompleteForm(FlaskForm):
    key = HiddenField(default="")
    next_due = DateField(lazy_gettext("Next assessment due"), [InputRequired()])


class Unreadable(Exception):
    """What was typed is no day or no choice: `problems` are sentences by requirement."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__()
        self.problems = problems


@dataclass(frozen=True)
class Typed:
    """A module as somebody has just sent it and it could not be saved: shown again, nothing of it lost."""

    module: int
    values: Mapping[str, Mapping[str, str]]
    problems: Mapping[str, str] = field(default_factory=dict)
    refusal: str = ""
    to_confirm: tuple[str, ...] = ()


@bp.get("/batches/<number>/assessment")
@staff_only
def assess(number: str) -> ResponseReturnValue:
    return _page(queries.batch_numbered(db.session, current_user(), number), 200)


@bp.post("/batches/<number>/assessment")
@verifiers_only
def begin_assessment(number: str) -> ResponseReturnValue:
    batch = queries.batch_numbered(db.session, current_user(), number)
    assessing.begin(db.session(), batch=batch, policy=_policy(), by=current_user(), at=now())
    db.session.commit()
    return back_to(number, "module-1")


@bp.post("/batches/<number>/assessment/modules/<int:module>")
@verifiers_only
def save_module(number: str, module: int) -> ResponseReturnValue:
    batch = queries.batch_numbered(db.session, current_user(), number)
    assessment = assessed.open_one(db.session(), batch.site, current_user().organisation_id)
    asked = next((each for each in _modules(assessment) if each.number == module), None)
    if assessment is None or asked is None:
        raise Missing(_("There is no such part of an assessment."))
    values = {each.code: typed_about(each.code) for each in asked.requirements}
    try:
        given = {code: read(values[code]) for code in values}
    except Unreadable:
        return _page(batch, 422, Typed(module, values, problems_in(values)))
    found = tuple(code for code, each in given.items() if each.answer is Word.FOUND and is_new(assessment, code))
    if found and "confirmed" not in request.form:
        return _page(batch, 200, Typed(module, values, to_confirm=found))
    try:
        opened = assessing.save_module(
            db.session(),
            assessment=assessment,
            module=asked,
            given=given,
            seen=seen_in(request.form.get("seen", "")),
            policy=_policy(),
            by=current_user(),
            at=now(),
        )
        db.session.commit()
    except CreditsError as refusal:
        db.session.rollback()
        batch = queries.batch_numbered(db.session, current_user(), number)
        return _page(batch, status_of(refusal), Typed(module, values, refusal=refusal.message))
    for finding in opened:
        flash(_("%(number)s is open. Everybody concerned is told.", number=finding.number), "warning")
    flash(_("Module %(module)s is saved.", module=module), "success")
    return back_to(number, f"module-{module}")


@bp.post("/batches/<number>/assessment/complete")
@verifiers_only
def complete_assessment(number: str) -> ResponseReturnValue:
    batch = queries.batch_numbered(db.session, current_user(), number)
    assessment = assessed.open_one(db.session(), batch.site, current_user().organisation_id)
    form, status = CompleteForm(), 422
    if assessment is None:
        return back_to(number, "checklist")  # pressed twice is completed once
    if form.validate_on_submit():
        try:
            assert form.next_due.data
            assessing.complete(
                db.session(),
                assessment=assessment,
                next_due=form.next_due.data,
                policy=_policy(),
                by=current_user(),
                key=form.key.data,
                at=now(),
            )
            db.session.commit()
            flash(_("%(number)s is complete: %(level)s", number=assessment.number, level=assessment.level), "success")
            return back_to(number, "checklist")
        except CreditsError as refusal:
            status = refused(form, refusal)
            batch = queries.batch_numbered(db.session, current_user(), number)
    return _page(batch, status, form=form)


def back_to(number: str, anchor: str) -> ResponseReturnValue:
    """To the page on which the form stood: the review, or the assessment by itself."""
    page = "admin.batch" if "on_review" in request.form else "admin.assess"
    return redirect(url_for(page, number=number, _anchor=anchor), 303)


def typed_about(code: str) -> dict[str, str]:
    """What was sent about one requirement."""
    return {name: request.form.get(f"{name}-{code}", "").strip() for name in FIELDS}


def read(values: Mapping[str, str]) -> Given:
    """What was typed about one requirement. Raises Unreadable."""
    try:
        ends = [date.fromisoformat(values[end]) for end in ("from", "to") if values[end]]
        return Given(
            answer=Word(values["answer"]) if values["answer"] else None,
            evidence=values["evidence"],
            paper_id=int(values["paper"] or NO_PAPER) or None,
            finding=values["finding"],
            severity=Severity(values["severity"]) if values["severity"] else None,
            plan=values["plan"],
            due_on=date.fromisoformat(values["due"]) if values["due"] else None,
            concerns=(ends[0], ends[1]) if len(ends) == 2 else None,
        )
    except ValueError:
        raise Unreadable({}) from None


def problems_in(values: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """A sentence for each requirement about which something unreadable was typed."""
    found = {}
    for code, typed in values.items():
        try:
            read(typed)
        except Unreadable:
            found[code] = _("%(code)s: write days as 2026-03-31, and choose from the lists.", code=code)
    return found


def is_new(assessment: Assessment, code: str) -> bool:
    """Whether a requirement was not answered "found" before."""
    return assessed.words_of(assessment).get(code) is not Word.FOUND


def seen_in(text: str) -> datetime | None:
    """When the module had last been saved, as the page that was sent has said."""
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        return None


def shown(batch: Batch, user: User, typed: Typed | None = None, form: CompleteForm | None = None) -> dict[str, Any]:
    """What `admin/assessments/checklist.html` needs: the whole context of the macro `checklist`."""
    organisation_id = user.organisation_id
    today = now().date()
    assessment = assessed.open_one(db.session(), batch.site, organisation_id)
    counted = assessed.current(db.session(), batch.site, organisation_id, today)
    reviews = reviews_now(user, batch)
    if form is None:
        form = CompleteForm(key=uuid4().hex, next_due=months_on(today, _policy().months_to_next_assessment))
    wanting = assessed.missing(assessment, _policy(), today) if assessment else []
    standard = assessment.edition.standard if assessment else None
    return {
        "batch": batch,
        "assessment": assessment,
        "stopped_by": findings.stopping(db.session(), batch.site),
        "state": state_on(db.session(), batch.site, today),
        "counted": counted,
        "standard": standard,
        "values": _values(assessment, typed),
        "seen": {each.number: _seen(assessment, each) for each in _modules(assessment)} if assessment else {},
        "missing": wanting,
        "reached": standard.reached(assessed.words_of(assessment)) if standard and assessment else None,
        "may_write": reviews,
        "may_complete": reviews and is_lead(user),
        "typed": typed,
        "form": form,
        "papers": papers_of(batch),
        "kinds_of_paper": stories.kinds_of_paper(),
        "words": answer_words(),
        "today": today,
        "latest": {
            severity.value: assessed.latest_day(severity.value, _policy(), today)
            for severity in (Severity.MINOR, Severity.MAJOR)
        },
    }


def reviews_now(user: User, batch: Batch) -> bool:
    """Whether the organisation of `user` has the batch in review, and so may write."""
    try:
        must_review(user, batch)
    except CreditsError:
        return False
    return batch.state in REVIEWING


def papers_of(batch: Batch) -> list[Evidence]:
    return [paper for paper in batch.evidence if paper.counts]


def _values(assessment: Assessment | None, typed: Typed | None) -> dict[str, Mapping[str, str]]:
    """What stands in the fields, by requirement: what was typed just now, else what was saved."""
    if assessment is None:
        return {}
    rows = assessed.answers_of(assessment)
    values: dict[str, Mapping[str, str]] = {}
    for code in assessment.edition.standard.requirements:
        row = rows.get(code)
        saved = dict.fromkeys(FIELDS, "")
        if row is not None:
            saved |= {"answer": row.answer.value if row.answer else "", "evidence": row.evidence}
            saved |= {"paper": str(row.paper_id or ""), "finding": row.finding, "plan": row.plan}
            saved |= {"severity": row.severity.value if row.severity else "", "due": str(row.due_on or "")}
        values[code] = saved
    return values | dict(typed.values if typed else {})


def _seen(assessment: Assessment | None, module: Module) -> str:
    moment = last_saved(assessment, module) if assessment else None
    return moment.isoformat() if moment else ""


def _modules(assessment: Assessment | None) -> tuple[Module, ...]:
    return assessment.edition.standard.modules if assessment else ()


def _policy() -> Any:
    return current_app.extensions["policy"]


def _page(
    batch: Batch, status: int, typed: Typed | None = None, form: CompleteForm | None = None
) -> ResponseReturnValue:
    context = shown(batch, current_user(), typed, form)
    return render_template("admin/assessments/assess.html", here=context, batch=batch), status


def answer_words() -> dict[str, str]:
    """What each answer, severity and certainty is called."""
    return {
        "conform": _("Conforms"),
        "not_yet": _("Not yet"),
        "none": _("None"),
        "suspected": _("Suspected"),
        "found": _("Found"),
        "controlled": _("Controlled"),
        "progressing": _("Progressing"),
        "not_controlled": _("Not controlled"),
        "minor": _("Minor"),
        "major": _("Major"),
        "zero_tolerance": _("Zero tolerance"),
    }

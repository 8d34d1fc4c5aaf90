"""What a site's people write down over time: training, members, accidents, mercury, formalisation, miners."""

from decimal import Decimal
from typing import Any

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from wtforms import RadioField, SelectField, StringField, TextAreaField, ValidationError
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from credits.errors import CreditsError
from credits.extensions import db
from credits.form_fields import Amount, Day, OnceForm, Whole, accepted_by, printable
from credits.identity import current_user, now, signed_in
from credits.participants.permissions import may_register_for
from credits.registry import queries, searching
from credits.registry.minerals import decimal
from credits.registry.mines import site_records
from credits.registry.mines.site_record_models import Severity, Stage
from credits.registry.mines.site_records import DAYS, KINDS, NoSuchRecord
from credits.registry.production import Answer
from credits.web.blueprint import bp
from credits.web.sites import ANSWERS, choices_of, chosen_of, not_ahead

NEWEST = 10  # records of a kind on the page of all kinds
MOST_HOURS = 1_000
HEADINGS: dict[str, Any] = {
    "training": lazy_gettext("Training"),
    "members": lazy_gettext("Members"),
    "accidents": lazy_gettext("Accidents"),
    "mercury": lazy_gettext("Mercury"),
    "formalisation": lazy_gettext("Formalisation"),
    "miners": lazy_gettext("Miners"),
}
SEVERITIES: dict[Severity, Any] = {
    Severity.MINOR: lazy_gettext("Minor: first aid was enough"),
    Severity.SERIOUS: lazy_gettext("Serious: days lost, or a lasting injury"),
    Severity.FATAL: lazy_gettext("Fatal"),
}
STAGES: dict[Stage, Any] = {
    Stage.INFORMAL: lazy_gettext("Informal"),
    Stage.IN_PROCESS: lazy_gettext("In process"),
    Stage.LICENSED: lazy_gettext("Licensed"),
    Stage.CERTIFIED: lazy_gettext("Certified"),
}
RECORD_WORDS: dict[Any, Any] = SEVERITIES | STAGES | ANSWERS


def hours_sound(text: str) -> None:
    """Raises BadMeasure."""
    if not 0 < decimal(text) <= MOST_HOURS:
        raise ValidationError(_("More than 0 and at most %(most)s hours.", most=f"{MOST_HOURS:,}"))


class RecordForm(OnceForm):
    """What every record has: its day. The rest is the columns of its kind."""

    day = Day(lazy_gettext("On which day?"), [InputRequired(), not_ahead])

    @property
    def figures(self) -> dict[str, Any]:
        raise NotImplementedError


class TrainingForm(RecordForm):
    topic = StringField(lazy_gettext("Topic"), [DataRequired(), Length(max=200), printable])
    hours = Amount(lazy_gettext("How long?"), [InputRequired(), Length(max=20), accepted_by(hours_sound)])
    women = Whole(lazy_gettext("Women who came"), [InputRequired()])
    men = Whole(lazy_gettext("Men who came"), [InputRequired()])

    @property
    def figures(self) -> dict[str, Any]:
        minutes = int(decimal(self.hours.plain) * Decimal(60))
        return {"topic": self.topic.data, "minutes": minutes, "women": self.women.number, "men": self.men.number}


class MembersForm(RecordForm):
    women = Whole(lazy_gettext("Women"), [InputRequired()])
    young_women = Whole(lazy_gettext("Of them 18 to 35 years old"), [InputRequired()])
    men = Whole(lazy_gettext("Men"), [InputRequired()])
    young_men = Whole(lazy_gettext("Of the men 18 to 35 years old"), [InputRequired()])

    @property
    def figures(self) -> dict[str, Any]:
        return {name: self[name].number for name in site_records.FIELDS["members"]}


class AccidentForm(RecordForm):
    severity = SelectField(lazy_gettext("How severe?"), [InputRequired()], choices=chosen_of(SEVERITIES))
    hurt = Whole(lazy_gettext("People hurt"), [InputRequired()])
    killed = Whole(lazy_gettext("People killed"), [InputRequired()])
    measures = TextAreaField(lazy_gettext("What was done?"), [DataRequired(), Length(max=2000), printable])

    @property
    def figures(self) -> dict[str, Any]:
        counts = {"hurt": self.hurt.number, "killed": self.killed.number}
        return {"severity": Severity(self.severity.data), "measures": self.measures.data} | counts


class MercuryForm(RecordForm):
    used = RadioField(lazy_gettext("Was mercury used?"), [InputRequired()], choices=choices_of(ANSWERS))
    note = TextAreaField(lazy_gettext("What changed?"), [Optional(), Length(max=1000), printable])

    @property
    def figures(self) -> dict[str, Any]:
        return {"used": Answer(self.used.data), "note": self.note.data or ""}


class FormalisationForm(RecordForm):
    stage = SelectField(lazy_gettext("Which stage was reached?"), [InputRequired()], choices=chosen_of(STAGES))
    source = StringField(lazy_gettext("Which paper says so?"), [DataRequired(), Length(max=200), printable])

    @property
    def figures(self) -> dict[str, Any]:
        return {"stage": Stage(self.stage.data), "source": self.source.data}


class MinersForm(RecordForm):
    miners = Whole(lazy_gettext("How many miners work there?"), [InputRequired()])

    @property
    def figures(self) -> dict[str, Any]:
        return {"miners": self.miners.number}


class StrikeForm(OnceForm):
    reason = TextAreaField(lazy_gettext("What was wrong?"), [DataRequired(), Length(max=500), printable])


FORMS: dict[str, type[RecordForm]] = {
    "training": TrainingForm,
    "members": MembersForm,
    "accidents": AccidentForm,
    "mercury": MercuryForm,
    "formalisation": FormalisationForm,
    "miners": MinersForm,
}


@bp.get("/my/sites/<number>/records")
@signed_in
def site_records_page(number: str) -> ResponseReturnValue:
    mine = queries.site_coded(db.session, current_user(), number)
    records = {kind: site_records.records_of(db.session, mine, kind, struck=True)[:NEWEST] for kind in KINDS}
    return render_template(
        "sites/records.html",
        mine=mine,
        number=number,
        records=records,
        days=DAYS,
        headings=HEADINGS,
        words=RECORD_WORDS,
        summary=site_records.summary(db.session, mine, today=now().date()),
        may_record=searching.registers_for(current_user(), mine.producer),
    )


@bp.route("/my/sites/<number>/records/<kind>/new", methods=["GET", "POST"])
@signed_in
def add_record(number: str, kind: str) -> ResponseReturnValue:
    mine = queries.site_coded(db.session, current_user(), number)
    may_register_for(current_user(), mine.producer)
    if kind not in FORMS:
        raise NoSuchRecord("There is no such record.")
    form = FORMS[kind]()
    status = 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        try:
            asked = {"site": mine, "kind": kind, "day": form.day.data, "figures": form.figures}
            site_records.enter(db.session, **asked, by=current_user(), key=form.key.data, at=now())
            db.session.commit()
            flash(_("It is written down."), "success")
            return redirect(url_for("web.site_records_page", number=number, _anchor=kind), 303)
        except CreditsError as refusal:
            status = form.refused(refusal)
    page = {"form": form, "mine": mine, "number": number, "kind": kind, "heading": HEADINGS[kind]}
    return render_template("sites/add_record.html", **page), status


@bp.route("/my/sites/<number>/records/<kind>/<int:record_id>/strike", methods=["GET", "POST"])
@signed_in
def strike_record(number: str, kind: str, record_id: int) -> ResponseReturnValue:
    mine = queries.site_coded(db.session, current_user(), number)
    may_register_for(current_user(), mine.producer)
    record = site_records.record_of(db.session, mine, kind, record_id)
    form = StrikeForm()
    status = 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        try:
            asked = {"site": mine, "kind": kind, "record": record, "reason": form.reason.data}
            site_records.strike(db.session, **asked, by=current_user(), at=now())
            db.session.commit()
            flash(_("The record is struck out. Enter it anew as it should be."), "success")
            return redirect(url_for("web.site_records_page", number=number, _anchor=kind), 303)
        except CreditsError as refusal:
            status = form.refused(refusal)
    page = {"form": form, "mine": mine, "number": number, "record": record, "heading": HEADINGS[kind]}
    return render_template("sites/strike_record.html", **page, day=getattr(record, DAYS[kind])), status

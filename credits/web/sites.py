"""A producer's own sites: registered, licensed, and found again in the open data."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from flask import current_app, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from wtforms import RadioField, SelectField, StringField, ValidationError
from wtforms.fields import SelectChoice
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from credits import languages
from credits.errors import CreditsError
from credits.extensions import db
from credits.form_fields import Day, Degrees, OnceForm, Whole, accepted_by, printable
from credits.identity import current_user, now, signed_in
from credits.participants import countries
from credits.participants.models import Organisation
from credits.participants.permissions import may_register_for
from credits.registry import queries, searching
from credits.registry.assurance import assessed
from credits.registry.calendar import months_before
from credits.registry.doubts.screening import Candidate, nearest
from credits.registry.doubts.screening_summary import screened
from credits.registry.mines import site_states
from credits.registry.mines import sites as registry_sites
from credits.registry.mines.observations import observed
from credits.registry.mines.sites import MOST_MINERS, SiteFacts, number_of, position
from credits.registry.production import Access, Answer, Method, Site
from credits.web.blueprint import bp
from credits.web.paging import asked_text, page_of

NONE_OF_THEM = "none"
MOST_CANDIDATES = 8
NEWEST_BATCHES = 10
ACCESS: dict[StrEnum, Any] = {
    Access.OWN_TITLE: lazy_gettext("Own title"),
    Access.SUB_LEASE: lazy_gettext("Sub-lease of the concession"),
    Access.TOLERATED: lazy_gettext("Tolerated by the concession's owner"),
    Access.ASM_ZONE: lazy_gettext("Zone reserved for artisanal mining"),
}
METHODS: dict[StrEnum, Any] = {
    Method.OPEN_PIT: lazy_gettext("Open pit"),
    Method.UNDERGROUND: lazy_gettext("Underground"),
    Method.ALLUVIAL: lazy_gettext("Alluvial"),
    Method.TAILINGS: lazy_gettext("Tailings"),
}
ANSWERS: dict[StrEnum, Any] = {
    Answer.YES: lazy_gettext("Yes"),
    Answer.NO: lazy_gettext("No"),
    Answer.UNKNOWN: lazy_gettext("Not known"),
}
WORDS = ACCESS | METHODS | ANSWERS


def choices_of(words: Mapping[Any, Any]) -> list[SelectChoice]:
    return [SelectChoice(value.value, text) for value, text in words.items()]


def chosen_of(words: Mapping[Any, Any]) -> list[SelectChoice]:
    """Choices of which none is made yet, so that nobody says by default what they did not choose."""
    return [SelectChoice("", lazy_gettext("Choose…")), *choices_of(words)]


def not_ahead(form: OnceForm, field: Day) -> None:
    if field.data and field.data > now().date():
        raise ValidationError(_("This day lies in the future."))


class SiteForm(OnceForm):
    producer = SelectField(lazy_gettext("For which producer?"), validators=[InputRequired()])
    name = StringField(lazy_gettext("Name of the site"), [DataRequired(), Length(max=120), printable])
    country = SelectField(lazy_gettext("Country"), validators=[InputRequired()])
    province = StringField(lazy_gettext("Province"), [DataRequired(), Length(max=120), printable])
    district = StringField(lazy_gettext("District or territory"), [DataRequired(), Length(max=120), printable])
    latitude = Degrees(
        lazy_gettext("Latitude"), [DataRequired(), Length(max=40), accepted_by(lambda text: position(text, "1"))]
    )
    longitude = Degrees(
        lazy_gettext("Longitude"), [DataRequired(), Length(max=40), accepted_by(lambda text: position("1", text))]
    )
    access = SelectField(lazy_gettext("Right to work there"), [InputRequired()], choices=chosen_of(ACCESS))
    concession_owner = StringField(
        lazy_gettext("Owner of the concession"), [DataRequired(), Length(max=200), printable]
    )
    method = SelectField(lazy_gettext("How is it mined?"), [InputRequired()], choices=chosen_of(METHODS))
    mercury = RadioField(lazy_gettext("Is mercury used?"), [InputRequired()], choices=choices_of(ANSWERS))
    miners = Whole(lazy_gettext("How many miners work there?"), [DataRequired()])
    conflict_affected = RadioField(
        lazy_gettext("Is the area conflict-affected or high-risk?"), [InputRequired()], choices=choices_of(ANSWERS)
    )
    conflict_source = StringField(lazy_gettext("Where does it say so?"), [Optional(), Length(max=200), printable])
    conflict_checked_on = Day(lazy_gettext("Looked up on"), [Optional(), not_ahead])

    def validate_miners(self, field: Whole) -> None:
        if field.number is not None and field.number > MOST_MINERS:
            raise ValidationError(_("At most %(most)s.", most=f"{MOST_MINERS:,}"))

    @property
    def facts(self) -> SiteFacts:
        return SiteFacts(
            name=self.name.data,
            country=self.country.data,
            province=self.province.data,
            district=self.district.data,
            latitude=self.latitude.plain,
            longitude=self.longitude.plain,
            access=Access(self.access.data),
            concession_owner=self.concession_owner.data,
            method=Method(self.method.data),
            mercury=Answer(self.mercury.data),
            miners=self.miners.number or 0,
            conflict_affected=Answer(self.conflict_affected.data),
            conflict_source=self.conflict_source.data or "",
            conflict_checked_on=self.conflict_checked_on.data,
        )


class LicenceForm(OnceForm):
    number = StringField(lazy_gettext("Number of the licence"), [DataRequired(), Length(max=80), printable])
    authority = StringField(lazy_gettext("Issued by"), [DataRequired(), Length(max=200), printable])
    valid_from = Day(lazy_gettext("Valid from"), [InputRequired()])
    valid_to = Day(lazy_gettext("Valid to"), [InputRequired()])


class MatchForm(OnceForm):
    pcode = RadioField(lazy_gettext("Which of them is your site?"), [InputRequired()])


@bp.get("/my/sites")
@signed_in
def sites() -> ResponseReturnValue:
    user = current_user()
    text = asked_text()
    return render_template(
        "sites/sites.html",
        page=page_of(searching.sites(user, text=text)),
        text=text,
        may_record=bool(searching.producers_for(db.session, user)),
        many_producers=_is_for_many(user.organisation),
        number_of=number_of,
    )


@bp.route("/my/sites/new", methods=["GET", "POST"])
@signed_in
def register_site() -> ResponseReturnValue:
    user = current_user()
    may_register_for(user, user.organisation)
    producers = {each.number: each for each in searching.producers_for(db.session, user)}
    form = SiteForm(producer=user.organisation.number, country=user.organisation.country)
    form.producer.choices = [SelectChoice(number, each.name) for number, each in producers.items()]
    form.country.choices = [SelectChoice(code, name) for code, name in countries.listed(languages.current())]
    if len(producers) == 1:
        del form.producer
    status = 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        producer = producers[form.producer.data] if form.producer else user.organisation
        try:
            made = registry_sites.register(
                db.session, producer=producer, facts=form.facts, by=user, key=form.key.data, at=now()
            )
            db.session.commit()
            flash(_("The site is registered. Its number is %(number)s.", number=number_of(made)), "success")
            return redirect(url_for("web.site", number=number_of(made)), 303)
        except CreditsError as refusal:
            status = form.refused(refusal)
    return render_template("sites/register_site.html", form=form), status


@bp.get("/my/sites/<number>")
@signed_in
def site(number: str) -> ResponseReturnValue:
    user = current_user()
    shown = queries.site_coded(db.session, user, number)
    return render_template(
        "sites/site.html",
        mine=shown,
        number=number,
        country=countries.name_of(shown.country, languages.current()),
        words=WORDS,
        may_record=searching.registers_for(user, shown.producer),
        candidates=[] if shown.observed else _candidates(shown),
        screened=screened(db.session, shown, old_before=months_before(now().date(), months_to_age())),
        batches=searching.batches_at(db.session, user, shown, most=NEWEST_BATCHES),
        standing=site_states.standing(db.session(), shown, now().date(), current_app.extensions["policy"]),
        plan=assessed.plan_of(db.session(), shown),
        today=now().date(),
    )


@bp.route("/my/sites/<number>/licences/new", methods=["GET", "POST"])
@signed_in
def add_licence(number: str) -> ResponseReturnValue:
    user = current_user()
    shown = queries.site_coded(db.session, user, number)
    may_register_for(user, shown.producer)
    form = LicenceForm()
    status = 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        try:
            registry_sites.add_licence(
                db.session,
                site=shown,
                number=form.number.data,
                authority=form.authority.data,
                valid_from=form.valid_from.data,
                valid_to=form.valid_to.data,
                by=user,
                key=form.key.data,
                at=now(),
            )
            db.session.commit()
            flash(_("The licence is entered."), "success")
            return redirect(url_for("web.site", number=number), 303)
        except CreditsError as refusal:
            status = form.refused(refusal)
    return render_template("sites/add_licence.html", form=form, mine=shown, number=number), status


@bp.route("/my/sites/<number>/match", methods=["GET", "POST"])
@signed_in
def match_site(number: str) -> ResponseReturnValue:
    user = current_user()
    shown = queries.site_coded(db.session, user, number)
    may_register_for(user, shown.producer)
    candidates = _candidates(shown)
    form = MatchForm(pcode=shown.pcode)
    form.pcode.choices = [SelectChoice(each.site.pcode, each.site.name) for each in candidates]
    form.pcode.choices.append(SelectChoice(NONE_OF_THEM, _("None of them")))
    status = 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        chosen = None if form.pcode.data == NONE_OF_THEM else observed(db.session, form.pcode.data)
        try:
            registry_sites.confirm_match(db.session, site=shown, observed=chosen, by=user, at=now())
            db.session.commit()
            flash(_("Your answer is kept."), "success")
            return redirect(url_for("web.site", number=number), 303)
        except CreditsError as refusal:
            status = form.refused(refusal)
    return render_template("sites/match_site.html", form=form, mine=shown, number=number, candidates=candidates), status


def months_to_age() -> int:
    """After how many months what others saw is old."""
    months: int = current_app.extensions["policy"].months_to_age
    return months


def _candidates(shown: Site) -> list[Candidate]:
    return nearest(
        db.session, latitude=shown.latitude, longitude=shown.longitude, name=shown.name, limit=MOST_CANDIDATES
    )


def _is_for_many(organisation: Organisation) -> bool:
    """Whether lists should say whose a thing is."""
    return organisation.kind.value != "cooperative"

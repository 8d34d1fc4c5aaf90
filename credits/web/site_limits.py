"""What limits a site: the caps, capacities and measurements that its people, verifiers and the registry enter."""

from typing import Any

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from wtforms import SelectField, StringField, ValidationError
from wtforms.fields import SelectChoice
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from credits.errors import CreditsError, NotAllowed
from credits.extensions import db
from credits.form_fields import Amount, Day, OnceForm, accepted_by, printable
from credits.identity import current_user, now, signed_in
from credits.participants.models import User
from credits.registry import queries
from credits.registry.doubts import plausibility_limits
from credits.registry.doubts.plausibility_claims import weight
from credits.registry.doubts.plausibility_limits import LimitFacts, current_limits, is_independent, limits_of
from credits.registry.doubts.screened import Basis, LimitKind, Per
from credits.registry.minerals import MINERALS, weight_mg
from credits.registry.production import Site
from credits.web.blueprint import bp
from credits.web.story import MINERAL_NAMES

KINDS: dict[LimitKind, Any] = {
    LimitKind.LICENCE_CAP: lazy_gettext("Cap of a licence"),
    LimitKind.INSTALLED_CAPACITY: lazy_gettext("Installed capacity"),
    LimitKind.PRODUCTIVITY: lazy_gettext("What a miner brings out, as measured"),
}
PERIODS: dict[Per, Any] = {
    Per.DAY: lazy_gettext("a day"),
    Per.MONTH: lazy_gettext("a calendar month"),
    Per.YEAR: lazy_gettext("a calendar year"),
    Per.MINER_DAY: lazy_gettext("a miner and day"),
}
WEIGHED: dict[Basis, Any] = {
    Basis.ORE: lazy_gettext("Dry ore as it is delivered"),
    Basis.CONTAINED: lazy_gettext("The contained mineral alone"),
}


class LimitForm(OnceForm):
    kind = SelectField(lazy_gettext("What limits it?"), validators=[InputRequired()])
    licence = SelectField(lazy_gettext("Which licence?"), validators=[Optional()])
    mineral = SelectField(lazy_gettext("Mineral"), validators=[InputRequired()])
    kilograms = Amount(lazy_gettext("Quantity"), [InputRequired(), Length(max=40), accepted_by(weight_mg)])
    basis = SelectField(lazy_gettext("What is weighed?"), validators=[InputRequired()])
    per = SelectField(lazy_gettext("In which time?"), validators=[InputRequired()])
    counts_from = Day(lazy_gettext("Counts from"), [InputRequired()])
    source = StringField(lazy_gettext("Where is it written?"), [DataRequired(), Length(max=300), printable])
    source_date = Day(lazy_gettext("On which day was that written?"), [InputRequired()])

    def validate_per(self, field: SelectField) -> None:
        if (field.data == Per.MINER_DAY) is not (self.kind.data == LimitKind.PRODUCTIVITY):
            raise ValidationError(_("What a miner brings out is a miner and day's; every other limit is a period's."))

    def validate_source_date(self, field: Day) -> None:
        if field.data and field.data > now().date():
            raise ValidationError(_("This day lies in the future."))


@bp.get("/my/sites/<number>/limits")
@signed_in
def site_limits(number: str) -> ResponseReturnValue:
    shown = queries.site_coded(db.session, current_user(), number)
    every = limits_of(db.session, shown)
    today = now().date()
    counting = {limit.id for code in MINERALS for limit in current_limits(db.session, shown, code, today)}
    return render_template(
        "sites/limits.html",
        mine=shown,
        number=number,
        limits=list(reversed(every)),
        counting=counting,
        words=KINDS | PERIODS | WEIGHED,
        minerals=MINERAL_NAMES,
        weight=weight,
        is_independent=is_independent,
        may_enter=bool(kinds_for(current_user(), shown)),
    )


@bp.route("/my/sites/<number>/limits/new", methods=["GET", "POST"])
@signed_in
def add_limit(number: str) -> ResponseReturnValue:
    user = current_user()
    shown = queries.site_coded(db.session, user, number)
    kinds = kinds_for(user, shown)
    if not kinds:
        plausibility_limits.may_enter(user, shown, LimitKind.LICENCE_CAP)
    licences = {licence.number: licence for licence in shown.licences}
    form = LimitForm(counts_from=None)
    choose = SelectChoice("", _("Choose…"))  # so that nobody says by default what they did not choose
    form.kind.choices = [choose, *(SelectChoice(kind.value, KINDS[kind]) for kind in kinds)]
    form.licence.choices = [SelectChoice("", _("None")), *(SelectChoice(each, each) for each in licences)]
    form.mineral.choices = [choose, *(SelectChoice(code, MINERAL_NAMES[code]) for code in MINERALS)]
    form.basis.choices = [choose, *(SelectChoice(basis.value, text) for basis, text in WEIGHED.items())]
    form.per.choices = [choose, *(SelectChoice(per.value, text) for per, text in PERIODS.items())]
    status = 422 if form.is_submitted() else 200
    if form.validate_on_submit():
        kind = LimitKind(form.kind.data)
        facts = LimitFacts(
            kind=kind,
            mineral_code=form.mineral.data,
            kilograms=form.kilograms.plain,
            basis=Basis(form.basis.data),
            per=Per(form.per.data),
            counts_from=form.counts_from.data,
            source=form.source.data,
            source_date=form.source_date.data,
            licence=licences.get(form.licence.data or "") if kind is LimitKind.LICENCE_CAP else None,
        )
        try:
            plausibility_limits.enter(db.session, site=shown, facts=facts, by=user, key=form.key.data, at=now())
            db.session.commit()
            flash(_("The limit is entered."), "success")
            return redirect(url_for("web.site_limits", number=number), 303)
        except CreditsError as refusal:
            status = form.refused(refusal)
    return render_template("sites/add_limit.html", form=form, mine=shown, number=number), status


def kinds_for(user: User, site: Site) -> list[LimitKind]:
    """What `user` may say of a site."""
    return [kind for kind in LimitKind if _may(user, site, kind)]


def _may(user: User, site: Site, kind: LimitKind) -> bool:
    try:
        plausibility_limits.may_enter(user, site, kind)
    except NotAllowed:
        return False
    return True

"""The forms in which a producer gives the figures of a batch."""

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_wtf import FlaskForm
from wtforms import BooleanField, HiddenField, SelectField, StringField, TextAreaField, ValidationError
from wtforms.fields import SelectChoice
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from credits.identity import now
from credits.registry.batches import MOST_WORK, Production
from credits.registry.minerals import Mineral, share_ppm, weight_mg
from credits.registry.plausibility_grades import doubt, must_be_possible
from credits.web.fields import MOST_DIGITS, Amount, Day, OnceForm, Whole, accepted_by, printable


class StartForm(FlaskForm):
    """Which site and mineral: they decide what else is asked, and in which units."""

    site = SelectField(lazy_gettext("Site"), validators=[InputRequired()])
    mineral = SelectField(lazy_gettext("Mineral"), validators=[InputRequired()])


class BatchForm(OnceForm):
    delivered_as = SelectField(lazy_gettext("Delivered as"), [InputRequired()])
    produced_from = Day(lazy_gettext("First day of production"), [InputRequired()])
    produced_to = Day(lazy_gettext("Last day of production"), [InputRequired()])
    gross_kg = Amount(lazy_gettext("Gross weight"), [InputRequired(), Length(max=40), accepted_by(weight_mg)])
    moisture = Amount(
        lazy_gettext("Moisture"), [InputRequired(), Length(max=40), accepted_by(lambda text: share_ppm(text, per=100))]
    )
    grade = Amount(lazy_gettext("Grade"), [InputRequired(), Length(max=40)])
    grade_confirmed = BooleanField(lazy_gettext("The assay says so; I have looked again"))
    asks_grade = False  # whether it was so low that it is asked back
    known_ppm: int | None = None  # what stands already, and was asked about
    miners = Whole(lazy_gettext("Miners who worked"), [DataRequired()])
    days_worked = Whole(lazy_gettext("Days worked"), [DataRequired()])
    sold_to = StringField(lazy_gettext("Buyer of the mineral"), [Optional(), Length(max=200), printable])
    sold_with_premium = Whole(lazy_gettext("Already sold with a premium"), [Optional()])
    registered_elsewhere = Whole(lazy_gettext("Registered in another scheme"), [Optional()])

    def __init__(self, mineral: Mineral, **values: Any) -> None:
        super().__init__(**values)
        self.mineral = mineral
        self.delivered_as.choices = [SelectChoice(form, form) for form in mineral.forms]
        self.grade.label.text = _("Fineness") if mineral.per_thousand else _("Grade")
        if mineral.per_thousand:
            del self.moisture

    def validate_grade(self, field: Amount) -> None:
        accepted_by(self.grade_ppm)(self, field)
        ppm = self.grade_ppm(field.plain)
        asked = doubt(self.mineral, self.delivered_as.data, ppm)
        self.asks_grade = asked is not None and ppm != self.known_ppm
        if self.asks_grade and not self.grade_confirmed.data:
            raise ValidationError(asked)

    def grade_ppm(self, text: str) -> int:
        """Parts per million. Raises BadMeasure, GradeImpossible."""
        ppm = share_ppm(text, per=1000 if self.mineral.per_thousand else 100)
        must_be_possible(self.mineral, self.delivered_as.data, ppm)
        return ppm

    def validate_produced_to(self, field: Day) -> None:
        if field.data and field.data > now().date():
            raise ValidationError(_("The last day lies in the future. Register the batch when it is over."))
        if field.data and self.produced_from.data and field.data < self.produced_from.data:
            raise ValidationError(_("The last day lies before the first."))

    def validate_miners(self, field: Whole) -> None:
        if field.number is not None and field.number >= MOST_WORK:
            raise ValidationError(_("Fewer than %(most)s.", most=f"{MOST_WORK:,}"))

    validate_days_worked = validate_miners

    @property
    def production(self) -> Production:
        return Production(
            mineral_code=self.mineral.code,
            form=self.delivered_as.data,
            produced_from=self.produced_from.data,
            produced_to=self.produced_to.data,
            gross_kg=self.gross_kg.plain,
            moisture=self.moisture.plain if self.moisture else "0",
            grade=self.grade.plain,
            miners=self.miners.number or 0,
            days_worked=self.days_worked.number or 0,
            sold_to=self.sold_to.data or "",
            sold_with_premium=self.sold_with_premium.number or 0,
            registered_elsewhere=self.registered_elsewhere.number or 0,
            grade_confirmed=bool(self.grade_confirmed.data),
        )


class ChangeForm(BatchForm):
    """As `BatchForm`, with the revision of the batch that the page showed."""

    seen = HiddenField()

    @property
    def revision(self) -> int:
        seen = str(self.seen.data or "")
        return int(seen) if seen.isascii() and seen.isdigit() and len(seen) < MOST_DIGITS else 0


class AnswerForm(OnceForm):
    text = TextAreaField(lazy_gettext("Your answer"), [DataRequired(), Length(max=4000), printable])

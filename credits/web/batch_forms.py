"""The forms in which a producer gives the figures of a batch."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from wtforms import BooleanField, HiddenField, SelectField, StringField, ValidationError
from wtforms.fields import SelectChoice
from wtforms.validators import DataRequired, InputRequired, Length, Optional, StopValidation

from credits.errors import Invalid
from credits.form_fields import MOST_DIGITS, Amount, Day, OnceForm, Whole, accepted_by, legible, printable
from credits.identity import now
from credits.registry.doubts.plausibility_grades import doubt, must_be_possible
from credits.registry.making.drying import moisture_of, must_agree
from credits.registry.making.entering import MOST_TYPED
from credits.registry.making.figures import MOST_WORK, Production
from credits.registry.making.vintages import must_be_one
from credits.registry.minerals import Mineral, share_ppm, weight_mg


class StartForm(OnceForm):
    """Which site and mineral: they decide what else is asked, and in which units."""

    site = SelectField(lazy_gettext("Site"), validators=[InputRequired()])
    mineral = SelectField(lazy_gettext("Mineral"), validators=[InputRequired()])


def needed_without_dry(form: "BatchForm", field: Amount) -> None:
    """A validator: the moisture, unless the dry weight is there."""
    if (field.data or "").strip():
        return
    if (form.dry_kg.data or "").strip():
        raise StopValidation
    raise StopValidation(_("Give the moisture, or the dry weight if the slip shows that one. Dry already: 0."))


class StartAmongManyForm(StartForm):
    """As `StartForm`, where there are more sites than anybody looks through."""

    site = StringField(lazy_gettext("Number of the site"), validators=[InputRequired(), Length(max=40)])


class BatchForm(OnceForm):
    delivered_as = SelectField(lazy_gettext("Delivered as"), [InputRequired()])
    produced_from = Day(lazy_gettext("First day of production"), [InputRequired()])
    produced_to = Day(lazy_gettext("Last day of production"), [InputRequired()])
    gross_kg = Amount(lazy_gettext("Gross weight"), [InputRequired(), Length(max=40), accepted_by(weight_mg)])
    moisture = Amount(
        lazy_gettext("Moisture"),
        [needed_without_dry, Length(max=40), accepted_by(lambda text: share_ppm(text, per=100))],
    )
    dry_kg = Amount(lazy_gettext("Dry weight"), [Optional(), Length(max=40), accepted_by(weight_mg)])
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
            del self.dry_kg

    @property
    def ore(self) -> str:
        """As what the mineral is delivered: it decides which grades can be."""
        return str(self.delivered_as.data or "")

    def validate_grade(self, field: Amount) -> None:
        accepted_by(self.grade_ppm)(self, field)
        ppm = self.grade_ppm(field.plain)
        asked = doubt(self.mineral, self.ore, ppm)
        self.asks_grade = asked is not None and ppm != self.known_ppm
        if self.asks_grade and not self.grade_confirmed.data:
            raise ValidationError(asked)

    def grade_ppm(self, text: str) -> int:
        """Parts per million. Raises BadMeasure, GradeImpossible."""
        ppm = share_ppm(text, per=1000 if self.mineral.per_thousand else 100)
        must_be_possible(self.mineral, self.ore, ppm)
        return ppm

    def validate_produced_to(self, field: Day) -> None:
        if field.data and field.data > now().date():
            raise ValidationError(_("The last day lies in the future. Register the batch when it is over."))
        if field.data and self.produced_from.data and field.data < self.produced_from.data:
            raise ValidationError(_("The last day lies before the first."))
        if field.data and self.produced_from.data and field.data.year - self.produced_from.data.year > 1:
            raise ValidationError(_("This period lies in more than two calendar years. Please check the years."))

    def validate_miners(self, field: Whole) -> None:
        if field.number is not None and field.number >= MOST_WORK:
            raise ValidationError(_("Fewer than %(most)s.", most=f"{MOST_WORK:,}"))

    def validate_days_worked(self, field: Whole) -> None:
        self.validate_miners(field)
        first, last = self.produced_from.data, self.produced_to.data
        if field.number and first and last and first <= last and field.number > (last - first).days + 1:
            raise ValidationError(
                _("The production period has %(days)s days only.", days=f"{(last - first).days + 1:,}")
            )

    def validate_dry_kg(self, field: Amount) -> None:
        if self.gross_kg.errors or not self.gross_kg.plain:
            return
        moist = self.moisture.plain and not self.moisture.errors
        agree = must_agree if moist else lambda gross, _moisture, dry: moisture_of(gross, dry)
        accepted_by(lambda dry: agree(self.gross_kg.plain, self.moisture.plain, dry))(self, field)

    @property
    def production(self) -> Production:
        return Production(
            mineral_code=self.mineral.code,
            form=self.delivered_as.data,
            produced_from=self.produced_from.data,
            produced_to=self.produced_to.data,
            gross_kg=self.gross_kg.plain,
            moisture=self.moist,
            grade=self.grade.plain,
            miners=self.miners.number or 0,
            days_worked=self.days_worked.number or 0,
            sold_to=self.sold_to.data or "",
            sold_with_premium=self.sold_with_premium.number or 0,
            registered_elsewhere=self.registered_elsewhere.number or 0,
            grade_confirmed=bool(self.grade_confirmed.data),
        )

    @property
    def moist(self) -> str:
        """The moisture in per cent, as it was typed or as the dry weight says. Gold has none."""
        if not self.moisture:
            return "0"
        return self.moisture.plain or moisture_of(self.gross_kg.plain, self.dry_kg.plain)


class StepForm(BatchForm):
    """The fields of one step alone. typed: what stands in those of the others."""

    def __init__(self, mineral: Mineral, step: int, typed: Mapping[str, str], **values: Any) -> None:
        super().__init__(mineral, **values)
        self.typed = typed
        for name in [each for number, names in FIELDS.items() if number != step for each in names]:
            if name in self:
                del self[name]

    @property
    def ore(self) -> str:
        return str(self.delivered_as.data) if self.delivered_as else self.typed.get("delivered_as", "")

    @property
    def raw(self) -> dict[str, str]:
        """What stands in the fields, right or wrong, to be kept."""
        texts = {field.name: (field.raw_data or [""])[0] for field in self if field.name in FIELD_NAMES}
        return {name: legible(text)[:MOST_TYPED] for name, text in texts.items() if isinstance(text, str)}


FIELDS = {
    2: ("produced_from", "produced_to", "miners", "days_worked"),
    3: ("delivered_as", "gross_kg", "moisture", "dry_kg"),
    4: ("grade", "grade_confirmed", "sold_to", "sold_with_premium", "registered_elsewhere"),
}
FIELD_NAMES = {name for names in FIELDS.values() for name in names}


class ChangeForm(BatchForm):
    """As `BatchForm`, with the revision of the batch that the page showed."""

    seen = HiddenField()
    stands: tuple[Any, Any] | None = None  # the period as it is: one over New Year may stay

    def validate_produced_to(self, field: Day) -> None:
        super().validate_produced_to(field)
        period = (self.produced_from.data, field.data)
        if all(period) and period != self.stands:
            accepted_by_period(*period)

    @property
    def revision(self) -> int:
        seen = str(self.seen.data or "")
        return int(seen) if seen.isascii() and seen.isdigit() and len(seen) < MOST_DIGITS else 0


def accepted_by_period(first: date, last: date) -> None:
    """Raise ValidationError where a period lies in two calendar years."""
    try:
        must_be_one(first, last)
    except Invalid as refusal:
        raise ValidationError(str(refusal)) from None

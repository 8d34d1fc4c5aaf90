"""What a buyer fills in to wait for credits: which, how many, at which price, until when."""

from typing import Any, ClassVar

from flask_babel import gettext as _
from flask_babel import lazy_gettext
from wtforms import HiddenField, RadioField, SelectField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired, Length, Optional

from credits.form_fields import Amount, Day, Price, Whole, tell_at
from credits.payments.models import Currency, Means
from credits.payments.offering.catalogue import Found, Sorting
from credits.payments.offering.floor_models import Floor
from credits.payments.offering.standing import Wanted
from credits.registry.minerals import CREDITS, EXPONENTS, MINERALS, BadMeasure, Mineral, mineral_of
from credits.web.paying_fields import PayingFields, countries_offered


class StandingForm(PayingFields):
    field_for: ClassVar[dict[str, str]] = {
        "below_floor": "price",
        "no_floor": "mineral",
        "bad_amount": "price",
        "bad_quantity": "quantity",
        "unknown_country": "country",
        "bad_vat_number": "vat_number",
    }
    mineral = SelectField(lazy_gettext("Mineral"), [InputRequired()])
    quantity = Amount(lazy_gettext("How much in all?"), [InputRequired(), Length(max=40)])
    unit = SelectField(lazy_gettext("Measured in"), [InputRequired()])
    smallest = Amount(lazy_gettext("Smallest part"), [Optional(), Length(max=40)])
    currency = SelectField(lazy_gettext("Currency"), [InputRequired()])
    price = Price(lazy_gettext("Highest price of one credit"), [InputRequired(), Length(max=40)])
    sorting = RadioField(lazy_gettext("Which first?"), [InputRequired()])
    vintage = Whole(lazy_gettext("Only of this vintage"), [Optional()])
    origin = SelectField(lazy_gettext("Only from this country"), [Optional()])
    level = SelectField(lazy_gettext("Only of this level"), [Optional()])
    until = Day(lazy_gettext("Until which day?"), [InputRequired()])
    confirmed = HiddenField()

    def __init__(self, floors: list[Floor], found: Found, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        sold = sorted({floor.mineral_code for floor in floors}, key=list(MINERALS).index)
        self.mineral.choices = [SelectChoice(code, mineral_of(code).name.capitalize()) for code in sold]
        self.currency.choices = [SelectChoice(code, code) for code in sorted({floor.currency for floor in floors})]
        self.unit.choices = [SelectChoice(CREDITS, _("credits")), *(SelectChoice(each, each) for each in EXPONENTS)]
        self.sorting.choices = [
            SelectChoice(Sorting.OLDEST.value, _("Oldest production first")),
            SelectChoice(Sorting.CHEAPEST.value, _("Lowest price first")),
        ]
        self.origin.choices = countries_offered(_("any"))
        self.level.choices = [SelectChoice("", _("any")), *(SelectChoice(level, level) for level in found.levels)]

    @property
    def wanted(self) -> Wanted | None:
        """What is waited for; None where a measure cannot be, which its field then says."""
        mineral = mineral_of(self.mineral.data)
        quantity = self.measured(mineral, "quantity")
        smallest = self.measured(mineral, "smallest") if self.smallest.plain else 1
        if quantity is None or smallest is None:
            return None
        return Wanted(
            mineral_code=mineral.code,
            quantity=quantity,
            smallest=smallest,
            price=self.price.minor,
            currency=Currency(self.currency.data),
            sorting=Sorting(self.sorting.data),
            until=self.until.data,
            means=Means(self.means.data),
            billing=self.billing,
            open_to_public=self.open_to_public.data,
            vintage=self.vintage.number,
            country=self.origin.data or None,
            level=self.level.data or None,
        )

    def measured(self, mineral: Mineral, name: str) -> int | None:
        try:
            return mineral.measured(self[name].plain, self.unit.data)
        except BadMeasure as refusal:
            tell_at(self, name, str(refusal))
            return None

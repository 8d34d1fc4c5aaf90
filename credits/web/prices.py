"""Money as pages take and show it."""

from decimal import Decimal
from typing import Any

from flask_babel import format_currency
from markupsafe import Markup, escape
from wtforms import StringField
from wtforms.validators import StopValidation

from credits.errors import Invalid
from credits.payments.models import Currency
from credits.payments.prices import in_units, parse
from credits.web.blueprint import bp

WITH_CODE = "¤¤\u00a0#,##0.00"  # the code says which dollar it is; yen lose their decimals


@bp.app_template_filter("in_units")
def as_decimal(minor: int, currency: str) -> Decimal:
    """Minor units as a decimal number of the currency."""
    return in_units(minor, Currency(currency))


@bp.app_template_filter("money")
def as_money(minor: int, currency: str) -> Markup:
    """Minor units as the reader's language writes an amount, with the currency's code."""
    text = format_currency(as_decimal(minor, currency), str(currency), format=WITH_CODE)
    return Markup('<span class="quantity">{}</span>').format(escape(text))


class Price(StringField):
    """An amount of money in the currency that another field of the form names; `minor` are its minor units."""

    minor = 0

    def __init__(self, *args: Any, currency: str = "currency", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency = currency

    def _value(self) -> str:
        return "".join(sign for sign in self.data or "" if sign.isprintable())  # HTML has no form for the others

    def pre_validate(self, form: Any) -> None:
        chosen = form[self.currency].data
        if chosen not in set(Currency):
            return  # the other field says so
        try:
            self.minor = parse(self.data or "", Currency(chosen))
        except Invalid as refusal:
            raise StopValidation(str(refusal)) from None

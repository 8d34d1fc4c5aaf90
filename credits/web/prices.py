"""Money as pages take and show it."""

from decimal import Decimal

from flask_babel import format_currency
from markupsafe import Markup, escape

from credits.payments.models import Currency
from credits.payments.prices import in_units
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

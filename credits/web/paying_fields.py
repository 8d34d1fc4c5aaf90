"""What whoever buys fills in about the money: how it is paid, and to whom it is billed."""

from typing import Any, ClassVar

from flask import current_app
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from sqlalchemy import select
from wtforms import BooleanField, RadioField, SelectField, StringField, TextAreaField
from wtforms.fields import SelectChoice
from wtforms.validators import DataRequired, InputRequired, Length, Optional

from credits import languages
from credits.extensions import db
from credits.form_fields import OnceForm, printable
from credits.participants import countries
from credits.participants.models import User
from credits.payments.billing import Billing
from credits.payments.models import Means, Order
from credits.provider import means_taken

BILL = ("name", "address", "country", "vat_number", "email")


class PayingFields(OnceForm):
    called: ClassVar[dict[str, str]] = {"Name on the invoice": "name", "Address": "address", "Email": "email"}
    means = RadioField(lazy_gettext("How do you pay?"), [InputRequired()])
    name = StringField(lazy_gettext("Name on the invoice"), [DataRequired(), Length(max=200), printable])
    address = TextAreaField(lazy_gettext("Address on the invoice"), [DataRequired(), Length(max=500), printable])
    country = SelectField(lazy_gettext("Country on the invoice"), [InputRequired()])
    vat_number = StringField(lazy_gettext("VAT number"), [Optional(), Length(max=40), printable])
    email = StringField(lazy_gettext("Email for the invoice"), [DataRequired(), Length(max=200), printable])
    open_to_public = BooleanField(lazy_gettext("Everybody may see what we paid"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.country.choices = countries_offered()
        self.means.choices = [SelectChoice(each.value, label) for each, label in means_offered()]

    @property
    def billing(self) -> Billing:
        return Billing(
            name=self.name.data,
            address=self.address.data,
            country=self.country.data,
            vat_number=self.vat_number.data or "",
            email=self.email.data,
        )


def countries_offered(none: str = "") -> list[SelectChoice]:
    """All countries to choose from. none: what stands for no choice."""
    return [SelectChoice(code, name) for code, name in [("", none), *countries.listed(languages.current())]]


def means_offered() -> list[tuple[Means, str]]:
    """How an order can be paid here, in words."""
    days = current_app.extensions["policy"].market.days_to_pay
    words = {
        Means.STRIPE: _("By card or bank debit, through the payment provider"),
        Means.BANK_TRANSFER: _("By bank transfer within %(days)s days, with a pro-forma invoice", days=days),
    }
    return [(means, words[means]) for means in means_taken(current_app)]


def begun_for(person: User, country: str) -> dict[str, Any]:
    """What the fields begin with: the bill of the last order, else what the registry knows of the buyer.

    country: the one for which the price was shown, if any.
    """
    offered, buyer, last = means_taken(current_app), person.organisation, last_of(person)
    if last is not None:
        bill = {name: last.billing[name] for name in BILL}
    else:
        bill = {"name": buyer.name, "address": buyer.address, "country": buyer.country, "email": person.email}
    if country in countries.TWO_LETTERS and country != bill["country"]:
        bill |= {"country": country, "vat_number": ""}
    return {"means": offered[0].value if offered else "", "open_to_public": False} | bill


def last_of(person: User) -> Order | None:
    wanted = select(Order).where(Order.buyer_id == person.organisation_id).order_by(Order.id.desc()).limit(1)
    return db.session.scalars(wanted).one_or_none()

"""Offers: what is for sale, and at which price."""

from typing import Any

from marshmallow import fields

from credits.api.fields import InCredits, Moment, OneOf, Text, Whole
from credits.api.schemas.market import CREDITS, UNITS
from credits.api.schemas.shared import Answer, OrganisationBrief, PagingSchema, Request
from credits.ledger.serials import LARGEST
from credits.payments.models import Currency
from credits.payments.offering.catalogue import Sorting
from credits.payments.prices import plain

PRICE = {"description": "Of one credit before tax, everything included, as an exact decimal text: 5200.00."}


class Money(fields.String):
    """Minor units as an exact decimal text. For answers alone; their object has a `currency`."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else plain(value, obj.currency)


class OffersQuery(PagingSchema):
    mineral = Text(load_default=None, most=3)
    currency = OneOf(Currency, load_default=None)
    country = Text(load_default=None, most=3, metadata={"description": "Of the site; ISO 3166-1 alpha-3."})
    level = Text(load_default=None, most=200, metadata={"description": "As the offers say it."})
    vintage = Text(load_default=None, most=4, metadata={"description": "A year."})
    q = Text(load_default="", most=200, metadata={"description": "Part of a name, or a number."})
    sort = OneOf(Sorting, load_default=Sorting.NEWEST)


class OfferRequest(Request):
    """Available credits that their producer sells. The registry does it for a producer, too."""

    issuance = Text(required=True, least=1, most=60)
    quantity = Whole(required=True, least=1, most=LARGEST, metadata=UNITS)
    price = Text(required=True, least=1, most=40, metadata=PRICE)
    currency = OneOf(Currency, required=True)


class Offer(Answer):
    """An offer. What is left is what remains of it and is still available with its seller."""

    number = fields.String()
    state = fields.String(attribute="state.value")
    issuance = fields.String(attribute="issuance.number")
    mineral_code = fields.String(data_key="mineral")
    vintage = fields.Integer(attribute="issuance.vintage")
    site = fields.String(attribute="issuance.facts.producer.site_code")
    site_name = fields.String(attribute="issuance.facts.producer.site_name")
    country = fields.String(attribute="issuance.facts.producer.country")
    level = fields.String(attribute="issuance.facts.assurance.level")
    seller = fields.Nested(OrganisationBrief)
    quantity = fields.Integer(metadata=UNITS)
    left = fields.Integer(metadata=UNITS)
    left_in_credits = InCredits(attribute="left", data_key="left_credits", metadata=CREDITS)
    price = Money(metadata=PRICE)
    currency = fields.String(attribute="currency.value")
    offered_at = Moment()
    closed_at = Moment(allow_none=True)

"""Standing orders: what a buyer waits for, and what was ordered for it."""

from marshmallow import fields

from credits.api.fields import Day, InCredits, Moment, OneOf, Text, Whole
from credits.api.schemas.market import CREDITS, UNITS
from credits.api.schemas.offers import PRICE, Money
from credits.api.schemas.orders import AMOUNT, BillingRequest
from credits.api.schemas.shared import Answer, OrganisationBrief, PagingSchema, Request
from credits.ledger.serials import LARGEST
from credits.payments.models import Currency, Means, OrderState
from credits.payments.offering.catalogue import Sorting
from credits.payments.offering.standing_models import StandingState

SMALLEST = {"description": "Base units: less is not ordered by itself, unless it is all that is missing."}


class StandingRequest(Request):
    """Credits to wait for. Nothing is reserved before some that fit are on offer."""

    mineral = Text(required=True, least=1, most=3)
    quantity = Whole(required=True, least=1, most=LARGEST, metadata=UNITS)
    smallest = Whole(load_default=1, least=1, most=LARGEST, metadata=SMALLEST)
    price = Text(required=True, least=1, most=40, metadata={"description": f"The highest. {PRICE['description']}"})
    currency = OneOf(Currency, required=True)
    sort = OneOf(Sorting, load_default=Sorting.OLDEST)
    vintage = Whole(load_default=None, allow_none=True, least=2000, most=2199)
    country = Text(load_default=None, allow_none=True, least=3, most=3, metadata={"description": "Of the site."})
    level = Text(
        load_default=None, allow_none=True, least=1, most=200, metadata={"description": "As the offers say it."}
    )
    until = Day(required=True, metadata={"description": "The last day."})
    means = OneOf(Means, required=True)
    billing = fields.Nested(BillingRequest, required=True)
    open_to_public = fields.Boolean(load_default=False)


class StandingQuery(PagingSchema):
    state = OneOf(StandingState, load_default=None)


class StandingPart(Answer):
    """An ordinary order that was placed for it: it is paid and cancelled as any other."""

    order = fields.String(attribute="order.number")
    state = OneOf(OrderState, attribute="order.state")
    quantity = fields.Integer(metadata=UNITS)
    total = Money(attribute="order.total", metadata=AMOUNT)


class StandingSummary(Answer):
    number = fields.String()
    state = OneOf(StandingState)
    buyer = fields.Nested(OrganisationBrief)
    mineral = fields.String(attribute="mineral_code")
    vintage = fields.Integer(allow_none=True)
    country = fields.String(allow_none=True)
    level = fields.String(allow_none=True)
    sort = OneOf(Sorting, attribute="sorting")
    quantity = fields.Integer(metadata=UNITS)
    quantity_in_credits = InCredits(attribute="quantity", data_key="credits", metadata=CREDITS)
    smallest = fields.Integer(metadata=SMALLEST)
    filled = fields.Integer(metadata={"description": "Base units that are ordered."})
    price = Money(metadata=PRICE)
    currency = OneOf(Currency)
    until = fields.Date()
    means = OneOf(Means)
    placed_at = Moment()
    reason = fields.String(allow_none=True, metadata={"description": "Why it is paused."})
    closed_at = Moment(allow_none=True)


class StandingOrder(StandingSummary):
    """A standing order in full."""

    parts = fields.List(fields.Nested(StandingPart), metadata={"description": "The newest hundred orders."})

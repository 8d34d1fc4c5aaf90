"""Orders: what is bought, what it costs, how far it has come."""

from marshmallow import fields, validate

from credits.api.fields import Day, InCredits, Moment, OneOf, Text, Whole
from credits.api.schemas.market import CREDITS, SPOKEN, UNITS
from credits.api.schemas.offers import PRICE, Money
from credits.api.schemas.shared import Answer, OrganisationBrief, PagingSchema, Request
from credits.ledger.serials import LARGEST
from credits.participants.models import Language
from credits.payments.going_back.going_back_models import DisputeState, RefundState
from credits.payments.models import Currency, Means, OrderState, PaymentState, Use
from credits.payments.offering.filling import MOST_LINES

AMOUNT = {"description": "An exact decimal text: 5200.00."}


class LineRequest(Request):
    """So much of one offer."""

    offer = Text(required=True, least=1, most=40)
    quantity = Whole(required=True, least=1, most=LARGEST, metadata=UNITS)


class ClaimRequest(Request):
    """In whose name and for which products the credits are retired with the delivery."""

    beneficiary = Text(required=True, least=1, most=200, metadata={"description": "Legal name."})
    country = Text(required=True, least=3, most=3, metadata={"description": "ISO 3166-1 alpha-3."})
    identifier = Text(required=True, least=1, most=100)
    purpose = Text(required=True, least=1, most=500)
    claim_from = Day(required=True)
    claim_to = Day(required=True)
    language = OneOf(Language, load_default=None, metadata=SPOKEN)


class BillingRequest(Request):
    """To whom it is billed. The country decides on the tax; with a VAT number the buyer owes it at home."""

    name = Text(required=True, least=1, most=200)
    address = Text(required=True, least=1, most=500)
    country = Text(required=True, least=3, most=3, metadata={"description": "ISO 3166-1 alpha-3."})
    vat_number = Text(load_default="", most=40)
    email = Text(required=True, least=1, most=200)


class OrderRequest(Request):
    """Credits to buy. Nothing is reserved before the payment begins."""

    lines = fields.List(fields.Nested(LineRequest), required=True, validate=validate.Length(min=1, max=MOST_LINES))
    means = OneOf(Means, required=True)
    claim = fields.Nested(
        ClaimRequest, load_default=None, allow_none=True, metadata={"description": "Left out: the credits are kept."}
    )
    billing = fields.Nested(BillingRequest, required=True)
    open_to_public = fields.Boolean(
        load_default=False, metadata={"description": "Whether everybody may see what was paid."}
    )


class UseRequest(Request):
    """What the credits of an order are for that a standing order has placed."""

    claim = fields.Nested(
        ClaimRequest, required=True, allow_none=True, metadata={"description": "Null: the credits are kept."}
    )


class BeginRequest(Request):
    """The revision whose price was looked at."""

    revision = Whole(required=True, least=1)


class OrdersQuery(PagingSchema):
    state = OneOf(OrderState, load_default=None)


class OrderLine(Answer):
    offer = fields.String(attribute="offer.number")
    issuance = fields.String(attribute="issuance.number")
    seller = fields.Nested(OrganisationBrief)
    quantity = fields.Integer(metadata=UNITS)
    quantity_in_credits = InCredits(attribute="quantity", data_key="credits", metadata=CREDITS)
    price = Money(metadata=PRICE)
    amount = Money(metadata=AMOUNT)


class OrderPayment(Answer):
    attempt = fields.Integer()
    state = OneOf(PaymentState)
    amount = Money(metadata=AMOUNT)
    reference = fields.String(allow_none=True, metadata={"description": "What a transfer is to say."})
    url = fields.String(allow_none=True, metadata={"description": "Where it is paid, at the payment provider."})
    expires_at = Moment()


class OrderRefund(Answer):
    """Money that goes or went back to the buyer."""

    amount = Money(metadata=AMOUNT)
    state = OneOf(RefundState)
    asked_at = Moment()
    settled_at = Moment(allow_none=True)


class OrderDispute(Answer):
    """Money that the payer's bank asks for. Where all of an order was lost so, the order is `refunded`."""

    amount = Money(metadata=AMOUNT)
    state = OneOf(DisputeState)
    shortfall = Money(metadata=AMOUNT | {"description": "Of a lost one: what no credits that came back cover."})
    opened_at = Moment()
    closed_at = Moment(allow_none=True)


class OrderSummary(Answer):
    number = fields.String()
    state = OneOf(OrderState)
    placed_at = Moment()
    currency = OneOf(Currency)
    subtotal = Money(metadata=AMOUNT)
    tax = Money(metadata=AMOUNT)
    total = Money(metadata=AMOUNT)
    delivered_at = Moment(allow_none=True)


class Order(OrderSummary):
    """An order. subtotal = premium + verification_share + registry_fee; total = subtotal + tax."""

    buyer = fields.Nested(OrganisationBrief)
    revision = fields.Integer()
    means = OneOf(Means)
    use = OneOf(Use)
    open_to_public = fields.Boolean()
    lines = fields.List(fields.Nested(OrderLine))
    premium = Money(metadata=AMOUNT)
    verification_share = Money(metadata=AMOUNT)
    registry_fee = Money(metadata=AMOUNT)
    tax_ppm = fields.Integer(metadata={"description": "The rate, in parts per million."})
    payments = fields.List(fields.Nested(OrderPayment))
    refunds = fields.List(fields.Nested(OrderRefund))
    disputes = fields.List(fields.Nested(OrderDispute))
    retirements = fields.List(fields.String(), metadata={"description": "What the delivery has retired."})
    reason = fields.String(allow_none=True)

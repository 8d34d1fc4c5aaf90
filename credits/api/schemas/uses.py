"""What is declared to be used, and how far it is covered."""

from marshmallow import fields

from credits.api.fields import Count, InCredits, Moment, Text, Whole
from credits.api.schemas.shared import Answer, OrganisationBrief, PagingSchema, Request
from credits.ledger.serials import LARGEST

UNITS = {"description": "Base units of the mineral: kg of cobalt, mg of gold."}
CREDITS = {"description": "The same as credits, an exact decimal number as text."}
GRAMS = {"description": "Grams of the contained mineral in one unit, a decimal number as text, such as 0.25."}
MANY = {"description": "Units in the year. Grams and units are sent together, instead of a quantity."}
MOST_UNITS = 10**12


class AmountRequest(Request):
    """How much is used: a quantity, or grams in a unit and units; worked out, it is rounded up to the base unit."""

    quantity = Whole(load_default=None, allow_none=True, most=LARGEST, metadata=UNITS)
    grams = Text(load_default=None, allow_none=True, least=1, most=28, metadata=GRAMS)
    units = Whole(load_default=None, allow_none=True, least=1, most=MOST_UNITS, metadata=MANY)


class EndUser(Request):
    """Whom a reseller declares for."""

    name = Text(required=True, least=1, most=200)
    country = Text(required=True, least=3, most=3, metadata={"description": "ISO 3166-1 alpha-3."})
    identifier = Text(required=True, least=1, most=100)


class DeclareRequest(AmountRequest):
    """What a product line uses of a mineral in a year."""

    mineral = Text(required=True, least=1, most=3)
    year = Whole(required=True, least=2000, most=2199)
    product_line = Text(required=True, least=1, most=200)
    end_user = fields.Nested(EndUser, load_default=None, allow_none=True)


class ChangeRequest(AmountRequest):
    """What a product line uses after all."""

    reason = Text(required=True, least=1, most=500)


class CoverQuery(PagingSchema):
    year = Count(load_default=None, least=2000, most=2199)


class Version(Answer):
    """What was declared once."""

    version = fields.Integer()
    quantity = fields.Integer(metadata=UNITS)
    per_unit_ng = fields.Integer(allow_none=True, metadata={"description": "Nanograms in one unit."})
    units = fields.Integer(allow_none=True)
    reason = fields.String()
    declared_at = Moment()


class UseSummary(Answer):
    """A declared use in a list."""

    number = fields.String()
    organisation = fields.Nested(OrganisationBrief)
    beneficiary = fields.String()
    mineral = fields.String(attribute="mineral_code")
    year = fields.Integer()
    product_line = fields.String()
    quantity = fields.Integer(attribute="current.quantity", metadata=UNITS)


class Use(UseSummary):
    """A declared use with its history, the newest version last."""

    versions = fields.List(fields.Nested(Version))


class Cover(Answer):
    """How far the use of a mineral in a year is covered. declared = covered + bought + missing."""

    beneficiary = fields.String()
    mineral_code = fields.String(data_key="mineral")
    year = fields.Integer()
    declared = fields.Integer(metadata=UNITS)
    declared_credits = InCredits(attribute="declared", metadata=CREDITS)
    covered = fields.Integer(metadata={"description": "Base units retired for it, up to what is declared."})
    bought = fields.Integer(metadata={"description": "Base units held and not retired that would cover more."})
    missing = fields.Integer(metadata=UNITS)
    surplus = fields.Integer(metadata={"description": "Base units retired beyond what is declared."})

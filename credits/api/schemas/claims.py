"""What may be said, what may not, and what was published."""

from marshmallow import fields, validate

from credits.api.fields import Day, Moment, OneOf, Text, Whole
from credits.api.schemas.shared import Answer, OrganisationBrief, PagingSchema, Request
from credits.certificates.claiming.claim_checking import LONGEST_TEXT
from credits.ledger.serials import LARGEST
from credits.participants.models import Language

UNITS = {"description": "Base units of the mineral: kg of cobalt, mg of gold."}


class CheckRequest(Request):
    """A text to check. Numbers of certificates in it are looked up, so that their names are no cause for marks."""

    text = Text(required=True, least=1, most=LONGEST_TEXT)


class MarkSchema(Answer):
    """What may not be said, why, and what may be said instead."""

    start = fields.Integer(metadata={"description": "Characters before it."})
    end = fields.Integer()
    found = fields.String()
    language = fields.String()
    kind = fields.String()
    reason = fields.String()
    instead = fields.String()


class Checked(Answer):
    marks = fields.List(fields.Nested(MarkSchema), metadata={"description": "None: nothing was found."})
    unread = fields.List(
        fields.String(),
        metadata={"description": "Parts in another language, as far as small words tell: nothing of them was checked."},
    )


class SentencesQuery(Request):
    retirements = Text(required=True, least=1, most=1_000, metadata={"description": "Numbers, with commas between."})
    language = OneOf(Language, load_default=Language.EN)


class SentenceSchema(Answer):
    """The allowed sentence, word for word."""

    language = fields.String()
    text = fields.String()
    plain = fields.String(metadata={"description": "With the addresses of the certificates."})
    html = fields.String(metadata={"description": "The same for a page."})
    quantity = fields.Integer(metadata=UNITS)


class ClaimsQuery(PagingSchema):
    pass


class PartRequest(Request):
    retirement = Text(required=True, least=1, most=40)
    quantity = Whole(required=True, least=1, most=LARGEST, metadata=UNITS)


class PlaceRequest(Request):
    """A text, and where it stands since when."""

    medium = Text(required=True, least=1, most=200)
    address = Text(load_default="", most=500, metadata={"description": "Of the page, with https://."})
    published_on = Day(required=True)
    language = OneOf(Language, required=True)
    text = Text(required=True, least=1, most=2_000)


class PublishRequest(PlaceRequest):
    about = Text(required=True, least=1, most=200, metadata={"description": "What the claim is for."})
    parts = fields.List(fields.Nested(PartRequest), required=True, validate=validate.Length(min=1, max=100))


class WithdrawRequest(Request):
    reason = Text(required=True, least=1, most=500)


class Part(Answer):
    retirement = fields.String(attribute="retirement.number")
    quantity = fields.Integer(metadata=UNITS)
    status = fields.String(metadata={"description": "Of the certificate today: retired, annotated or annulled."})


class Entry(Answer):
    """A text, its correction, or the withdrawal. corrects: the id of the entry that it replaces."""

    id = fields.Integer()
    kind = fields.String(attribute="kind.value")
    corrects = fields.Integer(attribute="corrects_id", allow_none=True)
    medium = fields.String(allow_none=True)
    address = fields.String(allow_none=True)
    published_on = fields.Date(allow_none=True)
    language = OneOf(Language, allow_none=True)
    text = fields.String(allow_none=True)
    reason = fields.String(allow_none=True)
    said_at = Moment()


class Claim(Answer):
    """A published claim with all that was said of it later."""

    number = fields.String()
    organisation = fields.Nested(OrganisationBrief)
    about = fields.String()
    parts = fields.List(fields.Nested(Part))
    entries = fields.List(fields.Nested(Entry))
    made_at = Moment()

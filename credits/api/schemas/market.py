"""Issuances, holdings, transfers, retirements and serials."""

from marshmallow import fields

from credits.api.fields import Day, InCredits, Moment, OneOf, Text, Whole
from credits.api.schemas.shared import Answer, OrganisationBrief, PagingSchema, Request
from credits.ledger.serials import LARGEST
from credits.participants.models import Language
from credits.registry.models import Cause, TransferState

UNITS = {"description": "Base units of the mineral: kg of cobalt, mg of gold."}
CREDITS = {"description": "The same as credits, an exact decimal number as text."}
SERIALS = {"description": "Serial ranges as they are written."}
SPOKEN = {"description": "Language of the certificate: en, fr, es, pt or sw; your own if left out."}
HOLDER = {"description": "Number of a cooperative of your group; your own organisation if left out."}


class IssueRequest(Request):
    """A verified batch whose credits are to be issued."""

    batch = Text(required=True, least=1, most=40)


class TransferRequest(Request):
    """Credits to offer, lowest serials first."""

    issuance = Text(required=True, least=1, most=60)
    recipient = Text(required=True, least=1, most=40, metadata={"description": "Number of an organisation."})
    quantity = Whole(required=True, least=1, most=LARGEST, metadata=UNITS)
    note = Text(load_default="", most=500)
    sender = Text(load_default=None, allow_none=True, most=40, metadata=HOLDER)


class ReasonRequest(Request):
    """Why a transfer is rejected."""

    reason = Text(required=True, least=1, most=500)


class RetireLine(Request):
    """Credits of one issuance to retire for good, in whose name and for which products."""

    issuance = Text(required=True, least=1, most=60)
    quantity = Whole(required=True, least=1, most=LARGEST, metadata=UNITS)
    beneficiary = Text(required=True, least=1, most=200, metadata={"description": "Legal name."})
    country = Text(required=True, least=3, most=3, metadata={"description": "ISO 3166-1 alpha-3."})
    identifier = Text(required=True, least=1, most=100)
    purpose = Text(required=True, least=1, most=500)
    claim_from = Day(required=True)
    claim_to = Day(required=True)


class RetireRequest(RetireLine):
    """Credits to retire for good, in whose name and for which products."""

    language = OneOf(Language, load_default=None, metadata=SPOKEN)


class IssuancesQuery(PagingSchema):
    mineral = Text(load_default=None, most=3)
    site = Text(load_default=None, most=40, metadata={"description": "Number of a site."})


class HoldingsQuery(PagingSchema):
    holder = Text(load_default=None, most=40, metadata=HOLDER)


class HoldingQuery(Request):
    holder = Text(load_default=None, most=40, metadata=HOLDER)


class TransfersQuery(PagingSchema):
    state = OneOf(TransferState, load_default=None)


class SearchQuery(Request):
    q = Text(required=True, least=2, most=200, metadata={"description": "A name, or a number or serial as written."})


class Mineral(Answer):
    """A mineral, and what a credit of it is."""

    code = fields.String()
    name = fields.String()
    forms = fields.List(fields.String())
    contained = fields.String(metadata={"description": "The substance that counts."})
    credit = fields.String()
    base_unit = fields.String()
    units_per_credit = fields.Integer()


class Issuance(Answer):
    """Serials 1 to `quantity`, and what they stand for, as it was when they were issued."""

    number = fields.String()
    mineral = fields.String(attribute="mineral_code")
    vintage = fields.Integer()
    quantity = fields.Integer(metadata=UNITS)
    in_credits = InCredits(attribute="quantity", data_key="credits", metadata=CREDITS)
    serials = fields.String(metadata={"description": "All of them, as they are written."})
    producer = fields.Nested(OrganisationBrief)
    issued_at = Moment()
    facts = fields.Dict(keys=fields.String())


class Held(Answer):
    """What a holder has of one issuance."""

    issuance = fields.String(attribute="issuance.number")
    mineral = fields.String(attribute="issuance.mineral_code")
    vintage = fields.Integer(attribute="issuance.vintage")
    available = fields.Integer(metadata=UNITS)
    available_credits = InCredits(attribute="available", metadata=CREDITS)
    pending = fields.Integer(metadata={"description": "Base units offered to somebody who has not answered."})
    reserved = fields.Integer(metadata=UNITS)
    held = fields.Integer(metadata=UNITS)


class Standing(Answer):
    serials = fields.String()
    state = fields.String()


class HeldInFull(Held):
    serials = fields.List(fields.Nested(Standing), metadata={"description": "The first 200 ranges."})


class TransferSummary(Answer):
    """A transfer in a list."""

    number = fields.String()
    state = fields.String(attribute="state.value")
    issuance = fields.String(attribute="issuance.number")
    mineral = fields.String(attribute="issuance.mineral_code")
    quantity = fields.Integer(metadata=UNITS)
    in_credits = InCredits(attribute="quantity", data_key="credits", metadata=CREDITS)
    sender = fields.Nested(OrganisationBrief)
    recipient = fields.Nested(OrganisationBrief)
    note = fields.String()
    reason = fields.String(allow_none=True)
    proposed_at = Moment()
    expires_at = Moment()
    closed_at = Moment(allow_none=True)


class Guard(Answer):
    """Why a transfer needs a second person of its sender and a delay, and how far that is."""

    cause = fields.String(attribute="cause.value", metadata={"enum": [cause.value for cause in Cause]})
    approved_at = Moment(allow_none=True)
    open_from = Moment(allow_none=True, metadata={"description": "From when the recipient can accept."})


class Transfer(TransferSummary):
    """A transfer in full."""

    serials = fields.List(fields.String(), metadata=SERIALS)
    guard = fields.Nested(Guard, allow_none=True)


class TrustRequest(Request):
    """Whom to trust: credits may then be sent there by one person, at once."""

    recipient = Text(required=True, least=1, most=40, metadata={"description": "Number of an organisation."})
    holder = Text(load_default=None, allow_none=True, most=40, metadata=HOLDER)


class Trust(Answer):
    """A trusted recipient, or the proposal of one."""

    number = fields.String()
    holder = fields.Nested(OrganisationBrief)
    recipient = fields.Nested(OrganisationBrief)
    proposed_at = Moment()
    approved_at = Moment(allow_none=True)
    in_force_from = Moment(allow_none=True)
    ended_at = Moment(allow_none=True)


STATUS = {"description": "Of the certificate today: retired, annotated or annulled."}


class RetirementSummary(Answer):
    """A retirement in a list."""

    number = fields.String()
    issuance = fields.String(attribute="issuance.number")
    mineral = fields.String(attribute="issuance.mineral_code")
    vintage = fields.Integer(attribute="issuance.vintage")
    quantity = fields.Integer(metadata=UNITS)
    in_credits = InCredits(attribute="quantity", data_key="credits", metadata=CREDITS)
    holder = fields.Nested(OrganisationBrief)
    beneficiary = fields.String()
    country = fields.String(attribute="beneficiary_country")
    identifier = fields.String(attribute="beneficiary_identifier")
    purpose = fields.String()
    claim_from = fields.Date()
    claim_to = fields.Date()
    retired_at = Moment()
    status = fields.String(metadata=STATUS)


class Retirement(RetirementSummary):
    """A retirement in full. Its certificate has the same number."""

    serials = fields.List(fields.String(), metadata=SERIALS)


class Place(Answer):
    """Where some of the serials are."""

    serials = fields.String()
    quantity = fields.Integer(metadata=UNITS)
    in_credits = InCredits(attribute="quantity", data_key="credits", metadata=CREDITS)
    state = fields.String(metadata={"description": "available, pending, retired, and so on."})
    holder = fields.Nested(OrganisationBrief, allow_none=True, metadata={"description": "Null: the registry."})
    retirement = fields.String(allow_none=True)
    status = fields.String(allow_none=True, metadata=STATUS)


class Serials(Answer):
    """A serial or a range of them: what it is, and where each part of it is."""

    serials = fields.String()
    issuance = fields.String()
    mineral = fields.String(attribute="mineral.code")
    vintage = fields.Integer()
    quantity = fields.Integer(metadata=UNITS)
    in_credits = InCredits(attribute="quantity", data_key="credits", metadata=CREDITS)
    places = fields.List(fields.Nested(Place))
    rest = fields.String(allow_none=True, metadata={"description": "Serials not listed here: ask for them next."})


class Found(Answer):
    """Something that is called so."""

    kind = fields.String(metadata={"description": "serials, issuance, certificate, organisation or site."})
    number = fields.String()
    name = fields.String()
    url = fields.String(allow_none=True, metadata={"description": "Where the API tells more, if it is public."})

"""Statements of many lines, holds, and what two people decide."""

from marshmallow import fields

from credits.api.fields import Day, Moment, OneOf, Text, Whole
from credits.api.schemas.market import HOLDER, SERIALS, SPOKEN, UNITS, RetireLine
from credits.api.schemas.shared import Answer, OrganisationBrief, PagingSchema, Request
from credits.ledger.serials import LARGEST
from credits.participants.models import Language
from credits.registry.movements import DecisionKind, DecisionState

LINES = {"description": "1 to 10,000 of them. All are carried out, or none: a line that fails is named."}


class TransferLine(Request):
    issuance = Text(required=True, least=1, most=60)
    recipient = Text(required=True, least=1, most=40, metadata={"description": "Number of an organisation."})
    quantity = Whole(required=True, least=1, most=LARGEST, metadata=UNITS)
    note = Text(load_default="", most=500)


class BulkRetireRequest(Request):
    """Credits to retire for good, each line in its own beneficiary's name."""

    lines = fields.List(fields.Nested(RetireLine), required=True, metadata=LINES)
    language = OneOf(Language, load_default=None, metadata=SPOKEN)


class BulkTransferRequest(Request):
    """Credits to offer, each line to its own recipient."""

    lines = fields.List(fields.Nested(TransferLine), required=True, metadata=LINES)
    sender = Text(load_default=None, allow_none=True, most=40, metadata=HOLDER)


class RetireChosenRequest(Request):
    """Credits of one mineral to retire, the oldest production first: as many as there are, up to `at_most`."""

    mineral = Text(required=True, least=1, most=3)
    at_least = Whole(required=True, least=1, most=LARGEST, metadata=UNITS)
    at_most = Whole(required=True, least=1, most=LARGEST, metadata=UNITS)
    issuance = Text(load_default=None, allow_none=True, most=60, metadata={"description": "Only of this issuance."})
    vintage = Whole(load_default=None, allow_none=True, most=9999, metadata={"description": "Only of this year."})
    site = Text(load_default=None, allow_none=True, most=40, metadata={"description": "Only of this site."})
    beneficiary = Text(required=True, least=1, most=200, metadata={"description": "Legal name."})
    country = Text(required=True, least=3, most=3, metadata={"description": "ISO 3166-1 alpha-3."})
    identifier = Text(required=True, least=1, most=100)
    purpose = Text(required=True, least=1, most=500)
    claim_from = Day(required=True)
    claim_to = Day(required=True)
    language = OneOf(Language, load_default=None, metadata=SPOKEN)


class Statement(Answer):
    """Many lines carried out as one."""

    number = fields.String()
    kind = fields.String(attribute="kind.value", metadata={"description": "retirement or transfer."})
    organisation = fields.Nested(OrganisationBrief)
    lines = fields.Integer()
    lines_sha256 = fields.String(metadata={"description": "Of the lines with their serials; the log has it too."})
    numbers = fields.List(
        fields.String(), metadata={"description": "Of the retirements or transfers, in the order of the lines."}
    )
    made_at = Moment()


class SuspendRequest(Request):
    """Why an issuance is suspended."""

    reason = Text(required=True, least=1, most=2000)


class HoldRequest(Request):
    """Available credits of one holder to freeze at once."""

    issuance = Text(required=True, least=1, most=60)
    holder = Text(required=True, least=1, most=40, metadata={"description": "Number of an organisation."})
    quantity = Whole(
        load_default=None,
        allow_none=True,
        least=1,
        most=LARGEST,
        metadata={"description": "Base units, lowest serials first; all that is available if left out."},
    )
    reason = Text(required=True, least=1, most=500)


class HoldPeriodsRequest(Request):
    """A zero-tolerance finding: every unsold unit of a site's production in these days."""

    site = Text(required=True, least=1, most=40, metadata={"description": "Number of a site."})
    first_day = Day(required=True)
    last_day = Day(required=True)
    reason = Text(required=True, least=1, most=500)


class Hold(Answer):
    """Credits that the registry has frozen."""

    number = fields.String()
    holder = fields.Nested(OrganisationBrief)
    reason = fields.String(attribute="why")
    serials = fields.List(fields.String(), metadata=SERIALS)
    opened_at = Moment()
    closed_at = Moment(allow_none=True)


class Frozen(Answer):
    """What a zero-tolerance hold came to."""

    hold = fields.String(allow_none=True, metadata={"description": "Null where all was sold before."})
    transfers = fields.List(fields.String(), metadata={"description": "Offers that it ended."})
    tell = fields.List(fields.Nested(OrganisationBrief), metadata={"description": "Who else is to be told."})


class DecisionsQuery(PagingSchema):
    state = OneOf(DecisionState, load_default=None)


class DecisionRequest(Request):
    """An act that another person must approve. Which fields it needs, its kind says.

    release: subject is a hold. cancellation: a hold, or an issuance with holder and quantity. export: an issuance, with
    holder, quantity, registry and reference. buffer_draw: a debit, with quantity. roll_back, lift: an issuance.
    debit: an issuance, with quantity.
    """

    kind = OneOf(DecisionKind, required=True)
    subject = Text(required=True, least=1, most=60, metadata={"description": "Number of what it is about."})
    reason = Text(required=True, least=1, most=1000)
    holder = Text(load_default=None, allow_none=True, most=40)
    quantity = Whole(load_default=None, allow_none=True, least=1, most=LARGEST, metadata=UNITS)
    registry = Text(load_default=None, allow_none=True, most=200)
    reference = Text(load_default=None, allow_none=True, most=100)


class Decision(Answer):
    """What one person proposed, and what another one decided."""

    number = fields.String()
    kind = fields.String(attribute="kind.value")
    subject = fields.String()
    request = fields.Dict(keys=fields.String())
    reason = fields.String()
    state = fields.String(attribute="state.value")
    proposed_at = Moment()
    decided_at = Moment(allow_none=True)

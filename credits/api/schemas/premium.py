"""Premium: what sites received, what their committees decided, what was paid out and bought."""

from marshmallow import fields

from credits.api.fields import Count, Day, File, OneOf, Text, Whole
from credits.api.schemas.offers import Money
from credits.api.schemas.shared import Answer, PagingSchema, Request
from credits.payments.models import Currency
from credits.payments.premiums.committees import MOST_MEMBERS
from credits.payments.premiums.disbursing import LONGEST_REFERENCE
from credits.payments.premiums.premium_models import PayoutMeans, PayoutState, Theme

AMOUNT = {"description": "An exact decimal text: 1200.50."}
SHOWN = {"description": "Whether everybody may look at the paper."}
PAPER = {"description": "PDF, JPEG or PNG; its name must agree. Its SHA-256 is public."}


def shown() -> fields.Boolean:
    return fields.Boolean(load_default=False, truthy={"true"}, falsy={"false"}, metadata=SHOWN)


class CommitteeRequest(Request):
    women = Whole(required=True, most=MOST_MEMBERS)
    men = Whole(required=True, most=MOST_MEMBERS)
    names = Text(required=True, least=1, metadata={"description": "One a line. Private."})
    since = Day(required=True)


class Committee(Answer):
    women = fields.Integer()
    men = fields.Integer()
    since = fields.Date()


class MinuteRequest(Request):
    """What a site's committee decided, as multipart/form-data with its signed minute."""

    file = File(required=True, metadata=PAPER)
    currency = OneOf(Currency, required=True)
    said = Text(required=True, least=1, metadata={"description": "What was decided. Public: no names of persons."})
    decided_on = Day(required=True)
    women = Count(required=True, least=0, most=MOST_MEMBERS, metadata={"description": "Members who were there."})
    men = Count(required=True, least=0, most=MOST_MEMBERS)
    open_to_public = shown()
    health_and_safety = Text(load_default="", most=40, metadata=AMOUNT)
    child_rights = Text(load_default="", most=40, metadata=AMOUNT)
    governance = Text(load_default="", most=40, metadata=AMOUNT)
    environment = Text(load_default="", most=40, metadata=AMOUNT)
    income = Text(load_default="", most=40, metadata=AMOUNT)
    other = Text(load_default="", most=40, metadata=AMOUNT)


class PayoutRequest(Request):
    amount = Text(required=True, least=1, most=40, metadata=AMOUNT)
    means = OneOf(PayoutMeans, required=True)
    payee = Text(required=True, least=1, most=500, metadata={"description": "Who is paid, and where. Private."})


class PayoutsQuery(PagingSchema):
    state = OneOf(PayoutState, load_default=None)


class PaidRequest(Request):
    """That a payout was paid, as multipart/form-data with the proof of it."""

    file = File(required=True, metadata=PAPER)
    reference = Text(
        required=True,
        least=1,
        most=LONGEST_REFERENCE,
        metadata={"description": "Of the bank, the provider or the receipt. It counts once in the whole registry."},
    )
    paid_on = Day(required=True)
    open_to_public = shown()


class BoughtRequest(Request):
    """What was bought, as multipart/form-data with its receipt."""

    file = File(required=True, metadata=PAPER)
    theme = OneOf(Theme, required=True)
    amount = Text(required=True, least=1, most=40, metadata=AMOUNT)
    what = Text(required=True, least=1, most=2_000, metadata={"description": "Public: no names of persons."})
    bought_on = Day(required=True)
    open_to_public = shown()


class BoughtAnswer(Answer):
    """What was bought. An entry that corrects another one takes it back, whole."""

    number = fields.String()
    theme = fields.String(attribute="theme.value")
    amount = Money()
    bought = fields.String()
    bought_on = fields.Date()
    corrects = fields.String(attribute="corrects.number", dump_default=None)
    papers_sha256 = fields.List(fields.String())


class Payout(Answer):
    """Who is paid is told to its own people and the registry alone, on their pages."""

    number = fields.String()
    state = fields.String(attribute="state.value")
    amount = Money()
    means = fields.String(attribute="means.value")
    paid_on = fields.Date(allow_none=True)
    uses = fields.List(fields.Nested(BoughtAnswer))


class OwnPayout(Payout):
    """A payout as its own people and the registry see it."""

    site = fields.String()
    decision = fields.String(metadata={"description": "Number of the committee's decision."})
    currency = fields.String(attribute="currency.value")
    payee = fields.String()
    reference = fields.String(allow_none=True)


class Minute(Answer):
    number = fields.String()
    site = fields.String()
    currency = fields.String(attribute="currency.value")
    amount = Money()
    themes = fields.Dict(keys=fields.String(), values=fields.String())
    women = fields.Integer()
    men = fields.Integer()
    said = fields.String()
    decided_on = fields.Date()
    taken_back = fields.Boolean()
    minute_sha256 = fields.List(fields.String())
    payouts = fields.List(fields.Nested(Payout))


class SitePremium(Answer):
    """Money of a site in one currency: paid_out + held = collected - gone_back, always."""

    currency = fields.String(attribute="currency.value")
    collected = Money()
    gone_back = Money(attribute="refunded")
    paid_out = Money(attribute="disbursed")
    held = Money()


class Trail(Answer):
    """Units that were bought in one order. Amounts are empty where the buyer has not agreed to show them."""

    order = fields.String(attribute="order.number")
    issuance = fields.String(attribute="line.issuance.number")
    units = fields.Integer()
    paid_on = fields.Date()
    currency = fields.String(attribute="order.currency.value")
    share = fields.String(allow_none=True)
    held = fields.String(allow_none=True)
    payouts = fields.List(fields.Nested(Payout))

"""What the data ask about a batch, and how much of it is plausible."""

from marshmallow import fields

from credits.api.fields import Moment
from credits.api.schemas.shared import Answer

UNITS = {"description": "Base units of the mineral; null where it is not known."}


class Question(Answer):
    """A question that open data, the area or the figures raise. It is answered before the batch can be verified."""

    code = fields.String(metadata={"description": "What kind of question: mercury, say."})
    text = fields.String()
    source = fields.String()
    seen_on = fields.Date(allow_none=True)
    answer = fields.String(allow_none=True)
    answered_by = fields.String(allow_none=True, metadata={"description": "Number of the person."})
    answered_at = Moment(allow_none=True)


class Bound(Answer):
    """One way of looking at how much can have been produced."""

    name = fields.String(attribute="name.value")
    value = fields.Integer(allow_none=True, metadata=UNITS)
    hard = fields.Boolean(metadata={"description": "Above it the batch stops; otherwise it is a warning."})
    source = fields.String()
    date = fields.Date(attribute="dated", allow_none=True)
    arithmetic = fields.String()


class Plausibility(Answer):
    """What a batch claims, beside every bound."""

    claimed = fields.Integer(metadata=UNITS)
    ceiling = fields.Integer(allow_none=True, metadata=UNITS)
    exceeded = fields.List(fields.String(), metadata={"description": "Names of the bounds that it is above."})
    figures = fields.String(metadata={"description": "Version of the default figures."})
    bounds = fields.List(fields.Nested(Bound))

"""People and organisations."""

from marshmallow import fields

from credits.api.fields import Moment, Text
from credits.api.schemas.shared import Answer, OrganisationBrief, PagingSchema


class Organisation(OrganisationBrief):
    """An organisation, as its own people see it."""

    legal_form = fields.String()
    registration_number = fields.String(allow_none=True)
    address = fields.String()
    contact_email = fields.String()
    kyc = fields.String(attribute="kyc.value", metadata={"description": "pending, approved, refused or suspended."})
    kyc_reason = fields.String(allow_none=True)
    group_manager = fields.Nested(OrganisationBrief, allow_none=True)
    registered_at = Moment()


class Me(Answer):
    """Whose token it is."""

    number = fields.String()
    name = fields.String()
    email = fields.String()
    language = fields.String(attribute="language.value")
    roles = fields.List(fields.String())
    organisation = fields.Nested(Organisation)


class OrganisationsQuery(PagingSchema):
    q = Text(load_default="", most=200, metadata={"description": "Part of the name."})

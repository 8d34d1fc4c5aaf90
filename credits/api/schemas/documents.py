"""Documents besides the certificates, as the API shows them."""

from marshmallow import fields, validate

from credits.api.fields import Moment
from credits.api.schemas.shared import Answer, OrganisationBrief, PagingSchema
from credits.certificates.issuing import Progress
from credits.certificates.models import RecordKind

KINDS = [each.value for each in RecordKind]
KIND = {"description": "bulk: a statement of retirements; issuance: its certificate, public; account: of a period."}
PROGRESS = {"description": "frozen: waits for the log; logged: is being drawn; issued: the PDF is there."}


class DocumentsQuery(PagingSchema):
    kind = fields.String(load_default=None, validate=validate.OneOf(KINDS), metadata=KIND)


class Document(Answer):
    """A signed document that tells of an organisation's affairs."""

    number = fields.String()
    kind = fields.String(attribute="kind.value", validate=validate.OneOf(KINDS), metadata=KIND)
    organisation = fields.Nested(OrganisationBrief, metadata={"description": "Whose affairs it tells."})
    about = fields.String(metadata={"description": "The number of the statement, issuance or organisation."})
    language = fields.String(attribute="language.value")
    asked_at = Moment()
    progress = fields.String(validate=validate.OneOf([each.value for each in Progress]), metadata=PROGRESS)
    facts_sha256 = fields.String()
    document_sha256 = fields.String(allow_none=True, metadata={"description": "Of the PDF, once it is there."})

"""The check of a certificate: what comes in, and what was found."""

from typing import Any

from marshmallow import ValidationError, fields, validates_schema

from credits.api.fields import File, Text
from credits.api.schemas.shared import Answer, Request
from credits.certificates.checks.checking import CHECKS, Outcome, Result


class VerifyRequest(Request):
    """A document (PDF), or the number of a certificate, whose copy here is then checked; as multipart/form-data."""

    file = File(metadata={"description": "The document. Nothing of it is kept."})
    number = Text(least=1, most=40, metadata={"description": "Such as ASMC-R-000017."})

    @validates_schema
    def is_about_one(self, asked: dict[str, Any], **_: Any) -> None:
        if ("file" in asked) == ("number" in asked):
            raise ValidationError("Send either a file or a number.")


class CheckSchema(Answer):
    """One thing that was looked at."""

    name = fields.String(metadata={"description": f"Stable: {', '.join(CHECKS)}."})
    result = fields.String(metadata={"description": f"{', '.join(Result)}."})
    text = fields.String(metadata={"description": "What was found, for people."})


class VerdictSchema(Answer):
    """What was found, as the offline check says it, and what the registry knows besides."""

    verdict = fields.String(metadata={"description": f"{', '.join(Outcome)}: not genuine is also what was annulled."})
    summary = fields.String()
    kind = fields.String(metadata={"description": "certificate, bulk, issuance, account, document, or empty."})
    number = fields.String(metadata={"description": "Empty where its facts were not read."})
    sha256 = fields.String(metadata={"description": "Of the file."})
    kept = fields.Boolean(metadata={"description": "Whether the registry keeps these very bytes."})
    failed = fields.List(fields.String(), metadata={"description": "Names of the checks that failed."})
    checks = fields.List(fields.Nested(CheckSchema))
    signer = fields.String(allow_none=True, metadata={"description": "SHA-256 of the certificate of who signed it."})
    signed_at = fields.String(allow_none=True)
    state = fields.String(allow_none=True, metadata={"description": "What was said of it later."})
    facts = fields.Dict(
        keys=fields.String(), allow_none=True, metadata={"description": "What it says. Null unless it was signed here."}
    )

"""The check of a certificate or another document, for programs. Nothing of what is sent is kept."""

from typing import Any

from credits.api.blueprint import Area
from credits.api.reading import MULTIPART
from credits.api.schemas.verification import VerdictSchema, VerifyRequest
from credits.certificates.issuing import certificate_numbered
from credits.certificates.press import NotIssuedYet
from credits.certificates.verify import as_plain
from credits.extensions import db
from credits.verifying import look_at, look_at_copy

area = Area("verification", "Whether a document is genuine, and what became of it since.")


def check_document(asked: dict[str, Any]) -> dict[str, Any]:
    """Check a document that you send, or the registry's copy of a certificate. Public; nothing is kept.

    A document that is not genuine is no error: the answer says what failed.
    """
    if "file" in asked:
        looked = look_at(asked["file"].read())
        asked["file"].close()
    elif (copy := look_at_copy(certificate_numbered(db.session, asked["number"]))) is None:
        raise NotIssuedYet("This certificate is being issued. Ask again in a minute.")
    else:
        looked = copy
    return as_plain(looked.verdict) | {"kept": looked.kept}


# It changes nothing, so it takes no key.
steps = [area.arguments(VerifyRequest, location=MULTIPART), area.response(200, VerdictSchema)]
area.opened("/verify", "POST", steps, public=True)(check_document)

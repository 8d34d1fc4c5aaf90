"""What stands in a PDF of the registry: how it is closed, what it carries, what it says of itself.

Asked only of a file whose signature holds: a file that somebody else may have made is not opened here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO

import pikepdf

from credits.certificates.checks.signature_checking import Gap, Unsound
from credits.certificates.signing import ONE_FORM

REVISIONS = 2  # the document as it was drawn, and its signature
BEGINNING = re.compile(rb"startxref\s+([0-9]{1,10})\s+%%EOF\s*\Z")
EARLIER = re.compile(rb"/Prev\s+([0-9]{1,10})\b")
LONGEST_TRAILER = 4_096  # bytes of the dictionary that says where the earlier revision begins
NOTHING_ALLOWED = 1  # the permission of a certified document that no later change is allowed
SIGNED_AT = re.compile(r"D:([0-9]{14})Z(?:00'?00'?)?")
PADES = "/ETSI.CAdES.detached"


@dataclass(frozen=True)
class Paper:
    """attachments: by their names. signed_at: as the document itself says. metadata: XMP, as text.

    is_closed: whether it allows no change; is_low: whether it says that only the low signature is its own.
    """

    title: str
    keywords: str
    metadata: str
    signed_at: datetime
    is_closed: bool
    is_low: bool
    attachments: Mapping[str, bytes]


def paper_in(content: bytes, gap: Gap) -> Paper:
    """Open a document. Raises Unsound where it is not of the shape that the registry's documents have."""
    try:
        with pikepdf.open(BytesIO(content)) as pdf:
            signature = signature_in(pdf, content, gap)
            return Paper(
                title=str(pdf.docinfo.get("/Title", "")),
                keywords=str(pdf.docinfo.get("/Keywords", "")),
                metadata=bytes(pdf.Root.Metadata.read_bytes()).decode(),
                signed_at=moment_of(str(signature.get("/M", ""))),
                is_closed=is_closed(signature),
                is_low=is_low(signature),
                attachments=attachments_in(pdf),
            )
    except Unsound:
        raise
    except Exception as fault:  # whatever its reading ends with: nothing in a document ends its check
        raise Unsound(f"The document is not of the shape of the registry's own ({type(fault).__name__}).") from None


def must_have_one_signature_alone(content: bytes) -> None:
    """Raise Unsound unless the file is one drawing and the signature on it, with nothing between."""
    found = BEGINNING.search(content, max(0, len(content) - LONGEST_TRAILER))
    revisions = 0
    while found:
        revisions += 1
        start = int(found[1])
        dictionary = content[start : start + LONGEST_TRAILER].partition(b"stream")[0].partition(b"startxref")[0]
        found = EARLIER.search(dictionary) if revisions <= REVISIONS else None
    if revisions != REVISIONS:
        raise Unsound("The file was changed between its drawing and its signature.")


def signature_in(pdf: pikepdf.Pdf, content: bytes, gap: Gap) -> pikepdf.Object:
    """The one signature, which is the one that was checked. Raises Unsound."""
    fields = list(pdf.Root.AcroForm.Fields)
    signature = fields[0].V
    covered = [int(number) for number in signature.ByteRange]
    if len(fields) != 1 or signature.objgen != pdf.Root.Perms.DocMDP.objgen:
        raise Unsound("It has other forms or signatures than the registry's one.")
    if covered != [0, gap.first, gap.last, len(content) - gap.last] or str(signature.SubFilter) != PADES:
        raise Unsound("The signature that it shows is not the one that covers it.")
    return signature


def is_closed(signature: pikepdf.Object) -> bool:
    """Whether the signature allows no change at all (DocMDP)."""
    rules = list(signature.get("/Reference", []))
    return any(
        str(rule.TransformMethod) == "/DocMDP" and int(rule.TransformParams.P) == NOTHING_ALLOWED for rule in rules
    )


def is_low(signature: pikepdf.Object) -> bool:
    """Whether the document says that its signature is the low one of the two that ECDSA has."""
    try:
        return str(signature.Prop_Build.App.REx) == ONE_FORM
    except AttributeError:
        return False  # from before there was only one


def attachments_in(pdf: pikepdf.Pdf) -> dict[str, bytes]:
    """Every file that goes with the document, by its name. Raises Unsound where one is hidden or named twice."""
    found = {name: attached.get_file().read_bytes() for name, attached in pdf.attachments.items()}
    streams = sum(
        isinstance(each, pikepdf.Stream) and str(each.get("/Type", "")) == "/EmbeddedFile" for each in pdf.objects
    )
    if streams != len(found):
        raise Unsound("It carries files that it does not list.")
    return found


def moment_of(text: str) -> datetime:
    told = SIGNED_AT.fullmatch(text)
    if not told:
        raise Unsound("It does not say when it was signed.")
    return datetime.strptime(told[1], "%Y%m%d%H%M%S").replace(tzinfo=UTC)

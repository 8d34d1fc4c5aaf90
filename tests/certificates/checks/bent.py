"""A certificate changed after it was signed, each time in another way, and what its check says then."""

from io import BytesIO

import pikepdf
from asn1crypto import cms
from asn1crypto.keys import PrivateKeyInfo
from asn1crypto.x509 import Certificate
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from pyhanko.pdf_utils.generic import TextStringObject
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import SigFieldSpec
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, SimpleSigner
from pyhanko_certvalidator.registry import SimpleCertificateStore

from credits.certificates import signing
from credits.certificates.checks import signature_checking
from credits.certificates.checks.checking import FACTS as FACTS_FILE
from credits.certificates.checks.checking import Outcome
from credits.certificates.checks.signature_checking import gap_in
from credits.journal.canonical import encode
from tests.certificates.told import told_facts


def failed(verdict) -> list[str]:
    assert verdict.outcome is Outcome.NOT_GENUINE
    assert all(each.text for each in verdict.checks.values())
    return [each.name for each in verdict.failures]


def flipped(content: bytes, place: int, bit: int = 1) -> bytes:
    return content[:place] + bytes([content[place] ^ bit]) + content[place + 1 :]


def updated(content: bytes) -> bytes:
    """A revision appended, as editing programs do."""
    writer = IncrementalPdfFileWriter(BytesIO(content))
    writer.root["/Lang"] = TextStringObject("fr")
    writer.update_root()
    written = BytesIO()
    writer.write(written)
    return written.getvalue()


def turned_round(content: bytes) -> bytes:
    gap = gap_in(content)
    message = cms.ContentInfo.load(signature_checking.message_in(content, gap))
    r, s = decode_dss_signature(message["content"]["signer_infos"][0]["signature"].native)
    message["content"]["signer_infos"][0]["signature"] = encode_dss_signature(r, signing.ORDER - s)
    return with_message(content, message.dump(force=True))


def with_message(content: bytes, message: bytes) -> bytes:
    """With another signature in the place of the one that is there."""
    gap = gap_in(content)
    written = message.hex().upper().encode()
    return content[: gap.first + 1] + written.ljust(gap.last - gap.first - 2, b"0") + content[gap.last - 1 :]


def saved(content: bytes, **how) -> bytes:
    written = BytesIO()
    with pikepdf.open(BytesIO(content)) as opened:
        opened.save(written, **how)
    return written.getvalue()


def swapped(content: bytes) -> bytes:
    """With other facts than the ones that were signed."""
    written = BytesIO()
    with pikepdf.open(BytesIO(content)) as opened:
        opened.attachments[FACTS_FILE] = encode(told_facts(credits="1000"))
        opened.save(written)
    return written.getvalue()


def signed_again(content: bytes, seal: signing.Seal) -> bytes:
    """With a stranger's signature over all of it."""
    secret = seal.key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    stranger = PdfSigner(
        PdfSignatureMetadata(field_name="Stranger", md_algorithm="sha256"),
        SimpleSigner(
            signing_cert=Certificate.load(seal.certificate.public_bytes(serialization.Encoding.DER)),
            signing_key=PrivateKeyInfo.load(secret),
            cert_registry=SimpleCertificateStore(),
        ),
        new_field_spec=SigFieldSpec("Stranger"),
    )
    written = BytesIO()
    stranger.sign_pdf(IncrementalPdfFileWriter(BytesIO(content)), output=written)
    return written.getvalue()

"""The signature on a PDF (PAdES baseline B, or T with a time stamp). Alone knows pyHanko, which is slow to load."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from io import BytesIO

from asn1crypto import cms, tsp
from asn1crypto.keys import PrivateKeyInfo
from asn1crypto.x509 import Certificate, GeneralName
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import MDPPerm, SigFieldSpec, SigSeedSubFilter
from pyhanko.sign.signers import PdfSignatureMetadata, PdfSigner, SimpleSigner
from pyhanko.sign.signers.pdf_byterange import BuildProps
from pyhanko.sign.signers.pdf_cms import PdfCMSSignedAttributes
from pyhanko.sign.timestamps import TimeStamper, TimestampRequestError
from pyhanko.sign.timestamps.requests_client import RequestsHTTPTimeStamper
from pyhanko_certvalidator.registry import SimpleCertificateStore

from credits.certificates.checks.signed_message import put_together
from credits.certificates.signing import ONE_FORM, NoTimeStamp, Seal, low

ROOM = 4096  # bytes kept free in a document for the signature
ROOM_WITH_STAMP = 20_480  # a time stamp brings the certificates of its server along
SECONDS_FOR_A_STAMP = 10


class _AsDrawn(IncrementalPdfFileWriter):
    """Adds the signature and nothing else: neither a version that PDF/A-3 forbids, nor other words about the file."""

    def ensure_output_version(self, version: tuple[int, int]) -> None:
        pass

    def _update_meta(self) -> None:
        pass


class _Low(SimpleSigner):
    """Signs as the registry does: with the low one of the two signatures that ECDSA has."""

    def sign_raw(self, data: bytes, digest_algorithm: str) -> bytes:
        return low(super().sign_raw(data, digest_algorithm))


def stamps_from(url: str) -> TimeStamper:
    """Who stamps the time: the server at `url`, asked over HTTP (RFC 3161)."""
    return RequestsHTTPTimeStamper(url, timeout=SECONDS_FOR_A_STAMP)  # type: ignore[no-untyped-call]


def signed(pdf: bytes, seal: Seal, *, reason: str, at: datetime, stamper: TimeStamper | None) -> bytes:
    """As `signing.signed`. Raises NoTimeStamp."""
    signer = PdfSigner(
        PdfSignatureMetadata(
            field_name="Registry",
            md_algorithm="sha256",
            subfilter=SigSeedSubFilter.PADES,
            certify=True,
            docmdp_permissions=MDPPerm.NO_CHANGES,
            name=seal.signer,
            reason=reason,
            app_build_props=BuildProps("ASMC", ONE_FORM),
        ),
        _simple_signer(seal),
        timestamper=stamper,
        new_field_spec=SigFieldSpec("Registry"),
    )

    output = BytesIO()
    session = signer.init_signing_session(_AsDrawn(BytesIO(pdf)))
    session.system_time = at.astimezone(UTC).replace(microsecond=0)
    unsigned = session.prepare_tbs_document(
        validation_info=None, bytes_reserved=2 * (ROOM_WITH_STAMP if stamper else ROOM)
    )
    prepared, _ = unsigned.digest_tbs_document(output=output)
    if stamper is None:
        prepared.fill_with_cms(output, _message(seal, prepared.document_digest))
        return output.getvalue()
    # PAdES: the time stands in the document's own field, not among the signed attributes.
    stamped = unsigned.perform_signature(prepared.document_digest, PdfCMSSignedAttributes(signing_time=None))
    try:
        _elsewhere(lambda: asyncio.run(_ended(stamped)))
    except (TimestampRequestError, OSError, ValueError, TypeError) as failure:
        # Its answer is read as it is needed, so what is no answer is found anywhere.
        raise NoTimeStamp(f"The time stamp server gave no time stamp: {failure}") from failure
    return output.getvalue()


async def _ended(work: Awaitable[object]) -> None:
    await work


def _message(seal: Seal, digest: bytes) -> bytes:
    """The signature itself (CMS), without a time stamp, in the one form that checkers take.

    pyHanko makes the same bytes, in thirteen times as long, which is more than a certificate's text takes to lay out.
    """
    certificate, before, behind = _form(seal)
    attributes = before + digest + behind
    signature = low(seal.key.sign(attributes, ec.ECDSA(hashes.SHA256())))
    return put_together(certificate, attributes, signature)


@cache
def _form(seal: Seal) -> tuple[bytes, bytes, bytes]:
    """What all signatures of a key have in common: its certificate, and what they sign before and behind the digest."""
    der = seal.certificate.public_bytes(serialization.Encoding.DER)
    certificate = Certificate.load(der)
    issuer = [GeneralName("directory_name", certificate.issuer)]
    named = {
        "cert_hash": sha256(der).digest(),
        "issuer_serial": {"issuer": issuer, "serial_number": certificate.serial_number},
    }
    nothing = bytes(hashes.SHA256.digest_size)
    attributes = cms.CMSAttributes(
        [
            {"type": "content_type", "values": ["data"]},
            {"type": "message_digest", "values": [nothing]},
            {"type": "signing_certificate_v2", "values": [tsp.SigningCertificateV2({"certs": [named]})]},
        ]
    )
    before, _, behind = attributes.dump().partition(nothing)
    return der, before, behind


@cache
def _simple_signer(seal: Seal) -> _Low:
    secret = seal.key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return _Low(
        signing_cert=Certificate.load(seal.certificate.public_bytes(serialization.Encoding.DER)),
        signing_key=PrivateKeyInfo.load(secret),
        cert_registry=SimpleCertificateStore(),  # type: ignore[no-untyped-call]
    )


def _elsewhere(work: Callable[[], None]) -> None:
    """Do `work` in another thread: whoever asks may have a loop running in theirs."""
    _aside().submit(work).result()


@cache
def _aside() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="signing")

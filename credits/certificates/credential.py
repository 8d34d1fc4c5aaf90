"""A certificate as a W3C Verifiable Credential (data model 2.0), secured by JOSE, and the keys as a DID document.

The credential is a JWT (`application/vc+jwt`, ES256) of the key that signs documents. Whoever collects credentials
finds the key under the registry's own address (did:web), and by two hashes the very facts and the very document.
"""

import base64
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlsplit

from cryptography.hazmat.primitives import serialization
from joserfc import jws
from joserfc.jwk import ECKey

from credits.certificates.checks.published_keys import DocumentKey, written
from credits.certificates.signing import Seal
from credits.journal.canonical import encode

MEDIA_TYPE = "application/vc+jwt"
# The second one gives every name of the facts a meaning of this registry's own.
CONTEXTS = ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/undefined-terms/v2"]
DID_CONTEXTS = ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/jwk/v1"]


def did_of(url: str) -> str:
    """The registry's identifier, made from its address (did:web)."""
    return f"did:web:{quote(urlsplit(url).netloc, safe='')}"


def method_of(did: str, key: DocumentKey) -> str:
    """By which name a credential refers to a key: the beginning of its fingerprint."""
    return f"{did}#{key.fingerprint.replace(':', '')[:16]}"


def did_document(url: str, keys: Sequence[DocumentKey]) -> dict[str, Any]:
    """Who the registry is and by which keys it asserts, for `/.well-known/did.json`. Past keys say when they ended."""
    did = did_of(url)
    methods = [
        {
            "id": method_of(did, key),
            "type": "JsonWebKey",
            "controller": did,
            "publicKeyJwk": public_jwk(key),
        }
        | ({"expires": written(key.retired_at)} if key.retired_at else {})
        for key in keys
    ]
    return {
        "@context": DID_CONTEXTS,
        "id": did,
        "verificationMethod": methods,
        "assertionMethod": [method["id"] for method in methods],
    }


def public_jwk(key: DocumentKey) -> dict[str, Any]:
    public = key.certificate.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return dict(ECKey.import_key(public).as_dict(private=False)) | {"alg": "ES256"}


def credential(
    facts: dict[str, Any], *, url: str, later: Sequence[dict[str, Any]], frozen_sha256: str, document_sha256: str
) -> dict[str, Any]:
    """The credential, not signed yet. url: the registry's address; the hashes: of the exact facts and of the PDF.

    later: what was said of the certificate after it was issued.
    """
    here: str = facts["verify_url"]
    return {
        "@context": CONTEXTS,
        "id": here,
        "type": ["VerifiableCredential", "MineralCreditRetirement"],
        "name": f"Certificate of retirement {facts['number']}",
        "issuer": {"id": did_of(url), "name": facts["registry"]["name"]},
        "validFrom": facts["retired_at"],
        "credentialSubject": {"type": "MineralCreditRetirement", "certificate": facts, "annotations": list(later)},
        "relatedResource": [
            {"id": f"{here}.json", "mediaType": "application/json", "digestSRI": in_sri(frozen_sha256)},
            {"id": f"{here}.pdf", "mediaType": "application/pdf", "digestSRI": in_sri(document_sha256)},
        ],
    }


def in_sri(sha256: str) -> str:
    """A hash as the Subresource Integrity of the W3C writes it."""
    return f"sha256-{base64.b64encode(bytes.fromhex(sha256)).decode()}"


def secured(told: dict[str, Any], seal: Seal) -> str:
    """The credential as a signed JWT."""
    secret = seal.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    kid = method_of(told["issuer"]["id"], DocumentKey(seal.certificate))
    header = {"alg": "ES256", "typ": "vc+jwt", "cty": "vc", "kid": kid}
    return jws.serialize_compact(header, encode(told), ECKey.import_key(secret), algorithms=["ES256"])

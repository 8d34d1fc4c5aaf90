"""What an auditor would write who has read RFC 9162 and the C2SP pages, and no line of the registry's programs.

A certificate's attachments and the public key of the log are all it takes.
"""

import base64
import json
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def root_from(entry: bytes, index: int, size: int, path: list[bytes]) -> bytes | None:
    """The root to which an entry leads, in RFC 6962's tree (RFC 9162, 2.1.3.2); None where the path does not fit."""
    if not 0 <= index < size:
        return None
    fn, sn, r = index, size - 1, sha256(b"\x00" + entry).digest()
    for p in path:
        if sn == 0:
            return None
        if fn & 1 or fn == sn:
            r = sha256(b"\x01" + p + r).digest()
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = sha256(b"\x01" + r + p).digest()
        fn, sn = fn >> 1, sn >> 1
    return r if sn == 0 else None


def decoded(text: str) -> bytes:
    """Base64 in its one form. Raises ValueError."""
    found = base64.b64decode(text, validate=True)
    if base64.b64encode(found).decode() != text:
        raise ValueError("bits that stand for nothing")
    return found


def is_proven(facts: bytes, inclusion: bytes, proof: bytes, vkey: str) -> bool:
    """Whether the facts lead to an event, the event to a checkpoint, and the checkpoint is signed."""
    try:
        steps = json.loads(inclusion)
        head, _, checkpoint = proof.decode().partition("\n\n")
        kind, extra, index, *path = head.split("\n")
        event_bytes = decoded(extra.removeprefix("extra "))
        event = json.loads(event_bytes)
        body, _, signature = checkpoint.partition("\n\n")
        origin, size, root = body.split("\n")
        name, short, key = vkey.split("+", 2)
        dash, by, signed_text = signature.removesuffix("\n").split(" ")
        signed = decoded(signed_text)
        Ed25519PublicKey.from_public_bytes(decoded(key)[1:]).verify(signed[4:], f"{body}\n".encode())
        place = int(index.removeprefix("index "))
        hashes = [decoded(each) for each in path]
        leads = root_from(facts, steps["index"], steps["leaves"], [bytes.fromhex(each) for each in steps["path"]])
        return (
            (kind, origin, dash, by, signed[:4].hex()) == ("c2sp.org/tlog-proof@v1", name, "\u2014", name, short)
            and (steps.keys(), steps["schema"]) == ({"index", "leaves", "path", "schema"}, "asmc-inclusion-1")
            and event["kind"] == "certificate.frozen"
            and leads == bytes.fromhex(event["facts"]["root"])
            and root_from(event_bytes, place, int(size), hashes) == decoded(root)
        )
    except (ValueError, KeyError, IndexError, TypeError, InvalidSignature):
        return False

"""A registry in a few lines, whose certificates are drawn, proven and signed by the registry's own press."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from credits.certificates import pdf, signing
from credits.certificates.checks.checking import FACTS as FACTS_FILE
from credits.certificates.checks.checking import INCLUSION, PROOF
from credits.certificates.checks.published_keys import DocumentKey, PublishedKeys, keys_in, published
from credits.certificates.inclusion import frozen_together
from credits.certificates.pdf import Enclosed
from credits.certificates.press import pressed
from credits.journal.canonical import encode
from credits.journal.heads import Head
from credits.journal.keys import LogKeys, new_key
from credits.journal.notes import SigningKey, signing_key
from credits.journal.proofs import Proof
from tests.certificates.told import FACTS, told_facts
from tests.journal import reference

BEGUN = datetime(2026, 7, 1, 12, tzinfo=UTC)
SIGNED = BEGUN + timedelta(days=30)


@dataclass(frozen=True)
class Registry:
    seal: signing.Seal
    log: LogKeys

    @classmethod
    def made(cls, seed: int = 1, url: str = FACTS["registry"]["url"]) -> "Registry":
        name = FACTS["registry"]["name"]
        origin = f"{url.partition('://')[2]}/{seed:08d}"
        seal = signing.new_seal(name, url, bytes([seed]) * 32, BEGUN)
        return cls(seal, LogKeys(origin, (new_key(origin, bytes([seed]) * 32, BEGUN),)))

    def keys(self, **bent: Any) -> dict[str, Any]:
        """What the registry publishes."""
        told = {
            "code": FACTS["registry"]["code"],
            "name": FACTS["registry"]["name"],
            "url": FACTS["registry"]["url"],
            "registry_id": "00000001",
            "log": self.log,
            "documents": [DocumentKey(self.seal.certificate)],
        }
        return published(**told | bent)

    @property
    def signer(self) -> SigningKey:
        return signing_key(self.log.keys[-1].secret)

    def proven(self, facts: list[bytes], /, *, about: str, others: int = 5, **bent: Any) -> tuple[list[bytes], Proof]:
        """The way of each of the facts to the root in their event, and the event's proof, among others in the log.

        bent: members of the event that are to be other ones.
        """
        root, ways = frozen_together(facts)
        event = {
            "actor": "USR-000001",
            "at": "2026-07-20T08:00:00.000000Z",
            "facts": {"root": root, "leaves": len(facts), "schema": json.loads(facts[0])["schema"]},
            "kind": "certificate.frozen",
            "subject": about,
        }
        body = encode(event | bent)
        entries = [b'{"kind":"other","number":%d}' % number for number in range(others)]
        entries.insert(others // 2, body)
        index = entries.index(body)
        head = Head(self.log.origin, len(entries), reference.root(entries))
        return ways, Proof(index, tuple(reference.path(index, entries)), head.signed([self.signer]), body)

    def certificate(self, facts: dict[str, Any] | None = None, *, at: datetime = SIGNED) -> bytes:
        """A finished certificate."""
        told = facts or told_facts()
        frozen = encode(told)
        (way,), proof = self.proven([frozen], about=told["number"])
        return pressed(frozen, inclusion=way, proof=proof, seal=self.seal, at=at)


def keys_of(registry: Registry, **bent) -> PublishedKeys:
    return keys_in(json.dumps(registry.keys(**bent)).encode())


def signed_with(registry, facts, *enclosed, title_of=None, at=SIGNED) -> bytes:
    """A document that the registry's own key has signed, though it should not have."""
    kinds = {FACTS_FILE: "application/json", INCLUSION: "application/json", PROOF: "text/plain"}
    files = [Enclosed(name, content, kinds.get(name, "text/plain"), "Data", name) for name, content in enclosed]
    drawn = pdf.draw(title_of or facts, shown={"fingerprint": "", "log": None}, enclosed=files)
    return signing.signed(drawn, registry.seal, reason="Certificate", at=at)

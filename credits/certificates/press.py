"""From frozen facts to the finished document: drawn, with its facts and its proof enclosed, and signed last."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy.orm import Session

from credits.certificates import pdf, signing
from credits.certificates.facts import read
from credits.certificates.finishing import Enclosed
from credits.certificates.kinds import RECORDS, figures_of
from credits.certificates.models import Certificate, Record
from credits.certificates.signing import Seal
from credits.certificates.wording import words_of
from credits.errors import Conflict
from credits.journal import proving
from credits.journal.proofs import Proof


class NotIssuedYet(Conflict):
    """The event of the certificate is not under a checkpoint yet: its minute is not over."""

    code = "certificate_not_issued_yet"


def proof_of(session: Session, certificate: Certificate | Record) -> Proof | None:
    """The proof that the document's event is in the log; None for the earliest ones, which have no event.

    Raises NotIssuedYet.
    """
    if certificate.event_id is None:
        return None
    try:
        return proving.proof_of(session, proving.place_of(session, certificate.event_id))
    except proving.NotInLog:
        raise NotIssuedYet(
            "This certificate is being issued: its entry is not under a signed head of the log yet. That takes a "
            "minute at most."
        ) from None


def pressed(
    frozen: bytes, *, inclusion: bytes | None, proof: Proof | None, seal: Seal, stamper: Any = None, at: datetime
) -> bytes:
    """The finished document of a certificate or a record: PDF/A-3b, signed by the registry. Touches no database.

    frozen, inclusion: exact bytes. stamper: where a time stamp (RFC 3161) comes from, if anywhere. at: the time of the
    signature. Raises signing.NoTimeStamp.
    """
    facts = read(frozen)
    words = words_of(facts["language"])
    shown: dict[str, Any] = {"fingerprint": seal.fingerprint, "log": None}
    enclosed = [
        Enclosed("certificate.json", frozen, "application/json", "Source", "What this certificate says"),
    ]
    if proof is not None and inclusion is not None:
        shown["log"] = {"index": proof.index, "origin": proof.checkpoint.partition("\n")[0]}
        enclosed += [
            Enclosed("inclusion.json", inclusion, "application/json", "Data", "The way to the root in the event"),
            Enclosed(
                "event.tlog-proof", proof.text.encode(), "text/plain", "Data", "The event and its proof in the log"
            ),
        ]
    record = RECORDS.get(facts["schema"])
    if record is not None:
        shown |= {"record": record, "figures": figures_of(facts)}
    drawn = pdf.draw(facts, document="record" if record else "retirement", shown=shown, enclosed=enclosed)
    reason = words.say(f"{record or 'retirement'}.named", number=facts["number"])
    return signing.signed(drawn, seal, reason=reason, at=at.astimezone(UTC), stamper=stamper)

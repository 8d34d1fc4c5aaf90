"""Whether a document is genuine: every check by itself, in words. Needs the document and the published keys alone.

The bytes are held against the signature first. Only what the registry has signed is opened and read further: of a
changed file nothing is to be believed, and so nothing of it is interpreted.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Any

from credits.certificates.checks import proof_checking, signature_checking, stamp_checking
from credits.certificates.checks.attached import Paper, must_have_one_signature_alone, paper_in
from credits.certificates.checks.one_line import in_one_line
from credits.certificates.checks.published_keys import DocumentKey, PublishedKeys
from credits.certificates.checks.signature_checking import Unsound
from credits.certificates.kinds import RECORDS, figures_of

LARGEST = 64 * 1024 * 1024  # bytes of a document that is looked at
FACTS, INCLUSION, PROOF = "certificate.json", "inclusion.json", "event.tlog-proof"
PROVEN = ("asmc-retirement-certificate-2", *RECORDS)
FIRST_SCHEMA = "asmc-retirement-certificate-1"  # frozen before there was an event to prove it by
OVERLAP = timedelta(hours=1)  # who had begun to sign when a new key took over may have ended with the older one


class Result(StrEnum):
    OK = "ok"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Outcome(StrEnum):
    GENUINE = "genuine"
    NOT_GENUINE = "not_genuine"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Check:
    """One thing that was looked at. name: stable, for programs; text: what was found, for people."""

    name: str
    result: Result
    text: str


# Every check of a certificate, in its order.
CHECKS = {
    "file": "Whole file under the signature",
    "signer": "Signed by a published key",
    "signature": "Every byte as it was signed",
    "revision": "Nothing added, no change allowed",
    "time": "Key in use when it signed",
    "stamp": "Time stamp",
    "attachments": "Facts and proof enclosed, nothing else",
    "facts": "Facts in their one exact form",
    "registry": "Of this registry",
    "paper": "Number and quantity agree",
    "log": "Entry in the registry's log",
    "inclusion": "Facts are those in the log",
    "state": "What was said of it later",
}
FOR_ITS_MOMENT = "Not asked: it tells how things stood then."
NOT_ASKED = "state"  # the only check that nothing in the document can answer


@dataclass
class Verdict:
    """What was found.

    kind: "certificate" (of a retirement), "bulk", "issuance", "account" (documents that prove themselves as well),
    "document" (signed, without facts to prove), or "" where not known.
    """

    sha256: str
    checks: dict[str, Check] = field(default_factory=dict)
    kind: str = ""
    signer: DocumentKey | None = None
    signed_at: datetime | None = None
    facts: dict[str, Any] | None = None
    event: proof_checking.LoggedEvent | None = None

    @property
    def outcome(self) -> Outcome:
        if self.failures:
            return Outcome.NOT_GENUINE
        unknown = {name for name, check in self.checks.items() if check.result is Result.UNKNOWN}
        beside = {NOT_ASKED, "log"} if self.kind == "document" else {NOT_ASKED}
        return Outcome.UNKNOWN if unknown - beside else Outcome.GENUINE

    @property
    def is_proven(self) -> bool:
        """Whether it is of a kind that carries the proof of its entry in the log, and not the signature alone."""
        return self.facts is not None and self.facts.get("schema") in PROVEN

    @property
    def failures(self) -> list[Check]:
        return [check for check in self.checks.values() if check.result is Result.FAILED]

    @property
    def number(self) -> str:
        """Of the certificate, once its facts were read."""
        return str(self.facts.get("number", "")) if self.facts else ""

    def say(self, name: str, result: Result, text: str) -> None:
        self.checks[name] = Check(name, result, in_one_line(text))


class Ended(Exception):
    """A check has failed without which the next ones mean nothing."""


@contextmanager
def told(verdict: Verdict, name: str, *, ends: bool = False) -> Iterator[Callable[[str], None]]:
    """Run one check and write down how it ended. ends: whether the rest means nothing once it has failed."""
    found: list[str] = []
    try:
        yield found.append
    except Unsound as fault:
        verdict.say(name, Result.FAILED, str(fault))
        if ends:
            raise Ended from None
        return
    if found:
        verdict.say(name, Result.OK, found[-1])


def check(content: bytes, keys: PublishedKeys) -> Verdict:
    """Look at a document. Never raises over what stands in it."""
    verdict = Verdict(sha256(content).hexdigest())
    with suppress(Ended):
        paper = opened(verdict, content, keys)
        if paper.attachments:
            check_certificate(verdict, paper, keys)
        else:
            of_signature_alone(verdict, paper)
    for name in CHECKS:
        if name not in verdict.checks and verdict.failures and name != "stamp":
            verdict.say(name, Result.UNKNOWN, "Not looked at: nothing is to be believed after what failed.")
    verdict.checks = {name: verdict.checks[name] for name in CHECKS if name in verdict.checks}
    return verdict


def opened(verdict: Verdict, content: bytes, keys: PublishedKeys) -> Paper:
    """The document, once its bytes were found to be what the registry signed. Raises Ended."""
    with told(verdict, "file", ends=True) as say:
        signature_checking.must_be_whole(content)
        gap = signature_checking.gap_in(content)
        message = signature_checking.message_in(content, gap)
        say(f"{len(content):,} bytes, all of them under the signature but the signature itself.")
    with told(verdict, "signer", ends=True) as say:
        key = verdict.signer = signature_checking.signer_of(message, keys.documents)
        say(f"{keys.name}, certificate {key.fingerprint}.")
    with told(verdict, "signature", ends=True) as say:
        signature_checking.must_be_signed(content, gap, message, key)
        say("The signature (ECDSA on P-256 over SHA-256) is right for exactly these bytes.")
    with told(verdict, "revision", ends=True) as say:
        must_have_one_signature_alone(content)
        paper = paper_in(content, gap)
        if not paper.is_closed:
            raise Unsound("The signature does not forbid changes.")
        if paper.is_low:
            signature_checking.must_be_low(message)
        say("One drawing and one signature on it, which allows no change.")
    verdict.signed_at = paper.signed_at
    with told(verdict, "time") as say:
        if paper.signed_at < key.valid_from or paper.signed_at - key.valid_to > OVERLAP:
            raise Unsound(f"Signed on {paper.signed_at:%Y-%m-%d %H:%M:%S} UTC, when the key was not in use.")
        say(f"Signed on {paper.signed_at:%Y-%m-%d %H:%M:%S} UTC, while the key was in use.")
    check_stamp(verdict, message, paper.signed_at)
    return paper


def check_stamp(verdict: Verdict, message: bytes, signed_at: datetime) -> None:
    """Whether the time stamp, where there is one, is of this signature."""
    try:
        with told(verdict, "stamp") as say:
            stamp = stamp_checking.stamp_on(message, signed_at)
            if stamp is not None:
                say(f"Stamped on {stamp.at:%Y-%m-%d %H:%M:%S} UTC by {stamp.by}, for whom the registry does not vouch.")
    except stamp_checking.Unfamiliar as way:
        verdict.say("stamp", Result.UNKNOWN, f"There is one, made in a way that is not known here ({way}), or changed.")


def of_signature_alone(verdict: Verdict, paper: Paper) -> None:
    """A verification statement, for instance: what it says stands in the log too, and it does not carry the proof."""
    verdict.kind = "document"
    text = f"Not looked at: “{paper.title}” carries neither facts nor proof. Its signature alone was checked."
    verdict.say("log", Result.UNKNOWN, text)
    verdict.say("state", Result.UNKNOWN, "Not asked.")


def check_certificate(verdict: Verdict, paper: Paper, keys: PublishedKeys) -> None:
    """The facts, what stands on paper, and the proof. Raises Ended."""
    verdict.kind = "certificate"
    carried = paper.attachments
    with told(verdict, "facts", ends=True) as say:
        facts = proof_checking.canonical(carried.get(FACTS, b""), "The facts")
        say(f"{FACTS}: {len(carried[FACTS]):,} bytes, SHA-256 {sha256(carried[FACTS]).hexdigest()}.")
    schema = facts.get("schema")
    with told(verdict, "attachments", ends=True) as say:
        wanted = {FACTS} if schema == FIRST_SCHEMA else {FACTS, INCLUSION, PROOF}
        if schema != FIRST_SCHEMA and schema not in PROVEN:
            raise Unsound(f"Facts of the kind {schema!s:.60} are not known here. A newer version may know them.")
        if carried.keys() != wanted:
            raise Unsound(f"It carries {', '.join(sorted(carried))}, where {', '.join(sorted(wanted))} belong.")
        say(f"{', '.join(sorted(carried))}, and nothing else.")
    verdict.facts = facts
    verdict.kind = RECORDS.get(str(schema), verdict.kind)
    with told(verdict, "registry") as say:
        must_be_of(facts, keys)
        say(f"{keys.name} ({keys.code}), {keys.url}.")
    with told(verdict, "paper") as say:
        must_agree(paper, facts)
        figures = f"{facts['credits']} credits, {facts['quantity']}" if "credits" in facts else paper.keywords
        say(f"{paper.title}: {figures}.")
    verdict.say("state", Result.UNKNOWN, later_at(facts) if verdict.kind == "certificate" else FOR_ITS_MOMENT)
    if schema == FIRST_SCHEMA:
        # Or whoever stole a key of documents, and none of the log, would choose this kind for their own certificates.
        older = "Not proven: it is from before certificates carried their proof, and its signature alone was checked."
        verdict.say("log", Result.UNKNOWN, older)
        verdict.say("inclusion", Result.UNKNOWN, older)
        return
    with told(verdict, "log", ends=True) as say:
        event = proof_checking.event_in(carried[PROOF], keys.log, paper.signed_at)
        proof_checking.must_speak_of(event, facts)
        verdict.event = event
        say(f"Entry {event.index} of {event.size} in the log {event.origin}, of {event.at:%Y-%m-%d %H:%M:%S} UTC.")
    with told(verdict, "inclusion") as say:
        proof_checking.must_lead(carried[FACTS], carried[INCLUSION], event)
        say("Their fingerprint leads to the one in that entry.")


def must_be_of(facts: dict[str, Any], keys: PublishedKeys) -> None:
    told = facts.get("registry")
    if not isinstance(told, dict) or told.get("code") != keys.code or told.get("url") not in list(keys.addresses):
        raise Unsound(f"The facts are of another registry than {keys.name} ({keys.code}, {keys.url}).")


def must_agree(paper: Paper, facts: dict[str, Any]) -> None:
    """Raise Unsound where the title and keywords of the document tell of something else than the facts."""
    try:
        number, told = str(facts["number"]), said_in_brief(facts)
        if not all(isinstance(each, str) for each in shown_of(facts)):
            raise TypeError("texts are texts")
        must_name_days(facts)
    except (KeyError, TypeError, ValueError):
        raise Unsound("The facts do not say what they certify.") from None
    if not paper.title.endswith(number) or number not in paper.metadata or paper.keywords != told:
        raise Unsound(f"The facts are of {told}, and the document says “{paper.title}” ({paper.keywords}).")


def shown_of(facts: dict[str, Any]) -> Sequence[object]:
    """What is shown of the facts once they are believed. Raises KeyError, TypeError."""
    if facts["schema"] in RECORDS:
        return facts["number"], facts["asked_at"], facts.get("issuance") or facts["account"]["name"]
    told = [facts[name] for name in ("number", "credits", "quantity", "purpose", "retired_at")]
    period = facts["claim_period"]
    return *told, facts["mineral"]["name"], facts["beneficiary"]["name"], period["from"], period["to"]


def must_name_days(facts: dict[str, Any]) -> None:
    """Raise KeyError, TypeError or ValueError where what is shown as a day or a moment is none."""
    if facts["schema"] in RECORDS:
        moment, periods = facts["asked_at"], [facts["period"]] if "period" in facts else []
    else:
        moment, periods = facts["retired_at"], [facts["claim_period"]]
    datetime.strptime(moment, "%Y-%m-%dT%H:%M:%SZ")  # noqa: DTZ007  no time is taken from it
    for period in periods:
        date.fromisoformat(period["from"])
        date.fromisoformat(period["to"])


def said_in_brief(facts: dict[str, Any]) -> str:
    """What the keywords of a document are, by its facts. Raises KeyError, TypeError."""
    if facts["schema"] in RECORDS:
        return figures_of(facts)
    mineral = facts["mineral"]
    return f"{facts['number']}, {mineral['code']}, {facts['quantity_base_units']} {mineral['base_unit']}"


def later_at(facts: dict[str, Any]) -> str:
    return (
        f"Not asked, this was done offline: {facts.get('verify_url')} says whether it was annotated or annulled since."
    )

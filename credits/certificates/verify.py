"""Check a certificate without the registry: `python -m credits.certificates.verify FILE.pdf --key KEYS [--json]`.

Needs the file and the registry's published keys (keys.json), no database, no network and no web server, unless --online
asks what became of it since; a key in the document itself is never believed. Exit status 0: it is genuine, 1: it is
not (or was annulled), 2: could not tell (no file, no keys, no answer).
"""

import argparse
import json
import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from credits.certificates.asking import present_state
from credits.certificates.checks.checking import CHECKS, LARGEST, NOT_ASKED, Outcome, Result, Verdict, check
from credits.certificates.checks.one_line import in_one_line
from credits.certificates.checks.published_keys import KeysUnreadable, keys_in, written
from credits.journal.canonical import encode

EXIT = {Outcome.GENUINE: 0, Outcome.NOT_GENUINE: 1, Outcome.UNKNOWN: 2}
MOST_KEYS = 4 * 1024 * 1024  # bytes of a file of keys
SAID_OF = {
    "bulk": "a statement of retirements by",
    "issuance": "the certificate of issuance of",
    "account": "a statement of the account of",
}
OPEN = "some of it is not known here, as follows."
OLDER_KEYS = (
    "Keys that are older than the document may lack the one that signed it: get the newest, and check it again."
)
PIPED = Path("-")
MARKS = {"ok": "ok     ", "failed": "FAILED ", "unknown": "not known"}


class CouldNotTell(Exception):
    """There is nothing to check, or nothing to check it with."""


def main(arguments: Sequence[str] | None = None) -> int:
    asked = parser().parse_args(arguments)
    try:
        if asked.key is None:
            raise CouldNotTell("no keys were named. Get keys.json from the registry, and name it with --key.")
        verdict = check_file(asked.file, asked.key, online=asked.online)
    except CouldNotTell as fault:
        if asked.json:
            say(json.dumps({"verdict": Outcome.UNKNOWN, "summary": f"COULD NOT TELL: {fault}", "checks": []}))
        else:
            sys.stderr.write(f"{in_one_line(f'COULD NOT TELL: {fault}')}\n")
        return EXIT[Outcome.UNKNOWN]
    said = say(json.dumps(as_plain(verdict), indent=1) if asked.json else in_words(verdict))
    return EXIT[verdict.outcome if said else Outcome.UNKNOWN]


def say(text: str) -> bool:
    """Print, even where the terminal has no letters for some of it, or somebody stops reading.

    Whether it could be written: on a full disk nobody reads what was found.
    """
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    try:
        print(text.encode(encoding, "backslashreplace").decode(encoding), flush=True)
    except BrokenPipeError:
        sys.stdout = None  # nothing is left to be flushed at the end
    except OSError:
        sys.stdout = None
        return False
    return True


def check_file(file: Path, key: Path, *, online: bool) -> Verdict:
    """online: ask the registry, where the keys say that it is, what became of it since. Raises CouldNotTell."""
    try:
        keys = keys_in(content_of(key, MOST_KEYS))
    except KeysUnreadable as fault:
        raise CouldNotTell(f"{key}: {fault}") from None
    verdict = check(content_of(file, LARGEST), keys)
    if online and verdict.outcome is Outcome.GENUINE and verdict.facts is not None:
        kind = "certificates" if verdict.kind == "certificate" else "documents"
        result, text = present_state(keys.url, kind, verdict.number, sha256(encode(verdict.facts)).hexdigest())
        verdict.say(NOT_ASKED, result, text)
        if result is Result.UNKNOWN:
            raise CouldNotTell(f"the file is genuine, but what became of it is not known. {text}")
    return verdict


def content_of(path: Path, most: int) -> bytes:
    """All of a file, or of what is piped in. Raises CouldNotTell where it cannot be read or is beyond `most` bytes."""
    try:
        with open(0, "rb", closefd=False) if path == PIPED else path.open("rb") as file:
            content = file.read(most + 1)
    except (OSError, ValueError) as fault:
        raise CouldNotTell(f"{path}: {getattr(fault, 'strerror', None) or fault}") from None
    if len(content) > most:
        raise CouldNotTell(f"{path}: it has more than {most // 1024**2} MB and was not looked at.")
    return content


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m credits.certificates.verify", description=(__doc__ or "").split(":")[0]
    )
    made.add_argument("file", type=Path, help="the certificate (PDF), or - for what is piped in")
    made.add_argument("--key", type=Path, metavar="KEYS", help="the registry's published keys (keys.json)")
    made.add_argument("--online", action="store_true", help="also ask the registry what became of it since")
    made.add_argument("--json", action="store_true", help="print one JSON object instead of sentences")
    return made


def summary(verdict: Verdict) -> str:
    """One plain sentence for whoever is no expert."""
    if [failed.name for failed in verdict.failures] == [NOT_ASKED]:
        return f"ANNULLED: {verdict.checks[NOT_ASKED].text} The file itself is genuine."
    if verdict.outcome is Outcome.NOT_GENUINE:
        return f"NOT GENUINE: {' '.join(failed.text for failed in verdict.failures)}"
    if verdict.outcome is Outcome.UNKNOWN:
        unproven = verdict.facts is not None and not verdict.is_proven
        why = f"the registry's key has signed it. {verdict.checks['log'].text}" if unproven else OPEN
        return f"COULD NOT TELL: {why}"
    genuine = "GENUINE" if verdict.is_proven else "GENUINE as far as its signature says"
    if verdict.facts is None:
        return f"{genuine}: the registry has signed this document, and nobody changed it."
    facts = verdict.facts
    if verdict.kind in SAID_OF:
        return f"{genuine}: {facts['number']} is {SAID_OF[verdict.kind]} {named_in(facts)}."
    return (
        f"{genuine}: {facts['number']} certifies {facts['credits']} credits ({facts['quantity']} "
        f"{facts['mineral']['name']}) retired in the name of {facts['beneficiary']['name']}."
    )


def named_in(facts: dict[str, Any]) -> str:
    """What a document besides the certificates tells of: the issuance, or whose account it is."""
    about = facts.get("issuance") or facts["account"]["name"]
    return f"{about}, as of {facts['asked_at']}"


def in_words(verdict: Verdict) -> str:
    lines = [in_one_line(summary(verdict)), ""]
    lines += [f"  {MARKS[each.result]:<9} {CHECKS[each.name]}: {each.text}" for each in verdict.checks.values()]
    if "signer" in [failed.name for failed in verdict.failures]:
        lines += ["", OLDER_KEYS]
    return "\n".join(lines)


def as_plain(verdict: Verdict) -> dict[str, Any]:
    """The verdict for programs."""
    return {
        "verdict": verdict.outcome,
        "summary": summary(verdict),
        "kind": verdict.kind,
        "number": verdict.number,
        "sha256": verdict.sha256,
        "failed": [check.name for check in verdict.failures],
        "checks": [{"name": each.name, "result": each.result, "text": each.text} for each in verdict.checks.values()],
        "signer": verdict.signer.fingerprint if verdict.signer else None,
        "signed_at": written(verdict.signed_at) if verdict.signed_at else None,
        "state": verdict.checks[NOT_ASKED].text if NOT_ASKED in verdict.checks else None,
        "facts": verdict.facts,
    }


if __name__ == "__main__":
    sys.exit(main())

"""Check a proof that an event stands in a registry's log: `python -m credits.journal.verify PROOF --key VKEY`.

Needs the file and the log's public key, no database and no network. Exit status 0: it holds, 1: it does not,
2: could not tell (no such file, no such key).
"""

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from credits.journal.merkle import BadProof
from credits.journal.notes import BadKey, verifying_key
from credits.journal.proofs import Proven, check, proof_in

GOOD, BAD, UNKNOWN = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    asked = parser().parse_args(arguments)
    try:
        keys = [verifying_key(text) for text in asked.key]
        witnesses = [verifying_key(text) for text in asked.witness]
        content = asked.proof.read_bytes()
        given = asked.event.read_bytes() if asked.event else None
    except BadKey as fault:
        return could_not(f"a key is not usable. {fault}")
    except OSError as fault:
        return could_not(f"{fault.filename}: {fault.strerror}")
    try:
        proof = proof_in(content)
        body = proof.body if given is None else given
        if body is None:
            return could_not("the proof goes without the event itself. Name its file with --event.")
        proven = check(proof, body=body, keys=keys, witnesses=witnesses)
    except BadProof as fault:
        sys.stderr.write(f"BAD: {fault}\n")
        return BAD
    sys.stdout.write(in_words(proven))
    return GOOD


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m credits.journal.verify", description=(__doc__ or "").split(":")[0])
    made.add_argument("proof", type=Path, help="the proof file (.tlog-proof)")
    made.add_argument("--key", required=True, action="append", help="public key of the log (name+id+base64)")
    made.add_argument("--witness", action="append", default=[], help="public key of a witness who must have cosigned")
    made.add_argument("--event", type=Path, help="the event's exact bytes, where the proof goes without or to compare")
    return made


def could_not(why: str) -> int:
    sys.stderr.write(f"COULD NOT TELL: {why}\n")
    return UNKNOWN


def in_words(proven: Proven) -> str:
    head = proven.head
    lines = [f"GOOD: entry {proven.index} of {head.size} in the log {head.origin}."]
    for name, when in proven.witnesses:
        lines.append(f"{name} saw it on {datetime.fromtimestamp(when, UTC):%Y-%m-%d %H:%M:%S} UTC.")
    try:
        event = json.loads(proven.body)
        lines.append(f"{event['kind']} of {event['subject']} on {event['at']} by {event['actor']}")
        lines.append(json.dumps(event["facts"], ensure_ascii=False, indent=1))
    except (ValueError, KeyError, TypeError):
        lines.append(f"The entry has {len(proven.body)} bytes.")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())

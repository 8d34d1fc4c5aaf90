"""Asking the registry what became of a certificate since: the one thing that no document can say of itself."""

import json
from http.client import HTTPException
from urllib.parse import quote
from urllib.request import urlopen

from credits.certificates.checks.checking import Result

SECONDS = 10
MOST = 256 * 1024  # bytes of an answer


def present_state(url: str, number: str, frozen_sha256: str) -> tuple[Result, str]:
    """How a certificate stands now, in words. FAILED: it was annulled. UNKNOWN: nobody could say.

    url: where the published keys say that the registry is, never what a document says. frozen_sha256: of its facts.
    """
    there = f"{url}/certificates/{quote(number, safe='')}/status.json"
    if not there.startswith(("https://", "http://")):
        return Result.UNKNOWN, f"{url} is no address that can be asked."
    try:
        with urlopen(there, timeout=SECONDS) as answer:  # noqa: S310  one of the two schemes, above
            told = json.loads(answer.read(MOST))
        if told["number"] != number or told["facts_sha256"] != frozen_sha256:
            return Result.UNKNOWN, f"{there} speaks of another certificate."
        said = " ".join(f"“{each['text']}” ({each['kind']}, {each['at']})" for each in told["annotations"])
        status = str(told["status"])
    except (OSError, HTTPException, ValueError, KeyError, TypeError, RecursionError) as fault:
        return Result.UNKNOWN, f"{there} did not say: {fault!s:.200}"
    if status == "annulled":
        return Result.FAILED, f"It was annulled since. {said}"
    return Result.OK, f"{there}: {status}. {said}".strip()

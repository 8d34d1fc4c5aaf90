"""Asking the registry what became of a document since: the one thing that none can say of itself."""

import json
from http.client import HTTPException
from queue import Empty, Queue
from threading import Thread
from urllib.parse import quote
from urllib.request import urlopen

from credits.certificates.checks.checking import Result

SECONDS = 10
MOST = 256 * 1024  # bytes of an answer


def present_state(url: str, kind: str, number: str, frozen_sha256: str) -> tuple[Result, str]:
    """How a document stands now, in words. FAILED: it was annulled. UNKNOWN: nobody could say.

    url: where the published keys say that the registry is, never what a document says. kind: "certificates", or
    "documents" for the others. frozen_sha256: of its facts, without which nobody is told of other documents.
    """
    there = f"{url}/{kind}/{quote(number, safe='')}/status.json"
    if not there.startswith(("https://", "http://")):
        return Result.UNKNOWN, f"{url} is no address that can be asked."
    try:
        asked = there if kind == "certificates" else f"{there}?facts_sha256={frozen_sha256}"
        told = json.loads(said_at(asked))
        if told["number"] != number or told["facts_sha256"] != frozen_sha256:
            return Result.UNKNOWN, f"{there} speaks of another certificate."
        if kind == "certificates":
            said = " ".join(f"“{each['text']}” ({each['kind']}, {each['at']})" for each in told["annotations"])
        else:
            annulled = ", ".join(str(each) for each in told["annulled"])
            said = f"Annulled since of what it lists: {annulled}." if annulled else ""
        status = str(told["status"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as fault:
        return Result.UNKNOWN, f"{there} did not say: {fault!s:.200}"
    if status == "annulled":
        return Result.FAILED, f"It was annulled since. {said}"
    return Result.OK, f"{there}: {status}. {said}".strip()


def said_at(address: str) -> bytes:
    """What stands at an address of the web. Raises OSError, also where it takes too long in all."""
    said: Queue[bytes | str] = Queue()

    def ask() -> None:
        try:
            with urlopen(address, timeout=SECONDS) as answer:  # noqa: S310  one of the two schemes, says who asks
                said.put(answer.read(MOST))
        except (OSError, HTTPException, ValueError) as fault:
            said.put(str(fault))

    # The library waits so long for every single byte: whoever sends one by one would be waited for for weeks.
    Thread(target=ask, daemon=True).start()
    try:
        came = said.get(timeout=2 * SECONDS)
    except Empty:
        raise TimeoutError("its answer took too long.") from None
    if isinstance(came, str):
        raise OSError(came)
    return came

"""The registry's own numbers: read once from `policy.toml`, handed to the operations that need them."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from credits.registry.minerals import MILLION, mineral_of
from credits.registry.models import Cause
from credits.registry.production import EvidenceKind


@dataclass(frozen=True)
class Policy:
    """Every number that the registry chose itself, with the version of the choice."""

    version: str
    months_to_issue: int
    required_evidence: tuple[EvidenceKind, ...]
    largest_file_bytes: int
    milliseconds_to_look: int
    bits_alike: int
    hours_to_upload: int
    months_to_age: int
    days_to_answer: int
    guarded: tuple[Cause, ...]
    hours_to_wait: int
    days_to_trust: int
    large_credits: tuple[tuple[str, int], ...]  # by mineral
    months_before_claim: int
    longest_claim_days: int
    months_valid: int
    warning_days: tuple[int, ...]
    buffer_share_ppm: int


def read(path: Path, environment: str = "production") -> Policy:
    """The policy written in `path`, with what it says of `environment` alone.

    Raises KeyError, TypeError or ValueError for a file that is not whole.
    """
    text = tomllib.loads(path.read_text(encoding="utf-8"))
    for section, different in text.get(environment, {}).items():
        text[section] |= different
    policy = Policy(
        version=text["version"],
        months_to_issue=text["batch"]["months_to_issue"],
        required_evidence=tuple(EvidenceKind(kind) for kind in text["batch"]["required_evidence"]),
        largest_file_bytes=text["evidence"]["largest_file_bytes"],
        milliseconds_to_look=text["evidence"]["milliseconds_to_look"],
        bits_alike=text["evidence"]["bits_alike"],
        hours_to_upload=text["evidence"]["hours_to_upload"],
        months_to_age=text["observation"]["months_to_age"],
        days_to_answer=text["transfer"]["days_to_answer"],
        guarded=tuple(Cause(cause) for cause in text["transfer"]["guarded"]),
        hours_to_wait=text["transfer"]["hours_to_wait"],
        days_to_trust=text["transfer"]["days_to_trust"],
        large_credits=tuple((mineral_of(code).code, most) for code, most in text["transfer"]["large_credits"].items()),
        months_before_claim=text["retirement"]["months_before_claim"],
        longest_claim_days=text["retirement"]["longest_claim_days"],
        months_valid=text["expiry"]["months_valid"],
        warning_days=tuple(text["expiry"]["warning_days"]),
        buffer_share_ppm=text["buffer"]["share_ppm"],
    )
    share = policy.buffer_share_ppm
    if type(share) is not int or not 0 <= share < MILLION:
        raise ValueError(f"{path}: the buffer's share is a whole number of parts per million.")
    numbers = [
        value
        for name, value in vars(policy).items()
        if name != "buffer_share_ppm" and not isinstance(value, str | tuple)
    ]
    numbers += [*policy.warning_days, *dict(policy.large_credits).values()]
    if not all(type(number) is int and number > 0 for number in numbers):
        raise ValueError(f"{path} holds a number that is not whole and positive.")
    return policy

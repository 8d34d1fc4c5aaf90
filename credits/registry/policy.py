"""The registry's own numbers: read once from `policy.toml`, handed to the operations that need them."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from credits.registry.production import EvidenceKind


@dataclass(frozen=True)
class Policy:
    """Every number that the registry chose itself, with the version of the choice."""

    version: str
    months_to_issue: int
    required_evidence: tuple[EvidenceKind, ...]
    largest_file_bytes: int
    days_to_answer: int
    months_before_claim: int
    longest_claim_days: int


def read(path: Path) -> Policy:
    """The policy written in `path`. Raises KeyError, TypeError or ValueError for a file that is not whole."""
    text = tomllib.loads(path.read_text(encoding="utf-8"))
    policy = Policy(
        version=text["version"],
        months_to_issue=text["batch"]["months_to_issue"],
        required_evidence=tuple(EvidenceKind(kind) for kind in text["batch"]["required_evidence"]),
        largest_file_bytes=text["evidence"]["largest_file_bytes"],
        days_to_answer=text["transfer"]["days_to_answer"],
        months_before_claim=text["retirement"]["months_before_claim"],
        longest_claim_days=text["retirement"]["longest_claim_days"],
    )
    numbers = [value for value in vars(policy).values() if not isinstance(value, str | tuple)]
    if not all(type(number) is int and number > 0 for number in numbers):
        raise ValueError(f"{path} holds a number that is not whole and positive.")
    return policy

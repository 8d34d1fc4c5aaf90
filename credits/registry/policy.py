"""The registry's own numbers: read once from `policy.toml`, handed to the operations that need them."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from credits.registry.assurance.standard_files import OWN_FOLDER, load
from credits.registry.assurance.standards import Standards
from credits.registry.market import Market, market_of
from credits.registry.minerals import MILLION, mineral_of
from credits.registry.models import Cause
from credits.registry.operator import Operator, operator_of
from credits.registry.production import EvidenceKind

BEYOND = ("refuse", "surplus")  # what becomes of a retirement beyond the declared use


@dataclass(frozen=True)
class Policy:
    """Every number that the registry chose itself, with the version of the choice."""

    version: str
    months_to_issue: int
    days_to_review: int
    days_for_producer: int
    days_to_issue: int
    headroom_percent: int
    required_evidence: tuple[EvidenceKind, ...]
    largest_file_bytes: int
    milliseconds_to_look: int
    bits_alike: int
    hours_to_upload: int
    evidence_bytes_a_day: int
    months_to_age: int
    days_to_answer: int
    guarded: tuple[Cause, ...]
    hours_to_wait: int
    days_to_trust: int
    days_before_second: int
    hours_to_sum: int
    large_credits: tuple[tuple[str, int], ...]  # by mineral
    days_to_take: int
    least_eligible: int
    most_cycles: int
    days_to_look_into: int
    months_before_claim: int
    longest_claim_days: int
    beyond_declared_use: str  # "refuse" or "surplus"
    months_valid: int
    warning_days: tuple[int, ...]
    buffer_share_ppm: int
    probation_months: int
    suspension_months: int
    months_to_mitigate: int
    months_to_next_assessment: int
    market: Market
    operator: Operator
    standards: Standards


def read(path: Path, environment: str = "production") -> Policy:
    """The policy written in `path`, with what it says of `environment` alone.

    Raises KeyError, TypeError or ValueError for a file that is not whole.
    """
    text = tomllib.loads(path.read_text(encoding="utf-8"))
    for section, different in text.get(environment, {}).items():
        text[section] = text.get(section, {}) | different
    policy = Policy(
        version=text["version"],
        months_to_issue=text["batch"]["months_to_issue"],
        days_to_review=text["review"]["days_to_review"],
        days_for_producer=text["review"]["days_for_producer"],
        days_to_issue=text["review"]["days_to_issue"],
        headroom_percent=text["review"]["headroom_percent"],
        required_evidence=tuple(EvidenceKind(kind) for kind in text["batch"]["required_evidence"]),
        largest_file_bytes=text["evidence"]["largest_file_bytes"],
        milliseconds_to_look=text["evidence"]["milliseconds_to_look"],
        bits_alike=text["evidence"]["bits_alike"],
        hours_to_upload=text["evidence"]["hours_to_upload"],
        evidence_bytes_a_day=text["evidence"]["bytes_a_day"],
        months_to_age=text["observation"]["months_to_age"],
        days_to_answer=text["transfer"]["days_to_answer"],
        guarded=tuple(Cause(cause) for cause in text["transfer"]["guarded"]),
        hours_to_wait=text["transfer"]["hours_to_wait"],
        days_to_trust=text["transfer"]["days_to_trust"],
        days_before_second=text["transfer"]["days_before_second"],
        hours_to_sum=text["transfer"]["hours_to_sum"],
        large_credits=tuple((mineral_of(code).code, most) for code, most in text["transfer"]["large_credits"].items()),
        days_to_take=text["verifier"]["days_to_take"],
        least_eligible=text["verifier"]["least_eligible"],
        most_cycles=text["verifier"]["most_cycles"],
        days_to_look_into=text["grievance"]["days_to_look_into"],
        months_before_claim=text["retirement"]["months_before_claim"],
        longest_claim_days=text["retirement"]["longest_claim_days"],
        beyond_declared_use=text["retirement"]["beyond_declared_use"],
        months_valid=text["expiry"]["months_valid"],
        warning_days=tuple(text["expiry"]["warning_days"]),
        buffer_share_ppm=text["buffer"]["share_ppm"],
        probation_months=text["assurance"]["probation_months"],
        suspension_months=text["assurance"]["suspension_months"],
        months_to_mitigate=text["assurance"]["months_to_mitigate"],
        months_to_next_assessment=text["assurance"]["months_to_next_assessment"],
        market=market_of(text["market"]),
        operator=operator_of(text.get("operator", {})),
        standards=standards_named(text["assurance"], path),
    )
    must_be_sound(policy, path)
    return policy


def must_be_sound(policy: Policy, path: Path) -> None:
    """Raise ValueError for a number that cannot be, naming the file it comes from."""
    share = policy.buffer_share_ppm
    if type(share) is not int or not 0 <= share < MILLION:
        raise ValueError(f"{path}: the buffer's share is a whole number of parts per million.")
    if type(policy.days_before_second) is not int or policy.days_before_second < 0:
        raise ValueError(f"{path}: the days that a second person has been here are a whole number.")
    if policy.beyond_declared_use not in BEYOND:
        raise ValueError(f"{path}: beyond the declared use is one of {', '.join(BEYOND)}.")
    numbers = [
        value
        for name, value in vars(policy).items()
        if name not in ("buffer_share_ppm", "days_before_second")
        and not isinstance(value, str | tuple | Market | Operator | Standards)
    ]
    numbers += [*policy.warning_days, *dict(policy.large_credits).values()]
    if not all(type(number) is int and number > 0 for number in numbers):
        raise ValueError(f"{path} holds a number that is not whole and positive.")


def standards_named(assurance: dict[str, str], path: Path) -> Standards:
    """The standards of the folder that the policy in `path` names, seen from there, or those that come with us."""
    folder = assurance["standards_folder"]
    return load(path.parent / folder if folder else OWN_FOLDER, assurance["standard"])

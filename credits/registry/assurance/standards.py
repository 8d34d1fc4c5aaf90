"""Standards as data: what is answered at a site, by version, and which level the answers reach. Pure.

One TOML file each says them; `standard_files` reads it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any


class Wording(StrEnum):
    """Whose words a requirement is written in."""

    OWN = "own summary"
    OFFICIAL = "official"


class Word(StrEnum):
    """An answer to a requirement."""

    CONFORM = "conform"
    NOT_YET = "not_yet"
    NONE = "none"
    SUSPECTED = "suspected"
    FOUND = "found"
    CONTROLLED = "controlled"
    PROGRESSING = "progressing"
    NOT_CONTROLLED = "not_controlled"


class Answers(StrEnum):
    """Which answers a module's requirements can be given."""

    CONFORMITY = "conformity"
    ZERO_TOLERANCE = "zero_tolerance"
    CONTROL = "control"

    @property
    def words(self) -> tuple[Word, ...]:
        """Best first; the first one alone leaves no finding."""
        return WORDS[self]


WORDS = {
    Answers.CONFORMITY: (Word.CONFORM, Word.NOT_YET),
    Answers.ZERO_TOLERANCE: (Word.NONE, Word.SUSPECTED, Word.FOUND),
    Answers.CONTROL: (Word.CONTROLLED, Word.PROGRESSING, Word.NOT_CONTROLLED),
}
MET = frozenset(words[0] for words in WORDS.values())


@dataclass(frozen=True)
class Requirement:
    """One thing to be answered. wording: whether `summary` is the official text or our own."""

    code: str
    title: str
    summary: str
    wording: Wording
    source: str


@dataclass(frozen=True)
class Module:
    number: int
    title: str
    answers: Answers
    source: str
    requirements: tuple[Requirement, ...]


@dataclass(frozen=True)
class Level:
    """A step: reached when all steps before it are, and the requirements of `modules` have one of `answers`."""

    number: int
    title: str
    rule: str
    modules: tuple[int, ...]
    answers: tuple[Word, ...]


@dataclass(frozen=True)
class Standard:
    """One version of a standard, as one file says it. content: all of the file, as plain values."""

    code: str
    name: str
    version: str
    published_by: str
    note: str
    modules: tuple[Module, ...]
    levels: tuple[Level, ...]
    sha256: str
    content: Mapping[str, Any]

    @cached_property
    def requirements(self) -> dict[str, tuple[Module, Requirement]]:
        """Every requirement with its module, by code, in the order of the file."""
        return {each.code: (module, each) for module in self.modules for each in module.requirements}

    @property
    def is_official(self) -> bool:
        """Whether every requirement is in the standard's own words."""
        return all(each.wording is Wording.OFFICIAL for _, each in self.requirements.values())

    def module(self, number: int) -> Module:
        return next(module for module in self.modules if module.number == number)

    def reached(self, answers: Mapping[str, Word]) -> Level | None:
        """The highest level that these answers, by requirement, reach; None where not even the first one is."""
        found = None
        for level in self.levels:
            asked = [each.code for module in self.modules if module.number in level.modules
                     for each in module.requirements]  # fmt: skip
            if not all(answers.get(code) in level.answers for code in asked):
                break
            found = level
        return found


@dataclass(frozen=True)
class Standards:
    """The standards in force, the first of which is the one that new assessments are made against."""

    in_force: tuple[Standard, ...]

    @property
    def default(self) -> Standard:
        return self.in_force[0]

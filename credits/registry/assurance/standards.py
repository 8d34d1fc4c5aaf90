"""Standards as data: what is answered at a site, by version, and which level the answers reach. Pure but for reading.

A standard is one TOML file in the folder that the policy names; an operator replaces or adds a file, and no code.
"""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any

from credits.typefaces import undrawable

OWN_FOLDER = Path(__file__).parents[1] / "data" / "standards"
LONGEST_TITLE, LONGEST_TEXT = 120, 600
MOST_REQUIREMENTS = 200


class StandardUnsound(ValueError):
    """A file is not a standard: the sentence names the file and what is wrong in it."""


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


def load(folder: Path, default: str) -> Standards:
    """All standards of a folder. default: code and version of the first, such as "CRAFT 2.0".

    Raises StandardUnsound, naming the file.
    """
    files = sorted(folder.glob("*.toml"))
    if not files:
        raise StandardUnsound(f"{folder} holds no standard: there is no file ending in .toml.")
    found: dict[str, Standard] = {}
    for path in files:
        standard = read(path)
        name = f"{standard.code} {standard.version}"
        if name in found:
            raise StandardUnsound(f"{path.name}: {name} stands in another file already.")
        found[name] = standard
    if default not in found:
        raise StandardUnsound(f"{folder} does not hold {default!r}, which the policy names; it holds {sorted(found)}.")
    first = found.pop(default)
    return Standards((first, *found.values()))


def read(path: Path) -> Standard:
    """The standard written in one file. Raises StandardUnsound."""
    raw = path.read_bytes()
    try:
        content = tomllib.loads(raw.decode())
        return of(content, hashlib.sha256(raw).hexdigest())
    except ValueError as error:  # not UTF-8, no TOML, or what `of` says
        raise StandardUnsound(f"{path.name}: {error}") from None


def of(content: Mapping[str, Any], sha256: str) -> Standard:
    """The standard that plain values describe; a kept one is read again so. Raises StandardUnsound."""
    _only(content, "the file", "code name version published_by note module level")
    modules = tuple(_module(each) for each in _rows(content, "module"))
    levels = tuple(_level(each) for each in _rows(content, "level"))
    standard = Standard(
        code=_text(content, "code", "the file", 40),
        name=_text(content, "name", "the file", LONGEST_TITLE),
        version=_text(content, "version", "the file", 40),
        published_by=_text(content, "published_by", "the file", LONGEST_TEXT),
        note=_text(content, "note", "the file", LONGEST_TEXT),
        modules=modules,
        levels=levels,
        sha256=sha256,
        content=content,
    )
    _must_hold_together(standard)
    return standard


def _module(row: Mapping[str, Any]) -> Module:
    where = f"module {row.get('number')!r}"
    _only(row, where, "number title answers source requirement")
    if row["answers"] not in list(Answers):
        raise StandardUnsound(f"{where}: answers is {row['answers']!r}; it must be one of {_listed(Answers)}.")
    return Module(
        number=_number(row, where),
        title=_text(row, "title", where, LONGEST_TITLE),
        answers=Answers(row["answers"]),
        source=_text(row, "source", where, LONGEST_TEXT),
        requirements=tuple(_requirement(each, where) for each in _rows(row, "requirement", where)),
    )


def _requirement(row: Mapping[str, Any], module: str) -> Requirement:
    where = f"{module}, requirement {row.get('code')!r}"
    _only(row, where, "code title summary wording source")
    if row["wording"] not in list(Wording):
        raise StandardUnsound(f"{where}: wording is {row['wording']!r}; it must be one of {_listed(Wording)}.")
    return Requirement(
        code=_text(row, "code", where, 20),
        title=_text(row, "title", where, LONGEST_TITLE),
        summary=_text(row, "summary", where, LONGEST_TEXT),
        wording=Wording(row["wording"]),
        source=_text(row, "source", where, LONGEST_TEXT),
    )


def _level(row: Mapping[str, Any]) -> Level:
    where = f"level {row.get('number')!r}"
    _only(row, where, "number title rule modules answers")
    for name in ("modules", "answers"):
        if not isinstance(row[name], list) or not row[name]:
            raise StandardUnsound(f"{where}: {name} must be a list that is not empty.")
    if strange := [word for word in row["answers"] if word not in list(Word)]:
        raise StandardUnsound(f"{where}: {strange[0]!r} is no answer; there are {_listed(Word)}.")
    return Level(
        number=_number(row, where),
        title=_text(row, "title", where, LONGEST_TITLE),
        rule=_text(row, "rule", where, LONGEST_TEXT),
        modules=tuple(row["modules"]),
        answers=tuple(Word(word) for word in row["answers"]),
    )


def _must_hold_together(standard: Standard) -> None:
    """What no single row can tell."""
    codes = [each.code for module in standard.modules for each in module.requirements]
    _once("requirement", codes)
    _once("module", [str(module.number) for module in standard.modules])
    if len(codes) > MOST_REQUIREMENTS:
        raise StandardUnsound(f"there are {len(codes)} requirements; at most {MOST_REQUIREMENTS} can be.")
    if [level.number for level in standard.levels] != list(range(1, len(standard.levels) + 1)):
        raise StandardUnsound("levels are numbered 1, 2, 3 … in their order.")
    by_number = {module.number: module for module in standard.modules}
    for level in standard.levels:
        for number in level.modules:
            if number not in by_number:
                raise StandardUnsound(f"level {level.number} names module {number!r}, which there is not.")
            if not set(level.answers) & set(by_number[number].answers.words):
                raise StandardUnsound(f"level {level.number} names no answer that module {number} can be given.")
    first = standard.levels[0]
    for module in standard.modules:
        if module.answers is Answers.ZERO_TOLERANCE and (
            module.number not in first.modules or {Word.SUSPECTED, Word.FOUND} & set(first.answers)
        ):
            raise StandardUnsound(f"level 1 must ask for module {module.number}: it is one of zero tolerance.")


def _once(what: str, given: list[str]) -> None:
    if twice := [each for each in given if given.count(each) > 1]:
        raise StandardUnsound(f"{what} {twice[0]} stands there twice.")


def _only(row: Mapping[str, Any], where: str, names: str) -> None:
    """Raise StandardUnsound where a field is missing or one stands there that is not known, a misspelt one say."""
    known = names.split()
    if missing := [name for name in known if name not in row]:
        raise StandardUnsound(f"{where} lacks {', '.join(missing)}.")
    if strange := sorted(set(row) - set(known)):
        raise StandardUnsound(f"{where} has {', '.join(strange)}, which nothing reads.")


def _rows(row: Mapping[str, Any], name: str, where: str = "the file") -> list[Mapping[str, Any]]:
    given = row[name]
    if not isinstance(given, list) or not given or not all(isinstance(each, dict) for each in given):
        raise StandardUnsound(f"{where} has no {name}: write [[{name}]].")
    return given


def _text(row: Mapping[str, Any], name: str, where: str, most: int) -> str:
    value = row[name]
    if not isinstance(value, str) or not value.strip() or len(value) > most:
        raise StandardUnsound(f"{where}: {name} must be a text of at most {most} characters.")
    if strange := undrawable(value):
        raise StandardUnsound(f"{where}: {name} has letters that no certificate can show: {' '.join(strange[:5])}.")
    return value.strip()


def _number(row: Mapping[str, Any], where: str) -> int:
    if type(row["number"]) is not int or row["number"] < 1:
        raise StandardUnsound(f"{where}: number must be a whole number from 1.")
    number: int = row["number"]
    return number


def _listed(words: type[StrEnum]) -> str:
    return ", ".join(word.value for word in words)

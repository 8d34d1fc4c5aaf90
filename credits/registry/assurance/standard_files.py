"""Reading standards: one TOML file each in the folder that the policy names, and nothing in it that is not understood.

An operator replaces or adds a file, and no code.
"""

import hashlib
import tomllib
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from credits.registry.assurance.standards import (
    Answers,
    Level,
    Module,
    Requirement,
    Standard,
    Standards,
    Word,
    Wording,
)
from credits.typefaces import undrawable

OWN_FOLDER = Path(__file__).parents[1] / "data" / "standards"
LONGEST_TITLE, LONGEST_TEXT = 120, 600
MOST_REQUIREMENTS = 200


class StandardUnsound(ValueError):
    """A file is not a standard: the sentence names the file and what is wrong in it."""


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

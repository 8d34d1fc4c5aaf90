"""Sentences that verifiers write again and again, in the languages in which producers read them."""

import tomllib
from functools import cache
from pathlib import Path

from credits.participants.models import Language

FILE = Path(__file__).parents[1] / "data" / "ready_remarks.toml"


def sentences(language: Language) -> dict[str, str]:
    """Every ready remark in one language, by its code, in the order of the file."""
    return {code: texts[language.value] for code, texts in _written().items()}


@cache
def _written() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = tomllib.loads(FILE.read_text(encoding="utf-8"))
    lacking = [f"{code}: {language}" for code, texts in found.items() for language in Language if language not in texts]
    if lacking:
        raise ValueError(f"{FILE} lacks {', '.join(lacking)}.")
    return found

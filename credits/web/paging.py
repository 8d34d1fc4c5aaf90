"""One page of a list. Which one, the address says; past the end it is the last one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from flask import request
from sqlalchemy import Select, func, select

from credits.extensions import db

T = TypeVar("T")

ROWS = 25


@dataclass(frozen=True)
class Page(Generic[T]):
    """The rows of one page. number: counted from 1; total: rows on all pages."""

    rows: Sequence[T]
    number: int
    pages: int
    total: int


def page_of(wanted: Select[T], argument: str = "page") -> Page[T]:
    """The page of `wanted` that the address asks for, such as ?page=2."""
    total = db.session.scalars(select(func.count()).select_from(wanted.order_by(None).subquery())).one()
    pages = max(1, -(-total // ROWS))
    number = min(asked_number(argument, 1), pages)
    rows: Sequence[Any] = db.session.scalars(wanted.limit(ROWS).offset((number - 1) * ROWS)).all()
    return Page(rows, number, pages, total)


def asked_number(argument: str, otherwise: int) -> int:
    """A whole number from 1 in the address, at most 15 digits; `otherwise` where there is none."""
    text = request.args.get(argument, "")
    sound = text.isascii() and text.isdigit() and len(text) <= 15
    return max(int(text), 1) if sound else otherwise


def asked_text(argument: str = "q") -> str:
    """What was typed into a search box: printable, at most 200 characters."""
    return "".join(sign for sign in request.args.get(argument, "") if sign.isprintable()).strip()[:200]

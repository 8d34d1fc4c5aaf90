"""Hashing a password takes as long as it is meant to: meanwhile nobody else shall wait for SQLite's one write lock."""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import has_request_context

from credits.db import WRITING, begin_writing
from credits.extensions import db

T = TypeVar("T")


class Unhurried:
    """The sign-in library's way of hashing, which lets the lock of the request go while it computes."""

    def __init__(self, context: Any) -> None:
        self._context = context

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    def hash(self, *args: Any, **options: Any) -> str:
        return str(unlocked(lambda: self._context.hash(*args, **options)))

    def verify(self, *args: Any, **options: Any) -> bool:
        return bool(unlocked(lambda: self._context.verify(*args, **options)))


def unlocked(compute: Callable[[], T]) -> T:
    """What `compute` says. A request that has begun to write, and has written nothing, begins anew afterwards."""
    session = db.session() if has_request_context() else None
    if session is None or not session.in_transaction() or session.new or session.dirty or session.deleted:
        return compute()
    writing = session.connection().get_execution_options().get(WRITING, False)
    session.rollback()
    said = compute()
    if writing:
        begin_writing(session)
    return said

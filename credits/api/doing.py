"""How a request is carried out: in whose name, once for each key, and how the answer is sent."""

from collections.abc import Callable, Sequence
from typing import Any

from flask import url_for
from sqlalchemy import Select

from credits import ledger
from credits.api.blueprint import TOTAL
from credits.extensions import db
from credits.identity import current_user
from credits.ledger.claims import was_new
from credits.participants.models import Organisation
from credits.participants.permissions import NoSuchOrganisation
from credits.registry import queries

Sent = tuple[Any, int, dict[str, str]]


class With:
    """`thing` and some more about it, for a schema to read from."""

    def __init__(self, thing: Any, **more: Any) -> None:
        self.__dict__.update(more)
        self._thing = thing

    def __getattr__(self, name: str) -> Any:
        return getattr(self._thing, name)


def acting(number: str | None) -> Organisation:
    """In whose name the person acts: their own organisation, or one of its group. Raises NoSuchOrganisation."""
    user = current_user()
    if number is None:
        return user.organisation
    for organisation in queries.holders_of(db.session, user):
        if organisation.number == number:
            return organisation
    raise NoSuchOrganisation("There is no such organisation.")


def once(key: str, act: str, number: str, step: Callable[[], None], **asked: str) -> None:
    """Take `step` unless it was taken under `key` already. For operations that claim no key of their own.

    act, number, asked: what is asked, and of which thing. Flushes. Raises what `step` does, KeyReused, KeyUnusable.
    """
    request = {"act": act, "of": number} | asked
    if ledger.claim(db.session, caller=current_user().number, key=key, request=request) is None:
        step()
        ledger.settle(db.session, {})


def created(thing: Any, endpoint: str, **values: Any) -> Sent:
    """The answer to a request that made something: 201, or 200 where that was done before under the same key."""
    where = url_for(endpoint, _external=True, **values)
    return thing, 201 if was_new(db.session) else 200, {"Location": where}


def page_of(wanted: Select[Any], asked: dict[str, Any]) -> tuple[Sequence[Any], dict[str, str]]:
    """The rows of the page that was asked for, and the total in a header. Past the end there are no rows."""
    total = queries.count(db.session, wanted)
    first = (asked["page"] - 1) * asked["page_size"]
    return db.session.scalars(wanted.limit(asked["page_size"]).offset(first)).all(), {TOTAL: str(total)}


def cut(rows: Sequence[Any], asked: dict[str, Any]) -> tuple[Sequence[Any], dict[str, str]]:
    """As `page_of`, of rows that are all at hand."""
    first = (asked["page"] - 1) * asked["page_size"]
    return rows[first : first + asked["page_size"]], {TOTAL: str(len(rows))}

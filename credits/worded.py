"""For what most requests do, without the work of an object layer: statements that are put into words once, and objects
that are made of what was just read or written.

Both are said in the language of SQLAlchemy and of the models, and come to what a session does with them.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar, cast

from sqlalchemy import Dialect
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import instance_state, set_committed_value
from sqlalchemy.orm.util import identity_key
from sqlalchemy.sql.selectable import ExecutableReturnsRows

from credits.db import Model, connection_of, is_read, straight, unwrapped

M = TypeVar("M", bound=Model)
Turning = Callable[[Any], Any]


class Words(NamedTuple):
    """A statement as one database takes it. The values that need it are turned into what its driver knows, and back."""

    text: str
    reads: bool
    brought: dict[str, Any]  # values that the statement brings with it
    order: list[str] | None  # of the values, where the driver counts them
    given: dict[str, Turning]
    answered: list[tuple[int, Turning]]


class Worded:
    """A statement that always reads the same, so none of its values is a list of any length."""

    def __init__(self, statement: ExecutableReturnsRows) -> None:
        self.statement = statement
        self.words: dict[str, Words] = {}

    def rows(self, session: Session, **values: Any) -> list[list[Any]]:
        """What it answers. Flushes."""
        connection = connection_of(session)
        dialect = connection.dialect
        words = self.words.get(dialect.name) or self.words.setdefault(dialect.name, put(self.statement, dialect))
        named = words.brought | values
        for name, turn in words.given.items():
            named[name] = turn(named[name])
        parameters = tuple(named[name] for name in words.order) if words.order else named
        with straight(connection) as cursor:
            if not words.reads:  # which some listen for, and refuse where nothing was begun
                connection.dispatch.before_cursor_execute(connection, cursor, words.text, parameters, None, False)
            cursor.execute(words.text, parameters)
            rows = [list(row) for row in cursor]
        for row in rows:
            for place, turn in words.answered:
                row[place] = turn(row[place])
        return rows


def put(statement: ExecutableReturnsRows, dialect: Dialect) -> Words:
    """The words for a statement."""
    compiled: Any = statement.compile(dialect=dialect)
    given, brought = {}, {}
    for name, each in compiled.binds.items():
        turn = each.type.dialect_impl(dialect).bind_processor(dialect)
        if not each.required:
            brought[name] = turn(each.value) if turn else each.value
        elif turn:
            given[name] = turn
    read = [each.type.dialect_impl(dialect).result_processor(dialect, None) for each in statement.exported_columns]
    answered = [(place, turn) for place, turn in enumerate(read) if turn]
    return Words(compiled.string, is_read(compiled.string), brought, compiled.positiontup, given, answered)


def parted(row: Sequence[Any], *parts: Sequence[str]) -> list[dict[str, Any]]:
    """The values of a row by name, for one object after the other."""
    values = iter(row)
    return [dict(zip(names, values, strict=False)) for names in parts]


def at_hand(session: Session, model: type[M], columns: dict[str, Any], **related: Any) -> M:
    """The object as the database has it, made of what is known of it: `columns` with its key, and what is `related`.

    The session's own, as that is, where it has it already. What is not known is asked for when it is needed.
    """
    mapper = model.__mapper__
    key = identity_key(model, tuple(columns[each.name] for each in mapper.primary_key))
    known: M | None = session.identity_map.get(key)
    if known is not None:
        return known
    # The steps by which a session loads a row; to make a new object and add it takes five times as long.
    made: M = mapper.class_manager.new_instance()
    state = instance_state(made)
    state.dict.update(columns)
    for name, what in related.items():
        set_committed_value(made, name, what)
    state.expired_attributes.update(mapper.column_attrs.keys() - columns.keys())
    state.key, state.session_id = key, cast(Session, unwrapped(session)).hash_key
    session.identity_map.add(state)
    return made

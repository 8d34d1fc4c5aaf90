"""A question that is asked so often that it is put together once, and asked of the driver itself."""

from typing import Any

from sqlalchemy import Connection, Select

from credits.db import straight


class Lookup:
    """A question whose answer is numbers and texts alone: they come as the driver has them, in rows.

    What SQLAlchemy does around a statement takes longer than to look one thing up.
    """

    def __init__(self, statement: Select[*tuple[Any, ...]]) -> None:
        self.statement = statement
        self._told: dict[str, tuple[str, dict[str, Any]]] = {}

    def ask(self, connection: Connection, asked: dict[str, Any]) -> list[Any]:
        """asked: the values of the statement's parameters by their names."""
        text, own = self._told.get(connection.dialect.name) or self._put_together(connection)
        with straight(connection) as cursor:
            found: list[Any] = cursor.execute(text, own | asked).fetchall()
        return found

    def _put_together(self, connection: Connection) -> tuple[str, dict[str, Any]]:
        """The text for this kind of database, and the values that stand in the statement itself."""
        name = connection.dialect.name
        kind: Any = type(connection.dialect)
        told = self.statement.compile(dialect=kind(paramstyle="named" if name == "sqlite" else "pyformat"))
        own = {parameter: value for parameter, value in told.params.items() if value is not None}
        self._told[name] = str(told), own
        return self._told[name]

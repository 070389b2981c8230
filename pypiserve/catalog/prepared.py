"""
Statements that every upload runs, compiled once and handed straight to the driver.

SQLAlchemy writes the SQL and knows the types, as for all other statements; only its execution is left out, which
costs more than SQLite needs for the statement itself. A page of files or a rare change is better off without this.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Delete, Dialect, Insert, Select, Update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.compiler import SQLCompiler

__all__ = ["Prepared"]

_Processor = Callable[[Any], Any]
_Statement = Select[Any] | Insert | Update | Delete


@dataclass(frozen=True)
class _Compiled:
    """
    A statement for one dialect.

    Attributes:
        names: Its parameters in the order of the text; ``None`` when the driver takes them by name.
        fixed: Values of those that the statement brings itself.
        into: By parameter, how a value is made ready for the driver, when it is not taken as it is.
        out: By position, how a value that comes back is read, likewise.
    """

    sql: str
    names: Sequence[str] | None
    fixed: Mapping[str, Any]
    into: Mapping[str, _Processor]
    out: Sequence[tuple[int, _Processor]]


class Prepared:
    """
    A statement with named parameters.

    Args:
        statement: With ``bindparam`` where values come in. Not with a list of varying length.
        columns: For ``insert``: the columns, which are then its parameters.
    """

    def __init__(self, statement: _Statement, *columns: str) -> None:
        self._statement = statement
        self._columns = columns
        self._compiled: dict[str, _Compiled] = {}

    def rows(self, connection: Connection, **values: Any) -> list[tuple[Any, ...]]:
        """Run it in the transaction of a connection and return its rows, none for a statement without."""
        if not connection.in_transaction():
            connection.begin()
        compiled = self._compiled.get(connection.dialect.name) or self._compile(connection.dialect)
        # By this name a debugger, and a test that counts statements, finds it.
        statement, parameters = compiled.sql, _parameters(compiled, values)
        driver: Any = connection.connection.driver_connection
        try:
            cursor = driver.execute(statement, parameters)
            found = [] if cursor.description is None else cursor.fetchall()
        except connection.dialect.loaded_dbapi.Error as error:
            raise _translated(error, statement, parameters, connection.dialect) from error
        return [_read(compiled.out, row) for row in found] if compiled.out else found

    def row(self, connection: Connection, **values: Any) -> tuple[Any, ...] | None:
        """Run it and return its only or first row, ``None`` for none."""
        found = self.rows(connection, **values)
        return found[0] if found else None

    def value(self, connection: Connection, **values: Any) -> Any:
        """Run it and return the first value of its first row, ``None`` for none."""
        found = self.rows(connection, **values)
        return found[0][0] if found else None

    def _compile(self, dialect: Dialect) -> _Compiled:
        compiler = self._statement.compile(dialect=dialect, column_keys=self._columns or None)
        assert isinstance(compiler, SQLCompiler)  # noqa: S101 - so are those of all statements
        binds = {name: bind for bind, name in compiler.bind_names.items()}
        into = {name: bind.type.dialect_impl(dialect).bind_processor(dialect) for name, bind in binds.items()}
        columns = [column.type.dialect_impl(dialect) for column in self._statement.exported_columns]
        out = [kind.result_processor(dialect, None) for kind in columns]
        made = _Compiled(
            compiler.string,
            compiler.positiontup if compiler.positional else None,
            {name: bind.effective_value for name, bind in binds.items() if not bind.required},
            {name: processor for name, processor in into.items() if processor is not None},
            [(place, processor) for place, processor in enumerate(out) if processor is not None],
        )
        self._compiled[dialect.name] = made
        return made


def _parameters(compiled: _Compiled, values: dict[str, Any]) -> Any:
    given = {**compiled.fixed, **values}
    for name, processor in compiled.into.items():
        given[name] = processor(given[name])
    return given if compiled.names is None else [given[name] for name in compiled.names]


def _read(out: Sequence[tuple[int, _Processor]], row: Sequence[Any]) -> tuple[Any, ...]:
    read = list(row)
    for place, processor in out:
        read[place] = processor(read[place])
    return tuple(read)


def _translated(error: Exception, statement: str, parameters: Any, dialect: Dialect) -> BaseException:
    """Tell of an error of the driver as SQLAlchemy does."""
    translated: BaseException = DBAPIError.instance(
        statement, parameters, error, dialect.loaded_dbapi.Error, dialect=dialect
    )
    return translated

"""Statements that are executed again and again on SQLite, without the cost that SQLAlchemy adds to each.

SQLAlchemy takes about 20 microseconds for a statement, SQLite 2: so a statement object that comes a second
time is kept as text with what converts its parameters and columns. All others take the usual way. On
PostgreSQL, where the way over the socket costs most, nothing is different.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast
from weakref import WeakKeyDictionary

import msgspec
from sqlalchemy import Connection, CursorResult, Engine, Executable
from sqlalchemy.engine.interfaces import CoreExecuteOptionsParameter, Dialect, _CoreAnyExecuteParams
from sqlalchemy.exc import MultipleResultsFound, NoResultFound, SQLAlchemyError
from sqlalchemy.sql.compiler import SQLCompiler

Convert = Callable[[Any], Any]

MOST_IDLE = 16
"""Connections that are kept open while nobody uses them; each has a cache of its own."""

_LATER = "__[POSTCOMPILE"
"""In a text whose number of parameters is not known yet."""


class Text(msgspec.Struct, frozen=True):
    """A statement for SQLite: its parameters in order, and what converts some of them and of the columns."""

    sql: str
    names: tuple[str, ...]
    fixed: Mapping[str, Any]  # parameters that the statement itself has a value for
    inward: tuple[tuple[int, Convert], ...]
    outward: tuple[tuple[int, Convert], ...]

    def arrange(self, values: Mapping[str, Any]) -> Sequence[Any]:
        """The parameters as the driver takes them. Raises KeyError when one is missing."""
        fixed = self.fixed
        row = [values[name] if name in values else fixed[name] for name in self.names]
        for place, convert in self.inward:
            row[place] = convert(row[place])
        return row

    def read(self, rows: list[tuple[Any, ...]]) -> list[Any]:
        """The rows with every column as its type has it."""
        if not self.outward:
            return rows
        return [self._convert(row) for row in rows]

    def _convert(self, row: tuple[Any, ...]) -> list[Any]:
        columns = list(row)
        for place, convert in self.outward:
            columns[place] = convert(columns[place])
        return columns


class QuickResult:
    """What a statement gave, all of it read; as much of SQLAlchemy's result as the store uses."""

    def __init__(self, rows: list[Any], rowcount: int) -> None:
        self._rows = rows
        self.rowcount = rowcount

    def __iter__(self) -> Iterator[Any]:
        return iter(self._rows)

    def all(self) -> list[Any]:
        """Every row."""
        return self._rows

    def first(self) -> Any:  # noqa: ANN401 - a row
        """The first row, None when there is none."""
        return self._rows[0] if self._rows else None

    def one(self) -> Any:  # noqa: ANN401 - a row
        """The one row. Raises NoResultFound or MultipleResultsFound."""
        if len(self._rows) == 1:
            return self._rows[0]
        if self._rows:
            raise MultipleResultsFound("Multiple rows were found when exactly one was required")
        raise NoResultFound("No row was found when one was required")

    def scalars(self) -> Iterator[Any]:
        """The first column of every row."""
        return (row[0] for row in self._rows)

    def scalar_one(self) -> Any:  # noqa: ANN401 - a column
        """The first column of the one row. Raises NoResultFound or MultipleResultsFound."""
        return self.one()[0]

    def scalar_one_or_none(self) -> Any:  # noqa: ANN401 - a column
        """The same, None when there is no row."""
        return self.one()[0] if self._rows else None


_Shapes = dict[tuple[str, ...] | None, Text | None]
_known: "WeakKeyDictionary[Executable, _Shapes]" = WeakKeyDictionary()


class QuickConnection(Connection):
    """A connection to SQLite that is in a transaction between `begin_now` and `commit` or `rollback`.

    It is opened once and used for many. Errors of the driver come out as they are.
    """

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self.file = cast("sqlite3.Connection", self.connection.driver_connection)

    def begin_now(self, how: str) -> None:
        """Begin a transaction with that statement."""
        self.file.execute(how).close()

    def commit(self) -> None:
        """What was written is there for all and for good."""
        if self.in_transaction():
            super().commit()
        else:
            self.file.commit()

    def rollback(self) -> None:
        """What was written is forgotten, also by a transaction that broke when it was committed."""
        super().rollback()
        if self.file.in_transaction:
            self.file.rollback()

    def execute(
        self,
        statement: Executable,
        parameters: _CoreAnyExecuteParams | None = None,
        *,
        execution_options: CoreExecuteOptionsParameter | None = None,
    ) -> CursorResult[Any]:
        """What the statement gives."""
        if execution_options is None and not (self._has_events or self.engine._has_events):  # noqa: SLF001 - as SQLAlchemy itself asks
            result = self._execute_known(statement, parameters)
            if result is not None:
                return cast("CursorResult[Any]", result)
        return super().execute(statement, parameters, execution_options=execution_options)

    def _execute_known(
        self, statement: Executable, parameters: _CoreAnyExecuteParams | None
    ) -> QuickResult | None:
        """What the statement gives; None when it came for the first time or is not of the simple kind."""
        many = isinstance(parameters, list | tuple)
        if many and not parameters:
            return None
        values = cast("Mapping[str, Any]", (parameters[0] if many else parameters) or {})  # type: ignore[index]  # a list here
        text = _recall(statement, values, self.dialect)
        if text is None:
            return None
        if many:
            every = cast("Sequence[Mapping[str, Any]]", parameters)
            cursor = self.file.executemany(text.sql, [text.arrange(each) for each in every])
        else:
            cursor = self.file.execute(text.sql, text.arrange(values))
        rows = cursor.fetchall() if cursor.description is not None else []
        count = cursor.rowcount
        cursor.close()
        return QuickResult(text.read(rows), count)


class Shelf:
    """Connections to one file, opened when needed and kept for the next. For several threads at once."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._idle: list[QuickConnection] = []  # the one used last has the warmest cache, and is used next
        self._closed = False
        self._watch: QuickConnection | None = None  # writes nothing, so every commit is another's to it
        self._turn = threading.Lock()

    @contextmanager
    def lend(self, begin: str) -> Iterator[QuickConnection]:
        """A connection in a transaction that begins with that statement and is rolled back at the end.

        Nothing happens to one that was committed. A connection that fails at either end is thrown away.
        """
        connection = self._take()
        try:
            connection.begin_now(begin)
            yield connection
        finally:
            self._take_back(connection)

    def version(self) -> int:
        """SQLite's count of commits, as one connection sees it (SQLite docs: PRAGMA data_version)."""
        with self._turn:
            if self._watch is None:
                self._watch = QuickConnection(self._engine)
            (number,) = self._watch.file.execute("PRAGMA data_version").fetchone()
        return int(number)

    def close(self) -> None:
        """Close them; those that are lent are closed when they come back."""
        self._closed = True
        with self._turn:
            if self._watch is not None:
                self._watch.close()
                self._watch = None
        while self._idle:
            self._idle.pop().close()

    def _take(self) -> QuickConnection:
        try:
            return self._idle.pop()
        except IndexError:
            return QuickConnection(self._engine)

    def _take_back(self, connection: QuickConnection) -> None:
        try:
            connection.rollback()
        except (sqlite3.Error, SQLAlchemyError):
            connection.invalidate()
            connection.close()
            return
        if self._closed or len(self._idle) >= MOST_IDLE:
            connection.close()
        else:
            self._idle.append(connection)


def _recall(statement: Executable, values: Mapping[str, Any], dialect: Dialect) -> Text | None:
    """The statement's text for parameters of these names, when it has been seen before and can be kept."""
    names = tuple(values)
    shapes = _known.get(statement)
    if shapes is None:
        _known[statement] = {None: None}
        return None
    if names not in shapes:
        shapes[names] = _keep(statement, names, dialect)
    return shapes[names]


def _keep(statement: Executable, names: tuple[str, ...], dialect: Dialect) -> Text | None:
    """The statement as text; None for one whose text depends on its parameters' values."""
    compiled = statement.compile(dialect=dialect, column_keys=list(names))  # type: ignore[attr-defined]  # every one of ours is a ClauseElement
    if not isinstance(compiled, SQLCompiler) or _LATER in compiled.string or compiled.positiontup is None:
        return None
    places = tuple(compiled.positiontup)
    kinds = {compiled.bind_names[bound]: bound.type for bound in compiled.bind_names}
    binders = ((place, kinds[name].dialect_impl(dialect)) for place, name in enumerate(places))
    columns = (each.type.dialect_impl(dialect) for each in compiled._result_columns)  # noqa: SLF001 - no public name
    inward = ((place, kind.bind_processor(dialect)) for place, kind in binders)
    outward = ((place, kind.result_processor(dialect, None)) for place, kind in enumerate(columns))
    return Text(
        sql=compiled.string,
        names=places,
        fixed={name: value for name, value in compiled.params.items() if name not in names},
        inward=tuple((place, convert) for place, convert in inward if convert is not None),
        outward=tuple((place, convert) for place, convert in outward if convert is not None),
    )

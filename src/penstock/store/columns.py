"""Column types that both databases share, so that the schema reads as one list of facts."""

from typing import Any

import msgspec
from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, LargeBinary, MetaData, Text, text
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

ROW_ID = BigInteger().with_variant(Integer, "sqlite")
"""An integer key of 64 bits; SQLite wants the word INTEGER to make it the row's own number."""


class Words(TypeDecorator[str]):
    """Text that came from outside, made storable: U+0000 and lone surrogates become U+FFFD.

    PostgreSQL refuses U+0000 and neither database takes a lone surrogate, which a file name that is
    not UTF-8 brings along.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - the signature is SQLAlchemy's
        """The text as it can be stored."""
        return None if value is None else clean_text(value)


class BytewiseWords(Words):
    """Words that are compared and ordered by their UTF-8 bytes on both databases.

    So the keys that start with a prefix are one range of an index.
    """

    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[str]:
        """Text; PostgreSQL, unlike SQLite, must be told to compare bytes."""
        return Text(collation="C") if dialect.name == "postgresql" else Text()


class Encoded(TypeDecorator[Any]):
    """A value kept as the JSON that msgspec writes; read back as builtins for `rows.build` to convert."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ANN401, ARG002 - any JSON; the signature is SQLAlchemy's
        """The value as JSON text."""
        return None if value is None else msgspec.json.encode(value).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:  # noqa: ANN401, ARG002 - the same
        """The JSON as dicts, lists and scalars."""
        return None if value is None else msgspec.json.decode(value)


def clean_text(value: str) -> str:
    """The text with every character that a database refuses replaced by U+FFFD."""
    try:
        value.encode()
    except UnicodeEncodeError:
        value = value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return value.replace("\x00", "\ufffd") if "\x00" in value else value


def identity() -> Column[int]:
    """The integer primary key `id`, which grows with time."""
    return Column("id", ROW_ID, primary_key=True)


def unique_id() -> Column[str]:
    """The UUID by which the world outside knows the row."""
    return Column("uuid", Text, nullable=False, unique=True)


def words(name: str, default: str | None = None) -> Column[str]:
    """Text from outside, never null."""
    return Column(name, Words, nullable=False, server_default=_quoted(default))


def fixed(name: str, default: str | None = None) -> Column[str]:
    """Text of our own making (an enum's value, a UUID), never null."""
    return Column(name, Text, nullable=False, server_default=_quoted(default))


def whole(name: str, default: int | None = None) -> Column[int]:
    """A number or a time in milliseconds, never null."""
    return Column(
        name, BigInteger, nullable=False, server_default=None if default is None else text(str(default))
    )


def maybe(name: str) -> Column[int]:
    """A number or a time in milliseconds that may be unknown."""
    return Column(name, BigInteger, nullable=True)


def encoded(name: str, default: str | None = None) -> Column[Any]:
    """A value as JSON, never null."""
    return Column(name, Encoded, nullable=False, server_default=_quoted(default))


def binary(name: str, *, nullable: bool = False) -> Column[bytes]:
    """Bytes, mostly one zstd frame."""
    return Column(name, LargeBinary, nullable=nullable)


def parent(name: str, table: str, *, key: bool = False) -> Column[int]:
    """A reference to the row this one belongs to and goes away with."""
    target = ForeignKey(f"{table}.id", ondelete="CASCADE")
    return Column(name, ROW_ID, target, primary_key=key, autoincrement=False, nullable=False)


def maybe_parent(name: str, table: str) -> Column[int]:
    """A reference to a row with which this one goes away, or to none."""
    return Column(name, ROW_ID, ForeignKey(f"{table}.id", ondelete="CASCADE"), nullable=True)


def partial_index(name: str, where: str, *parts: Any, unique: bool = False) -> Index:  # noqa: ANN401 - columns or their names
    """An index over the rows for which `where` holds; `complete_indexes` finishes it for PostgreSQL."""
    return Index(name, *parts, unique=unique, sqlite_where=text(where), info={"where": where})


def complete_indexes(metadata: MetaData) -> None:
    """Give the partial indexes their condition for PostgreSQL as well.

    Not done at once, because to name an option of that dialect is to import it (20 ms).
    """
    for table in metadata.tables.values():
        for index in table.indexes:
            if "where" in index.info:
                index.dialect_options["postgresql"]["where"] = text(index.info["where"])


def _quoted(default: str | None) -> Any:  # noqa: ANN401 - SQLAlchemy's own union of default types
    return None if default is None else text("'" + default + "'")

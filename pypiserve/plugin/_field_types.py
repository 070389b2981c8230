"""What a typed table expects at a key: for messages that name the choices, and for text that must become a value."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import msgspec
from msgspec import inspect

__all__ = ["choices_at", "keys_at", "takes_text"]

_STEP = re.compile(r"\.(?P<key>[^.\[]+)|\[[^\]]*\]")

_WRITTEN_AS_VALUES = (
    inspect.BoolType,
    inspect.IntType,
    inspect.FloatType,
    inspect.CollectionType,
    inspect.TupleType,
    inspect.DictType,
    inspect.StructType,
    inspect.DataclassType,
    inspect.TypedDictType,
    inspect.NamedTupleType,
)


def keys_at(table: type[msgspec.Struct], path: str) -> Sequence[str]:
    """Name the keys of the table at a path like ``.upstreams[0].proxy``; the empty path is the table itself."""
    for found in _walk(table, path):
        if isinstance(found, inspect.StructType):
            return [field.encode_name for field in found.fields]
    return []


def choices_at(table: type[msgspec.Struct], path: str) -> Sequence[str]:
    """Name the values that may stand at a path, when they are a closed set."""
    for found in _walk(table, path):
        if isinstance(found, inspect.LiteralType):
            return [str(value) for value in found.values]
        if isinstance(found, inspect.EnumType):
            return [str(member.value) for member in found.cls]
    return []


def takes_text(table: type[msgspec.Struct], path: str) -> bool:
    """Tell whether the value at a path is written as text; numbers, switches, arrays and tables are not."""
    return not any(isinstance(found, _WRITTEN_AS_VALUES) for found in _walk(table, path))


def _walk(table: type[msgspec.Struct], path: str) -> Iterator[inspect.Type]:
    """Yield every type that the path may lead to: one, or several where a union stands."""
    found = list(_alternatives(inspect.type_info(table)))
    for step in _STEP.finditer(path):
        found = [inner for outer in found for inner in _into(outer, step["key"])]
    yield from found


def _into(outer: inspect.Type, key: str | None) -> Iterator[inspect.Type]:
    if isinstance(outer, inspect.StructType) and key is not None:
        for field in outer.fields:
            if field.encode_name == key:
                yield from _alternatives(field.type)
    elif isinstance(outer, inspect.CollectionType):
        yield from _alternatives(outer.item_type)
    elif isinstance(outer, inspect.DictType):
        yield from _alternatives(outer.value_type)


def _alternatives(found: inspect.Type) -> Iterator[inspect.Type]:
    if isinstance(found, inspect.Metadata):
        yield from _alternatives(found.type)
    elif isinstance(found, inspect.UnionType):
        for member in found.types:
            yield from _alternatives(member)
    else:
        yield found

"""From what stands in one source to the form of the settings: addresses parsed, tables of instances told apart."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from pypiserve.core.errors import InvalidSetting
from pypiserve.core.identity import RESERVED_AUTHENTICATORS
from pypiserve.core.names import as_index_name, as_owner_name
from pypiserve.plugin.settings import UntypedText, parse_text, read_table
from pypiserve.settings.sources import Source
from pypiserve.settings.table import InstanceSettings, Listen

__all__ = ["check_networks", "shape"]

_URL_PATH = re.compile(r"(/[A-Za-z0-9._~-]+)*\Z")
_INSTANCE_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}\Z")
_ARRAYS = ("authenticators", "policies", "subscribers")


def shape(source: Source, *, store: InstanceSettings) -> dict[str, Any]:
    """
    Give the values of one source the form of ``SettingsTable``, as far as they can take it.

    What has the wrong type is left for ``read_table`` to name.

    Args:
        source: The source.
        store: The store that lower sources ask for; single options are laid over it.

    Raises:
        InvalidSetting: A value cannot mean anything.
    """
    shaped = dict(source.table)
    for key, (parse, form) in _TEXTS.items():
        if key in shaped:
            shaped[key] = _text(shaped[key], parse, form=form, source=source.name, key=key)
    for key in _ARRAYS:
        if key in shaped:
            shaped[key] = _instances(shaped[key], source=source.name, key=key)
    if "store" in shaped:
        shaped["store"] = _store(shaped["store"], store, source=source.name)
    return shaped


def _text(value: Any, parse: Callable[[str], Any], *, form: str, source: str, key: str) -> Any:
    if not isinstance(value, str):
        raise InvalidSetting(source, key, f"expected str, got {type(value).__name__}", f"write it as {form}")
    try:
        return parse(str(value))
    except ValueError as error:
        raise InvalidSetting(source, key, str(error), f"write it as {form}") from None


def _public_url(text: str) -> str | None:
    """Check the address and drop the slash at its end; the empty text means none."""
    if not text:
        return None
    url = urlsplit(text)
    if url.scheme not in {"http", "https"} or not url.hostname or not text.isascii() or not text.isprintable():
        raise ValueError("not an absolute http or https address")
    if url.username is not None or url.password is not None:
        raise ValueError("an address with credentials would show them to everyone")
    if url.query or url.fragment or "?" in text or "#" in text:
        raise ValueError("the address has a query or a fragment")
    path = url.path.rstrip("/")
    if _URL_PATH.match(path) is None or {".", ".."} & set(path.split("/")):
        raise ValueError(
            "the path has other characters than letters, digits, '.', '_', '~' and '-', or a dot segment"
        )
    if url.port == 0:  # The property itself raises ValueError for what is no port.
        raise ValueError("the port is 0")
    return f"{url.scheme}://{url.netloc}{path}"


def check_networks(texts: Iterable[str], *, source: str, key: str) -> None:
    """
    Check addresses and networks.

    Raises:
        InvalidSetting: One is neither.
    """
    for text in texts:
        try:
            ipaddress.ip_network(text)
        except ValueError as error:
            raise InvalidSetting(source, key, str(error), "write 10.0.0.7, 10.0.0.0/8 or fd00::/8") from None


def _root_index(text: str) -> str:
    if text:
        owner, slash, index = text.partition("/")
        if not slash:
            raise ValueError("the index is missing after the owner")
        as_owner_name(owner)
        as_index_name(index)
    return text


_TEXTS: Mapping[str, tuple[Callable[[str], Any], str]] = {
    "listen": (Listen.parse, "HOST:PORT, an IPv6 address in brackets"),
    "public_url": (_public_url, "https://host/prefix"),
    "root_index": (_root_index, 'OWNER/INDEX, or "" for none'),
}


class _Head(msgspec.Struct, frozen=True):
    """The keys that all tables of instances have in common."""

    kind: str
    name: str


def _instances(value: Any, *, source: str, key: str) -> Any:
    if isinstance(value, UntypedText):
        value = parse_text(value, source=source, key=key)
    if not isinstance(value, list):
        return value
    found = [_instance(table, source=source, key=f"{key}[{number}]") for number, table in enumerate(value)]
    first: dict[str, str] = {}
    for instance in found:
        if isinstance(instance, InstanceSettings):
            other = first.setdefault(instance.name, instance.key)
            if other != instance.key:
                raise InvalidSetting(source, f"{instance.key}.name", f"{other} has this name", "choose another name")
            if key == "authenticators" and instance.name in RESERVED_AUTHENTICATORS:
                problem = "subjects that begin so are made by the server itself"
                raise InvalidSetting(source, f"{instance.key}.name", problem, "choose another name")
    return found


def _instance(table: Any, *, source: str, key: str) -> Any:
    if not isinstance(table, Mapping):
        return table
    head = {part: table[part] for part in ("kind", "name") if part in table}
    if "kind" in head:
        head.setdefault("name", head["kind"])
    typed = read_table(head, _Head, source=source, key=key, folder=Path())
    for part, text in (("kind", typed.kind), ("name", typed.name)):
        if _INSTANCE_NAME.match(text) is None:  # An instance may keep a file of its own name.
            problem = "not a name of 1 to 63 lowercase letters, digits, '.', '_' and '-'"
            raise InvalidSetting(source, f"{key}.{part}", problem, "choose another name")
    options = {option: value for option, value in table.items() if option not in head}
    return InstanceSettings(kind=typed.kind, name=typed.name, options=options, source=source, key=key)


def _store(value: Any, lower: InstanceSettings, *, source: str) -> Any:
    """Read the ``[store]`` table; when it keeps the kind of the lower sources, it also keeps their options."""
    table = parse_text(value, source=source, key="store") if isinstance(value, UntypedText) else value
    if not isinstance(table, Mapping) or table.get("kind", lower.kind) != lower.kind:
        return _instance(table, source=source, key="store")
    merged = _overlay({**lower.options, "kind": lower.kind, "name": lower.name}, table)
    origin = source if lower.source == "defaults" else f"{lower.source} and {source}"
    return _instance(merged, source=origin, key="store")


def _overlay(lower: Mapping[str, Any], upper: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(lower)
    for key, value in upper.items():
        below = merged.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            merged[key] = _overlay(below, value)
        else:
            merged[key] = value
    return merged

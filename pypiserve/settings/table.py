"""The form of the settings: every key with its type, its default and what it means."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import msgspec
from msgspec import Meta

__all__ = ["InstanceSettings", "Listen", "SettingsTable"]

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?\Z")
_PORT = re.compile(r"[0-9]{1,5}\Z")
_LAST_PORT = 65535


class Listen(msgspec.Struct, frozen=True):
    """
    An address to listen on.

    Attributes:
        host: A host name or an IP address, IPv6 without its brackets.
        port: 0 to 65535; 0 lets the system choose a free one.
    """

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """
        Read ``HOST:PORT``; an IPv6 address stands in brackets.

        Raises:
            ValueError: The text is no such address.
        """
        host, colon, port = text.rpartition(":")
        if not colon:
            raise ValueError("the port is missing")
        if host.startswith("[") and host.endswith("]"):
            host = str(ipaddress.IPv6Address(host[1:-1]))
        elif _HOST.match(host) is None:
            raise ValueError("not a host name or IP address before the port")
        if _PORT.match(port) is None or int(port) > _LAST_PORT:
            raise ValueError("not a port number")
        return cls(host=host, port=int(port))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class InstanceSettings(msgspec.Struct, frozen=True, kw_only=True):
    """
    One table that asks for an instance of a kind: ``[store]``, or one of ``[[authenticators]]`` and the like.

    Attributes:
        kind: Name of the kind.
        name: The instance's own name, the kind's unless given; safe as a file name.
        options: All other keys, as the source gave them; ``read_table`` types them.
        source: Where the table stands, for messages: a file name or ``environment``.
        key: Its dotted path there: ``store``, ``authenticators[0]``.
    """

    kind: str
    name: str
    options: Mapping[str, Any] = msgspec.field(default_factory=dict)
    source: str = "defaults"
    key: str = ""


def _default_authenticators() -> tuple[InstanceSettings, ...]:
    return (InstanceSettings(kind="token", name="token", key="authenticators[0]"),)


class SettingsTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every setting of the server, with its default."""

    listen: Annotated[
        Listen, Meta(description="Address to serve on, HOST:PORT; an IPv6 address stands in brackets.")
    ] = Listen(host="127.0.0.1", port=8080)
    data: Annotated[Path, Meta(description="Folder of the database and of what the built-in plugins keep.")] = Path(
        "pypiserve-data"
    )
    workers: Annotated[
        int,
        Meta(ge=0, le=1024, description="Processes that serve; 0 for one on each core, at most 8."),
    ] = 0
    public_url: Annotated[
        str | None,
        Meta(description="The server's address as clients see it; its path becomes the prefix of all links."),
    ] = None
    trusted_proxies: Annotated[
        tuple[str, ...],
        Meta(description="Addresses and networks of reverse proxies whose X-Forwarded-For is believed."),
    ] = ()
    root_index: Annotated[
        str, Meta(description="OWNER/INDEX that also answers at the root of the host; empty for none.")
    ] = "main/pypi"
    private: Annotated[
        bool, Meta(description="Whether reading the root index takes credentials; false leaves its owner as it is.")
    ] = False
    max_file_size_bytes: Annotated[int, Meta(gt=0, description="Largest distribution file that is accepted.")] = (
        2 << 30
    )
    max_form_bytes: Annotated[
        int, Meta(gt=0, description="Largest total of an upload's form fields, without the file.")
    ] = 4 << 20
    failed_sign_ins_per_user: Annotated[
        int,
        Meta(ge=0, le=1_000_000, description="Wrong passwords for one user name from one address; 0 for no bound."),
    ] = 10
    failed_sign_ins_per_address: Annotated[
        int,
        Meta(ge=0, le=1_000_000, description="Different wrong credentials from one address; 0 for no bound."),
    ] = 100
    failed_sign_ins_seconds: Annotated[
        int, Meta(gt=0, le=86400, description="The time in which so many sign-ins may fail.")
    ] = 300
    page_cache_bytes: Annotated[
        int,
        Meta(ge=0, description="Memory for rendered pages, and an eighth of it for JSON documents; 0 keeps none."),
    ] = 256 << 20
    shutdown_seconds: Annotated[
        int, Meta(gt=0, description="How long running requests may take to finish when the server stops.")
    ] = 15
    log_level: Annotated[
        Literal["debug", "info", "warning", "error", "critical"], Meta(description="Least severe message to log.")
    ] = "info"
    store: Annotated[
        InstanceSettings, Meta(description="Where the bytes of files live; kind picks the file store.")
    ] = InstanceSettings(kind="disk", name="disk", key="store")
    authenticators: Annotated[
        tuple[InstanceSettings, ...], Meta(description="Who recognises credentials, in the order they are asked.")
    ] = msgspec.field(default_factory=_default_authenticators)
    renderers: Annotated[
        tuple[str, ...],
        Meta(min_length=1, description="How index pages may be written; the first is preferred on ties."),
    ] = ("html", "json")
    policies: Annotated[
        tuple[InstanceSettings, ...], Meta(description="What may be published and what is shown; any denial denies.")
    ] = ()
    subscribers: Annotated[tuple[InstanceSettings, ...], Meta(description="Who is told of changes.")] = ()
    plugins: Annotated[
        tuple[str, ...],
        Meta(description="Import names of plugin modules to load besides the installed plugins."),
    ] = ()

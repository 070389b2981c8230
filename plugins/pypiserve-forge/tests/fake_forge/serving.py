"""Serving a forge: what it was asked is noted, and a fault may come in between."""

from __future__ import annotations

import socket
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from fake_forge.exchange import Answer, FakeForge, Request

__all__ = ["ForgeServer"]

_CHUNK = b"x" * 65536


class ForgeServer(ThreadingHTTPServer):
    """
    One forge on a free port.

    Attributes:
        fault: What goes wrong at each request, see ``_Handler``; ``None`` for nothing.
        asked: The requests so far: ``METHOD TARGET``, and the secret that came along.
    """

    daemon_threads = True

    def __init__(self, forge: FakeForge) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.forge = forge
        self.fault: dict[str, Any] | None = None
        self.asked: list[dict[str, str]] = []
        self.lock = threading.Lock()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Leave out the traceback: clients hang up on purpose."""


class _Handler(BaseHTTPRequestHandler):
    """
    Answers, or does what the fault says.

    Faults, one key each beside ``path`` (a part of the addresses that are struck): ``seconds`` answers late;
    ``hang_up`` resets the connection; ``drip`` sends a byte each 0.2 s; ``answer`` (``[status, body, headers]``)
    answers that; ``huge_bytes`` sends so many with a length, ``endless`` sends without one until nobody reads;
    ``garbage`` is no HTTP.
    """

    protocol_version = "HTTP/1.1"
    server: ForgeServer

    def do_GET(self) -> None:
        """Answer a request."""
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, self.path, headers)
        secret = headers.get("private-token") or headers.get("authorization", "").rpartition(" ")[2]
        with self.server.lock:
            self.server.asked.append({"request": f"{self.command} {self.path}", "secret": secret})
            fault = self.server.fault
            answer = self.server.forge.answer(request)
        if fault is not None and fault.get("path", "") in self.path:
            self._fail(fault, answer)
        else:
            self._send(answer)

    do_POST = do_GET  # noqa: N815 - likewise

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
        """Be silent."""

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def _fail(self, fault: dict[str, Any], answer: Answer) -> None:
        self.close_connection = True
        if "seconds" in fault:
            time.sleep(fault["seconds"])
            self._send(answer)
        elif "hang_up" in fault:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
        elif "garbage" in fault:
            self.wfile.write(b"\x16\x03\x01 this is no HTTP\r\n\r\n")
        elif "answer" in fault:
            status, body, headers = fault["answer"]
            self._send(Answer(status, body.encode(), headers))
        else:
            self._pour(fault, answer)

    def _pour(self, fault: dict[str, Any], answer: Answer) -> None:
        left = fault.get("huge_bytes", 1 << 40)
        length = {"huge_bytes": left, "drip": len(answer.body)}.get(next(key for key in fault if key != "path"))
        self.send_response(200)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.send_header("Connection", "close")
        self.end_headers()
        while "drip" in fault and answer.body:
            self.wfile.write(b" ")
            time.sleep(0.2)
        while left > 0:
            left -= self.connection.send(_CHUNK)

"""Serve one forge of each kind until standard input ends; see the package."""

from __future__ import annotations

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from fake_forge.gitea import FakeGitea
from fake_forge.github import FakeGitHub
from fake_forge.gitlab import FakeGitLab
from fake_forge.serving import ForgeServer

__all__ = ["main"]


class _Control(BaseHTTPRequestHandler):
    """
    ``PUT /FORGE/state`` and ``/FORGE/fault`` with JSON; ``GET /FORGE/asked`` tells, and forgets.

    ``PUT /all/begin`` gives each forge a state and lets it forget everything else.
    """

    forges: dict[str, ForgeServer]

    def do_PUT(self) -> None:
        """Change what a forge knows, by keys, or what is wrong with it."""
        _, name, what = self.path.split("/")
        value = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        for forge, state in value.items() if what == "begin" else ():
            self._change(forge, "state", state)
            self._change(forge, "fault", None)
            self.forges[forge].asked = []
        if what != "begin":
            self._change(name, what, value)
        self._tell([])

    def _change(self, name: str, what: str, value: Any) -> None:
        server = self.forges[name]
        with server.lock:
            if what == "state":
                server.forge.state.update(value)
            else:
                server.fault = value

    def do_GET(self) -> None:
        """Tell the requests since the last time."""
        server = self.forges[self.path.split("/")[1]]
        with server.lock:
            asked, server.asked = server.asked, []
        self._tell(asked)

    def _tell(self, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
        """Be silent."""


def main() -> None:
    """Start everything, and wait for the end of standard input."""
    forges = {
        "gitea": ForgeServer(FakeGitea()),
        "forgejo": ForgeServer(FakeGitea()),
        "gitlab": ForgeServer(FakeGitLab()),
        "github": ForgeServer(FakeGitHub()),
    }
    forges["forgejo"].forge.state["tells_tokens"] = False
    _Control.forges = forges
    control = ThreadingHTTPServer(("127.0.0.1", 0), _Control)
    for server in (*forges.values(), control):
        threading.Thread(target=server.serve_forever, daemon=True).start()
    ports = {name: server.server_port for name, server in forges.items()} | {"control": control.server_port}
    sys.stdout.write(f"{json.dumps(ports)}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()

"""The indexes that take part in the comparison of uploads only: pypiserve with bcrypt accounts, devpi, pypiron."""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
import time
from pathlib import Path

from .client import WrongAnswer, check
from .peers import install, installed
from .servers import PYPISERVE, Form, Pypiserve, Server
from .wheels import WheelFile

__all__ = ["Devpi", "Pypiron", "PypiserveBcrypt", "install_devpi", "install_pypiron"]

_USER, _PASSWORD = "bench", "bench-password"
_PAGE_SECONDS = 20


def install_pypiron(folder: Path) -> Path:
    """Install the newest pypiron into an environment of its own, and return that environment's Python."""
    return install(folder, "pypiron")


def install_devpi(folder: Path) -> Path:
    """Install the newest devpi-server likewise."""
    return install(folder, "devpi-server")


class PypiserveBcrypt(Pypiserve):
    """The server of this repository with accounts in an htpasswd file that it made itself, by bcrypt."""

    label = "pypiserve, bcrypt account"
    credentials = (_USER, _PASSWORD)

    def version(self) -> str:
        return f"{super().version()}, accounts of `pypiserve htpasswd`"

    def command(self) -> list[str]:
        return [*super().command(), "--settings", str(self._settings)]

    @property
    def _settings(self) -> Path:
        return self.folder / "pypiserve.toml"

    async def prepare(self) -> None:
        self._settings.write_text(
            '[[authenticators]]\nkind = "token"\n\n[[authenticators]]\nkind = "htpasswd"\nfile = "users"\n', "utf-8"
        )
        self._run("htpasswd", str(self.folder / "users"), _USER, "--stdin", given=_PASSWORD)
        await self.start()
        grant = ("grant", "publisher", f"htpasswd:{_USER}", "--owner", "main")
        await asyncio.to_thread(self._run, *grant, "--settings", str(self._settings), *self._data)

    @property
    def _data(self) -> tuple[str, str]:
        return ("--data", str(self.folder / "data"))

    def _run(self, *arguments: str, given: str = "") -> None:
        command = [*PYPISERVE, *arguments]
        subprocess.run(command, cwd=self.folder, check=True, capture_output=True, input=given.encode(), timeout=60)


class Pypiron(Server):
    """pypiron with a folder, no mirror and one account."""

    label = "pypiron"
    credentials = (_USER, _PASSWORD)

    def __init__(self, folder: Path, python: Path) -> None:
        super().__init__(folder)
        self._python = python

    def version(self) -> str:
        return installed(self._python, "pypiron")

    def command(self) -> list[str]:
        account = ["--uploader-user", _USER, "--uploader-pass", _PASSWORD]
        where = ["--data-dir", str(self.folder / "data"), "--bind-addr", f"127.0.0.1:{self.port}"]
        return [str(self._python.with_name("pypiron")), "serve", *where, *account]

    async def file_path(self, wheel: WheelFile) -> str:
        """Wait for the page: it is written some time after the upload was answered."""
        deadline = time.monotonic() + _PAGE_SECONDS
        while True:
            try:
                return await super().file_path(wheel)
            except WrongAnswer:
                if time.monotonic() > deadline:
                    raise
            await asyncio.sleep(0.1)


class Devpi(Server):
    """devpi-server without its mirror of the public index, with one user and one index."""

    label = "devpi"
    credentials = (_USER, _PASSWORD)
    upload_path = f"/{_USER}/perf/"
    accepts = "application/json"

    def __init__(self, folder: Path, python: Path) -> None:
        super().__init__(folder)
        self._python = python

    def version(self) -> str:
        return installed(self._python, "devpi-server")

    def command(self) -> list[str]:
        options = ["--serverdir", str(self.folder / "data"), "--host", "127.0.0.1", "--port", str(self.port)]
        return [str(self._python.with_name("devpi-server")), *options, "--offline-mode"]

    def page_path(self, project: str, form: Form | None = None) -> str:  # noqa: ARG002 - it has one form
        return f"{self.upload_path}+simple/{project}/"

    async def prepare(self) -> None:
        init = [str(self._python.with_name("devpi-init")), "--serverdir", str(self.folder / "data"), "--no-root-pypi"]
        await asyncio.to_thread(subprocess.run, init, cwd=self.folder, check=True, capture_output=True, timeout=120)
        await self.start("/+status")
        await self._put(f"/{_USER}", {"password": _PASSWORD, "email": "bench@example.org"})
        await self._put(f"/{_USER}/perf", {"bases": [], "volatile": True}, signed_in=True)

    async def _put(self, path: str, what: object, *, signed_in: bool = False) -> None:
        body = json.dumps(what).encode()
        headers = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        async with self.connection() as connection:
            if signed_in:
                headers["X-Devpi-Auth"] = await self._login()
            head = connection.head("PUT", path, headers)
            answer = await connection.send(head, [body])
        check(answer, f"devpi: PUT {path}", status=201 if answer.status == 201 else 200)

    async def _login(self) -> str:
        body = json.dumps({"user": _USER, "password": _PASSWORD}).encode()
        headers = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        async with self.connection() as connection:
            answer = check(await connection.send(connection.head("POST", "/+login", headers), [body]), "devpi login")
        token = json.loads(answer.body)["result"]["password"]
        return base64.b64encode(f"{_USER}:{token}".encode()).decode()

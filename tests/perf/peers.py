"""The peers: pypiserver as its README starts it, nginx with plain files, and a bare Tornado handler."""

from __future__ import annotations

import base64
import getpass
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from .client import check
from .corpus import Corpus
from .servers import FORMS, Form, Server
from .wheels import WheelFile

__all__ = ["BareTornado", "Nginx", "Pypiserver", "PypiserverGunicorn", "install", "install_pypiserver", "installed"]

_USER, _PASSWORD = "bench", "bench-password"


def install_pypiserver(folder: Path) -> Path:
    """Install the newest pypiserver, and gunicorn, into an environment of their own."""
    return install(folder, "pypiserver[passlib]", "gunicorn")


def install(folder: Path, *packages: str) -> Path:
    """Install the newest of some packages into an environment that later runs use again, and return its Python."""
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True, timeout=120)
    command = [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--upgrade", *packages]
    subprocess.run(command, check=True, timeout=300)
    return python


class Pypiserver(Server):
    """pypiserver with its own default server."""

    label = "pypiserver, default"
    credentials = (_USER, _PASSWORD)

    def __init__(self, folder: Path, python: Path) -> None:
        super().__init__(folder)
        self._python = python
        self.packages = folder / "packages"
        self.packages.mkdir()
        self.passwords = folder / "htpasswd"
        # The README's "htpasswd -s": the form that is cheapest to check.
        digest = base64.b64encode(hashlib.sha1(_PASSWORD.encode(), usedforsecurity=False).digest()).decode()
        self.passwords.write_text(f"{_USER}:{{SHA}}{digest}\n", "utf-8")

    def version(self) -> str:
        return installed(self._python, "pypiserver") + " (`pypi-server run`)"

    def command(self) -> list[str]:
        options = ["-i", "127.0.0.1", "-p", str(self.port), "-P", str(self.passwords)]
        return [str(self._python.with_name("pypi-server")), "run", *options, str(self.packages)]

    async def fill(self, corpus: Corpus) -> None:
        self.take(corpus.wheels)
        await self.prepare()

    def take(self, wheels: Iterable[WheelFile]) -> None:
        """Put files into its folder, as its users may."""
        for wheel in wheels:
            shutil.copy(wheel.path, self.packages)


class PypiserverGunicorn(Pypiserver):
    """pypiserver behind gunicorn with four workers."""

    label = "pypiserver, gunicorn -w4"

    def version(self) -> str:
        return f"{installed(self._python, 'pypiserver')} on {installed(self._python, 'gunicorn')} (-w4)"

    def command(self) -> list[str]:
        app = f'pypiserver:app(root="{self.packages}", password_file="{self.passwords}")'
        return [str(self._python.with_name("gunicorn")), "-w4", "-b", f"127.0.0.1:{self.port}", app]


class Nginx(Server):
    """Debian's nginx with one worker, serving another server's page bytes and the files themselves."""

    label = "nginx, 1 worker"
    has_etag = True

    def __init__(self, folder: Path, donor: Server, binary: str) -> None:
        super().__init__(folder)
        self.forms = donor.forms
        self._donor = donor
        self._binary = binary
        self._root = folder / "root"
        (self._root / "simple").mkdir(parents=True)
        (self._root / "simple" / "index.html").write_bytes(b"")

    def version(self) -> str:
        shown = subprocess.run([self._binary, "-v"], check=True, capture_output=True, timeout=10)
        return shown.stderr.decode().split(":")[-1].strip() + " (1 worker, static files)"

    def command(self) -> list[str]:
        user = f"user {getpass.getuser()};" if os.geteuid() == 0 else ""
        text = Path(__file__).with_name("nginx.conf").read_text("utf-8")
        for name, value in {"USER": user, "ROOT": str(self._root), "PORT": str(self.port)}.items():
            text = text.replace(f"@{name}@", value)
        configuration = self.folder / "nginx.conf"
        configuration.write_text(text, "utf-8")
        return [self._binary, "-p", str(self.folder), "-c", str(configuration), "-e", str(self.folder / "error.log")]

    async def fill(self, corpus: Corpus) -> None:
        for form in self.forms:
            path = self._root / "simple" / corpus.hot / f"index.{'json' if 'json' in form.media_type else 'html'}"
            path.parent.mkdir(exist_ok=True)
            page = await page_bytes(self._donor, corpus.hot, form)
            path.with_name(path.name + ".gz" * form.gzip).write_bytes(page)
        for wheel in (*corpus.projects[corpus.hot], corpus.large):
            self.add(wheel, await self._donor.file_path(wheel))
        await self.start()

    def add(self, wheel: WheelFile, path: str) -> None:
        """Put a file where the donor has it."""
        target = self._root / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(wheel.path, target)

    async def file_path(self, wheel: WheelFile) -> str:
        return await self._donor.file_path(wheel)


class BareTornado(Server):
    """The least that Tornado can do: a RequestHandler that writes the same page bytes."""

    label = "bare Tornado handler"
    has_etag = True
    has_files = False

    def __init__(self, folder: Path, donor: Server) -> None:
        super().__init__(folder)
        self.forms = donor.forms
        self._donor = donor

    def version(self) -> str:
        return installed(Path(sys.executable), "tornado") + " (one RequestHandler)"

    def command(self) -> list[str]:
        script = str(Path(__file__).with_name("bare_tornado.py"))
        return [sys.executable, script, str(self.port), str(self.folder)]

    def page_path(self, project: str, form: Form = FORMS[0]) -> str:  # noqa: ARG002 - it has one page
        return f"/{FORMS.index(form)}"

    async def fill(self, corpus: Corpus) -> None:
        for form in self.forms:
            page = await page_bytes(self._donor, corpus.hot, form)
            name = f"{FORMS.index(form)}.{'json' if 'json' in form.media_type else 'html'}{'.gz' * form.gzip}"
            (self.folder / name).write_bytes(page)
        await self.start("/0")


async def page_bytes(server: Server, project: str, form: Form) -> bytes:
    """Fetch a page in one form, as it goes over the wire."""
    path = server.page_path(project, form)
    async with server.connection() as connection:
        answer = check(await connection.get(path, form.headers), f"{server.label}: {path} as {form.label}")
    return answer.body


def installed(python: Path, distribution: str) -> str:
    """Say name and version of a distribution in an environment."""
    code = f"import importlib.metadata as m; print({distribution!r}, m.version({distribution!r}))"
    shown = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True, timeout=30)
    return shown.stdout.strip()

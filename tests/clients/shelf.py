"""A few releases with a dependency between them, for the clients that install."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from clients.sandbox import Sandbox
from clients.server import Server
from pypiserve.testing import BuiltFile, a_wheel, an_sdist

__all__ = ["Shelf", "publish_all", "stock"]


@dataclass(frozen=True)
class Shelf:
    """
    What was published: ``demo-app`` 1.0, which needs ``demo-lib``, of which there are 1.0, 2.0 and an unfit 3.0.

    Attributes:
        server: Where.
        files: File name to file.
        before_2: A moment after ``demo-lib`` 1.0 and ``demo-app`` were published and before 2.0 was.
    """

    server: Server
    files: dict[str, BuiltFile]
    before_2: datetime

    def requirements(self, *filenames: str) -> str:
        """Write pinned requirements with hashes, as ``--require-hashes`` wants them."""
        lines = []
        for filename in filenames:
            name, version = filename.split("-")[:2]
            lines.append(f"{name}=={version} --hash=sha256:{self.files[filename].sha256}\n")
        return "".join(lines)


def stock(server: Server, uv: Path, folder: Path) -> Shelf:
    """
    Publish the shelf with uv.

    Args:
        server: Where to.
        uv: The environment of uv.
        folder: An empty folder.
    """
    early = [
        a_wheel("demo-lib", "1.0", requires_python=">=3.8"),
        an_sdist("demo-lib", "1.0", requires_python=">=3.8"),
        a_wheel("demo-app", "1.0", metadata={"Requires-Dist": ["demo-lib>=1.0"]}),
        an_sdist("demo-sdist", "1.0"),
    ]
    late = [
        a_wheel("demo-lib", "2.0"),
        an_sdist("demo-lib", "2.0"),
        a_wheel("demo-lib", "3.0", requires_python=">=99"),
    ]
    publish_all(server, uv, folder / "early", early)
    before_2 = datetime.now(UTC)
    publish_all(server, uv, folder / "late", late)
    return Shelf(server, {file.filename: file for file in (*early, *late)}, before_2)


def publish_all(server: Server, uv: Path, folder: Path, files: list[BuiltFile]) -> None:
    """Write files into a new folder and publish them with the uv of an environment."""
    folder.mkdir()
    paths = [file.write_to(folder) for file in files]
    to = server.upload()
    words = ["publish", "--publish-url", to.url, "--username", to.username, "--password", to.password]
    published = Sandbox(folder).run(uv / "bin" / "uv", *words, *paths)
    assert published.succeeded, published.report

"""
The yardstick for CPU per page: a Tornado process whose only handler writes bytes that lie ready.

    python bare_tornado.py PORT FOLDER

The folder's files are named ``NUMBER.html`` or ``NUMBER.json``, with ``.gz`` when compressed; each answers at
``/NUMBER``.
"""

from __future__ import annotations

import asyncio
import hashlib
import sys
from pathlib import Path

from tornado.web import Application, RequestHandler

_MEDIA_TYPES = {".html": "text/html; charset=utf-8", ".json": "application/vnd.pypi.simple.v1+json"}


class Page(RequestHandler):
    """Write one page. Its ETag is known, as it would be for a page that is kept."""

    def initialize(self, body: bytes, media_type: str, *, compressed: bool) -> None:
        self._body = body
        self._media_type = media_type
        self._compressed = compressed
        self._etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'

    def compute_etag(self) -> str:
        return self._etag

    def get(self) -> None:
        self.set_header("Content-Type", self._media_type)
        if self._compressed:
            self.set_header("Content-Encoding", "gzip")
        self.finish(self._body)


def _routes(folder: Path) -> list[tuple[str, type[RequestHandler], dict[str, object]]]:
    pages = [path for path in folder.iterdir() if path.name[0].isdigit()]
    return [
        (
            f"/{path.name[0]}",
            Page,
            {
                "body": path.read_bytes(),
                "media_type": _MEDIA_TYPES[path.suffixes[0]],
                "compressed": path.suffix == ".gz",
            },
        )
        for path in pages
    ]


async def _main(port: int, folder: Path) -> None:
    Application(_routes(folder)).listen(port, "127.0.0.1")
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]), Path(sys.argv[2])))

"""Small archives for the tests of the readers."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from collections.abc import Mapping

METADATA = b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\nSummary: A demonstration\n\nHow to use it.\n"


def build_zip(members: Mapping[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> io.BytesIO:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file


def build_tar(members: Mapping[str, bytes], *, form: int = tarfile.PAX_FORMAT) -> io.BytesIO:
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=form) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            # A fraction of a second makes a pax header, as setuptools and hatch write it for each member.
            info.mtime = 1.5 if form == tarfile.PAX_FORMAT else 1
            archive.addfile(info, io.BytesIO(content))
    return io.BytesIO(gzip.compress(raw.getvalue(), mtime=0))

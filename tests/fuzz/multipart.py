"""
Receiving an upload's form, in pieces.

An input is four lengths of pieces, which are used in turn (0: all the rest), the ``Content-Type`` up to a line feed,
and the body.
"""

from __future__ import annotations

import atexit
import itertools
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from multipart import parse_options_header

from pypiserve.core.errors import PypiserveError
from pypiserve.services.staging import StagingArea
from pypiserve.services.upload_checks import Form
from pypiserve.web.multipart import NothingToPublish, UploadReceiver
from pypiserve.web.site import Limits

__all__ = ["seeds", "test"]

_LIMITS = Limits(max_file_size_bytes=2000, max_form_bytes=3000)
_FOLDER = Path(tempfile.mkdtemp(prefix="pypiserve-fuzz-"))
# Some files are longer than that, and go to the disk half-way.
_STAGING = StagingArea(_FOLDER / "staging", in_memory_bytes=500)
atexit.register(shutil.rmtree, _FOLDER, ignore_errors=True)


class _Outcome(NamedTuple):
    """What came of a body: the code of the error, or what the upload holds."""

    code: str
    filename: str = ""
    fields: dict[str, list[str]] | None = None
    content: bytes = b""


def test(data: bytes) -> None:
    """However a body is cut, the same comes of it: an upload, or an error of ours."""
    content_type, _, body = data[4:].partition(b"\n")
    whole = _receive(content_type, [body])
    cut = _receive(content_type, _pieces(body, data[:4]))
    assert not list(_FOLDER.glob("staging/*")), "a staged file was left behind"
    boundary = parse_options_header(content_type.decode("latin-1"))[1].get("boundary", "")
    if body.startswith(f"--{boundary}".encode()):
        # What stands before the first delimiter the parser judges piece by piece, and nothing of it is kept. Which
        # of several faults is met first may depend on the cuts.
        assert whole == cut or (whole.code and cut.code), f"{whole} of the whole body, {cut} of its pieces"


def _pieces(body: bytes, lengths: bytes) -> Iterator[bytes]:
    start = 0
    for length in itertools.cycle(lengths or b"\0"):
        if start >= len(body):
            return
        end = start + length if length else len(body)
        yield body[start:end]
        start = end


def _receive(content_type: bytes, pieces: list[bytes] | Iterator[bytes]) -> _Outcome:
    receiver = UploadReceiver(content_type.decode("latin-1"), staging=_STAGING, limits=_LIMITS, admit=_admit)
    try:
        for piece in pieces:
            receiver.feed(piece)
        upload = receiver.finish()
        fields = {name: list(values) for name, values in upload.fields.items()}
    except PypiserveError as error:
        return _Outcome(error.code)
    except NothingToPublish:
        return _Outcome("nothing-to-publish")
    else:
        return _Outcome("", upload.filename, fields, upload.staged.on_disk().read_bytes())
    finally:
        receiver.discard()


def _admit(form: Form) -> None:
    assert form.filename, "a file without a name was admitted"


def seeds() -> list[bytes]:
    """Return forms as clients send them, and broken ones."""
    head = b"multipart/form-data; boundary=b\n"
    bodies = [
        _form(_field("name", b"demo"), _field("version", b"1.0"), _field(":action", b"file_upload"), _FILE + b"abc"),
        _form(_FILE + b"\r\n--b\r\n-", _field("sha256_digest", b"0" * 64)),
        _form(_FILE + b"a" * 2100),
        _form(_field("description", b"d" * 3100), _FILE),
        _form(_field("name", b"n" * 1100), _FILE),
        _form(_field("name", b"\xff"), _FILE),
        _form(_field(":action", b"submit"), _field("name", b"demo")),
        _form(_FILE, _FILE),
        _form(_field("content", b"no file")),
        _form(_FILE.replace(b'filename="', b"filename*=UTF-8''").replace(b'gz"', b"gz") + b"x"),
        _form(_FILE + b"abc")[:-5],
        _form(*(_field(f"x{number}", b"") for number in range(40))),
        b"preamble\r\n" + _form(_FILE) + b"epilogue",
        _form(_FILE).replace(b"\r\n", b"\n"),
        b"",
    ]
    starts = (bytes(4), b"\1\1\1\1", b"\7\3\20\2", bytes([60, 1, 200, 5]))
    return [start + head + body for start in starts for body in bodies] + [
        bytes(4) + b"text/plain\n",
        bytes(4) + b'multipart/form-data; boundary="a b"; charset=utf-8\n--a b--\r\n',
    ]


_FILE = b'Content-Disposition: form-data; name="content"; filename="demo-1.0.tar.gz"\r\n\r\n'


def _field(name: str, value: bytes) -> bytes:
    return f'Content-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + value


def _form(*parts: bytes) -> bytes:
    return b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + b"--b--\r\n"

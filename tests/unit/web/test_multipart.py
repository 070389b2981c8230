"""The streaming reader of upload forms, piece by piece."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from pypiserve.core.errors import FileTooLarge, InvalidUpload
from pypiserve.services.staging import StagingArea
from pypiserve.services.upload_checks import Form, Upload
from pypiserve.web.multipart import NothingToPublish, UploadReceiver
from pypiserve.web.site import Limits

TYPE = "multipart/form-data; boundary=frontier"
FILE = b'Content-Disposition: form-data; name="content"; filename="demo-1.0.tar.gz"\r\n\r\n'
LIMITS = Limits(max_file_size_bytes=4096, max_form_bytes=8192)


def admit_all(_form: Form) -> None:
    """Have nothing against any upload."""


def field(name: str, value: bytes) -> bytes:
    """Write one part of a form."""
    return f'Content-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + value


def form(*parts: bytes) -> bytes:
    """Write a body."""
    return b"".join(b"--frontier\r\n" + part + b"\r\n" for part in parts) + b"--frontier--\r\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Name the staging folder."""
    return tmp_path / "staging"


@pytest.fixture
def receive(folder: Path) -> Callable[..., Upload]:
    """Return a function that receives the pieces of a body, and discards what was staged."""

    def receive(*pieces: bytes, content_type: str = TYPE, limits: Limits = LIMITS) -> Upload:
        receiver = UploadReceiver(content_type, staging=StagingArea(folder), limits=limits, admit=admit_all)
        try:
            for piece in pieces:
                receiver.feed(piece)
            return receiver.finish()
        finally:
            receiver.discard()

    return receive


def codes(error: pytest.ExceptionInfo[InvalidUpload]) -> list[str]:
    """Name the problems of a refusal."""
    return [problem.code for problem in error.value.problems]


def test_the_file_is_hashed_while_it_comes_in(receive: Callable[..., Upload]) -> None:
    """The staged file knows size and SHA-256 without a second reading."""
    upload = receive(form(FILE + b"abc"))
    assert upload.staged.size_bytes == 3
    assert upload.staged.sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.mark.parametrize("step", [1, 2, 3, 7, 64, 1000])
def test_the_pieces_may_be_cut_anywhere(receive: Callable[..., Upload], step: int) -> None:
    """However the network cuts the body, the same upload comes out."""
    body = form(field("name", b"demo"), FILE + b"a\r\n--frontie\r\nb", field(":action", b"file_upload"))
    upload = receive(*(body[at : at + step] for at in range(0, len(body), step)))
    assert upload.fields == {"name": ["demo"], ":action": ["file_upload"]}
    assert upload.filename == "demo-1.0.tar.gz"
    assert upload.staged.size_bytes == len(b"a\r\n--frontie\r\nb")


@pytest.mark.parametrize("last_bytes", range(1, 13))
def test_the_line_end_behind_the_last_delimiter_may_come_by_itself(
    receive: Callable[..., Upload], last_bytes: int
) -> None:
    """Clients end the body with a line end; that it arrives in a piece of its own changes nothing."""
    body = form(FILE + b"abc")
    assert receive(body[:-last_bytes], body[-last_bytes:]).staged.size_bytes == 3


def test_what_stands_behind_the_last_delimiter_is_ignored(receive: Callable[..., Upload]) -> None:
    """An epilogue is no part of the form, in whatever piece it comes."""
    body = form(FILE + b"abc")
    late = receive(body, field("name", b"late"))
    assert receive(body + form(field("name", b"late"))).fields == late.fields == {}


@pytest.mark.parametrize("step", [1, 7, 1000])
def test_a_bare_line_feed_in_a_header_is_refused_in_every_piece(receive: Callable[..., Upload], step: int) -> None:
    """Whether a form is taken does not depend on where the network cuts it."""
    body = form(FILE.replace(b"form-data;", b"form-data;\n") + b"abc")
    with pytest.raises(InvalidUpload) as error:
        receive(*(body[at : at + step] for at in range(0, len(body), step)))
    assert codes(error) == ["invalid-form"]


def test_fields_that_nobody_reads_are_not_kept(receive: Callable[..., Upload]) -> None:
    """A description is counted and forgotten: the archive's own metadata is what holds."""
    assert receive(form(field("description", b"x" * 8000), FILE + b"abc")).fields == {}


def test_a_file_part_without_a_name_is_no_file(receive: Callable[..., Upload], folder: Path) -> None:
    """A form that sends the bytes as text is told so."""
    with pytest.raises(InvalidUpload) as error:
        receive(form(field("content", b"abc")))
    assert codes(error) == ["missing-content"]
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (form(field("name", b"demo")), "missing-content"),
        (form(FILE + b"abc", FILE + b"def"), "several-contents"),
        (form(FILE + b"abc")[:-6], "truncated-body"),
        (form(FILE + b"abc")[:-12], "truncated-body"),
        (form(FILE + b"abc")[:30], "truncated-body"),
        (b"", "truncated-body"),
        (form(field("name", b"\xff"), FILE + b"abc"), "invalid-field"),
        (form(field("name", b"x" * 1025), FILE + b"abc"), "field-too-large"),
        (form(field("description", b"x" * 8193), FILE + b"abc"), "form-too-large"),
        (form(*([field("x", b"")] * 10_000), FILE + b"abc"), "form-too-large"),
        (form(b"X: " + b"y" * 5000 + b"\r\n\r\n"), "form-too-large"),
        (form(b"\xff: y\r\n\r\n"), "invalid-form"),
        (form(b"Content-Disposition: attachment\r\n\r\n"), "invalid-form"),
        (form(FILE + b"abc").replace(b"\r\n", b"\n"), "invalid-form"),
    ],
)
def test_a_form_that_is_wrong_is_refused_and_leaves_nothing(
    receive: Callable[..., Upload], folder: Path, body: bytes, code: str
) -> None:
    """Each fault has its word, and the staging folder is empty afterwards."""
    with pytest.raises(InvalidUpload) as error:
        receive(body)
    assert codes(error) == [code]
    assert list(folder.iterdir()) == []


def test_the_limits_themselves_are_allowed(receive: Callable[..., Upload]) -> None:
    """A file, a field and a form of exactly the largest size pass."""
    parts = [field("name", b"x" * 1024), field("description", b"x" * (8192 - 1024))]
    upload = receive(form(*parts, FILE + b"x" * 4096))
    assert upload.staged.size_bytes == 4096


def test_a_file_over_the_limit_is_given_up_at_once(receive: Callable[..., Upload], folder: Path) -> None:
    """The room is free again as soon as the limit is passed, not when the client is done."""
    area = StagingArea(folder, in_memory_bytes=0)
    receiver = UploadReceiver(TYPE, staging=area, limits=LIMITS, admit=admit_all)
    receiver.feed(b"--frontier\r\n" + FILE + b"x" * 4096)
    assert len(list(folder.iterdir())) == 1
    receiver.feed(b"x")
    assert list(folder.iterdir()) == []
    receiver.feed(b"x" * 4097)
    assert list(folder.iterdir()) == []
    with pytest.raises(FileTooLarge):
        receiver.finish()


def test_a_file_that_is_not_admitted_is_never_staged(folder: Path) -> None:
    """It is asked with all fields before the file, and before the first byte is written."""
    asked = []

    def refuse(form: Form) -> None:
        asked.append((dict(form.fields), form.filename))
        assert list(folder.iterdir()) == []
        raise FileTooLarge(1)

    receiver = UploadReceiver(TYPE, staging=StagingArea(folder), limits=LIMITS, admit=refuse)
    body = form(field("name", b"demo"), FILE + b"abc", field("version", b"1"))
    receiver.feed(body[:-60])
    assert isinstance(receiver.fault, FileTooLarge)
    receiver.feed(body[-60:])
    assert asked == [({"name": ["demo"]}, "demo-1.0.tar.gz")]
    assert list(folder.iterdir()) == []
    with pytest.raises(FileTooLarge):
        receiver.finish()


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "multipart/mixed; boundary=frontier",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=" + "x" * 71,
    ],
)
def test_what_is_no_form_is_refused(receive: Callable[..., Upload], content_type: str) -> None:
    """The sentence says what an upload is."""
    with pytest.raises(InvalidUpload, match="multipart/form-data") as error:
        receive(form(FILE + b"abc"), content_type=content_type)
    assert codes(error) == ["not-multipart"]


@pytest.mark.parametrize("action", [b"submit", b"submit_pkg_info"])
def test_a_registration_needs_no_file_and_leaves_none(
    receive: Callable[..., Upload], folder: Path, action: bytes
) -> None:
    """Old clients register before they publish; nothing of it stays."""
    with pytest.raises(NothingToPublish):
        receive(form(field(":action", action)))
    assert list(folder.iterdir()) == []


@settings(max_examples=150, deadline=None)
@given(
    noise=st.binary(max_size=40),
    at=st.integers(min_value=0, max_value=220),
    replaced=st.integers(min_value=0, max_value=12),
    step=st.integers(min_value=1, max_value=300),
)
def test_a_damaged_form_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, at: int, replaced: int, step: int
) -> None:
    """Whatever bytes come, the answer is an upload or a refusal, and no file stays."""
    body = form(field("name", b"demo"), FILE + b"abc", field(":action", b"file_upload"))
    body = body[:at] + noise + body[at + replaced :]
    folder = tmp_path_factory.getbasetemp() / "damaged"
    receiver = UploadReceiver(TYPE, staging=StagingArea(folder), limits=LIMITS, admit=admit_all)
    try:
        for start in range(0, len(body), step):
            receiver.feed(body[start : start + step])
        assert receiver.finish().staged.size_bytes <= len(body)
    except InvalidUpload as refusal:
        event(str(refusal))
    finally:
        receiver.discard()
    assert list(folder.iterdir()) == []

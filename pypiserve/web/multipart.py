"""
Receiving an upload's form as it streams in.

The file goes to the staging area while its SHA-256 is computed; of the fields only those are kept that the checks
read. Memory stays flat whatever the client sends: every part is counted against a bound.

Spec: RFC 7578; the legacy upload API's form.
"""

from __future__ import annotations

from collections.abc import Callable

from multipart import (
    MultipartError,
    MultipartSegment,
    ParserLimitReached,
    PushMultipartParser,
    parse_options_header,
)

from pypiserve.core.errors import FileTooLarge, InvalidUpload, Problem, PypiserveError
from pypiserve.services.staging import StagedFile, StagingArea
from pypiserve.services.upload_checks import Form, Upload
from pypiserve.web.site import Limits

__all__ = ["NothingToPublish", "UploadReceiver"]

_MAX_PARTS = 10_000  # one for each classifier, dependency and URL: some projects pass a thousand
_MAX_BOUNDARY_CHARACTERS = 70  # RFC 2046, section 5.1.1
_CONTENT = "content"
_KEPT_FIELDS = frozenset(
    {
        ":action",
        "blake2_256_digest",
        "filetype",
        "md5_digest",
        "name",
        "protocol_version",
        "pyversion",
        "sha256_digest",
        "version",
    }
)
_MAX_KEPT_FIELD_BYTES = 1024


class NothingToPublish(Exception):
    """The form asks to register a project, as old clients do before they publish, and has no file."""


class UploadReceiver:
    """
    Takes the body of one upload piece by piece. All methods block: call them in a thread, one at a time.

    The first fault is remembered and the rest of the body thrown away; ``finish`` tells it.

    Args:
        content_type: The header of the request.
        staging: Where the file goes.
        limits: On what may be sent.
        admit: Called once when the file begins and more is to come, with the fields before it; raises a
            ``PypiserveError`` to refuse it.

    Attributes:
        fault: What is wrong with what has come so far, if anything: the upload will be refused for it.
    """

    def __init__(
        self, content_type: str, *, staging: StagingArea, limits: Limits, admit: Callable[[Form], None]
    ) -> None:
        self._staging = staging
        self._limits = limits
        self._admit: Callable[[Form], None] | None = admit
        self.fault: PypiserveError | None = None
        self._fields: dict[str, list[str]] = {}
        self._form_bytes = 0
        self._staged: StagedFile | None = None
        self._filename = ""
        self._segment: MultipartSegment | None = None
        self._value = bytearray()
        self._parser = self._parser_for(content_type)

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the body."""
        if self.fault is not None or self._parser is None or not data:
            return
        try:
            for event in self._parser.parse(data):
                if isinstance(event, MultipartSegment):
                    self._begin(event)
                elif event is None:
                    self._end()
                else:
                    self._take(bytes(event))
        except ParserLimitReached:
            self.give_up(
                InvalidUpload.because(
                    "form-too-large",
                    f"The form has more than {_MAX_PARTS} parts, or a part with headers longer than 4 KiB",
                )
            )
        except MultipartError:
            self.give_up(_unreadable())
        except PypiserveError as error:
            self.give_up(error)

    def finish(self, data: bytes = b"") -> Upload:
        """
        Take the last bytes of the body and return the upload. The caller discards its staged file.

        Raises:
            InvalidUpload: The form is broken, ends early, lacks the file, or is too large.
            NothingToPublish: It is no upload.
            StorageFull: There was no room for the file.
            StorageUnavailable: The disk failed.
        """
        # With the whole file at hand nothing is saved by looking at the form first.
        self._admit = None
        self.feed(data)
        if self.fault is None and self._parser is not None:
            try:
                self._parser.close()
            except MultipartError:
                self.give_up(
                    InvalidUpload.because(
                        "truncated-body", "The upload ended before its last part was complete; send it again"
                    )
                )
        if self.fault is not None:
            raise self.fault
        if self._is_registration:
            raise NothingToPublish
        if self._staged is None:
            raise InvalidUpload.because("missing-content", "The form has no file; send it as the part named content")
        return Upload(self._fields, self._filename, self._staged)

    @property
    def _is_registration(self) -> bool:
        return self._fields.get(":action", [""])[0] in {"submit", "submit_pkg_info"}

    @property
    def has_file(self) -> bool:
        """Whether the file has begun to come."""
        return self._staged is not None

    def give_up(self, fault: PypiserveError) -> None:
        """Refuse the upload, and throw away what has come and what will come."""
        self.fault = fault
        # At once, not at the end: when the disk is full, the room is needed.
        self.discard()

    def discard(self) -> None:
        """Remove what was staged; safe to call again, and after ``finish``."""
        if self._staged is not None:
            self._staged.discard()
            self._staged = None

    def _parser_for(self, content_type: str) -> PushMultipartParser | None:
        media_type, options = parse_options_header(content_type)
        boundary = options.get("boundary", "")
        if media_type.lower() != "multipart/form-data" or not 0 < len(boundary) <= _MAX_BOUNDARY_CHARACTERS:
            self.give_up(
                InvalidUpload.because(
                    "not-multipart", "An upload is a multipart/form-data form; publish with twine, uv or the like"
                )
            )
            return None
        try:
            # Not strict: a strict parser refuses whatever stands behind the last delimiter, if it comes in another
            # piece, and that is where every client writes a line end.
            return PushMultipartParser(boundary, max_segment_count=_MAX_PARTS)
        except MultipartError:
            self.give_up(_unreadable())
            return None

    def _begin(self, segment: MultipartSegment) -> None:
        # The parser refuses a bare line feed in a header only when the rest of the line comes in another piece.
        if any("\n" in part for header in segment.headerlist for part in header):
            raise _unreadable()
        self._segment = segment
        self._value.clear()
        if segment.name != _CONTENT:
            return
        if self._staged is not None:
            raise InvalidUpload.because("several-contents", "The form has two files named content; send one")
        if not segment.filename:
            raise InvalidUpload.because(
                "missing-content", "The part named content is no file: it has no filename; send the file itself"
            )
        self._filename = segment.filename
        if self._admit is not None and not self._is_registration:
            self._admit(Form(self._fields, segment.filename))
        self._staged = self._staging.new_file()

    def _take(self, data: bytes) -> None:
        assert self._segment is not None  # noqa: S101 - the parser yields a segment before its bytes
        if self._staged is not None and self._segment.name == _CONTENT:
            if self._staged.size_bytes + len(data) > self._limits.max_file_size_bytes:
                raise FileTooLarge(self._limits.max_file_size_bytes)
            self._staged.write(data)
            return
        self._form_bytes += len(data)
        if self._form_bytes > self._limits.max_form_bytes:
            raise InvalidUpload.because(
                "form-too-large",
                f"The form's fields are larger than {self._limits.max_form_bytes} bytes together; "
                "shorten the description, or ask the administrator to raise max_form_bytes",
            )
        if self._segment.name in _KEPT_FIELDS:
            self._value += data
            if len(self._value) > _MAX_KEPT_FIELD_BYTES:
                raise InvalidUpload.because(
                    "field-too-large",
                    f"The form field {self._segment.name} is longer than {_MAX_KEPT_FIELD_BYTES} bytes",
                )

    def _end(self) -> None:
        assert self._segment is not None  # noqa: S101 - the parser yields a segment before its end
        name = self._segment.name
        if name in _KEPT_FIELDS and name != _CONTENT:
            try:
                text = self._value.decode("utf-8")
            except UnicodeDecodeError:
                raise InvalidUpload.because("invalid-field", f"The form field {name} is not UTF-8") from None
            self._fields.setdefault(name, []).append(text)
        self._segment = None


def _unreadable() -> InvalidUpload:
    return InvalidUpload(Problem("invalid-form", "The multipart form cannot be read; send the upload again"))

"""
How errors are answered: status, headers and body, here and nowhere else.

The first line of a text body is the whole story in one sentence, and the reason phrase repeats it, because twine
shows both. ``application/problem+json`` is RFC 9457; ``application/json`` has the members that PyPI's clients read.
"""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from pypiserve.core import errors
from pypiserve.services.grants import RoleMisplaced
from pypiserve.services.indexes import InvalidRule
from pypiserve.services.owners import InvalidName
from pypiserve.services.token_terms import InvalidToken
from pypiserve.web.negotiation import Offer, choose
from pypiserve.web.reason import reason_phrase

__all__ = [
    "Answer",
    "BodyTooLarge",
    "InvalidRequest",
    "NotAcceptable",
    "UnsupportedEncoding",
    "UnsupportedMediaType",
    "UploadStalled",
    "answer",
    "answer_to",
    "status_of",
]

CHALLENGE = 'Basic realm="pypiserve", charset="UTF-8"'
"""Constant: clients key their stores of credentials on it."""


class NotAcceptable(errors.PypiserveError):
    """The client asks for a representation that the server does not have."""

    code = "not-acceptable"

    def __init__(self, offered: Sequence[str]) -> None:
        super().__init__(offered)
        self.offered = tuple(offered)

    def __str__(self) -> str:
        return f"This page is available as {', '.join(self.offered)}"


class UnsupportedEncoding(errors.PypiserveError):
    """The request's body is compressed."""

    code = "unsupported-encoding"

    def __str__(self) -> str:
        return "Uploads are taken as they are; send the request without Content-Encoding"


class UnsupportedMediaType(errors.PypiserveError):
    """The request's body is of a type that its address does not take."""

    code = "unsupported-media-type"

    def __init__(self, taken: str, upload_url: str) -> None:
        super().__init__(taken, upload_url)
        self.taken = taken
        self.upload_url = upload_url

    def __str__(self) -> str:
        return f"This address takes {self.taken} only; to publish files, upload to {self.upload_url}"


class UploadStalled(errors.PypiserveError):
    """Nothing more of an upload has come for a long time."""

    code = "upload-stalled"

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds

    def __str__(self) -> str:
        return f"Nothing more of the upload has come for {self.seconds:g} s; send it again"


class InvalidRequest(errors.PypiserveError):
    """The body or the query of a request cannot be understood."""

    code = "invalid-request"

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem

    def __str__(self) -> str:
        return f"The request cannot be understood: {self.problem}"


class BodyTooLarge(InvalidRequest):
    """The body of a request for programs is over the bound."""

    code = "body-too-large"

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(f"its body is larger than {limit_bytes} bytes")


_STATUS: tuple[tuple[type[errors.PypiserveError], int], ...] = (
    (errors.FileTooLarge, 413),
    (errors.InvalidUpload, 400),
    (errors.AuthenticationFailed, 401),
    (errors.PermissionDenied, 403),
    (errors.TooManySignIns, 429),
    (errors.TooManyProjects, 429),
    (errors.NotFound, 404),
    (errors.OwnerMoved, 410),
    (NotAcceptable, 406),
    (UploadStalled, 408),
    (UnsupportedEncoding, 415),
    (UnsupportedMediaType, 415),
    (BodyTooLarge, 413),
    (InvalidRequest, 400),
    (InvalidName, 400),
    (InvalidRule, 400),
    (InvalidToken, 400),
    (RoleMisplaced, 400),
    (errors.Conflict, 409),
    (errors.StorageFull, 507),
    (errors.Unavailable, 503),
)

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f]")

_TEXT = Offer(("text/plain", "text/html"))
_JSON = Offer(("application/json",))
_PROBLEM = Offer(("application/problem+json",))


@dataclass(frozen=True)
class Answer:
    """A whole error response."""

    status: int
    reason: str
    headers: Sequence[tuple[str, str]]
    body: bytes


def status_of(error: errors.PypiserveError) -> int:
    """Return the HTTP status of an error; 500 for what is nobody's business but the operator's."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def answer_to(error: errors.PypiserveError, accept: str | None) -> Answer:
    """
    Write the response to an error.

    Args:
        error: What happened.
        accept: The request's ``Accept`` header.
    """
    status = status_of(error)
    if status == 500:  # noqa: PLR2004 - the number is the status
        problems = [errors.Problem("internal-error", "The server failed; its log says more")]
    elif isinstance(error, (errors.InvalidUpload, errors.PolicyDenied)):
        problems = list(error.problems)
    else:
        problems = [errors.Problem(error.code, str(error))]
    return answer(status, problems, accept, more=_headers_of(error))


def answer(
    status: int,
    problems: Sequence[errors.Problem],
    accept: str | None,
    *,
    more: Sequence[tuple[str, str]] = (),
) -> Answer:
    """Write a response that tells one or more problems."""
    lines = _lines(problems)
    # Text first: twine, pip, curl and browsers take anything, and people read it.
    offer = choose(accept, (_TEXT, _JSON, _PROBLEM)) or _TEXT
    if offer is _TEXT:
        media_type, body = "text/plain; charset=utf-8", ("\n".join(lines) + "\n").encode("utf-8", "replace")
    else:
        media_type = offer.media_types[0]
        body = _document(status, lines[0], problems, standard=offer is _PROBLEM)
    # Never kept: a project that is missing now may be published in a second.
    headers = [("Content-Type", media_type), ("Cache-Control", "no-store"), ("Vary", "Accept"), *more]
    return Answer(status, reason_phrase(lines[0]), headers, body)


def _headers_of(error: errors.PypiserveError) -> list[tuple[str, str]]:
    if isinstance(error, errors.AuthenticationFailed):
        return [("WWW-Authenticate", CHALLENGE)]
    if isinstance(error, (errors.Unavailable, errors.TooManyProjects, errors.TooManySignIns)):
        # Seconds, not a date: poetry reads a number.
        return [("Retry-After", str(error.retry_after_seconds))]
    return []


def _lines(problems: Sequence[errors.Problem]) -> list[str]:
    if len(problems) == 1:
        lines = [problems[0].message]
    else:
        lines = [f"{len(problems)} problems: " + "; ".join(problem.message for problem in problems)]
        lines += [f"- {problem.message} [{problem.code}]" for problem in problems]
    # What a client sent may stand in a sentence; its line breaks and control characters stay out.
    return [_UNPRINTABLE.sub("?", " ".join(line.split())) for line in lines]


def _document(status: int, sentence: str, problems: Sequence[errors.Problem], *, standard: bool) -> bytes:
    """Write the problems as RFC 9457 has them or, for ``application/json``, as PyPI writes errors for its clients."""
    document = {
        "title": http.client.responses[status],
        "status": status,
        "problems": [{"code": problem.code, "message": problem.message} for problem in problems],
    }
    if standard:
        document |= {"type": "about:blank", "detail": sentence, "code": problems[0].code}
    else:
        # uv shows people the code, and nothing else.
        document |= {"message": sentence, "code": f"{status} {sentence}"}
    return (json.dumps(document) + "\n").encode()

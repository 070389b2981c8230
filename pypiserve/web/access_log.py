"""One line for each request: who, what, how it ended, how long it took. Never a query, a header or a secret."""

from __future__ import annotations

import logging

import tornado.web

from pypiserve.web.base import BaseHandler

__all__ = ["log_request"]

_log = logging.getLogger("pypiserve.access")


def log_request(handler: tornado.web.RequestHandler) -> None:
    """Write the line."""
    if not _log.isEnabledFor(logging.INFO) or (isinstance(handler, BaseHandler) and handler.is_logged):
        return
    request = handler.request
    who = handler.identity.subject if isinstance(handler, BaseHandler) else "-"
    _log.info(
        "%s %s %s %s %d %.1fms %s",
        request.remote_ip,
        who,
        request.method,
        # Bytes beyond ASCII may be control characters to a terminal, or a line end to who reads the log.
        request.path.encode("ascii", "backslashreplace").decode(),
        handler.get_status(),
        1000.0 * request.request_time(),
        (handler.request_id if isinstance(handler, BaseHandler) else "") or "-",
    )

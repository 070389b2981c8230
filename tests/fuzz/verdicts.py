"""What a report about a file must be, whatever the file."""

from __future__ import annotations

from pypiserve.core.file_checks import FileReport

__all__ = ["assert_told"]


def assert_told(report: FileReport) -> None:
    """Expect sentences of one line, and nothing unknown of what passes."""
    for problem in (*report.problems, *report.warnings):
        assert problem.message.isprintable(), problem.message
        assert 10 < len(problem.message) < 600, problem.message
    assert report.problems or (report.filename and report.archive and report.metadata)

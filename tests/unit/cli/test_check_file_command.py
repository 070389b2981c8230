"""The gate on the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pypiserve.cli.main import main
from pypiserve.testing import BuiltFile, a_wheel, an_sdist


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def check(*arguments: str | BuiltFile) -> Result:
    for file in arguments:
        if isinstance(file, BuiltFile):
            file.write_to(Path.cwd())
    words = [argument.filename if isinstance(argument, BuiltFile) else argument for argument in arguments]
    return CliRunner().invoke(main, ["check-file", *words])


def test_good_files() -> None:
    """A wheel and an sdist of today get one line each, and the exit status is 0."""
    result = check(a_wheel(), an_sdist())

    assert result.stdout.splitlines() == ["demo-1.0-py3-none-any.whl: good", "demo-1.0.tar.gz: good"]
    assert result.exit_code == 0


def test_a_refused_file_among_good_ones() -> None:
    """All problems of the file are told with their codes, the others are judged as well, and the status is 1."""
    bad = an_sdist("bad", metadata={"Summary": "x" * 600, "Home-page": "ftp://example.org"})

    result = check(bad, a_wheel())

    first, *problems, last = result.stdout.splitlines()
    assert first == "bad-1.0.tar.gz: refused"
    assert [line.endswith("[invalid-metadata]") for line in problems] == [True, True]
    assert last == "demo-1.0-py3-none-any.whl: good"
    assert result.exit_code == 1


def test_warnings_refuse_nothing() -> None:
    """What is not quite right is said, and the status stays 0."""
    result = check(an_sdist(metadata={"Requires-Dist": "other @ https://example.org/other-1.0.tar.gz"}))

    assert "warning: it requires" in result.stdout
    assert result.stdout.rstrip().endswith("[direct-reference]")
    assert result.exit_code == 0


def test_lenient_checks() -> None:
    """What a mirror may keep is refused by a strict index only."""
    old = an_sdist(suffix=".zip")

    assert "[nonstandard-filename]" in check(old).stdout
    assert check("--lenient", old).exit_code == 0


def test_files_that_cannot_be_read() -> None:
    """Status 2, even among refused ones: the job is set up wrongly."""
    Path("empty-1.0.tar.gz").touch()

    result = check("missing-1.0.tar.gz", "empty-1.0.tar.gz")

    assert result.stdout.splitlines() == [
        "missing-1.0.tar.gz: cannot be read: No such file or directory",
        "empty-1.0.tar.gz: refused",
        "  problem: The file is empty; build it again [empty-file]",
    ]
    assert result.exit_code == 2


def test_no_file_at_all() -> None:
    """A pattern that matched nothing is no success."""
    assert check().exit_code == 2


def test_json() -> None:
    """One object a line, for programs."""
    result = check("--json", a_wheel(), a_wheel("Bad.Name"), "missing.whl")

    good, fine, unreadable = (json.loads(line) for line in result.stdout.splitlines())
    assert good == {"file": "demo-1.0-py3-none-any.whl", "status": "good", "problems": [], "warnings": []}
    assert fine["status"] == "good"
    assert (unreadable["status"], unreadable["error"]) == ("unreadable", "No such file or directory")
    assert result.exit_code == 2


def test_it_starts_without_the_database_and_the_server() -> None:
    """A check in CI must not wait for what it does not need."""
    file = a_wheel().write_to(Path.cwd())
    code = (
        "import sys; from pypiserve.cli.main import main\n"
        f"try: main(['check-file', {str(file)!r}])\n"
        "except SystemExit: pass\n"
        "assert not {'sqlalchemy', 'tornado', 'alembic', 'pluggy'} & set(sys.modules)\n"
    )

    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=60)

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pypiserve import __version__
from pypiserve.cli.main import main


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def check(*arguments: str, text: str = "", **environment: str) -> Result:
    if text:
        Path("pypiserve.toml").write_text(text)
    return CliRunner().invoke(main, ["check", *arguments], env=environment)


def lines(result: Result) -> dict[str, str]:
    return {line[:15].strip(): line[15:] for line in result.stdout.splitlines() if line[0] != " "}


def test_defaults(folder: Path) -> None:
    """Without settings it says what runs by default, and from which distribution."""
    result = check()
    assert result.exit_code == 0
    assert lines(result) == {
        "settings": "defaults",
        "listen": "127.0.0.1:8080",
        "data": str(folder / "pypiserve-data"),
        "root index": "main/pypi",
        "store": f"disk (pypiserve {__version__})",
        "authenticators": f"token (pypiserve {__version__})",
        "renderers": f"html (pypiserve {__version__})",
        "policies": "none",
        "subscribers": "none",
    }


def test_nothing_is_created(folder: Path) -> None:
    """Checking leaves the folder as it was."""
    assert check().exit_code == 0
    assert list(folder.iterdir()) == []


def test_flags_and_environment() -> None:
    """It shows what holds after file, environment and flags."""
    result = check("--listen", "[::1]:0", "--private", text='public_url = "https://a.org/x/"', PYPISERVE_DATA="/d")
    found = lines(result)
    assert (found["settings"], found["listen"], found["data"]) == ("pypiserve.toml", "[::1]:0", "/d")
    assert (found["public url"], found["root index"]) == ("https://a.org/x", "main/pypi (private)")


def test_named_settings_file() -> None:
    """--settings chooses the file."""
    Path("other.toml").write_text('[[authenticators]]\nkind = "token"\nname = "mine"')
    assert lines(check("--settings", "other.toml"))["authenticators"].startswith("mine, a token (")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("listn = 1", "pypiserve.toml: listn: unknown setting; did you mean listen? Otherwise remove it."),
        ("private = 1", "pypiserve.toml: private: expected bool, got int; correct the value."),
        ('[store]\nkind = "dsk"', "pypiserve.toml: store.kind: no installed distribution offers 'dsk'; "),
        ('renderers = ["xml"]', "pypiserve.toml: renderers: no installed distribution offers 'xml'; "),
        ("[store]\nno = 1", "pypiserve.toml: store.no: unknown setting; "),
        ('plugins = ["no_such_module"]', "Plugin module no_such_module: no_such_module cannot be imported"),
        ("x", "pypiserve.toml: line 1: not valid TOML: "),
    ],
)
def test_mistakes(text: str, said: str) -> None:
    """A mistake is one line that names file, key and remedy, and exit code 2."""
    result = check(text=text)
    assert result.exit_code == 2
    assert result.output.startswith(f"Error: {said}")
    assert result.output.count("\n") == 1

"""uv is the judge: a wheel that it refuses to install must not pass the gate."""

from __future__ import annotations

import io
import itertools
import random
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from raw_zip import DIST_INFO, FILENAME, METADATA, WHEEL, Entry, record, wheel, zip64

from pypiserve.core.file_checks import check_file
from pypiserve.core.index_rules import Validation

UV = Path(sys.executable).with_name("uv")
PATH = "demo/a.py"
CONTENT = b"x = 1\n" * 50
SATURATED = 0xFFFFFFFF
SAMPLE = 60
"""How many of each family uv is asked about; all of them take minutes."""

pytestmark = pytest.mark.skipif(not UV.exists(), reason="needs uv in this environment")


def verdict(content: bytes, folder: Path) -> str:
    """Let uv install a wheel; return what it says when it refuses."""
    folder.mkdir()
    (folder / FILENAME).write_bytes(content)
    options = ["--quiet", "--offline", "--no-config", "--no-deps", "--cache-dir", str(folder / "cache")]
    command = [str(UV), "pip", "install", *options, "--target", str(folder / "target"), str(folder / FILENAME)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.stderr if done.returncode else ""


def passes(content: bytes) -> bool:
    return not check_file(io.BytesIO(content), FILENAME, validation=Validation.STRICT).problems


def disagreements(wheels: Mapping[str, bytes], folder: Path) -> tuple[int, dict[str, str]]:
    """Return how many wheels pass the gate, and what uv says of a sample of them where it refuses."""
    passing = {name: content for name, content in wheels.items() if passes(content)}
    sample = random.Random(len(passing)).sample(sorted(passing), min(SAMPLE, len(passing)))
    taken = {name: passing[name] for name in sample}
    folders = (folder / str(number) for number in itertools.count())
    with ThreadPoolExecutor(4) as threads:
        verdicts = list(threads.map(verdict, taken.values(), itertools.islice(folders, len(taken))))
    return len(passing), {name: said for name, said in zip(taken, verdicts, strict=True) if said}


def _headers() -> Iterator[tuple[str, dict[str, int | bytes]]]:
    """Yield lies of one header, or of both."""
    packed = len(Entry(PATH, CONTENT).data())
    for bit in range(16):
        yield f"flag-{bit}", {"flags": 0x800 ^ 1 << bit}
    for method in range(20):
        yield f"method-{method}", {"method": method}
    for kind in (0, 1, 8, 0x5455, 0x6375, 0x7075, 0x7875, 0x9901, 0xCAFE):
        for length in (0, 1, 4, 5, 8, 14, 16, 24, 28, 32):
            field = kind.to_bytes(2, "little") + length.to_bytes(2, "little") + bytes(length)
            yield f"extra-{kind}-{length}", {"extra": field}
            yield f"extra-{kind}-{length}-twice", {"extra": field * 2}
    for names in itertools.product((False, True), repeat=2):
        said = {key: SATURATED for key, wide in zip(("size_bytes", "packed_bytes"), names, strict=True) if wide}
        for values in ((), (len(CONTENT),), (packed,), (len(CONTENT), packed), (len(CONTENT), packed, 0)):
            yield f"zip64-{names}-{len(values)}-{values[:1]}", {**said, "extra": zip64(*values)}
    for kind in range(16):
        yield f"type-{kind}", {"attributes": (kind << 12 | 0o644) << 16}


def header_lies() -> Iterator[tuple[str, bytes]]:
    """Yield wheels with one member that is described in another way."""
    for name, values in _headers():
        yield f"{name}-local", wheel(Entry(PATH, CONTENT, local=values))
        yield f"{name}-central", wheel(Entry(PATH, CONTENT, central=values))
        yield f"{name}-both", wheel(Entry(PATH, CONTENT, local=values, central=values))


def odd_names() -> Iterator[tuple[str, bytes]]:
    """Yield wheels with a member of a name that readers could stumble over."""
    letters = [*map(chr, range(1, 0x100)), *"\u0378\u200b\u2028\u202e\ue000\ufeff\uffff\U000e0041\U0010ffff"]
    for letter in letters:
        yield f"letter-{ord(letter):x}", wheel(Entry(f"demo/a{letter}b", CONTENT))
    for path in ("demo", "demo/", "demo/__init__.py/", "demo/__init__.py/x", "demo-1.0.data", "demo-1.0.data/x/"):
        yield path, wheel(Entry(path, b"", 0))
    for scheme in ("scripts", "data/bin", "data/Scripts", "purelib", "headers", "other"):
        for name in ("", "/", "/python", "/python3", "/PYTHON3.exe", "/pythonw3.9t.py", "/sub/", "/sub/x", "/x"):
            yield scheme + name, wheel(Entry(f"demo-1.0.data/{scheme}{name}", b"", 0))


def odd_texts() -> Iterator[tuple[str, bytes]]:
    """Yield wheels whose own files are written in another way."""
    names = ("x", "x.y-z", "python", "Python3.9", "pypy", "activate", "a b", "..", ".", "-x", "[x", "x]", "\u00e9")
    values = ("d:m", "d : m", "d:m.n", "d:m[a]", "d:m [a, b]", "d:m [a,]", "d:m []", "d", "", "d:", "d.:m", "d:m #c")
    for name, value in itertools.product(names, values):
        text = f"[console_scripts]\n{name} = {value}\n"
        yield f"{name}={value}", wheel(Entry(f"{DIST_INFO}/entry_points.txt", text.encode()))
    for old, new in itertools.product(
        (b"Wheel-Version: ", b"1.0", b"\n", b"true", b"Tag: "), (b"", b" ", b"\r\n", b"1")
    ):
        yield f"wheel-file-{old!r}-{new!r}", wheel(wheel_file=WHEEL.replace(old, new, 1))
    usual = (Entry("demo/__init__.py", b"__version__ = '1.0'\n"), Entry(f"{DIST_INFO}/METADATA", METADATA))
    listed = record(*usual, Entry(f"{DIST_INFO}/WHEEL", WHEEL))
    for old, new in itertools.product(
        (b",", b"\n", b"demo", b"sha256", b"20"), (b"", b" ", b'"', b"\r\n", b",", b"#")
    ):
        yield f"record-{old!r}-{new!r}", wheel(listed=listed.replace(old, new, 1))


def random_damage() -> Iterator[tuple[str, bytes]]:
    """Yield wheels of which a byte or two are others; the same ones in every run."""
    dice = random.Random(3)
    whole = wheel(Entry(PATH, CONTENT), Entry("demo/sub/", b"", 0))
    for number in range(1000):
        content = bytearray(whole)
        for _ in range(dice.randint(1, 2)):
            content[dice.randrange(len(content))] = dice.randrange(256)
        yield f"damage-{number}", bytes(content)


@pytest.mark.parametrize("family", [header_lies, odd_names, odd_texts, random_damage])
def test_uv_installs_what_passes(family: object, tmp_path: Path) -> None:
    """Whatever is odd about a wheel that passes, uv installs it."""
    assert callable(family)
    count, refused = disagreements(dict(family()), tmp_path)

    assert count > 10
    assert refused == {}

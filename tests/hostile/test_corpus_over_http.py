"""The whole corpus, sent to a server as clients send files: each case gets its codes, and nothing of it stays."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from hostile_case import HostileCase, each
from sdist_cases import GZIP_CASES, LINK_CASES, TAR_CASES, TREE_CASES
from test_hostile_wheels import FAMILIES as WHEEL_FAMILIES
from test_reader_differences import FAMILIES as READER_FAMILIES
from text_cases import FORM_CASES, METADATA_CASES, NAME_CASES
from uploading import BASE, Part, content_part, data_of, kept_by, post, usual_parts

from pypiserve.testing import BuiltFile
from pypiserve.testing.server import ServerUnderTest

FAMILIES = {
    "wheels": WHEEL_FAMILIES,
    "readers": READER_FAMILIES,
    "sdists": (GZIP_CASES, TAR_CASES, LINK_CASES, TREE_CASES),
    "texts": (NAME_CASES, METADATA_CASES, FORM_CASES),
}
PROBLEMS = "application/problem+json"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerUnderTest]:
    """Return the server that all cases are sent to; in the end it lists no project."""
    with ServerUnderTest(tmp_path_factory.mktemp("site")) as running:
        yield running
        listing = running.request("GET", f"{BASE}/simple/", headers={"Accept": "application/vnd.pypi.simple.v1+json"})
        assert json.loads(listing.body)["projects"] == []


def form_of(case: HostileCase) -> list[Part]:
    """Make the form that a client would send, but for what the case has in other words."""
    built = BuiltFile(case.filename, case.content(), b"")
    parts = [part for part in usual_parts(built) if part.name not in case.fields]
    for name, values in case.fields.items():
        parts += [Part(name, value) for value in ([values] if isinstance(values, str) else values)]
    return [*parts, content_part(built)]


def test_the_corpus_is_large() -> None:
    """Hundreds of cases are sent."""
    assert sum(len(family) for families in FAMILIES.values() for family in families) >= 300


@pytest.mark.parametrize("case", [case for families in FAMILIES.values() for case in each(*families)])
def test_every_case_is_refused_with_its_codes(case: HostileCase, site: ServerUnderTest) -> None:
    """The answer is a 4xx whose problems are exactly those of the case, and the data folder is as it was."""
    before = kept_by(data_of(site))

    reply = post(site, form_of(case), headers={"Accept": PROBLEMS})

    assert 400 <= reply.status < 500, reply.text
    assert reply.headers["content-type"].startswith(PROBLEMS)
    assert sorted(problem["code"] for problem in json.loads(reply.body)["problems"]) == sorted(case.codes)
    assert kept_by(data_of(site)) == before

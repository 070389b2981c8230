"""Policies that judge uploads, and subscribers that hear of them."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Iterator

import publishing_parts
import pytest
from publishing_parts import HEARD, JUDGED
from uploading import JSON_LIKE_UV, content_part, encode, events_of, keeps_nothing, post, usual_parts

from pypiserve.core.model import ProjectStatus
from pypiserve.services import delivery, publishing
from pypiserve.testing import a_wheel
from pypiserve.testing.fixtures import MakeServer

PLUGIN = 'plugins = ["publishing_parts"]\n'
LISTENER = PLUGIN + '[[subscribers]]\nkind = "listener"\n'


def policies(*tables: str) -> str:
    """Write the settings of some policies."""
    return PLUGIN + "".join(
        f'[[policies]]\nkind = "verdict"\nname = "policy-{number}"\n{table}\n' for number, table in enumerate(tables)
    )


@pytest.fixture(autouse=True)
def _forget(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Begin with a plugin that has seen nothing, and without long pauses."""
    monkeypatch.setattr(delivery, "_PAUSE_SECONDS", 0.02)
    JUDGED.clear()
    HEARD.events.clear()
    HEARD.failures_left = HEARD.closed = 0
    yield
    assert publishing_parts.API_REVISION == 1


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for what happens in the background."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_policy_that_allows_is_asked_with_the_facts(make_server: MakeServer) -> None:
    """It sees who, where and what the archive itself says."""
    server = make_server(policies('verdict = "allow"'))
    wheel = a_wheel("Judged.Thing", "1.0", metadata={"Classifier": ["Private :: A", "Private :: B"]})
    assert server.publish(wheel).status == http.client.CREATED
    (candidate,) = JUDGED
    facts = (candidate.owner, candidate.index, candidate.project, candidate.version, candidate.filename)
    assert facts == ("main", "pypi", "judged-thing", "1.0", wheel.filename)
    assert (candidate.size_bytes, candidate.sha256) == (len(wheel.content), wheel.sha256)
    assert list(candidate.metadata["classifier"]) == ["Private :: A", "Private :: B"]
    assert candidate.identity.subject.startswith("token:")


def test_a_policy_that_denies_has_its_sentence_told(make_server: MakeServer) -> None:
    """403 with its reason, in one line however it was written, and nothing is kept."""
    server = make_server(policies('verdict = "deny"\nreason = "Ask Jo\\nfirst, <please>"'))
    with keeps_nothing(server):
        reply = server.publish(a_wheel())
    assert (reply.status, reply.text) == (http.client.FORBIDDEN, "Ask Jo first, <please>\n")
    assert reply.reason == "Ask Jo first, (please)"


def test_all_denials_are_told(make_server: MakeServer) -> None:
    """Any denial denies, whatever the others say, and the publisher learns of each."""
    server = make_server(
        policies('verdict = "deny"\nreason = "No one"', 'verdict = "allow"', 'verdict = "deny"\nreason = "No two"')
    )
    with keeps_nothing(server):
        reply = server.publish(a_wheel())
    assert (reply.status, reply.text) == (
        http.client.FORBIDDEN,
        "2 problems: No one; No two\n- No one [not-wanted]\n- No two [not-wanted]\n",
    )
    assert len(JUDGED) == 3


@pytest.mark.parametrize(
    ("verdict", "status"),
    [
        ("fail", http.client.INTERNAL_SERVER_ERROR),
        ("nonsense", http.client.INTERNAL_SERVER_ERROR),
        ("unavailable", http.client.SERVICE_UNAVAILABLE),
        ("hang", http.client.SERVICE_UNAVAILABLE),
    ],
)
def test_a_policy_that_gives_no_verdict_fails_closed(
    make_server: MakeServer, monkeypatch: pytest.MonkeyPatch, verdict: str, status: int
) -> None:
    """Neither an error, nor nonsense, nor silence is taken for leave; its inner words stay inside."""
    monkeypatch.setattr(publishing, "_VERDICT_SECONDS", 0.05)
    server = make_server(policies('verdict = "allow"', f'verdict = "{verdict}"\nreason = "The judge is out"'))
    with keeps_nothing(server):
        reply = server.publish(a_wheel())
    assert reply.status == status
    assert ("The judge is out" in reply.text) == (verdict == "unavailable")
    assert ("retry-after" in reply.headers) == (status == http.client.SERVICE_UNAVAILABLE)


def test_bad_input_never_reaches_a_policy(make_server: MakeServer) -> None:
    """A policy may rely on what it is asked about."""
    server = make_server(policies('verdict = "allow"'))
    assert server.publish(a_wheel(), sha256_digest="0" * 64).status == http.client.BAD_REQUEST
    assert JUDGED == []


def test_what_is_published_already_is_not_judged_again(make_server: MakeServer) -> None:
    """The same bytes again change nothing, so that nobody has to allow it."""
    server = make_server(policies('verdict = "allow"'))
    server.publish(a_wheel())
    assert server.publish(a_wheel()).status == http.client.OK
    assert len(JUDGED) == 1


@pytest.mark.parametrize("status", [ProjectStatus.ARCHIVED, ProjectStatus.QUARANTINED])
def test_a_project_that_takes_no_files_keeps_none(make_server: MakeServer, status: ProjectStatus) -> None:
    """403 before the bytes go to the store: nobody fills a disk with refused files."""
    server = make_server()
    server.publish(a_wheel("closed", "1.0"))
    with server.catalog() as catalog:
        catalog.curation.set_status("main/pypi", "closed", status)
    with keeps_nothing(server):
        reply = server.publish(a_wheel("closed", "1.1", padding_bytes=1000))
    assert reply.status == http.client.FORBIDDEN
    assert f"The project closed is {status} and takes no new files" in reply.text


def test_a_subscriber_hears_of_every_file_in_order(make_server: MakeServer) -> None:
    """Each once, by rising serial, when nothing goes wrong; at the end it is closed."""
    server = make_server(LISTENER)
    wheels = [a_wheel("heard", f"1.{number}") for number in range(5)]
    for wheel in wheels:
        server.publish(wheel)
    wait_until(lambda: len(HEARD.events) >= 5)
    assert [event.filename for event in HEARD.events] == [wheel.filename for wheel in wheels]
    assert [event.serial for event in HEARD.events] == [event["serial"] for event in events_of(server)]
    server.stop()
    assert HEARD.closed == 1


def test_a_subscriber_that_failed_hears_again(make_server: MakeServer) -> None:
    """The upload has succeeded all the same, and later events wait for their turn."""
    HEARD.failures_left = 2
    server = make_server(LISTENER)
    wheels = [a_wheel("heard", "1.0"), a_wheel("heard", "1.1")]
    assert [server.publish(wheel).status for wheel in wheels] == [http.client.CREATED] * 2
    wait_until(lambda: len(HEARD.events) >= 4)
    first, second = (wheel.filename for wheel in wheels)
    assert [event.filename for event in HEARD.events] == [first, first, first, second]


def test_a_subscriber_goes_on_after_a_restart(make_server: MakeServer) -> None:
    """What it did not take before the stop it hears after the start, and what it took it does not hear again."""
    first = make_server(LISTENER)
    first.publish(a_wheel("heard", "1.0"))
    wait_until(lambda: len(HEARD.events) == 1)
    HEARD.failures_left = 1_000_000
    first.publish(a_wheel("heard", "1.1"))
    wait_until(lambda: len(HEARD.events) >= 2)
    first.stop()
    HEARD.events.clear()
    HEARD.failures_left = 0
    make_server(LISTENER, folder=first.folder)
    wait_until(lambda: len(HEARD.events) >= 1)
    assert [event.version for event in HEARD.events] == ["1.1"]


def test_a_new_subscriber_hears_nothing_of_before(make_server: MakeServer) -> None:
    """What was before it is not its business."""
    first = make_server()
    first.publish(a_wheel("heard", "1.0"))
    first.stop()
    second = make_server(LISTENER, folder=first.folder)
    assert second.publish(a_wheel("heard", "1.1"), token=first.token).status == http.client.CREATED
    wait_until(lambda: len(HEARD.events) >= 1)
    assert [event.version for event in HEARD.events] == ["1.1"]


def test_what_a_policy_remarks_is_told_now_and_whenever_the_file_is_sent_again(make_server: MakeServer) -> None:
    """The file is published, each remark is a line of the answer, and programs get it as JSON."""
    server = make_server(policies('verdict = "warn"\nreason = "say more"', 'verdict = "allow"'))
    wheel = a_wheel()
    remark = "Warning: say more [not-nice]"
    first, again = server.publish(wheel), server.publish(wheel)
    assert (first.status, again.status) == (http.client.CREATED, http.client.OK)
    for reply in (first, again):
        assert remark in reply.text.splitlines()[1:]
    body = encode([*usual_parts(wheel), content_part(wheel)])
    document = json.loads(post(server, body, headers={"Accept": JSON_LIKE_UV}).body)
    assert {"code": "not-nice", "message": "say more"} in document["warnings"]
    assert "demo/__init__.py" in {member.path for member in JUDGED[0].members}


def test_a_denial_among_several_verdicts_denies(make_server: MakeServer) -> None:
    """What it remarks beside is not kept."""
    server = make_server(policies('verdict = "both"\nreason = "no"'))
    with keeps_nothing(server):
        assert server.publish(a_wheel()).status == http.client.FORBIDDEN

"""Several processes that serve one address: nobody notices, whatever becomes of them."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from command_line import is_refusal, run
from forked_server import ForkedServer
from raw_http import RawConnection
from server_process import ServerProcess
from uploading import BASE, content_part, data_of, encode, events_of, head_of, kept_by, published, usual_parts

from pypiserve.testing import a_wheel

pytestmark = pytest.mark.machine

WORKERS = 3
LARGE = a_wheel("large", padding_bytes=3_000_000)
BODY = encode([*usual_parts(LARGE), content_part(LARGE)])


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    """Return a server of three workers; at the end none of its processes is left."""
    (tmp_path / "pypiserve.toml").write_text(f"workers = {WORKERS}\n")
    with several(tmp_path) as server:
        everybody = workers_of(server)
        yield server
        everybody += workers_of(server) if server.process.poll() is None else []
        server.process.kill()
        until(lambda: not any(is_alive(pid) for pid in everybody))


@contextlib.contextmanager
def several(folder: Path) -> Iterator[ServerProcess]:
    """Start a server whose settings file says how many workers it has, and wait for all of them."""
    with ForkedServer(folder, PYPISERVE_WORKERS="") as server:
        until(lambda: len(workers_of(server)) == WORKERS)
        yield server


def workers_of(server: ServerProcess) -> list[int]:
    """Return the processes that the supervisor has started, and that listen."""
    children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text(encoding="ascii")
    return [int(pid) for pid in children.split() if is_alive(int(pid))]


def is_alive(pid: int) -> bool:
    """Tell whether a process runs; one that nobody has waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def until(condition: Callable[[], bool]) -> None:
    """Wait for what happens in other processes."""
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def connections_of(pid: int) -> int:
    """Count the sockets of a process."""
    links = [path.readlink() for path in Path(f"/proc/{pid}/fd").iterdir() if path.is_symlink()]
    return sum(str(link).startswith("socket:") for link in links)


def test_every_worker_lists_what_any_of_them_has_published(server: ServerProcess) -> None:
    """At once: the next request sees it, whoever answers it; the workers share the connections between them."""
    with contextlib.ExitStack() as stack:
        before = {pid: connections_of(pid) for pid in workers_of(server)}
        connections = [stack.enter_context(RawConnection(server)) for _ in range(8 * WORKERS)]
        for connection in connections:
            connection.ask("GET", "/-/health")
            assert connection.reply().status == http.client.OK
        assert sum(connections_of(pid) > before[pid] for pid in before) >= 2
        for number in range(5):
            assert server.publish(a_wheel("demo", f"1.{number}")).status == http.client.CREATED
            for connection in connections:
                connection.ask("GET", f"{BASE}/simple/demo/")
                assert f"demo-1.{number}-py3-none-any.whl" in connection.reply().text
    assert len(published(server, "demo")) == 5


def test_clients_of_all_workers_publish_side_by_side(server: ServerProcess) -> None:
    """Each file is published once, in one order of serials, and twins do no harm."""
    wheels = [a_wheel("demo", f"1.{number % 12}") for number in range(36)]
    with ThreadPoolExecutor(8) as clients:
        statuses = list(clients.map(lambda wheel: server.publish(wheel).status, wheels))
    assert sorted(statuses) == [http.client.OK] * 24 + [http.client.CREATED] * 12
    serials = [event["serial"] for event in events_of(server)]
    assert len(serials) == 12
    assert len(published(server, "demo")) == 12


def test_a_worker_that_dies_is_replaced(server: ServerProcess) -> None:
    """The others go on meanwhile, and nobody is refused."""
    dead, *others = workers_of(server)
    os.kill(dead, signal.SIGKILL)
    until(lambda: not is_alive(dead))
    until(lambda: len(workers_of(server)) == WORKERS)
    assert set(others) < set(workers_of(server))
    for _ in range(10):
        assert server.get("/-/health").status == http.client.OK
    assert f"Worker {dead} ended (SIGKILL); another one starts in 1 s" in server.log


def test_the_greeting_and_the_stop_are_said_once(server: ServerProcess) -> None:
    """Whatever the number of workers; the exit status is 0."""
    assert server.output.count("pypiserve serves") == 1
    assert server.end(signal.SIGTERM) == 0
    assert server.output.count("Stopping") == 1
    assert "Traceback" not in server.log


def test_a_running_upload_finishes_when_all_processes_are_told_to_stop(server: ServerProcess) -> None:
    """As a service manager tells them, the workers too; nobody listens any more."""
    with RawConnection(server) as connection:
        connection.send(head_of(server, Content_Length=str(len(BODY))) + BODY[:-1000])
        until(lambda: bool(kept_by(data_of(server)).staged))
        for pid in [server.process.pid, *workers_of(server)]:
            os.kill(pid, signal.SIGTERM)
        until(lambda: len(workers_of(server)) == 1)
        with pytest.raises(ConnectionRefusedError), socket.create_connection((server.host, server.port)):
            pass
        connection.send(BODY[-1000:])
        assert connection.reply().status == http.client.CREATED
    assert server.process.wait(20) == 0
    assert "another one starts" not in server.log


def test_a_second_signal_ends_all_workers_at_once(tmp_path: Path) -> None:
    """Who asks twice does not want to wait."""
    (tmp_path / "pypiserve.toml").write_text(f"workers = {WORKERS}\nshutdown_seconds = 600\n")
    with several(tmp_path) as server, RawConnection(server) as connection:
        everybody = workers_of(server)
        connection.send(head_of(server, Content_Length=str(len(BODY))) + BODY[:-1000])
        until(lambda: bool(kept_by(data_of(server)).staged))
        server.process.send_signal(signal.SIGINT)
        until(lambda: "Stopping" in server.output)
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(20) == 130
        until(lambda: not any(is_alive(pid) for pid in everybody))
    assert "Stopped at once; requests were unfinished." in server.log


def test_workers_end_with_their_supervisor(server: ServerProcess) -> None:
    """Also when it had no time to tell them."""
    everybody = workers_of(server)
    server.process.send_signal(signal.SIGKILL)
    until(lambda: not any(is_alive(pid) for pid in everybody))


def test_a_hangup_puts_new_settings_into_force(server: ServerProcess, tmp_path: Path) -> None:
    """New workers take over, and a request that runs is answered by the old one."""
    old = workers_of(server)
    with RawConnection(server) as connection:
        connection.send(head_of(server, Content_Length=str(len(BODY))) + BODY[:-1000])
        until(lambda: bool(kept_by(data_of(server)).staged))
        (tmp_path / "pypiserve.toml").write_text(f"workers = {WORKERS}\nmax_file_size_bytes = 100\n")
        server.process.send_signal(signal.SIGHUP)
        until(lambda: "Begun anew" in server.log)
        until(lambda: len(set(workers_of(server)) - set(old)) == WORKERS)
        connection.send(BODY[-1000:])
        assert connection.reply().status == http.client.CREATED
    until(lambda: not any(is_alive(pid) for pid in old))
    assert server.publish(a_wheel("demo")).status == http.client.REQUEST_ENTITY_TOO_LARGE
    assert "another one starts" not in server.log


@pytest.mark.parametrize(
    ("settings", "reason"),
    [("max_file_size_bytes = 0", "max_file_size_bytes"), ('[store]\nkind = "disk"\nfolder = "taken"', "no worker")],
)
def test_settings_that_cannot_work_change_nothing(
    server: ServerProcess, tmp_path: Path, settings: str, reason: str
) -> None:
    """The log says why, and the workers stay as they are."""
    old = workers_of(server)
    (tmp_path / "taken").write_text("a file")
    (tmp_path / "pypiserve.toml").write_text(f"workers = {WORKERS}\n{settings}\n")
    server.process.send_signal(signal.SIGHUP)
    until(lambda: "The settings stay as they are" in server.log)
    assert reason in server.log[server.log.index("The settings stay as they are") :]
    assert workers_of(server) == old
    assert server.publish(a_wheel("demo")).status == http.client.CREATED


def test_what_takes_a_restart_is_said(server: ServerProcess, tmp_path: Path) -> None:
    """The number of workers and the address are those of the start."""
    (tmp_path / "pypiserve.toml").write_text("workers = 2\n")
    server.process.send_signal(signal.SIGHUP)
    until(lambda: "Begun anew" in server.log)
    assert "A change of workers takes a restart" in server.log


@pytest.mark.parametrize(
    "settings", ['listen = "192.0.2.1:0"', '[[authenticators]]\nkind = "htpasswd"\nfile = "none"']
)
def test_a_start_that_fails_is_one_line(tmp_path: Path, settings: str) -> None:
    """Exit status 2 from the supervisor, whichever process met the fault."""
    address = "" if "listen" in settings else 'listen = "127.0.0.1:0"\n'
    (tmp_path / "pypiserve.toml").write_text(f"workers = {WORKERS}\n{address}{settings}\n")
    assert is_refusal(run("serve", folder=tmp_path), "cannot")


def test_a_second_server_on_the_address_is_refused(server: ServerProcess, tmp_path: Path) -> None:
    """Also one that would share it with other workers: it is not one of them."""
    (tmp_path / "other").mkdir()
    address = f"{server.host}:{server.port}"
    second = run("serve", "--listen", address, "--workers", "2", folder=tmp_path / "other")
    assert is_refusal(second, f"cannot listen on {address}")


def test_each_subscriber_is_told_by_one_worker(tmp_path: Path) -> None:
    """And by another one when that has died: nothing is forgotten."""
    subscriber = 'plugins = ["plugin_parts"]\n[[subscribers]]\nkind = "diary"\n'
    (tmp_path / "pypiserve.toml").write_text(f"workers = {WORKERS}\n{subscriber}")
    with several(tmp_path) as server:
        diary = tmp_path / "pypiserve-data" / "diary"
        server.publish(a_wheel("demo", "1.0"))
        until(lambda: diary.exists() and "demo-1.0-" in diary.read_text(encoding="utf-8"))
        teller = int(diary.read_text(encoding="utf-8").splitlines()[-1].split()[0])
        assert teller in workers_of(server)
        os.kill(teller, signal.SIGKILL)
        server.publish(a_wheel("demo", "2.0"))
        until(lambda: "demo-2.0-" in diary.read_text(encoding="utf-8"))
        server.publish(a_wheel("demo", "3.0"))
        until(lambda: "demo-3.0-" in diary.read_text(encoding="utf-8"))
        lines = diary.read_text(encoding="utf-8").splitlines()
    # What was told just before the end may be told again; what comes after it is not.
    assert [sum(f"demo-{version}-" in line for line in lines) for version in ("2.0", "3.0")] == [1, 1]

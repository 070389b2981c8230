"""Certificates are checked: no token goes to whoever answers under the forge's name."""

from __future__ import annotations

import copy
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from fake_forge.gitea import FakeGitea
from fake_forge.serving import ForgeServer
from forge_fixtures import MakeAuthenticator
from people import GITEA, gitea_token
from pypiserve.core.errors import Unavailable
from signing_in import rights, sign_in


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a key and a certificate of its own for this machine."""
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("openssl makes the certificate")
    folder = tmp_path_factory.mktemp("tls")
    options = "-x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=forge"
    subprocess.run(
        [program, "req", *options.split(), "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key", "-out", "crt"],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    file = folder / "forge.pem"
    file.write_bytes((folder / "key").read_bytes() + (folder / "crt").read_bytes())
    return file


@pytest.fixture
def server(certificate: Path) -> Iterator[ForgeServer]:
    """A Gitea that speaks TLS."""
    forge = FakeGitea()
    forge.state |= copy.deepcopy(GITEA)
    server = ForgeServer(forge)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


async def test_a_certificate_of_the_settings(make: MakeAuthenticator, server: ForgeServer, certificate: Path) -> None:
    """An authority of one's own is trusted when the settings name it."""
    authenticator = make("gitea", url=f"https://127.0.0.1:{server.server_port}", ca_file=certificate)
    assert await rights(authenticator, gitea_token("wim")) == {"acme": "publisher"}


async def test_an_unknown_certificate(make: MakeAuthenticator, server: ForgeServer) -> None:
    """Nothing is sent to a server whose certificate nobody vouches for."""
    with pytest.raises(Unavailable):
        await sign_in(make("gitea", url=f"https://127.0.0.1:{server.server_port}"), gitea_token("wim"))
    assert server.asked == []


async def test_a_certificate_for_another_host(
    make: MakeAuthenticator, server: ForgeServer, certificate: Path
) -> None:
    """Nor to one whose certificate is for somebody else."""
    url = f"https://localhost:{server.server_port}"
    with pytest.raises(Unavailable):
        await sign_in(make("gitea", url=url, ca_file=certificate), gitea_token("wim"))
    assert server.asked == []

"""The receiver's settings and TLS context, without a running server."""

import contextlib
import inspect
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from gunicorn.workers.gthread import TConn, ThreadWorker

from bars_portal.credentials.local_pki import PkiFiles
from bars_portal.exchange.receiver.server.bounded import SlowClient
from bars_portal.exchange.receiver.server.bounded_worker import BoundedConnection, BoundedWorker
from bars_portal.exchange.receiver.server.environment import HealthSettings, ServerSettings
from bars_portal.exchange.receiver.server.tls import (
    LOOK_SECONDS,
    Credentials,
    PeerSocket,
    Renewal,
    nginx_names,
    server_context,
)
from bars_portal.exchange.receiver.server.worker import ReceiverWorker
from tests.factories.certificates import authority, pem
from tests.integration.receiver_server.leaves import DAY, write_revoked
from tests.integration.receiver_server.running import APPLICATION, ROOT, environment

GUNICORN = ROOT / "deploy" / "gunicorn_receiver_behind_nginx.py"
Pair = tuple[PeerSocket, ssl.SSLSocket]


@pytest.fixture
def settings(pki: PkiFiles, tmp_path: Path) -> ServerSettings:
    return ServerSettings.read(environment(pki, 8443, tmp_path))


def connected(settings: ServerSettings, pki: PkiFiles, name: str) -> Pair:
    """Both ends of a TLS connection, server first."""
    near, far = socket.socketpair()
    client = ssl.create_default_context(cafile=str(pki.ca_chain))
    client.load_cert_chain(pki.certificate(name), pki.key(name))
    ends: list[ssl.SSLSocket] = []

    def connect() -> None:
        with contextlib.suppress(OSError):
            ends.append(client.wrap_socket(far, server_hostname="localhost"))

    thread = threading.Thread(target=connect)
    thread.start()
    try:
        server = server_context(settings).wrap_socket(near, server_side=True)
    except OSError:
        near.close()
        thread.join()
        for end in (*ends, far):
            end.close()
        raise
    thread.join()
    assert isinstance(server, PeerSocket)
    return server, ends[0]


@pytest.fixture
def pair(settings: ServerSettings, pki: PkiFiles) -> Iterator[Pair]:
    server, client = connected(settings, pki, "proxy-client")
    with server, client:
        yield server, client


def test_settings_have_the_documented_defaults(settings: ServerSettings) -> None:
    assert (settings.bind, settings.workers, settings.crl_file) == ("127.0.0.1:8443", 2, None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RECEIVER_PORT", "0"),
        ("RECEIVER_PORT", "65536"),
        ("RECEIVER_PORT", "http"),
        ("RECEIVER_PORT", "٣"),
        ("RECEIVER_WORKERS", "-1"),
        ("RECEIVER_THREADS", "9" * 5000),
        ("RECEIVER_CERT_FILE", ""),
        ("RECEIVER_KEY_FILE", "/nowhere/secret.key"),
        ("RECEIVER_CA_FILE", "/"),
        ("RECEIVER_CRL_FILE", "/nowhere/crl.pem"),
        ("BARS_PEER_SOURCES", "everywhere"),
        ("BARS_PEER_SOURCES", "10.0.0.0/99"),
    ],
)
def test_a_bad_variable_is_named_without_its_value(
    pki: PkiFiles, tmp_path: Path, name: str, value: str
) -> None:
    with pytest.raises(ImproperlyConfigured, match=name) as refused:
        ServerSettings.read(environment(pki, 8443, tmp_path) | {name: value})
    assert len(value) < 4 or value not in str(refused.value)


def test_health_listens_one_port_up(pki: PkiFiles, tmp_path: Path) -> None:
    files = {
        "RECEIVER_HEALTH_CERT_FILE": str(pki.certificate("proxy-client")),
        "RECEIVER_HEALTH_KEY_FILE": str(pki.key("proxy-client")),
    }
    settings = HealthSettings.read(environment(pki, 9443, tmp_path) | files)
    assert (settings.port, settings.health_port, settings.server_name) == (9443, 9444, "localhost")


def test_the_context_is_strict(settings: ServerSettings, pki: PkiFiles) -> None:
    context = server_context(settings)
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.num_tickets == 0
    assert len(context.get_ca_certs()) == 2, "the given chain and no authority of the machine"


def test_a_revoked_certificate_is_refused(settings: ServerSettings, pki: PkiFiles, tmp_path: Path) -> None:
    crl = tmp_path / "crl.pem"
    write_revoked(pki, crl, "wrong-name-client")
    settings = replace(settings, crl_file=crl)
    server, client = connected(settings, pki, "proxy-client")
    with server, client:
        assert server.getpeercert()
    with pytest.raises(ssl.SSLCertVerificationError, match="certificate revoked"):
        connected(settings, pki, "wrong-name-client")


def test_an_outdated_revocation_list_refuses_everyone(
    settings: ServerSettings, pki: PkiFiles, tmp_path: Path
) -> None:
    crl = tmp_path / "crl.pem"
    write_revoked(pki, crl, "wrong-name-client", ends=-DAY)
    with pytest.raises(ssl.SSLCertVerificationError, match="CRL has expired"):
        connected(replace(settings, crl_file=crl), pki, "proxy-client")


def test_reads_share_one_deadline_however_the_bytes_trickle(pair: Pair) -> None:
    server, client = pair
    server.begin_request(time.monotonic() + 0.4)
    began = time.monotonic()
    stop = threading.Event()

    def trickle() -> None:
        while not stop.wait(0.05):
            client.sendall(b"a")

    thread = threading.Thread(target=trickle)
    thread.start()
    try:
        with pytest.raises(SlowClient):
            while server.recv(1):
                pass
    finally:
        stop.set()
        thread.join()
    assert 0.3 < time.monotonic() - began < 2
    assert server.was_slow


def test_each_request_has_time_of_its_own(pair: Pair) -> None:
    server, client = pair
    server.begin_request(time.monotonic() + 0.05)
    time.sleep(0.1)
    server.begin_request(time.monotonic() + 2)
    client.sendall(b"next")
    assert server.recv(10) == b"next"
    assert not server.was_slow


def test_a_client_that_takes_no_answer_is_given_up(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bars_portal.exchange.receiver.server.bounded.WRITE_SECONDS", 0.2)
    with pytest.raises(SlowClient):
        pair[0].sendall(b"x" * 20_000_000)


@pytest.mark.parametrize(
    ("ours", "theirs", "method"),
    [
        (BoundedWorker, ThreadWorker, "accept"),
        (ReceiverWorker, ThreadWorker, "accept"),
        (BoundedWorker, ThreadWorker, "enqueue_req"),
        (BoundedWorker, ThreadWorker, "on_pending_socket_readable"),
        (BoundedWorker, ThreadWorker, "on_client_socket_readable"),
        (BoundedWorker, ThreadWorker, "handle"),
        (BoundedWorker, ThreadWorker, "handle_request"),
        (BoundedWorker, ThreadWorker, "handle_error"),
        (BoundedWorker, ThreadWorker, "murder_pending"),
        (BoundedWorker, ThreadWorker, "_cap_keepalive"),
        (BoundedConnection, TConn, "close"),
        (BoundedConnection, TConn, "__init__"),
    ],
)
def test_gunicorn_still_has_what_we_override(ours: type, theirs: type, method: str) -> None:
    """These are internals: a release that renames or reshapes one must fail here, not in production."""
    assert method in vars(ours)
    expected = inspect.signature(getattr(theirs, method)).parameters.values()
    actual = inspect.signature(getattr(ours, method)).parameters.values()
    assert len(actual) == len(expected)
    assert [each.default for each in actual] == [each.default for each in expected]


@pytest.mark.parametrize("name", ["on_pending_socket_readable", "_cap_keepalive", "finish_request"])
def test_gunicorn_still_has_what_we_rely_on(name: str) -> None:
    assert callable(getattr(ThreadWorker, name))


def test_the_files_are_looked_at_once_a_second_however_busy_the_poller_is(
    settings: ServerSettings, tmp_path: Path
) -> None:
    certificate = Path(shutil.copy(settings.cert_file, tmp_path / "leaf.pem"))
    renewal = Renewal(replace(settings, cert_file=certificate))
    assert renewal.renewed(100.0) is None
    os.utime(certificate, ns=(0, 0))
    assert renewal.renewed(100.0 + LOOK_SECONDS / 2) is None
    assert isinstance(renewal.renewed(100.0 + LOOK_SECONDS), Credentials)


@pytest.mark.parametrize(
    ("environment", "trusted", "words"),
    [
        ("prod", "int", "NHS INT Level 1C, the chain of .*; BARS_ENVIRONMENT is prod"),
        ("int", "prod", "NHS Level 1C, the chain of Production"),
        ("prod", "prod", ""),
        ("dev", "int", ""),
    ],
)
def test_a_chain_of_another_environment_is_refused_at_the_start(
    settings: ServerSettings, tmp_path: Path, environment: str, trusted: str, words: str
) -> None:
    """Yesterday's chain, forgotten in the file when an installation goes live."""
    chain = tmp_path / "chain.pem"
    chain.write_bytes(pem(*authority(trusted)))
    judged = replace(settings, environment=environment, ca_file=chain)
    if not words:
        assert server_context(judged).get_ca_certs()
        return
    for build in (server_context, lambda judged: nginx_names(judged, left_out=[])):
        with pytest.raises(ImproperlyConfigured, match=words):
            build(judged)


def test_before_nginx_too_where_its_chain_is_named(tmp_path: Path) -> None:
    """nginx tells no environment from another: the application behind it does not start."""
    chain = tmp_path / "chain.pem"
    chain.write_bytes(pem(*authority("int")))
    started = subprocess.run(
        [sys.executable, "-m", "gunicorn", "--check-config", "-c", GUNICORN, APPLICATION],
        env={"PYTHONPATH": str(ROOT), "BARS_ENVIRONMENT": "prod", "RECEIVER_CA_FILE": str(chain)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert started.returncode == 1
    assert "trusts NHS INT Level 1C, the chain of" in started.stderr

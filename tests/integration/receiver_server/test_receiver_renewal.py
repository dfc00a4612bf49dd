"""New certificate files and revocation lists, read while partners are at work."""

import contextlib
import http.client
import shutil
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509

from bars_portal.credentials.acceptance import name_of
from bars_portal.credentials.local_pki import PkiFiles
from tests.integration.receiver_server.leaves import issue, serial_of, write_revoked
from tests.integration.receiver_server.running import Receiver, exchange, running

READ_AGAIN, UNUSABLE = "Certificate files read again", "changed but unusable"


@pytest.fixture(scope="module")
def renewing(pki: PkiFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    """With files of its own, and nobody revoked yet."""
    ours = PkiFiles(tmp_path_factory.mktemp("renewing") / "pki")
    shutil.copytree(pki.directory, ours.directory)
    issue(ours, "partner")
    crl = ours.directory / "crl.pem"
    write_revoked(ours, crl)
    with running(ours, tmp_path_factory.mktemp("renewed"), {"RECEIVER_CRL_FILE": str(crl)}) as server:
        yield server


def presented(receiver: Receiver) -> int:
    """The serial number that a new connection is shown."""
    with contextlib.closing(receiver.open()) as sock:
        assert isinstance(sock, ssl.SSLSocket)
        return x509.load_der_x509_certificate(sock.getpeercert(binary_form=True) or b"").serial_number


def waited_for(receiver: Receiver, words: str, times: int) -> bool:
    """Each of two workers says so by itself."""
    deadline = time.monotonic() + 5
    while receiver.log.count(words) < times and time.monotonic() < deadline:
        time.sleep(0.05)
    return receiver.log.count(words) >= times


class Poster(threading.Thread):
    """A kept-alive client; it counts its requests, and its connections, until told to stop."""

    def __init__(self, receiver: Receiver, stop: threading.Event) -> None:
        super().__init__()
        self.receiver, self.connection, self.stop = receiver, receiver.connect(), stop
        self.sent, self.connections, self.problem = 0, set[int](), ""

    def run(self) -> None:
        with contextlib.closing(self.connection):
            while not self.stop.is_set():
                try:
                    exchange(self.connection, body=b"x" * 2000)
                except (OSError, http.client.HTTPException) as problem:
                    self.problem = repr(problem)
                    return
                self.sent += 1
                self.connections.add(id(self.connection.sock))
                time.sleep(0.01)


class Opener(Poster):
    """A client that opens a new connection for each request."""

    def run(self) -> None:
        while not self.stop.is_set():
            try:
                self.receiver.ask(body=b"x" * 2000)
            except (OSError, http.client.HTTPException, AssertionError) as problem:
                self.problem = repr(problem)
                return
            self.sent += 1


@pytest.mark.parametrize("how", [pytest.param("watched", marks=pytest.mark.further), "SIGHUP"])
def test_a_renewed_certificate_is_shown_and_nobody_is_dropped(renewing: Receiver, how: str) -> None:
    before, read = presented(renewing), renewing.log.count(READ_AGAIN)
    stop = threading.Event()
    posters = [*(Poster(renewing, stop) for _ in range(4)), *(Opener(renewing, stop) for _ in range(2))]
    for poster in posters:
        poster.start()
    issue(renewing.pki, "receiver", common_name="localhost")
    assert waited_for(renewing, READ_AGAIN, read + 2)
    if how == "SIGHUP":
        renewing.process.send_signal(1)
        time.sleep(3)
    sent = [poster.sent for poster in posters]
    time.sleep(0.3)
    stop.set()
    for poster in posters:
        poster.join()
    assert [poster.problem for poster in posters] == [""] * 6
    assert all(poster.sent > so_far for poster, so_far in zip(posters, sent, strict=True))
    assert presented(renewing) == serial_of(renewing.pki, "receiver") != before


NAME = "bars-int-har02.mysupplier.thirdparty.nhs.uk"


def shown_for(receiver: Receiver, name: str, client: str = "proxy-client") -> tuple[str, int]:
    """Common name and serial number of what a client sees that asks for this name, whatever it is."""
    context = receiver.context(client)
    context.check_hostname = False
    # Under TLS 1.3 a client is done before its own certificate was judged.
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with context.wrap_socket(receiver.plain(), server_hostname=name) as sock:
        found = x509.load_der_x509_certificate(sock.getpeercert(binary_form=True) or b"")
    return name_of(found.subject), found.serial_number


def test_each_organisation_is_served_under_its_own_name_with_its_own_certificate(
    pki: PkiFiles, tmp_path: Path
) -> None:
    """One whose files do not fit stops nobody; a renewed one is taken up; whom they trust is the same."""
    ours = PkiFiles(tmp_path / "pki")
    shutil.copytree(pki.directory, ours.directory)
    for code, common_name in (("HAR02", NAME), ("RIV01", "riv01.nhs.uk")):
        (tmp_path / "certificates" / code).mkdir(parents=True)
        issue(ours, "own", common_name=common_name, is_server=True)
        for suffix in ("pem", "key"):
            file = ours.directory / f"own.{suffix}"
            shutil.copy(file, tmp_path / "certificates" / code / f"receiver.{suffix}")
    broken = tmp_path / "certificates" / "RIV01" / "receiver.key"
    shutil.copy(ours.key("receiver"), broken)
    extra = {"RECEIVER_CERTIFICATES_FOLDER": str(tmp_path / "certificates")}
    with running(ours, tmp_path, extra) as receiver:
        assert receiver.log.count("The certificate of RIV01 cannot be used") == 2
        name, before = shown_for(receiver, NAME.upper())
        assert name == NAME
        assert shown_for(receiver, "riv01.nhs.uk") == shown_for(receiver, "localhost")
        with pytest.raises(OSError):
            shown_for(receiver, NAME, "stranger-client")
        broken.with_suffix(".pem").unlink()
        assert waited_for(receiver, READ_AGAIN, 2)
        issue(ours, "own", common_name=NAME, is_server=True)
        for suffix in ("key", "pem"):
            (ours.directory / f"own.{suffix}").replace(
                tmp_path / "certificates" / "HAR02" / f"receiver.{suffix}"
            )
        assert waited_for(receiver, READ_AGAIN, 4)
        assert shown_for(receiver, NAME)[1] != before


def test_half_of_a_pair_changes_nothing(renewing: Receiver) -> None:
    before, said = presented(renewing), renewing.log.count(UNUSABLE)
    key = renewing.pki.key("receiver").read_bytes()
    renewing.pki.key("receiver").write_bytes(renewing.pki.key("proxy-client").read_bytes())
    assert waited_for(renewing, UNUSABLE, said + 2)
    assert presented(renewing) == before
    assert renewing.ask()["peer"]
    read = renewing.log.count(READ_AGAIN)
    renewing.pki.key("receiver").write_bytes(key)
    assert waited_for(renewing, READ_AGAIN, read + 2)


def test_who_is_revoked_is_out_at_once_on_old_connections_too(renewing: Receiver) -> None:
    with contextlib.closing(renewing.connect("partner")) as kept:
        exchange(kept)
        before, read = renewing.count, renewing.log.count(READ_AGAIN)
        write_revoked(renewing.pki, renewing.pki.directory / "crl.pem", "partner")
        assert waited_for(renewing, READ_AGAIN, read + 2)
        with pytest.raises((OSError, http.client.HTTPException)):
            exchange(kept)
    with pytest.raises(OSError):
        renewing.ask(name="partner")
    assert renewing.count == before
    assert renewing.logs("its certificate was revoked")
    assert renewing.logs("certificate revoked")
    assert renewing.ask()["peer"], "the others go on"

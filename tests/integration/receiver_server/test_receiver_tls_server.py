"""The receiver's TLS server with real sockets: who gets in, who is kept out, and who cannot hold it up."""

import contextlib
import http.client
import socket
import ssl
import time
from collections.abc import Iterator

import pytest

from tests.integration.receiver_server.running import Receiver, exchange

PATIENT = "9434765919"


def client_hello() -> bytes:
    """The first bytes of a real client."""
    outgoing = ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost")
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    return outgoing.read()


@pytest.fixture
def crowd(receiver: Receiver) -> Iterator[list[socket.socket]]:
    """40 sockets that say nothing, 20 that say one byte, 20 that say half a ClientHello."""
    hello = client_hello()
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(receiver.plain()) for _ in range(80)]
        for sock in sockets[40:60]:
            sock.sendall(hello[:1])
        for sock in sockets[60:]:
            sock.sendall(hello[: len(hello) // 2])
        yield sockets


def test_the_proxy_gets_in_and_is_seen(receiver: Receiver) -> None:
    answer = receiver.ask()
    assert answer["peer"]["common_name"] == "int.api.service.nhs.uk"
    assert answer["peer"]["dns_names"] == ["int.api.service.nhs.uk"]
    assert answer["scheme"] == "https"


def test_a_wrong_name_reaches_the_application_as_such(receiver: Receiver) -> None:
    assert receiver.ask(name="wrong-name-client")["peer"]["common_name"] == "wrong.example.nhs.uk"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("stranger-client", "certificate not accepted"),
        ("receiver", "certificate not accepted"),
        (None, "peer did not return a certificate"),
    ],
)
def test_the_unknown_never_reach_the_application(receiver: Receiver, name: str | None, reason: str) -> None:
    before = receiver.count
    for _ in range(3):
        with pytest.raises(OSError):
            receiver.ask(f"/?patient={PATIENT}", name=name)
    assert receiver.count == before
    assert receiver.logs(reason)


def test_plain_http_gets_nothing(receiver: Receiver) -> None:
    before = receiver.count
    with receiver.plain() as sock:
        sock.sendall(f"GET /?patient={PATIENT} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        received = b""
        with contextlib.suppress(ConnectionResetError):
            received = sock.recv(100)
    assert received == b""
    assert receiver.count == before


def test_old_protocols_are_refused(receiver: Receiver) -> None:
    context = receiver.context("proxy-client")
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with receiver.plain() as sock, pytest.raises(OSError):
        context.wrap_socket(sock, server_hostname="localhost")


def test_unfinished_handshakes_delay_nobody_and_are_dropped(
    receiver: Receiver, crowd: list[socket.socket]
) -> None:
    opened = time.monotonic()
    for _ in range(6):
        before = time.monotonic()
        receiver.ask()
        assert time.monotonic() - before < 1
    assert time.monotonic() - opened < 3, "the crowd must still be waiting while the good client is served"
    for sock in crowd:
        sock.settimeout(max(0.1, opened + 6 - time.monotonic()))
        with contextlib.suppress(ConnectionResetError):
            assert sock.recv(1) == b""
    assert receiver.logs("not finished within 3 s")


def test_a_trickling_handshake_has_the_same_deadline(receiver: Receiver) -> None:
    began = time.monotonic()
    with receiver.plain() as sock, pytest.raises(OSError):
        for byte in client_hello():
            sock.sendall(bytes([byte]))
            time.sleep(0.1)
    assert time.monotonic() - began < 6


def test_a_connection_is_kept_for_the_next_request(receiver: Receiver) -> None:
    with contextlib.closing(receiver.connect()) as connection:
        first = exchange(connection, body=b"x" * 40_000)
        sock = connection.sock
        assert sock is not None
        second = exchange(connection)
        assert connection.sock is sock, "http.client would have opened another"
    assert (first["received"], second["received"]) == (40_000, 0)
    assert first["peer"] == second["peer"]


def test_connecting_early_and_asking_late_works(receiver: Receiver) -> None:
    with contextlib.closing(receiver.connect()) as connection:
        connection.connect()
        # Longer than the handshake may take: an admitted client is no longer under that clock.
        time.sleep(3.5)
        exchange(connection)


def test_a_client_that_vanishes_in_its_body_is_no_incident(receiver: Receiver) -> None:
    before = receiver.log.count("Traceback")
    with receiver.plain() as plain:
        sock = receiver.context("proxy-client").wrap_socket(plain, server_hostname="localhost")
        sock.sendall(b"POST /gone HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\nhalf")
        sock.close()
    assert receiver.logs("POST /gone ")
    assert receiver.log.count("Traceback") == before


def test_large_answers_arrive_whole(receiver: Receiver) -> None:
    with contextlib.closing(receiver.connect()) as connection:
        connection.request("GET", "/?pad=2000000")
        assert len(connection.getresponse().read()) > 2_000_000


def raw_answer(receiver: Receiver, request: bytes) -> bytes:
    with (
        receiver.plain() as plain,
        receiver.context("proxy-client").wrap_socket(plain, server_hostname="localhost") as sock,
    ):
        sock.sendall(request)
        return b"".join(iter(lambda: sock.recv(4096), b""))


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (f"GET /{PATIENT}?p={PATIENT} HTTP/nonsense\r\n\r\n".encode(), b"400"),
        (f"GET / HTTP/1.1\r\nBad Header {PATIENT}\r\n\r\n".encode(), b"400"),
        (f"GET /?p={PATIENT * 2000} HTTP/1.1\r\n\r\n".encode(), b"414"),
        (f"GET / HTTP/1.1\r\nHost: x\r\nX: {PATIENT * 2000}\r\n\r\n".encode(), b"431"),
        (f"POST /{PATIENT} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: {PATIENT}\r\n\r\n".encode(), b"400"),
    ],
)
def test_what_is_no_http_is_neither_logged_nor_repeated(
    receiver: Receiver, request_bytes: bytes, status: bytes
) -> None:
    answer = raw_answer(receiver, request_bytes)
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert PATIENT.encode() not in answer
    assert receiver.logs("not understood")
    assert PATIENT not in receiver.log


def test_access_log_has_the_path_and_nothing_else_of_the_request(receiver: Receiver) -> None:
    receiver.ask(f"/Appointment?patient:identifier={PATIENT}")
    assert receiver.logs("GET /Appointment 200 ")
    assert PATIENT not in receiver.log


def test_a_path_cannot_forge_a_log_line(receiver: Receiver) -> None:
    receiver.ask("/x%0aPOST%20/forged%20200")
    assert receiver.logs("GET /x%0aPOST%20/forged%20200 200 ")


def test_refused_handshakes_leave_no_traceback(receiver: Receiver) -> None:
    with pytest.raises(OSError):
        receiver.ask(name="stranger-client")
    assert receiver.logs("refused")
    assert "Traceback" not in receiver.log


def test_an_application_that_crashes_is_a_500_without_the_query(receiver: Receiver) -> None:
    with contextlib.closing(receiver.connect()) as connection:
        connection.request("GET", f"/crash?patient={PATIENT}")
        response: http.client.HTTPResponse = connection.getresponse()
        assert response.status == 500
        assert b"deliberate" not in response.read()
    assert PATIENT not in receiver.log
    receiver.ask()

"""nginx before receiver and portal: what it answers itself, what it lets through, what it writes down."""

import contextlib
import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from lxml import etree

from bars_portal.api.problems import CONTENT_TYPE, PROBLEMS, address_of
from bars_portal.credentials.acceptance import name_of
from bars_portal.credentials.local_pki import PkiFiles
from tests.integration.receiver_server.fronts import Front, fronted, needs_nginx
from tests.integration.receiver_server.leaves import issue
from tests.integration.receiver_server.test_tls_matrix import IDS, count, knock, refusal

pytestmark = needs_nginx
PATIENT = "9434765919"


@pytest.fixture(scope="module")
def receiver_front(pki: PkiFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    folder = tmp_path_factory.mktemp("receiver-front")
    with fronted("nginx.conf", "gunicorn_receiver_behind_nginx.py", pki, folder, {}) as front:
        yield front


@pytest.fixture(scope="module")
def portal_front(pki: PkiFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    folder = tmp_path_factory.mktemp("portal-front")
    with fronted("nginx_portal.conf", "gunicorn_portal.py", pki, folder, {}) as front:
        yield front


@pytest.mark.parametrize(
    ("head", "status", "issue"),
    [
        ("POST /FHIR/R4/$process-message HTTP/1.1\r\nContent-Length: 6000000", 413, "too-long"),
        (f"GET /FHIR/R4/Slot?p={PATIENT * 2000} HTTP/1.1", 414, "too-long"),
        (f"GET / HTTP/1.1\r\nX-Large: {PATIENT * 2000}", 431, "too-long"),
        (f"GET /{PATIENT} HTTP/nonsense", 400, "invalid"),
        (f"GET /FHIR/R4/Slot HTTP/1.1\r\nTransfer-Encoding: {PATIENT}", 400, "invalid"),
        (f"GET /FHIR/R4/Slot?p={PATIENT} HTTP/3.0", 400, "invalid"),
    ],
    ids=range(6),
)
def test_its_own_errors_are_outcomes(receiver_front: Front, head: str, status: int, issue: str) -> None:
    with contextlib.closing(secure(receiver_front)) as sock:
        first, _, last = head.partition("\r\n")
        ids = [f"{name}: {value}" for name, value in IDS.items()]
        lines = [first, "Host: localhost", *ids, "Connection: close", last or "X: y", "", ""]
        sock.sendall("\r\n".join(lines).encode())
        answer = http.client.HTTPResponse(sock)
        answer.begin()
        assert refusal(answer.read()) == (answer.status, status, "REC_BAD_REQUEST", issue)
        assert answer.headers["Content-Type"] == "application/fhir+json"
        if "HTTP/1.1" in head and status != 414:
            assert {name: answer.headers[name] for name in IDS} == IDS


@pytest.mark.parametrize(
    ("path", "accept", "is_xml"),
    [
        ("/", "application/fhir+xml", True),
        ("/?_format=xml", "*/*", True),
        ("/?_format=json", "application/fhir+xml", False),
        ("/", "application/fhir+json, application/fhir+xml;q=0.5", False),
        ("/", "", False),
    ],
)
def test_in_the_format_that_was_asked_for(
    receiver_front: Front, path: str, accept: str, is_xml: bool
) -> None:
    forged = {"Accept": accept, "X-Request-ID": "not an id <x>"}
    status, body, headers = knock(receiver_front, "nobody", forged, path)
    assert status == 403
    assert "X-Request-ID" not in headers
    if is_xml:
        root = etree.fromstring(body)
        assert root.tag == "{http://hl7.org/fhir}OperationOutcome"
        assert root.find(".//{*}coding/{*}code").get("value") == "REC_FORBIDDEN"  # type: ignore[union-attr]
        assert headers["Content-Type"] == "application/fhir+xml"
    else:
        assert refusal(body)[0] == 403


def test_a_backend_that_is_away_is_a_503_kind_and_nobody_is_named(
    pki: PkiFiles, tmp_path: Path, receiver_front: Front
) -> None:
    """nginx writes of a missing socket at "crit", with the whole request line."""
    status, body, _ = knock_while_away(receiver_front, f"/FHIR/R4/Appointment?p={PATIENT}")
    assert refusal(body) == (502, status, "REC_SERVICE_UNAVAILABLE", "transient")
    assert receiver_front.wrote("/FHIR/R4/Appointment 502")
    assert PATIENT not in receiver_front.logs


def knock_while_away(front: Front, path: str) -> tuple[int, bytes, http.client.HTTPMessage]:
    backend = front.folder / "backend.sock"
    hidden = backend.rename(backend.with_name("hidden.sock"))
    try:
        # Its workers hold connections to the backend: new ones have none.
        front.reload()
        deadline = time.monotonic() + 5
        answer = knock(front, "proxy-client", IDS, path)
        while answer[0] == 200 and time.monotonic() < deadline:
            answer = knock(front, "proxy-client", IDS, path)
        return answer
    finally:
        hidden.rename(backend)


def test_a_flood_from_one_address_is_told_when_to_come_again(pki: PkiFiles, tmp_path: Path) -> None:
    fewer = {"connections 500": "connections 1"}
    with (
        fronted("nginx.conf", "gunicorn_receiver_behind_nginx.py", pki, tmp_path, fewer) as front,
        contextlib.closing(secure(front)) as under_way,
    ):
        under_way.sendall(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\nhalf")
        deadline = time.monotonic() + 3
        while (answer := knock(front, "proxy-client", IDS))[0] == 200 and time.monotonic() < deadline:
            time.sleep(0.02)
        status, body, headers = answer
        assert refusal(body) == (429, status, "REC_TOO_MANY_REQUESTS", "throttled")
        assert {name: headers[name] for name in IDS} == IDS
        assert int(headers["Retry-After"]) > 0


HARBOUR, RIVERSIDE = "BaRS-INT-HAR02.MySupplier.thirdparty.nhs.uk", "riv01.nhs.uk"


def shown_for(front: Front, name: str, who: str = "proxy-client") -> tuple[str, int, int]:
    """Name and serial number of the certificate, and what is answered behind it."""
    context = front.context(who)
    context.check_hostname = False
    with (
        contextlib.closing(socket.create_connection(("127.0.0.1", front.port), timeout=10)) as plain,
        context.wrap_socket(plain, server_hostname=name) as sock,
    ):
        leaf = x509.load_der_x509_certificate(sock.getpeercert(binary_form=True) or b"")
        sock.sendall(f"GET /FHIR/R4/metadata HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode())
        answer = http.client.HTTPResponse(sock)
        answer.begin()
    return name_of(leaf.subject), leaf.serial_number, answer.status


def test_each_organisation_has_its_own_certificate_under_its_own_name(pki: PkiFiles, tmp_path: Path) -> None:
    """Names that the command writes; what does not fit stops nobody; a renewed one needs no reload."""
    ours, organisations = PkiFiles(tmp_path / "pki"), tmp_path / "certificates"
    shutil.copytree(pki.directory, ours.directory)

    def take_in(code: str, name: str) -> None:
        issue(ours, "own", common_name=name, is_server=True)
        (organisations / code).mkdir(parents=True, exist_ok=True)
        for suffix in ("key", "pem"):
            (ours.directory / f"own.{suffix}").replace(organisations / code / f"receiver.{suffix}")

    for code, name in (("HAR02", HARBOUR), ("RIV01", RIVERSIDE), ("BAD01", "bad.nhs.uk")):
        take_in(code, name)
    shutil.copy(organisations / "RIV01" / "receiver.key", organisations / "BAD01" / "receiver.key")
    told = subprocess.run(
        [sys.executable, "-m", "bars_portal.exchange.receiver.server", "--nginx-names"],
        env={
            **os.environ,
            "RECEIVER_CERT_FILE": str(ours.certificate("receiver")),
            "RECEIVER_KEY_FILE": str(ours.key("receiver")),
            "RECEIVER_CA_FILE": str(ours.ca_chain),
            "RECEIVER_CERTIFICATES_FOLDER": str(organisations),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"do not fit: {organisations}/BAD01/receiver.pem" in told.stderr
    (tmp_path / "receiver-names.map").write_text(told.stdout)
    with fronted("nginx.conf", "gunicorn_receiver_behind_nginx.py", ours, tmp_path, {}) as front:
        own, before = shown_for(front, "localhost"), shown_for(front, HARBOUR.upper())
        assert (before[0], before[2]) == (HARBOUR, 200)
        assert shown_for(front, RIVERSIDE)[::2] == (RIVERSIDE, 200)
        assert shown_for(front, "bad.nhs.uk") == own
        assert own[::2] == ("localhost", 200)
        assert shown_for(front, HARBOUR, "stranger-client")[2] == 403
        take_in("HAR02", HARBOUR)
        renewed = shown_for(front, HARBOUR)
        assert (renewed[0], renewed[2]) == (HARBOUR, 200)
        assert renewed[1] != before[1]


@pytest.mark.parametrize("where", ["receiver_front", "portal_front"])
def test_a_hundred_halves_delay_nobody(where: str, request: pytest.FixtureRequest) -> None:
    front: Front = request.getfixturevalue(where)
    head = b"POST /accounts/sign-in/ HTTP/1.1\r\nHost: localhost\r\n"
    before = count(front)
    with contextlib.ExitStack() as stack:
        for number in range(100):
            sock = stack.enter_context(secure(front))
            sock.sendall(head if number % 2 else head + b"Content-Length: 50\r\n\r\nhalf")
        for _ in range(3):
            began = time.monotonic()
            assert knock(front, "proxy-client", IDS, "/")[0] == 200
            assert time.monotonic() - began < 2
    assert count(front) == before + 3


@pytest.mark.parametrize("announced", [True, False], ids=["announced", "in chunks"])
def test_a_large_body_is_refused_and_is_on_no_disk(portal_front: Front, announced: bool) -> None:
    before = count(portal_front)
    with contextlib.closing(portal_front.connect()) as connection:
        body = (b"x" * 100_000 for _ in range(30))
        headers = {"Content-Length": "3000000"} if announced else {}
        with contextlib.suppress(BrokenPipeError, ConnectionResetError, ssl.SSLEOFError):
            connection.request(
                "POST", "/accounts/sign-in/", body=body, headers=headers, encode_chunked=not announced
            )
        answer = connection.getresponse()
        assert (answer.status, b"larger than the portal takes" in answer.read()) == (413, True)
    assert count(portal_front) == before
    assert not [file for file in (portal_front.folder / "client_body").rglob("*") if file.is_file()]


@pytest.mark.parametrize(
    ("head", "status", "words"),
    [
        (f"GET /?p={PATIENT * 2000} HTTP/1.1", 414, b"could not be understood"),
        (f"GET / HTTP/1.1\r\nCookie: {PATIENT * 2000}", 431, b"cookies"),
        ("GET / HTTP/nonsense", 400, b"could not be understood"),
        ("GET / HTTP/3.0", 400, b"could not be understood"),
        ("TRACE / HTTP/1.1", 405, b"could not be understood"),
    ],
    ids=range(5),
)
def test_a_person_reads_what_the_front_answers_itself(
    portal_front: Front, head: str, status: int, words: bytes
) -> None:
    with contextlib.closing(secure(portal_front)) as sock:
        sock.sendall(f"{head}\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        answer = http.client.HTTPResponse(sock)
        answer.begin()
        page = answer.read()
    assert (answer.status, words in page, b"nginx" in page) == (status, True, False)


@pytest.mark.parametrize(
    ("head", "status", "problem"),
    [
        ("POST /api/v1/bookings HTTP/1.1\r\nContent-Length: 3000000", 413, "too-large"),
        (f"GET /api/v1/slots HTTP/1.1\r\nX-Large: {PATIENT * 2000}", 431, "unusable-request"),
        (f"GET /api/v1/slots HTTP/1.1\r\nTransfer-Encoding: {PATIENT}", 400, "unusable-request"),
    ],
    ids=range(3),
)
def test_a_program_reads_it_as_a_problem(portal_front: Front, head: str, status: int, problem: str) -> None:
    """The names are those of the API's own problems, and so is what their pages say."""
    with contextlib.closing(secure(portal_front)) as sock:
        sock.sendall(f"{head}\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        answer = http.client.HTTPResponse(sock)
        answer.begin()
        told = json.loads(answer.read())
    kind = PROBLEMS[problem]
    assert answer.headers["Content-Type"] == CONTENT_TYPE
    assert (answer.status, told["status"], told["title"]) == (status, status, kind.title)
    assert told["type"] == address_of(kind)


def test_programs_are_told_when_to_come_again(portal_front: Front) -> None:
    status, body, headers = knock_while_away(portal_front, "/api/v1/slots")
    told = json.loads(body)
    assert (status, told["status"], headers["Retry-After"]) == (502, 502, "60")
    assert told["type"] == address_of(PROBLEMS["unavailable"])


def test_the_portal_hears_the_real_address(portal_front: Front) -> None:
    with contextlib.closing(portal_front.connect()) as connection:
        forged = {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "http", "Forwarded": "for=192.0.2.1"}
        connection.request("GET", f"/bookings/{PATIENT}?p={PATIENT}", headers=forged)
        answer = json.loads(connection.getresponse().read())
    assert (answer["address"], answer["forwarded_for"], answer["proto"]) == (
        "127.0.0.1",
        "127.0.0.1",
        "https",
    )
    assert portal_front.wrote("GET /bookings/ 200")
    assert PATIENT not in portal_front.logs.replace(f"/bookings/{PATIENT} 200", "")


def secure(front: Front) -> ssl.SSLSocket:
    plain = socket.create_connection(("127.0.0.1", front.port), timeout=10)
    return front.context("proxy-client").wrap_socket(plain, server_hostname="localhost")

"""Every wrong request gets an OperationOutcome with both ids echoed, and repeats nothing that was sent."""

import json
import socket
import ssl
import time
from collections.abc import Iterable
from uuid import uuid4

import httpx
import pytest

from tests.live.conftest import Query, TakeSlot
from tests.live.messages import PATIENT, own_booking
from tests.live.partner import Partner, assert_ids_echoed, bars_headers, mutual_tls, outcome_of, wait_until
from tests.stack import Stack

SOME_ID = "4d65ddaa-4d09-41cd-87c9-aeb9c0c96352"
READS = ("/metadata", "/MessageDefinition", "/Slot", "/Appointment", f"/Appointment/{SOME_ID}")
# The receiver gives a whole request ten seconds.
DEADLINE_SECONDS = 10
CUT_SHORT = "SELECT 1 FROM audit_auditevent WHERE detail->>'code' = '408 REC_TIMEOUT timeout'"
MISSING = (400, "REC_BAD_REQUEST", "required")
MALFORMED = (400, "REC_BAD_REQUEST", "value")
NOT_A_MESSAGE = (400, "REC_BAD_REQUEST", "invalid")
NO_VERB = (405, "REC_METHOD_NOT_ALLOWED", "not-supported")
NO_TYPE = (415, "REC_BAD_REQUEST", "not-supported")
NO_FORMAT = (406, "REC_NOT_ACCEPTABLE", "processing")
NOWHERE = (404, "REC_NOT_FOUND", "not-found")


@pytest.mark.parametrize(
    ("verb", "path"),
    [(verb, path) for path in READS for verb in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS")]
    + [(verb, "/$process-message") for verb in ("GET", "PUT", "PATCH", "DELETE", "OPTIONS")],
)
def test_a_wrong_verb(verb: str, path: str, direct: Partner) -> None:
    answer = direct.call(verb, path)

    assert outcome_of(answer) == NO_VERB
    assert_ids_echoed(answer)
    assert answer.headers["Allow"]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/Patient", NOWHERE),
        ("/", NOWHERE),
        ("", NOWHERE),
        ("/slot", NOWHERE),
        ("/Slot/extra", NOWHERE),
        ("/ServiceRequest", MISSING),
        (f"/ServiceRequest/{SOME_ID}", NOWHERE),
        ("/../admin/", NOWHERE),
        (f"/Appointment/{SOME_ID}", NOWHERE),
        (f"/Appointment/{SOME_ID}/", NOWHERE),
        ("/Appointment/9434765919", MALFORMED),
        ("/Appointment/%00", MALFORMED),
        (f"/Appointment/{{{SOME_ID}}}", MALFORMED),
        (f"/Appointment/{SOME_ID.replace('-', '')}", MALFORMED),
        ("/Appointment/", MISSING),
        ("/Appointment", MISSING),
        ("/Slot/", MISSING),
        ("/MessageDefinition/", MISSING),
    ],
)
def test_a_path_is_answered_and_never_redirected(
    path: str, expected: tuple[int, str, str], direct: Partner
) -> None:
    answer = direct.get(path)

    assert outcome_of(answer, hidden=["9434765919"]) == expected
    assert_ids_echoed(answer)


@pytest.mark.parametrize("name", ["X-Request-ID", "X-Correlation-ID"])
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, MISSING),
        ("", MISSING),
        ("9434765919", MALFORMED),
        ("4d65ddaa4d0941cd87c9aeb9c0c96352", MALFORMED),
        (f"{SOME_ID}{SOME_ID}", MALFORMED),
        ("x" * 4000, MALFORMED),
        (f"urn:uuid:{SOME_ID}", MALFORMED),
    ],
)
@pytest.mark.parametrize("path", ["/metadata", "/Slot", "/$process-message"])
def test_an_id_that_is_none(
    name: str, value: str | None, expected: tuple[int, str, str], path: str, direct: Partner
) -> None:
    answer = direct.call("POST" if "$" in path else "GET", path, headers={name: value})

    assert outcome_of(answer, hidden=[value] if value and value.strip() else []) == expected
    other = "X-Correlation-ID" if name == "X-Request-ID" else "X-Request-ID"
    assert answer.headers[other] == answer.request.headers[other]


def test_both_ids_missing(direct: Partner) -> None:
    answer = direct.get("/metadata", headers={"X-Request-ID": None, "X-Correlation-ID": None})

    assert outcome_of(answer) == MISSING
    assert "X-Request-ID" not in answer.headers
    assert "X-Correlation-ID" not in answer.headers


@pytest.mark.parametrize(
    "name", ["NHSD-Target-Identifier", "NHSD-End-User-Organisation", "NHSD-Requesting-Software"]
)
@pytest.mark.parametrize("value", ["%%%", "bm90IGpzb24=", "W10=", "AAAA"])
def test_an_nhsd_header_that_does_not_decode(name: str, value: str, direct: Partner) -> None:
    answer = direct.get("/Slot", headers={name: value})

    assert outcome_of(answer, hidden=[value]) == MALFORMED
    assert_ids_echoed(answer)


@pytest.mark.parametrize(
    "media_type",
    [
        None,
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/json",
    ],
)
def test_a_body_of_another_type(media_type: str | None, direct: Partner, take_slot: TakeSlot) -> None:
    answer = direct.post(own_booking(take_slot()), headers={"Content-Type": media_type})

    assert outcome_of(answer, hidden=PATIENT.values()) == NO_TYPE
    assert_ids_echoed(answer)


@pytest.mark.parametrize(
    "media_type",
    ["application/fhir+json", "application/fhir+json;version=1.0.0", "application/fhir+json; charset=utf-8"],
)
def test_the_types_that_partners_send(media_type: str, direct: Partner, take_slot: TakeSlot) -> None:
    assert direct.post(own_booking(take_slot()), headers={"Content-Type": media_type}).status_code == 200


@pytest.mark.parametrize(
    "accept",
    [
        None,
        "*/*",
        "application/fhir+json",
        "application/fhir+json;version=1.0.0",
        "application/fhir+json; version=1.1.0",
        "application/fhir+json; version=1.4.0",
        "text/html, application/fhir+json;version=1.0.0;q=0.5",
    ],
)
def test_an_accept_that_is_served(accept: str | None, direct: Partner) -> None:
    answer = direct.get("/metadata", headers={"Accept": accept, "Accept-Encoding": "identity"})

    assert answer.status_code == 200
    assert answer.headers["content-type"].split(";")[0] == "application/fhir+json"
    assert "content-encoding" not in answer.headers
    assert " ;" not in answer.headers["content-type"]
    assert int(answer.headers["content-length"]) == len(answer.content)


@pytest.mark.parametrize(
    "accept",
    ["application/fhir+json; version=2.0.0", "application/fhir+json; version=one", "text/html", "image/*"],
)
def test_an_accept_that_is_not(accept: str, direct: Partner) -> None:
    answer = direct.get("/metadata", headers={"Accept": accept})

    assert outcome_of(answer, hidden=["one", "html"]) == NO_FORMAT
    assert_ids_echoed(answer)


@pytest.mark.parametrize("wanted", ["json", "application/fhir+json", "application/json"])
def test_format_beats_accept(wanted: str, direct: Partner) -> None:
    accept = {"Accept": "application/fhir+json; version=2.0.0"}

    assert direct.get("/metadata", [("_format", wanted)], headers=accept).status_code == 200


def test_a_format_that_is_not_served(direct: Partner) -> None:
    assert outcome_of(direct.get("/metadata", [("_format", "turtle")]), hidden=["turtle"]) == NO_FORMAT


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"Ottershaw"',
        b'{"Ottershaw": ',
        b'{"resourceType": "Bundle", "note": NaN}',
        b'{"note": "\xff\xfe"}',
        b"[" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b"Ottershaw " * 1000,
    ],
    ids=[
        "nothing",
        "cut",
        "list",
        "null",
        "text",
        "name",
        "nan",
        "not-utf8",
        "deep",
        "deep-objects",
        "words",
    ],
)
def test_a_body_that_is_no_message(body: bytes, direct: Partner) -> None:
    answer = direct.post(body)

    status, code, _ = outcome_of(answer, hidden=["Ottershaw"])
    assert (status, code) == (400, "REC_BAD_REQUEST")
    assert_ids_echoed(answer)


@pytest.mark.parametrize("raw", ['{"resourceType": "Bundle"}', '{"resourceType": "Patient"}', "{}"])
def test_json_that_is_no_message(raw: str, direct: Partner) -> None:
    status, code, _ = outcome_of(direct.post(raw.encode()))

    assert (status, code) == (400, "REC_BAD_REQUEST")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<Bundle",
        b"Ottershaw",
        b"<Bundle/>",
        b'<Patient xmlns="http://hl7.org/fhir"/>',
        b'<Bundle xmlns="http://hl7.org/fhir"><Ottershaw value="1"/></Bundle>',
        b'<!DOCTYPE Bundle [<!ENTITY e SYSTEM "file:///etc/passwd">]><Bundle xmlns="http://hl7.org/fhir"/>',
        b"<a>" * 100_000,
        b'{"resourceType": "Bundle"}',
    ],
    ids=["nothing", "cut", "words", "no-namespace", "patient", "unknown", "doctype", "deep", "json"],
)
def test_xml_that_is_no_message(body: bytes, direct: Partner) -> None:
    answer = direct.post(body, headers={"Content-Type": "application/fhir+xml"})

    status, code, _ = outcome_of(answer, hidden=["Ottershaw", "passwd"])
    assert (status, code) == (400, "REC_BAD_REQUEST")
    assert_ids_echoed(answer)


def test_a_body_over_the_limit(direct: Partner, take_slot: TakeSlot) -> None:
    message = own_booking(take_slot())
    message["note"] = "x" * 3_000_000

    answer = direct.post(message)

    assert outcome_of(answer, hidden=PATIENT.values()) == (413, "REC_BAD_REQUEST", "too-long")
    assert_ids_echoed(answer)


def in_chunks(direct: Partner, parts: Iterable[bytes]) -> httpx.Response:
    headers = bars_headers("2000099001") | {"Content-Type": "application/fhir+json"}
    answer = direct.http.post("/$process-message", content=iter(parts), headers=headers)
    assert answer.request.headers["Transfer-Encoding"] == "chunked"
    return answer


def test_a_body_in_chunks(direct: Partner, take_slot: TakeSlot) -> None:
    body = json.dumps(own_booking(take_slot())).encode()

    assert in_chunks(direct, [body[:1000], body[1000:]]).status_code == 200
    assert outcome_of(in_chunks(direct, [])) == NOT_A_MESSAGE
    assert outcome_of(in_chunks(direct, [b" " * 1_000_000] * 3)) == (413, "REC_BAD_REQUEST", "too-long")
    assert direct.get("/metadata").status_code == 200


@pytest.mark.parametrize("host", ["localhost", "int.api.service.nhs.uk", "evil.example:99999", "a b", "[::"])
def test_the_host_header_means_nothing(host: str, direct: Partner) -> None:
    answer = direct.get("/metadata", headers={"Host": host})

    assert answer.status_code == 200
    assert "evil" not in answer.text


@pytest.mark.further
def test_the_body_that_never_arrives(
    stack: Stack, direct: Partner, take_slot: TakeSlot, query: Query
) -> None:
    request_id = str(uuid4())
    began = time.monotonic()
    with _open(stack) as slow:
        slow.sendall(_head(request_id, length=5000) + b'{"resourceType": "Bundle", "id": "Ottershaw"')
        others = [direct.post(own_booking(take_slot())) for _ in range(3)]
        told = _read_all(slow)

    assert DEADLINE_SECONDS - 1 < time.monotonic() - began < DEADLINE_SECONDS + 3
    assert [each.status_code for each in others] == [200] * 3
    assert max(each.elapsed.total_seconds() for each in others) < 2
    head, _, body = told.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408 ")
    assert request_id.encode() in head
    assert b"REC_TIMEOUT" in body
    assert b"Ottershaw" not in told
    assert kept_of(query, request_id) == [("refused", 408, b"")]


def test_a_connection_that_is_cut_in_the_body(stack: Stack, query: Query) -> None:
    request_id, before = str(uuid4()), len(query(CUT_SHORT))
    with _open(stack) as cut:
        cut.sendall(_head(request_id, length=5000) + b'{"resourceType": "Bundle"')

    wait_until(lambda: len(query(CUT_SHORT)) > before)
    assert kept_of(query, request_id) == [("refused", 408, b"")]


def kept_of(query: Query, request_id: str) -> list[tuple[str, int, bytes]]:
    """What came incompletely is no message: that it was tried is on the log, and none of its content."""
    log = "SELECT state, status_code, body FROM exchange_inboundmessage WHERE request_id = %s"
    return [(state, status, bytes(body)) for state, status, body in query(log, request_id)]


def _open(stack: Stack) -> ssl.SSLSocket:
    plain = socket.create_connection(("127.0.0.1", stack.ports.receiver), timeout=20)
    return mutual_tls(stack).wrap_socket(plain, server_hostname="localhost")


def _head(request_id: str, *, length: int) -> bytes:
    headers = bars_headers("2000099001") | {
        "X-Request-ID": request_id,
        "Host": "localhost",
        "Content-Type": "application/fhir+json",
        "Content-Length": str(length),
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST /FHIR/R4/$process-message HTTP/1.1\r\n{lines}\r\n".encode()


def _read_all(sock: ssl.SSLSocket) -> bytes:
    """Until the server closes, or the whole answer is there."""
    told = b""
    while chunk := sock.recv(65536):
        told += chunk
    return told

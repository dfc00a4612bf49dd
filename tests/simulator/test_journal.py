"""What the journal keeps of each exchange, and what it must not keep."""

import base64
import json
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from hypothesis import given
from hypothesis import strategies as st

from bars_portal.simulator.app import WsgiApp, create_app
from bars_portal.simulator.config import Config
from bars_portal.simulator.headers import organisation_code
from bars_portal.simulator.journal import Journal
from bars_portal.simulator.wire import Answer, Request
from tests.simulator.support import (
    BASE,
    IDS,
    NOW,
    FakeClock,
    Recorder,
    ask_token,
    call_app,
    form,
    sign,
    target,
)

FHIR_JSON = "application/fhir+json"


def organisation(content: object) -> str:
    return base64.b64encode(json.dumps(content).encode()).decode()


WASP = organisation({"resourceType": "Organization", "identifier": [{"value": "wasp"}]})


@pytest.fixture
def journal() -> Journal:
    return Journal()


@pytest.fixture
def watched(config: Config, clock: FakeClock, receiver: Recorder, journal: Journal) -> WsgiApp:
    """A simulator that writes into `journal`."""
    return create_app(config, clock=clock, https=receiver, journal=journal, sleep=lambda _seconds: None)


@pytest.fixture
def good(watched: WsgiApp, private_key: RSAPrivateKey) -> dict[str, str]:
    """The headers of a good sender."""
    granted = ask_token(watched, form(sign(private_key))).json["access_token"]
    return IDS | {
        "Authorization": f"Bearer {granted}",
        "NHSD-Target-Identifier": target("2000099001"),
        "NHSD-End-User-Organisation": WASP,
    }


def booking(status: str = "booked") -> bytes:
    header = {
        "resourceType": "MessageHeader",
        "eventCoding": {"code": "booking-request"},
        "reason": {"coding": [{"code": "new"}]},
        "focus": [{"reference": "urn:uuid:1"}],
    }
    entries = [
        {"fullUrl": "urn:uuid:0", "resource": header},
        {"fullUrl": "urn:uuid:1", "resource": {"resourceType": "Appointment", "status": status}},
    ]
    return json.dumps({"resourceType": "Bundle", "type": "message", "entry": entries}).encode()


def test_an_exchange_is_kept_whole(
    watched: WsgiApp, journal: Journal, good: dict[str, str], receiver: Recorder
) -> None:
    receiver.answers = lambda _call: Answer(200, (("Content-Type", FHIR_JSON),), b'{"a": 1}')
    sent = good | {"Content-Type": FHIR_JSON}

    call_app(watched, "POST", f"{BASE}/$process-message?x=1", sent, booking())

    entry = journal.entries()[0]
    assert (entry.number, entry.at, entry.direction) == (2, NOW, "received")
    assert (entry.organisation, entry.service, entry.status) == ("WASP", "2000099001", "200")
    assert (entry.method, entry.path, entry.request.query) == ("POST", f"{BASE}/$process-message", "x=1")
    assert (entry.request.body, entry.answer and entry.answer.body) == (booking(), b'{"a": 1}')
    assert entry.summary == "booking-request new: Appointment booked"
    assert entry.request.header("X-Request-Id") == IDS["X-Request-Id"]


def test_no_token_is_kept(watched: WsgiApp, journal: Journal, good: dict[str, str]) -> None:
    call_app(watched, "GET", f"{BASE}/Slot", good)

    slots, token = journal.entries()
    assert "authorization" not in slots.request.headers
    assert token.answer is not None
    assert (token.status, token.request.body, token.answer.body) == ("200", b"", b"")


@pytest.mark.parametrize(("fault", "status"), [("cut", "cut"), ("503", "503"), ("slow", "200")])
def test_a_drill_is_named(
    watched: WsgiApp, journal: Journal, good: dict[str, str], fault: str, status: str
) -> None:
    drill = json.dumps({"service": "2000099001", "fault": fault}).encode()
    call_app(watched, "POST", "/simulator/faults", {"Content-Type": "application/json"}, drill)

    try:
        call_app(watched, "GET", f"{BASE}/Slot", good)
    except ConnectionResetError:
        assert fault == "cut"

    entry = journal.entries()[0]
    assert (entry.status, entry.scenario) == (status, f"drill {fault}")


@pytest.mark.parametrize(
    ("service", "path", "status", "scenario"),
    [
        ("2000072489", "/metadata", "200", "Capability of any other service"),
        (
            "2000072489",
            "/Appointment/0d440c22-7f25-4c6c-905d-2213d197d02a",
            "501",
            "Get booking refused: HTTP 501",
        ),
        (
            "2000072489",
            "/ServiceRequest/4d65ddaa-4d09-41cd-87c9-aeb9c0c96352",
            "503",
            "Get referral refused: HTTP 503",
        ),
        ("2000072489", "/slot", "404", ""),
        ("2000000000", "/metadata", "404", "proxy: target unknown"),
        ("2000099001", "/metadata", "200", ""),
    ],
)
def test_what_decided_is_named(
    watched: WsgiApp,
    journal: Journal,
    good: dict[str, str],
    service: str,
    path: str,
    status: str,
    scenario: str,
) -> None:
    call_app(watched, "GET", f"{BASE}{path}", good | {"NHSD-Target-Identifier": target(service)})

    entry = journal.entries()[0]
    assert (entry.status, entry.scenario) == (status, scenario)


@pytest.mark.parametrize(
    ("body", "media", "summary"),
    [
        (booking("9434765919"), FHIR_JSON, "booking-request new: Appointment"),
        (b"{", FHIR_JSON, "not readable"),
        (b'{"resourceType": "Bundle"}', FHIR_JSON, "no message header"),
        (booking(), "text/plain", "not readable"),
        (b"", FHIR_JSON, ""),
    ],
)
def test_summaries(journal: Journal, body: bytes, media: str, summary: str) -> None:
    journal.note(
        Request("POST", f"{BASE}/$process-message", "", {"content-type": media}, body, ""),
        answer=None,
        status="failed",
        at=NOW,
        took_ms=0,
    )

    assert journal.entries()[0].summary == summary


def test_the_oldest_go_first(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bars_portal.simulator.journal.KEPT", 3)
    monkeypatch.setattr("bars_portal.simulator.journal.KEPT_BYTES", 25)
    for number in range(5):
        request = Request("GET", f"/{number}", "", {}, b"", "")
        journal.note(request, answer=None, status="200", at=NOW + timedelta(seconds=number), took_ms=0)
    assert [entry.path for entry in journal.entries()] == ["/4", "/3", "/2"]

    for _number in range(2):
        big = Request("POST", "/big", "", {}, b"x" * 20, "")
        journal.note(big, answer=None, status="200", at=NOW, took_ms=0)

    assert [entry.path for entry in journal.entries()] == ["/big"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ({"identifier": [{"value": "A1001"}]}, "A1001"),
        ({"identifier": {"value": "A1001"}}, "A1001"),
        ({"identifier": [{"value": ""}, {"value": " b2 "}]}, "B2"),
        ({"identifier": [{"value": "Mrs Jane Example Person"}]}, ""),
        ({"identifier": "x"}, ""),
        ([], ""),
    ],
)
def test_organisations(content: object, code: str) -> None:
    assert organisation_code(organisation(content)) == code


@given(st.one_of(st.text(), st.binary().map(lambda raw: base64.b64encode(raw).decode())))
def test_any_organisation_header_is_read(header: str) -> None:
    assert len(organisation_code(header)) <= 20

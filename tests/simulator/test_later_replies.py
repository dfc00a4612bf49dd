"""The responses that a request sets off: really sent, through the proxy, over mutual TLS."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from bars_portal.simulator.app import create_app
from bars_portal.simulator.config import Config
from bars_portal.simulator.journal import Entry, Journal
from tests.fhir_check import assert_no_errors
from tests.live.xml import values
from tests.simulator import messages
from tests.simulator.conftest import REQUESTER, World
from tests.simulator.messages import SERVICE_SYSTEM, Resource, of_type
from tests.simulator.program import FHIR_JSON, FHIR_XML, organisation_header
from tests.simulator.support import (
    BASE,
    IDS,
    FakeClock,
    Recorder,
    Reply,
    ask_token,
    call_app,
    form,
    sign,
    target,
)
from tests.simulator.tls_receiver import Arrived

FULL, INTERIM, MISSED, REFUSED = "9658499147", "9658499155", "9658499163", "9658499171"
REJECTED, REVOKED = "9658499198", "9658499201"
USE_CASES = "https://fhir.nhs.uk/CodeSystem/usecases-categories-bars"


def set_off(world: World, bundle: Resource, media: str = FHIR_JSON) -> tuple[Arrived, Resource]:
    """What arrives at the requester's receiver, and what was sent."""
    before = len(world.receiver.arrived)
    answer = world.sender.post(bundle, media=media)
    assert answer.status_code == 200, answer.text
    deadline = time.monotonic() + 15
    while len(world.receiver.arrived) == before:
        assert time.monotonic() < deadline, "no reply came"
        time.sleep(0.01)
    return world.receiver.arrived[-1], bundle


def validation(number: str) -> Resource:
    return messages.validation(number, source=REQUESTER)


@pytest.mark.parametrize(
    ("number", "definition", "focus", "encounter"),
    [
        (INTERIM, "servicerequest-response-validation-interim", "Encounter", "in-progress"),
        (FULL, "servicerequest-response-validation-full", "Encounter", "finished"),
        (REJECTED, "servicerequest-response-validation-interim", "Encounter", "cancelled"),
        (REVOKED, "servicerequest-response-validation-interim", "Encounter", "triaged"),
    ],
)
def test_a_validation_is_answered(
    world: World, number: str, definition: str, focus: str, encounter: str
) -> None:
    arrived, request = set_off(world, validation(number))

    reply = json.loads(arrived.body)
    (header,) = of_type(reply, "MessageHeader")
    assert (arrived.method, arrived.target) == ("POST", "/FHIR/R4/$process-message")
    assert arrived.certificate_names == ("int.api.service.nhs.uk",)
    assert header["eventCoding"]["code"] == "servicerequest-response"
    assert header["definition"].endswith(definition)
    assert header["response"] == {"identifier": request["id"], "code": "ok"}
    assert header["destination"][0]["endpoint"] == f"{SERVICE_SYSTEM}|{REQUESTER}"
    assert reply["id"] != request["id"]
    (focused,) = (each for each in reply["entry"] if each["fullUrl"] == header["focus"][0]["reference"])
    assert (focused["resource"]["resourceType"], focused["resource"]["status"]) == (focus, encounter)
    assert [each["status"] for each in of_type(reply, "Encounter")] == ["triaged", encounter]
    assert [each["status"] for each in of_type(reply, "CarePlan")] == (
        ["completed"] if number == FULL else []
    )


@pytest.mark.parametrize(("number", "request_status"), [(REJECTED, "active"), (REVOKED, "revoked")])
def test_a_validation_is_rejected_in_both_shapes(world: World, number: str, request_status: str) -> None:
    arrived, _request = set_off(world, validation(number))

    reply = json.loads(arrived.body)
    assert [each["status"] for each in of_type(reply, "ServiceRequest")] == [request_status]
    theirs, ours = of_type(reply, "Encounter")
    assert [each["code"] for each in ours["reasonCode"][0]["coding"]] == ["OTH"]
    assert "reasonCode" not in theirs


def test_a_missed_appointment_is_told(world: World) -> None:
    arrived, _request = set_off(world, validation(MISSED))

    reply = json.loads(arrived.body)
    (asked,) = of_type(reply, "ServiceRequest")
    assert asked["status"] == "revoked"
    assert [each["code"] for each in asked["category"][0]["coding"]] == ["referral", "a1t1"]
    assert [each["status"] for each in of_type(reply, "Appointment")] == ["noshow"]


def test_a_referral_may_set_it_off_too_and_keeps_its_use_case(world: World) -> None:
    bundle = messages.referral(MISSED, use_case="a2t1")
    bundle["entry"][0]["resource"]["source"]["endpoint"] = f"{SERVICE_SYSTEM}|{REQUESTER}"

    arrived, _request = set_off(world, bundle)

    (asked,) = of_type(json.loads(arrived.body), "ServiceRequest")
    assert "a2t1" in {each["code"] for each in asked["category"][0]["coding"] if each["system"] == USE_CASES}


@pytest.mark.parametrize("number", [FULL, INTERIM, REJECTED, REVOKED, MISSED])
def test_replies_hold_together(world: World, number: str) -> None:
    arrived, request = set_off(world, validation(number))

    reply = json.loads(arrived.body)
    known = {each["fullUrl"] for each in reply["entry"]}
    assert len(known) == len(reply["entry"])
    assert {each for each in _references(reply) if each.startswith("urn:uuid:")} <= known
    assert all(each["resource"]["id"] for each in reply["entry"])
    assert messages.without_display(reply, request) == []
    assert of_type(reply, "Patient")[0]["identifier"] == of_type(request, "Patient")[0]["identifier"]


def test_an_xml_request_is_answered_in_xml(world: World) -> None:
    arrived, request = set_off(world, validation(FULL), FHIR_XML)

    assert arrived.headers["content-type"].startswith(FHIR_XML)
    assert values(arrived.body, "entry/resource/MessageHeader/response/identifier") == [request["id"]]


def _references(content: Any) -> set[str]:
    if isinstance(content, list):
        return {found for each in content for found in _references(each)}
    if not isinstance(content, dict):
        return set()
    own = {content["reference"]} if isinstance(content.get("reference"), str) else set()
    return own | _references(list(content.values()))


class Held:
    """A simulator in this process whose replies wait until they are let go."""

    def __init__(self, config: Config, receiver: Recorder, private_key: RSAPrivateKey) -> None:
        self.journal = Journal()
        self.waiting: list[tuple[float, Callable[[], None]]] = []
        self.app = create_app(
            config,
            clock=FakeClock(),
            https=receiver,
            journal=self.journal,
            later=lambda seconds, task: self.waiting.append((seconds, task)),
        )
        self._token = ask_token(self.app, form(sign(private_key))).json["access_token"]

    def post(self, bundle: Resource) -> Reply:
        headers = IDS | {
            "Authorization": f"Bearer {self._token}",
            "NHSD-Target-Identifier": target("2000072489"),
            "NHSD-End-User-Organisation": organisation_header("WASP"),
            "Content-Type": FHIR_JSON,
        }
        return call_app(self.app, "POST", f"{BASE}/$process-message", headers, json.dumps(bundle).encode())

    def let_go(self) -> Entry:
        """Runs what waits; the journal's last entry."""
        for _seconds, task in self.waiting:
            task()
        return self.journal.entries()[0]


@pytest.fixture
def held(config: Config, receiver: Recorder, private_key: RSAPrivateKey) -> Held:
    return Held(config, receiver, private_key)


def to_receiver(number: str, service: str = "2000099001") -> Resource:
    return messages.validation(number, source=service)


def test_a_reply_keeps_the_conversation_and_is_in_the_journal(held: Held, receiver: Recorder) -> None:
    held.post(to_receiver(FULL))
    entry = held.let_go()

    (call,) = receiver.calls
    assert [seconds for seconds, _task in held.waiting] == [3.0]
    assert call.request.header("X-Correlation-Id") == IDS["X-Correlation-Id"]
    assert call.request.header("X-Request-Id") != IDS["X-Request-Id"]
    assert call.request.header("Content-Type") == "application/fhir+json; version=1.1.0"
    assert not call.request.header("Authorization")
    assert (entry.direction, entry.status, entry.organisation) == ("sent", "200", "WASP")
    assert (entry.service, entry.scenario) == ("2000099001", "Reply: full")
    assert entry.request.body == call.request.body
    assert entry.summary == "servicerequest-response new: Encounter finished"


@pytest.mark.parametrize("number", [REFUSED, "9658499139", "9658499082", None])
def test_other_requests_set_nothing_off(held: Held, number: str) -> None:
    held.post(to_receiver(number))

    assert held.waiting == []


@pytest.mark.parametrize(
    ("service", "status"), [("2000099777", "404"), ("2000072489", "200"), ("2000099001", "200")]
)
def test_what_became_of_a_reply_is_noted(held: Held, service: str, status: str) -> None:
    held.post(to_receiver(INTERIM, service))

    assert held.let_go().status == status


def test_a_drill_hits_replies_too(held: Held, receiver: Recorder) -> None:
    drill = json.dumps({"service": "2000099001", "fault": "cut"}).encode()
    call_app(held.app, "POST", "/simulator/faults", {"Content-Type": "application/json"}, drill)
    held.post(to_receiver(FULL))

    assert held.let_go().status == "cut"
    assert receiver.calls == []


@pytest.mark.parametrize("endpoint", [None, "", "2000099001", "https://sender.example/", 7])
def test_a_request_without_a_reply_address_gets_none(
    held: Held, receiver: Recorder, endpoint: object, caplog: pytest.LogCaptureFixture
) -> None:
    bundle = to_receiver(FULL)
    bundle["entry"][0]["resource"]["source"]["endpoint"] = endpoint

    assert held.post(bundle).status == 200
    held.let_go()

    assert receiver.calls == []
    assert "nowhere to go" in caplog.text


def test_a_request_that_is_no_fhir_gets_no_reply(
    held: Held, receiver: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    bundle = to_receiver(FULL)
    bundle["meta"] = []

    assert held.post(bundle).status == 200
    held.let_go()

    assert receiver.calls == []
    assert "no sound FHIR" in caplog.text


def test_the_published_checker_finds_no_error_in_replies(
    held: Held, receiver: Recorder, shared_dir: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "replies"
    folder.mkdir()
    asked = [(name, number) for name in ("VALREQ01", "VALREQ03") for number in (FULL, INTERIM, MISSED)]
    for name, number in [*asked, ("REFREQ01", MISSED)]:
        (example,) = (shared_dir / "fhir" / "examples").glob(f"{name} *.json")
        bundle = json.loads(example.read_text())
        of_type(bundle, "Patient")[0]["identifier"][0]["value"] = number
        of_type(bundle, "MessageHeader")[0]["source"]["endpoint"] = f"{SERVICE_SYSTEM}|2000099001"
        assert held.post(bundle).status == 200
    held.let_go()

    assert len(receiver.calls) == 7
    for place, call in enumerate(receiver.calls):
        (folder / f"{place}.json").write_bytes(call.request.body)
    assert_no_errors(shared_dir, folder)

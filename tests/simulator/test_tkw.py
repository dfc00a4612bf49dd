"""TKW's sentinel services, asked through the proxy."""

import json
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bars_portal.simulator.config import Config
from bars_portal.simulator.tkw.shapes import find_slots, read_slot_search
from bars_portal.simulator.tkw.tables import Rejected
from tests.fhir_check import assert_no_errors
from tests.simulator.conftest import CallProxy
from tests.simulator.support import NOW, SYSTEM, FakeClock, Reply

CATCH_ALL = "2000072489"
BOOKED = "ce1c4ced-2a84-4198-9982-9caf894d0bb7"
REFERRED = "79120f41-a431-4f08-bcc5-1e67006fcae0"
SEEDS_QUERY = "start=ge2020-10-31T18%3A45%3A39%2B00&end=le2024-11-04T19%3A00%3A38%2B00"
FHIR_JSON: dict[str, str | None] = {"Content-Type": "application/fhir+json; version=1.0.0"}


@pytest.fixture(autouse=True)
def catalogue(config: Config) -> None:
    services = [CATCH_ALL, "2000073917", "1503499715", "2000081230", "2000076289", "2000071898"]
    services += ["2000011147", "2000099777"]
    routes = dict.fromkeys(services, "simulator:tkw")
    config.catalogue_file.write_text(json.dumps({"NHSD-Target-Identifier": {SYSTEM: routes}}))


def window(start: datetime, end: datetime, service: str = CATCH_ALL, **more: str) -> str:
    """The standard's spelling."""
    pairs = [("start", f"ge{start.isoformat()}"), ("start", f"le{end.isoformat()}"), *more.items()]
    return urlencode([*pairs, ("Schedule.actor:HealthcareService", service), ("_include", "Slot:schedule")])


def of_type(bundle: Any, kind: str) -> list[Any]:
    return [each["resource"] for each in bundle.get("entry", []) if each["resource"]["resourceType"] == kind]


def message(
    nhs_number: Any = None, status: Any = "booked", event: str = "booking-request", **appointment: Any
) -> dict[str, Any]:
    """A small booking message."""
    number = [{"system": "https://fhir.nhs.uk/Id/nhs-number", "value": nhs_number}] if nhs_number else []
    resources = [
        {"resourceType": "MessageHeader", "eventCoding": {"code": event}},
        {
            "resourceType": "Appointment",
            "status": status,
            "start": "2026-07-15T09:00:00+01:00",
            "end": "2026-07-15T09:30:00+01:00",
        }
        | appointment,
        {"resourceType": "Patient", "identifier": number},
        {"resourceType": "Slot", "id": "0ddba11e-46f0-4aad-9c54-dcad462cafcb", "status": "free"},
    ]
    entries = [{"fullUrl": f"urn:uuid:{uuid.uuid4()}", "resource": resource} for resource in resources]
    return {"resourceType": "Bundle", "id": str(uuid.uuid4()), "type": "message", "entry": entries}


@pytest.fixture
def book(proxy: CallProxy) -> Callable[..., Reply]:
    def send(bundle: Any, service: str = CATCH_ALL, path: str = "/$process-message") -> Reply:
        return proxy("POST", path, service=service, headers=FHIR_JSON, body=json.dumps(bundle).encode())

    return send


def test_free_slots_by_default(proxy: CallProxy) -> None:
    reply = proxy("GET", f"/Slot?{window(NOW, NOW + timedelta(days=3))}", service=CATCH_ALL)

    slots = of_type(reply.json, "Slot")
    assert reply.headers["content-type"] == "application/fhir+json"
    assert reply.json["total"] == len(slots) > 0
    assert {slot["status"] for slot in slots} == {"free"}
    assert {entry["search"]["mode"] for entry in reply.json["entry"]} == {"match", "include"}
    assert {entry["resource"]["resourceType"] for entry in reply.json["entry"]} == {
        "Slot",
        "Schedule",
        "HealthcareService",
        "Practitioner",
        "PractitionerRole",
        "Location",
    }


def test_free_and_busy_make_a_whole_day(proxy: CallProxy) -> None:
    query = window(NOW + timedelta(days=1), NOW + timedelta(days=1, hours=14), status="free,busy")

    slots = of_type(proxy("GET", f"/Slot?{query}", service=CATCH_ALL).json, "Slot")

    assert {slot["status"] for slot in slots} == {"free", "busy"}
    assert [slot["start"] for slot in slots][:2] == [
        f"2026-07-15T09:{each}:00.0000000+01:00" for each in ("00", "30")
    ]
    assert (len(slots), slots[-1]["end"]) == (16, "2026-07-15T17:00:00.0000000+01:00")


@pytest.mark.parametrize("status", ["busy%2Cfree", "free,busy"])
def test_the_seeds_own_search(proxy: CallProxy, status: str) -> None:
    path = f"/Slot?{SEEDS_QUERY}&Schedule.actor%3AHealthcareService={CATCH_ALL}&status={status}"

    assert {slot["status"] for slot in of_type(proxy("GET", path, service=CATCH_ALL).json, "Slot")} == {
        "free",
        "busy",
    }


def test_repeated_searches_agree_and_ids_are_uuids(proxy: CallProxy, clock: FakeClock) -> None:
    query = window(NOW + timedelta(hours=1), NOW + timedelta(days=2))
    first = of_type(proxy("GET", f"/Slot?{query}", service=CATCH_ALL).json, "Slot")
    clock.forward(seconds=30)
    second = of_type(proxy("GET", f"/Slot?{query}", service=CATCH_ALL).json, "Slot")

    assert [slot["id"] for slot in first] == [slot["id"] for slot in second]
    assert all(str(uuid.UUID(slot["id"])) == slot["id"] for slot in first)


def test_no_slot_in_the_past(proxy: CallProxy, clock: FakeClock) -> None:
    clock.forward(minutes=9)

    query = window(NOW, NOW + timedelta(hours=14), status="free,busy")
    slots = of_type(proxy("GET", f"/Slot?{query}", service=CATCH_ALL).json, "Slot")

    assert slots[0]["start"] == "2026-07-14T09:30:00.0000000+01:00"


def test_winter_time(proxy: CallProxy) -> None:
    start = datetime.fromisoformat("2026-12-01T00:00:00+00:00")

    slots = of_type(
        proxy("GET", f"/Slot?{window(start, start + timedelta(days=1))}", service=CATCH_ALL).json, "Slot"
    )

    assert {slot["start"][-6:] for slot in slots} == {"+00:00"}


@pytest.mark.parametrize(
    ("service", "kinds"), [("2000073917", set()), ("1503499715", {"Slot", "Schedule", "HealthcareService"})]
)
def test_slot_sentinels(proxy: CallProxy, service: str, kinds: set[str]) -> None:
    query = window(NOW, NOW + timedelta(days=2), service)

    bundle = proxy("GET", f"/Slot?{query}", service=service).json

    assert {entry["resource"]["resourceType"] for entry in bundle.get("entry", [])} == kinds
    assert bundle["total"] == len(of_type(bundle, "Slot"))


def test_a_service_that_times_out(proxy: CallProxy) -> None:
    query = window(NOW, NOW + timedelta(days=2), "2000081230")

    reply = proxy("GET", f"/Slot?{query}", service=CATCH_ALL)

    assert reply.outcome == (408, "REC_TIMEOUT", "timeout")
    assert reply.headers["x-request-id"]


def test_a_service_without_a_row_is_a_catch_all(proxy: CallProxy) -> None:
    assert proxy(
        "GET", f"/Slot?{window(NOW, NOW + timedelta(days=2), '2000099777')}", service="2000099777"
    ).json["total"]


@pytest.mark.parametrize(
    "query",
    [
        "start=ge2026-07-14",
        "start=gebanana",
        "start=zz2026-07-14T09:00:00Z",
        "start=",
        "start=ge0001-01-01T00:00:00%2B23:00",
        "status=maybe",
        "status=",
        "&".join(["a=1"] * 60),
    ],
)
def test_wrong_searches(proxy: CallProxy, query: str) -> None:
    assert proxy("GET", f"/Slot?{query}", service=CATCH_ALL).outcome == (400, "REC_BAD_REQUEST", "value")


@given(
    lower=st.datetimes(timezones=st.timezones()),
    upper=st.datetimes(timezones=st.timezones()),
)
def test_any_range_is_answered_within_bounds(lower: datetime, upper: datetime) -> None:
    parameters = [
        ("start", f"ge{lower.isoformat()}"),
        ("start", f"le{upper.isoformat()}"),
        ("status", "free,busy"),
    ]
    try:
        search = read_slot_search(parameters, target=CATCH_ALL, now=NOW)
    except Rejected:
        return

    slots = of_type(find_slots(search, gives="everything", link="Slot", now=NOW), "Slot")

    assert len(slots) <= 14 * 16
    assert all(search.start <= datetime.fromisoformat(slot["start"]) <= search.end for slot in slots)


@pytest.mark.parametrize("nhs_number", ["9658499007", "9054613556", "9434765919", ["9658499015"], None])
@pytest.mark.parametrize("path", ["/$process-message", "/%24process-message"])
def test_a_booking(book: Callable[..., Reply], nhs_number: str | None, path: str) -> None:
    sent = message(nhs_number)

    reply = book(sent, path=path)

    assert (reply.status, reply.json["id"], reply.json["type"]) == (200, sent["id"], "message")
    assert of_type(reply.json, "Appointment")[0]["id"] == BOOKED
    assert of_type(reply.json, "Appointment")[0]["status"] == "booked"
    assert of_type(reply.json, "Slot")[0]["id"] == "0ddba11e-46f0-4aad-9c54-dcad462cafcb"
    assert of_type(reply.json, "Slot")[0]["status"] == "busy"
    assert [entry["fullUrl"] for entry in reply.json["entry"]] == [
        entry["fullUrl"] for entry in sent["entry"]
    ]
    assert all(entry["resource"]["id"] != entry["fullUrl"][9:] for entry in reply.json["entry"])


@pytest.mark.parametrize(
    ("nhs_number", "outcome"),
    [
        ("9658499015", (404, "REC_NOT_FOUND", "not-found")),
        ("9976150288", (404, "REC_NOT_FOUND", "not-found")),
        ("9658499023", (409, "REC_CONFLICT", "conflict")),
        ("9933902830", (409, "REC_CONFLICT", "conflict")),
        ("9658499031", (422, "REC_UNPROCESSABLE_ENTITY", "processing")),
        ("9818556143", (422, "REC_UNPROCESSABLE_ENTITY", "processing")),
    ],
)
def test_booking_sentinels(
    book: Callable[..., Reply], nhs_number: str, outcome: tuple[int, str, str]
) -> None:
    reply = book(message(nhs_number))

    assert reply.outcome == outcome
    assert nhs_number.encode() not in reply.body


def test_a_cancellation(book: Callable[..., Reply]) -> None:
    reply = book(message("9658499007", status="cancelled"))

    cancelled = of_type(reply.json, "Appointment")[0]
    assert (reply.status, cancelled["id"], cancelled["status"]) == (200, BOOKED, "cancelled")


@pytest.mark.parametrize(
    ("bundle", "outcome"),
    [
        ([], (400, "REC_BAD_REQUEST", "invalid")),
        ({}, (400, "REC_BAD_REQUEST", "invalid")),
        ({"entry": [{}]}, (400, "REC_BAD_REQUEST", "invalid")),
        ({"entry": "x"}, (400, "REC_BAD_REQUEST", "invalid")),
        (message() | {"type": "searchset"}, (400, "REC_BAD_REQUEST", "invalid")),
        (message(status="pending"), (400, "REC_BAD_REQUEST", "invariant")),
        (message(status=["booked"]), (400, "REC_BAD_REQUEST", "invariant")),
        (message(start="soon"), (400, "REC_BAD_REQUEST", "value")),
        (message(end=None), (400, "REC_BAD_REQUEST", "value")),
        (message(event="servicerequest-request"), (400, "REC_BAD_REQUEST", "invalid")),
        (message(event="booking-response"), (400, "REC_BAD_REQUEST", "invalid")),
    ],
)
def test_wrong_messages(book: Callable[..., Reply], bundle: Any, outcome: tuple[int, str, str]) -> None:
    assert book(bundle).outcome == outcome


def test_other_content_types(proxy: CallProxy) -> None:
    reply = proxy(
        "POST", "/$process-message", service=CATCH_ALL, headers={"Content-Type": "text/plain"}, body=b"{}"
    )

    assert reply.outcome == (415, "REC_BAD_REQUEST", "not-supported")


def test_a_read_agrees_with_the_last_booking(proxy: CallProxy, book: Callable[..., Reply]) -> None:
    before = proxy("GET", f"/Appointment/{BOOKED}", service=CATCH_ALL).json
    book(message("9658499007"))
    after = proxy("GET", f"/Appointment/{BOOKED}", service=CATCH_ALL).json

    assert (before["id"], before["status"], before["start"]) == (
        BOOKED,
        "booked",
        "2026-07-15T08:00:00.0000000+00:00",
    )
    assert (after["start"], after["end"]) == ("2026-07-15T09:00:00+01:00", "2026-07-15T09:30:00+01:00")
    assert "9658499007" not in json.dumps(after)


@pytest.mark.parametrize(
    ("method", "path", "outcome"),
    [
        (
            "GET",
            "/Appointment/0d440c22-7f25-4c6c-905d-2213d197d02a",
            (501, "REC_NOT_IMPLEMENTED", "not-supported"),
        ),
        ("GET", "/Appointment/11111111-1111-4111-8111-111111111111", (404, "REC_NOT_FOUND", "not-found")),
        ("GET", "/Appointment/7", (400, "REC_BAD_REQUEST", "value")),
        ("GET", "/Appointment/", (400, "REC_BAD_REQUEST", "value")),
        ("GET", "/ServiceRequest/7", (400, "REC_BAD_REQUEST", "value")),
        ("GET", "/ServiceRequest/11111111-1111-4111-8111-111111111111", (404, "REC_NOT_FOUND", "not-found")),
        ("GET", "/slot", (404, "REC_NOT_FOUND", "not-found")),
        ("GET", "/Slot/1", (404, "REC_NOT_FOUND", "not-found")),
        ("POST", "/Slot", (405, "REC_METHOD_NOT_ALLOWED", "not-supported")),
        ("GET", "/$process-message", (405, "REC_METHOD_NOT_ALLOWED", "not-supported")),
        ("GET", "/MessageDefinition", (400, "REC_BAD_REQUEST", "required")),
        ("GET", f"/MessageDefinition?context={SYSTEM}|", (400, "REC_BAD_REQUEST", "value")),
        ("GET", f"/MessageDefinition?context={SYSTEM}|FAIL0401", (401, "REC_UNAUTHORIZED", "security")),
        ("GET", f"/MessageDefinition?context={SYSTEM}|FAIL0404", (404, "REC_NOT_FOUND", "not-found")),
    ],
)
def test_refusals(proxy: CallProxy, method: str, path: str, outcome: tuple[int, str, str]) -> None:
    assert proxy(method, path, service=CATCH_ALL).outcome == outcome


def test_the_published_checker_finds_no_error(
    proxy: CallProxy, book: Callable[..., Reply], shared_dir: Path, tmp_path: Path
) -> None:
    examples = shared_dir / "fhir" / "examples"
    booking = json.loads((examples / "BOOKREQ01 - Booking Request New Full.json").read_text())
    cancellation = json.loads((examples / "BOOKREQ02 - Booking Request Cancelled.json").read_text())
    query = window(NOW, NOW + timedelta(days=1), status="free,busy")
    replies = {
        "metadata": proxy("GET", "/metadata", service=CATCH_ALL),
        "proxy-metadata": proxy("GET", "/metadata", headers={"NHSD-Target-Identifier": None}),
        "definitions": proxy("GET", f"/MessageDefinition?context={SYSTEM}|{CATCH_ALL}", service=CATCH_ALL),
        "slots": proxy("GET", f"/Slot?{query}", service=CATCH_ALL),
        "few-slots": proxy("GET", f"/Slot?{query.replace(CATCH_ALL, '1503499715')}", service="1503499715"),
        "no-slots": proxy("GET", f"/Slot?{query.replace(CATCH_ALL, '2000073917')}", service="2000073917"),
        "booked": book(booking),
        "cancelled": book(cancellation),
        "appointment": proxy("GET", f"/Appointment/{BOOKED}", service=CATCH_ALL),
        "request": proxy("GET", f"/ServiceRequest/{REFERRED}", service=CATCH_ALL),
        "appointments": proxy("GET", "/Appointment", service=CATCH_ALL),
        "refusal": proxy("GET", "/Appointment/7", service=CATCH_ALL),
        "own-refusal": proxy("GET", "/Slot", headers={"X-Request-Id": None}),
    }
    folder = tmp_path / "replies"
    folder.mkdir()
    for name, reply in replies.items():
        (folder / f"{name}.json").write_bytes(reply.body)

    assert_no_errors(shared_dir, folder)

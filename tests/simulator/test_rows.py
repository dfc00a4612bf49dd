"""Every row of the published tables, asked over HTTP as an outside client would, in JSON and in XML."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.live.xml import kind, values
from tests.simulator import messages
from tests.simulator.conftest import World
from tests.simulator.messages import Resource
from tests.simulator.program import FHIR_JSON, FHIR_XML, Sender
from tests.simulator.seed_rows import REFERRED, ROWS, Row
from tests.simulator.support import SYSTEM

# The published search, with its hour-only offsets and without _include.
SEARCH = "start=ge2020-10-31T18%3A45%3A39%2B00&end=le2024-11-04T19%3A00%3A38%2B00"
MEDIA = [pytest.param(FHIR_JSON, id="json"), pytest.param(FHIR_XML, id="xml")]
# Status -> details code and issue code of a refusal.
REFUSALS = {
    400: ("REC_BAD_REQUEST", "invariant"),
    401: ("REC_UNAUTHORIZED", "security"),
    404: ("REC_NOT_FOUND", "not-found"),
    405: ("REC_METHOD_NOT_ALLOWED", "not-supported"),
    408: ("REC_TIMEOUT", "timeout"),
    409: ("REC_CONFLICT", "conflict"),
    422: ("REC_UNPROCESSABLE_ENTITY", "processing"),
    429: ("REC_TOO_MANY_REQUESTS", "throttled"),
    500: ("REC_SERVER_ERROR", "exception"),
    501: ("REC_NOT_IMPLEMENTED", "not-supported"),
    503: ("REC_SERVICE_UNAVAILABLE", "transient"),
}
OFFERED = {
    "booking referral": {"booking-request", "servicerequest-request-referral"},
    "referral": {"servicerequest-request-referral"},
    "validation": {"servicerequest-request-validation"},
    "outcome": {"servicerequest-response-validation-interim", "servicerequest-response-validation-full"},
    "feedback": {"servicerequest-response-referral"},
    "everything": {
        "booking-request",
        "servicerequest-request-referral",
        "servicerequest-request-validation",
    },
    "invoice": {"booking-request", "servicerequest-request-referral", "servicerequest-request-validation"},
}
Drive = Callable[[Sender, str, str], httpx.Response]


def _search(status: str = "") -> Drive:
    def drive(sender: Sender, service: str, media: str) -> httpx.Response:
        query = f"{SEARCH}&Schedule.actor%3AHealthcareService={service}{status}"
        return sender.call("GET", f"/Slot?{query}", service=service, media=media)

    return drive


def _post(make: Callable[..., Resource], **fixed: Any) -> Drive:
    """A message about a patient with the sentinel as NHS number, or with none."""
    return lambda sender, number, media: sender.post(make(number or None, **fixed), media=media)


DRIVERS: dict[str, Drive] = {
    "capability": lambda sender, service, media: sender.call(
        "GET", "/metadata", service=service or "2000093816", media=media
    ),
    "definitions": lambda sender, context, media: sender.call(
        "GET", f"/MessageDefinition?context={SYSTEM}|{context or '2000093816'}", media=media
    ),
    "free slots": _search(),
    "free and busy slots": _search("&status=busy%2Cfree"),
    "no slots": _search(),
    "mandatory slots": _search(),
    "new booking": _post(messages.booking),
    "cancel booking": _post(messages.booking, status="cancelled"),
    "get bookings": lambda sender, _any, media: sender.call("GET", "/Appointment", media=media),
    "get booking": lambda sender, identity, media: sender.call(
        "GET", f"/Appointment/{identity}", media=media
    ),
    "new referral": _post(messages.referral),
    "out-of-area referral": lambda sender, service, media: sender.post(
        messages.referral(use_case="a6t1", plan="active"), service=service, media=media
    ),
    "cancel referral": _post(messages.referral, status="revoked", reason="update"),
    "cancel named referral": _post(messages.referral, status="revoked", reason="update", id=REFERRED),
    "get request": lambda sender, identity, media: sender.call(
        "GET", f"/ServiceRequest/{identity}", media=media
    ),
    "new validation": _post(messages.validation),
    "update validation": _post(messages.validation, reason="update"),
    "cancel validation": _post(messages.validation, reason="update", status="revoked"),
    "full response": _post(messages.response, category="validation", encounter="finished"),
    "interim response": _post(messages.response, category="validation", encounter="in-progress"),
    "did-not-attend response": _post(messages.response, category="referral"),
}


@pytest.mark.parametrize("media", MEDIA)
@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_row(world: World, row: Row, media: str) -> None:
    answer = DRIVERS[row.request](world.sender, row.sentinel, media)

    assert answer.status_code == row.status, answer.text
    for name in ("x-request-id", "x-correlation-id"):
        assert answer.headers[name] == answer.request.headers[name]
    # The proxy replaces a receiver's 503 by its own words, which are JSON.
    assert answer.headers["content-type"] == ("application/json" if row.status == 503 else media)
    if media == FHIR_JSON and answer.headers["content-type"] == media:
        sent = json.loads(answer.request.content or "{}")
        assert messages.without_display(answer.json(), sent) == []
    if row.status != 200:
        assert _refusal(answer) == REFUSALS[row.status]
        assert not row.sentinel.isdigit() or row.sentinel not in answer.text
    elif row.request in {"capability", "definitions"}:
        _is_offered(answer, row, media)
    elif row.request.endswith("slots"):
        _slots_are_right(answer, row, media)
    elif row.gives.count("-") == 4:
        assert row.gives in _ids(answer, media)


def _refusal(answer: httpx.Response) -> tuple[str, str]:
    if answer.headers["content-type"] == FHIR_XML:
        (code,) = values(answer.content, "issue/details/coding/code")
        return code, values(answer.content, "issue/code")[0]
    issue = answer.json()["issue"][0]
    return issue["details"]["coding"][0]["code"], issue["code"]


def _is_offered(answer: httpx.Response, row: Row, media: str) -> None:
    wanted, bookings = OFFERED[row.gives], "bars-message-booking-request"
    addresses = "messaging/supportedMessage/definition"
    if row.request == "definitions":
        addresses = "entry/resource/MessageDefinition/url"
    found = _values(answer, addresses, media)
    names = {each.rpartition("bars-message-")[2] for each in found}
    assert wanted <= names
    assert ("booking" in row.gives or row.gives in {"everything", "invoice"}) == any(
        each.endswith(bookings) for each in found
    )
    assert (b"Invoice" in answer.content) == (row.gives == "invoice")


def _values(answer: httpx.Response, path: str, media: str) -> list[str]:
    """The values at a path of element names, in either format."""
    if media == FHIR_XML:
        return values(answer.content, path)
    found = [answer.json()]
    for step in path.split("/"):
        if step[0].isupper():
            found = [each for each in found if each["resourceType"] == step]
            continue
        nested = [each[step] for each in found if step in each]
        found = [one for each in nested for one in (each if isinstance(each, list) else [each])]
    return [str(each) for each in found]


def _slots_are_right(answer: httpx.Response, row: Row, media: str) -> None:
    kinds = _kinds(answer, media)
    everything = {"Slot", "Schedule", "HealthcareService", "Practitioner", "PractitionerRole", "Location"}
    wanted = {"no slots": set(), "mandatory slots": {"Slot", "Schedule", "HealthcareService"}}
    assert kinds == wanted.get(row.request, everything)
    statuses = set(_values(answer, "entry/resource/Slot/status", media))
    both = {"free", "busy"} if row.request == "free and busy slots" else {"free"}
    assert statuses == (set() if row.request == "no slots" else both)


def _kinds(answer: httpx.Response, media: str) -> set[str]:
    if media == FHIR_JSON:
        return {each["resource"]["resourceType"] for each in answer.json().get("entry", [])}
    return {
        name
        for name in ("Slot", "Schedule", "HealthcareService", "Practitioner", "PractitionerRole", "Location")
        if f"<resource><{name}>".encode() in answer.content
    }


def _ids(answer: httpx.Response, media: str) -> list[str]:
    """The ids of the resource itself, or of every Appointment and ServiceRequest in the Bundle."""
    if media == FHIR_XML:
        if kind(answer.content) != "Bundle":
            return values(answer.content, "id")
        paths = ("entry/resource/Appointment/id", "entry/resource/ServiceRequest/id")
        return [each for path in paths for each in values(answer.content, path)]
    content = answer.json()
    listed = [each["resource"] for each in content.get("entry", [])] or [content]
    return [str(each["id"]) for each in listed if each["resourceType"] in {"Appointment", "ServiceRequest"}]

"""What TKW reads and writes: JSON, XML, gzip; and that no body whatever breaks it."""

import copy
import gzip
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bars_portal.simulator.forwarding import Call
from bars_portal.simulator.headers import ORGANISATION_HEADER
from bars_portal.simulator.tkw.receiver import TKW_BASE_URL, TkwReceiver
from bars_portal.simulator.wire import Answer, Request
from tests.live.xml import kind, to_xml, values
from tests.simulator import messages
from tests.simulator.conftest import CallProxy
from tests.simulator.program import FHIR_JSON, FHIR_XML, organisation_header
from tests.simulator.support import IDS, FakeClock

CATCH_ALL = "2000072489"
BOMB = b'<!DOCTYPE a [<!ENTITY b "boom">]>'


@pytest.mark.parametrize(
    ("accept", "query", "expected"),
    [
        (None, "", FHIR_JSON),
        ("*/*", "", FHIR_JSON),
        ("application/fhir+json; version=1.1.0", "", FHIR_JSON),
        ("application/fhir+xml; version=1.1.0", "", FHIR_XML),
        ("application/xml", "", FHIR_XML),
        ("text/html, application/fhir+xml", "", FHIR_XML),
        ("application/fhir+json, application/fhir+xml", "", FHIR_JSON),
        ("application/fhir+json", "_format=xml", FHIR_XML),
        ("application/fhir+xml", "_format=json", FHIR_JSON),
        ("application/fhir+json", "_format=application/fhir%2Bxml", FHIR_XML),
        ("application/fhir+json", "_format=application/fhir+xml", FHIR_XML),
    ],
)
def test_the_format_that_is_asked_for(
    proxy: CallProxy, accept: str | None, query: str, expected: str
) -> None:
    for path in ("/metadata", "/ServiceRequest/7"):
        reply = proxy("GET", f"{path}?{query}", service=CATCH_ALL, headers={"Accept": accept})

        assert reply.headers["content-type"] == expected
        assert reply.headers["x-request-id"] == IDS["X-Request-Id"]
        assert reply.body.startswith(b"<?xml" if expected == FHIR_XML else b"{")


@pytest.mark.parametrize("media", [FHIR_XML, f"{FHIR_XML}; version=1.0.0"])
def test_an_xml_message_is_read(proxy: CallProxy, media: str) -> None:
    sent = messages.booking("9658499007")
    headers: dict[str, str | None] = {"Content-Type": media, "Accept": FHIR_XML}

    reply = proxy("POST", "/$process-message", service=CATCH_ALL, headers=headers, body=to_xml(sent))

    assert (reply.status, kind(reply.body)) == (200, "Bundle")
    assert values(reply.body, "id") == [sent["id"]]
    assert values(reply.body, "entry/resource/Slot/status") == ["busy"]
    assert values(reply.body, "entry/fullUrl") == [each["fullUrl"] for each in sent["entry"]]


@pytest.mark.parametrize(
    ("media", "body", "outcome"),
    [
        (FHIR_XML, b"", (400, "REC_BAD_REQUEST", "invalid")),
        (FHIR_XML, b"<a>", (400, "REC_BAD_REQUEST", "invalid")),
        (FHIR_XML, b"<Bundle/>", (400, "REC_BAD_REQUEST", "invalid")),
        (FHIR_XML, to_xml(messages.patient(None)), (400, "REC_BAD_REQUEST", "invalid")),
        (FHIR_XML, BOMB + to_xml(messages.booking()).split(b"\n", 1)[1], (400, "REC_BAD_REQUEST", "invalid")),
        (FHIR_JSON, to_xml(messages.booking()), (400, "REC_BAD_REQUEST", "invalid")),
        (FHIR_XML, json.dumps(messages.booking()).encode(), (400, "REC_BAD_REQUEST", "invalid")),
        ("text/csv", b"a,b", (415, "REC_BAD_REQUEST", "not-supported")),
        (
            "application/json",
            json.dumps(messages.booking()).encode(),
            (415, "REC_BAD_REQUEST", "not-supported"),
        ),
        ("text/xml", to_xml(messages.booking()), (415, "REC_BAD_REQUEST", "not-supported")),
        (
            FHIR_JSON,
            json.dumps(messages.booking())
            .replace('"status": "booked"', '"status": 1, "status": "booked"')
            .encode(),
            (400, "REC_BAD_REQUEST", "invalid"),
        ),
        ("", b"{}", (415, "REC_BAD_REQUEST", "not-supported")),
    ],
)
def test_unreadable_bodies(proxy: CallProxy, media: str, body: bytes, outcome: tuple[int, str, str]) -> None:
    headers: dict[str, str | None] = {"Content-Type": media}

    reply = proxy("POST", "/$process-message", service=CATCH_ALL, headers=headers, body=body)

    assert reply.outcome == outcome


@pytest.mark.parametrize(
    ("name", "use_context", "issue"),
    [
        ("X-Request-Id", "a4t1|validation|servicerequest-request|new", "invariant"),
        ("X-Request-Id", "a1t1|referral|servicerequest-request|new", "value"),
        ("X-Request-Id", None, "value"),
        ("X-Correlation-Id", "a4t1|validation|servicerequest-request|new", "value"),
    ],
)
def test_an_id_that_is_no_uuid(proxy: CallProxy, name: str, use_context: str | None, issue: str) -> None:
    headers = {"Content-Type": FHIR_JSON, name: "no-uuid", "use-context": use_context}

    reply = proxy(
        "POST",
        "/$process-message",
        service=CATCH_ALL,
        headers=headers,
        body=json.dumps(messages.booking()).encode(),
    )

    assert reply.outcome == (400, "REC_BAD_REQUEST", issue)


def test_a_wrong_verb_is_told_before_an_id_that_is_no_uuid(proxy: CallProxy) -> None:
    reply = proxy("DELETE", "/Slot", service=CATCH_ALL, headers={"X-Request-Id": "no-uuid"})

    assert reply.outcome == (405, "REC_METHOD_NOT_ALLOWED", "not-supported")


def test_a_booking_at_a_leap_second_is_taken(proxy: CallProxy) -> None:
    sent = messages.booking(start="2026-12-31T23:59:60Z")

    reply = proxy(
        "POST",
        "/$process-message",
        service=CATCH_ALL,
        headers={"Content-Type": FHIR_JSON},
        body=json.dumps(sent).encode(),
    )

    assert reply.status == 200


def test_a_gzip_message_is_read(proxy: CallProxy) -> None:
    headers: dict[str, str | None] = {"Content-Type": FHIR_JSON, "Content-Encoding": "gzip"}
    whole = gzip.compress(json.dumps(messages.booking()).encode())

    for body, status in ((whole, 200), (whole[:40], 400), (b"plain", 400)):
        reply = proxy("POST", "/$process-message", service=CATCH_ALL, headers=headers, body=body)
        assert reply.status == status


def test_a_message_that_is_no_fhir_is_answered_in_json_after_all(proxy: CallProxy) -> None:
    sent = messages.booking()
    sent["entry"][2]["resource"]["shoeSize"] = 42
    headers: dict[str, str | None] = {"Content-Type": FHIR_JSON, "Accept": FHIR_XML}

    body = json.dumps(sent).encode()
    reply = proxy("POST", "/$process-message", service=CATCH_ALL, headers=headers, body=body)

    assert (reply.status, reply.headers["content-type"]) == (200, FHIR_JSON)


def receiver() -> TkwReceiver:
    return TkwReceiver(clock=FakeClock(), set_off=lambda _kind, _message, _call: None)


def posted(tkw: TkwReceiver, bundle: Any) -> Answer:
    headers = {"content-type": FHIR_JSON, ORGANISATION_HEADER.lower(): organisation_header("A1")}
    request = Request("POST", "", "", headers, json.dumps(bundle).encode(), "")
    return tkw.answer(Call(request, "/$process-message", CATCH_ALL, TKW_BASE_URL))


def places(content: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON value, the root left out."""
    pairs = content.items() if isinstance(content, dict) else enumerate(content)
    found = []
    for key, value in pairs:
        found.append((*path, key))
        if isinstance(value, dict | list):
            found += places(value, (*path, key))
    return found


SAMPLES = {
    "booking": messages.booking("9658499007"),
    "stateful booking": messages.booking("9707606312"),
    "stateful referral": messages.referral("9707606312", booking_id=str(uuid4())),
    "referral": messages.referral("9658499163"),
    "validation": messages.validation("9658499147"),
    "response": messages.response("9054613556", category="referral"),
}
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(max_size=5),
    st.just([]),
    st.just({}),
    st.just([{}]),
    st.just([7]),
)


@given(st.sampled_from(sorted(SAMPLES)), st.data())
def test_no_body_breaks_it(name: str, data: st.DataObject) -> None:
    bundle = copy.deepcopy(SAMPLES[name])
    *way, last = data.draw(st.sampled_from(places(bundle)))
    parent: Any = bundle
    for step in way:
        parent = parent[step]
    parent[last] = data.draw(ODD)
    tkw = receiver()

    for _twice in range(2):
        answer = posted(tkw, bundle)
        assert answer.status in {200, 400, 401, 404, 409}
        assert json.loads(answer.body)["resourceType"] in {"Bundle", "OperationOutcome"}


def test_of_many_stateful_bookings_at_once_one_wins() -> None:
    tkw = receiver()
    bundle = SAMPLES["stateful booking"]

    with ThreadPoolExecutor(max_workers=16) as threads:
        statuses = list(threads.map(lambda _number: posted(tkw, bundle).status, range(48)))

    assert sorted(statuses) == [200] + [409] * 47

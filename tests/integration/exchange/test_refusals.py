"""Every fault that a booking message can have: what the sender is told, and that nothing came of it."""

import json
from typing import Any
from uuid import uuid4

import pytest

from bars_portal.audit.models import AuditEvent
from bars_portal.exchange.fhir.outcomes import OutcomeCode
from bars_portal.exchange.fhir.rules import Severity, all_rules
from bars_portal.exchange.models import InboundMessage, InboundState
from bars_portal.exchange.transport.headers import Software, encode_json, software_json
from bookings.models import Slot, SlotStatus
from tests.integration.exchange.calling import (
    FHIR,
    MESSAGE,
    WRONG_NAME,
    Receiver,
    cancelling,
    encoded,
    fresh,
    issue_of,
    organisation,
    outcome,
    state_of_the_world,
    target,
)
from tests.unit.exchange_fhir.breaches import BREACHES
from tests.unit.exchange_fhir.breaches_states import CATEGORY_BREACHES, STATE_BREACHES
from tests.unit.exchange_fhir.factory import (
    APPOINTMENT,
    HEADER,
    PATIENT,
    RECEIVER,
    SERVICE,
    SLOT,
    Change,
    changed,
    coded,
    contact,
    phone,
    put,
    ref,
)
from tests.unit.exchange_fhir.test_rules import FAULTS, destination, full_url, meta

pytestmark = pytest.mark.django_db

BY_TYPE = [*BREACHES, *STATE_BREACHES, *CATEGORY_BREACHES]
_OWN = {rule for rule, *_ in FAULTS}
NEW_BOOKING_FAULTS = [
    *FAULTS,
    *(
        (rule, change, code)
        for rule, keys, change, code, _ in BY_TYPE
        if "booking-new" in keys and rule not in _OWN
    ),
]


def refused(receiver: Receiver, body: dict[str, Any]) -> tuple[tuple[int, str, str], dict[str, Any]]:
    """Send it; check what holds for every refusal; its outcome and first issue."""
    before = state_of_the_world()
    response = receiver.send(body)
    assert response.headers["X-Request-ID"] == receiver.sent["X-Request-ID"]
    assert response.headers["X-Correlation-ID"] == receiver.sent["X-Correlation-ID"]
    assert response.headers["Content-Type"] == FHIR
    assert state_of_the_world() == before
    stored = InboundMessage.objects.get(request_id=receiver.sent["X-Request-ID"])
    assert (stored.state, stored.status_code) == (InboundState.REFUSED, response.status_code)
    assert bytes(stored.reply or b"") == response.content
    assert b"SECRET" not in response.content
    assert b'"diagnostics":"Y00111: ' in response.content
    return outcome(response), issue_of(response)


@pytest.mark.parametrize(("rule", "change", "code"), NEW_BOOKING_FAULTS)
def test_each_broken_rule_of_a_new_booking(
    receiver: Receiver, slot: Slot, rule: str, change: Change, code: OutcomeCode
) -> None:
    body = changed(fresh(), change)
    found, _ = refused(receiver, body)
    event = AuditEvent.objects.get(action="exchange.receive_message")
    assert (event.outcome, event.detail["fault"]) == ("refused", "sender")
    if event.detail["rule"] == "structure":
        # The structural gate comes before the rules, and finds some of these too.
        assert rule in {"header-first", "event-known", "destination-hosted", "appointment-times", "consent"}
        assert found[:2] == (400, "REC_BAD_REQUEST")
    else:
        assert (found, event.detail["rule"]) == ((code.status, code.code, code.issue), rule)


def test_a_refusal_names_the_system_that_wrote_the_message(receiver: Receiver, slot: Slot) -> None:
    written_by = software_json(Software("installation-1", "Triage Pro", "7.1"))
    body = changed(fresh(), NEW_BOOKING_FAULTS[-1][1])
    response = receiver.send(body, **{"NHSD-Requesting-Software": encode_json(written_by)})
    assert b'"diagnostics":"Y00111: ' in response.content, "whose diagnostics they are"
    detail = AuditEvent.objects.get(action="exchange.receive_message").detail
    named = {name: detail[name] for name in ("fault", "software", "software_version")}
    assert named == {"fault": "sender", "software": "Triage Pro", "software_version": "7.1"}


def test_the_table_names_every_rule_that_can_refuse() -> None:
    """Those that no booking can break are broken by the other types, in the tests of the rules themselves."""
    refusing = {rule.id for rule in all_rules() if rule.severity is not Severity.WARNING}
    others = {rule for rule, keys, *_ in BY_TYPE if "booking-new" not in keys}
    assert refusing - {rule for rule, *_ in NEW_BOOKING_FAULTS} <= others


TOLD: list[tuple[Change, int, str, str, list[str]]] = [
    (put(-1, "type", "collection"), 400, "REC_BAD_REQUEST", "invariant", ["Bundle.type"]),
    (meta(None), 400, "REC_BAD_REQUEST", "invariant", ["Bundle.meta.versionId"]),
    (meta("2.0.0"), 422, "REC_UNPROCESSABLE_ENTITY", "not-supported", ["Bundle.meta.versionId"]),
    (
        put(HEADER, "reason", coded("message-reason-bars", "SECRET")),
        400,
        "REC_BAD_REQUEST",
        "invariant",
        ["Bundle.entry[0].resource.reason"],
    ),
    (
        put(APPOINTMENT, "status", "arrived"),
        400,
        "REC_BAD_REQUEST",
        "invariant",
        [
            "Bundle.entry[0].resource.eventCoding",
            "Bundle.entry[0].resource.reason",
            "Bundle.entry[1].resource.status",
        ],
    ),
    (
        destination("https://fhir.nhs.uk/Id/dos-service-id|2000011147", ref(RECEIVER)),
        404,
        "REC_NOT_FOUND",
        "not-found",
        ["Bundle.entry[0].resource.destination[0].endpoint"],
    ),
    (
        destination(SERVICE.service_id.token, ref(77)),
        400,
        "REC_BAD_REQUEST",
        "invariant",
        ["Bundle.entry[0].resource.destination[0].receiver"],
    ),
    (
        put(APPOINTMENT, "serviceCategory", [coded("usecases-categories-bars", "SECRET")]),
        400,
        "REC_BAD_REQUEST",
        "value",
        ["Bundle.entry[1].resource.serviceCategory"],
    ),
    (
        full_url(PATIENT, "urn:uuid:SECRET"),
        400,
        "REC_BAD_REQUEST",
        "value",
        ["Bundle.entry[2].fullUrl"],
    ),
    (
        put(SLOT, "schedule", ref(77)),
        400,
        "REC_BAD_REQUEST",
        "invariant",
        ["Bundle.entry[3].resource.schedule.reference"],
    ),
    (
        put(PATIENT, "contact", [contact(1, phone("1")), contact(1, phone("2"))]),
        400,
        "REC_BAD_REQUEST",
        "invariant",
        ["Bundle.entry[2].resource.contact"],
    ),
    (put(APPOINTMENT, "start", None), 400, "REC_BAD_REQUEST", "required", ["Bundle.entry[1].resource.start"]),
    (put(SLOT, "id", "SECRET"), 400, "REC_BAD_REQUEST", "value", ["Bundle.entry[3].resource.id"]),
]


@pytest.mark.parametrize(("change", "status", "code", "issue", "expression"), TOLD)
def test_what_the_sender_is_told(
    receiver: Receiver, slot: Slot, change: Change, status: int, code: str, issue: str, expression: list[str]
) -> None:
    found, told = refused(receiver, changed(fresh(), change))
    assert (found, told["expression"]) == ((status, code, issue), expression)
    assert told["severity"] == "error"
    assert len(told["diagnostics"]) > 15


CANCEL_FAULTS: list[tuple[str, Change, tuple[int, str, str]]] = [
    ("bundle-id", put(-1, "id", None), (400, "REC_BAD_REQUEST", "required")),
    ("version", meta("3.1.0"), (422, "REC_UNPROCESSABLE_ENTITY", "not-supported")),
    (
        "receiver-resolves",
        destination(SERVICE.service_id.token, ref(77)),
        (400, "REC_BAD_REQUEST", "invariant"),
    ),
    ("appointment-times", put(APPOINTMENT, "end", None), (400, "REC_BAD_REQUEST", "required")),
    ("contact-call-back", put(PATIENT, "contact", None), (400, "REC_BAD_REQUEST", "invariant")),
    ("use-case", put(APPOINTMENT, "serviceCategory", None), (400, "REC_BAD_REQUEST", "invariant")),
    ("focus-resolves", put(HEADER, "focus", [ref(77)]), (400, "REC_BAD_REQUEST", "invariant")),
]


@pytest.mark.parametrize(("rule", "change", "expected"), CANCEL_FAULTS)
def test_each_broken_rule_of_a_cancel(
    receiver: Receiver, slot: Slot, rule: str, change: Change, expected: tuple[int, str, str]
) -> None:
    assert receiver.send(fresh()).status_code == 200
    found, _ = refused(receiver, changed(cancelling(), change))
    assert found == expected
    assert AuditEvent.objects.filter(outcome="refused", detail__rule=rule).count() == 1
    slot.refresh_from_db()
    assert slot.status == SlotStatus.BUSY
    assert receiver.send(cancelling()).status_code == 200, "the right one still works"


@pytest.mark.parametrize(
    ("body", "issue"),
    [
        (b" ", "invalid"),
        (b"{", "invalid"),
        (b"[]", "invalid"),
        (b"\xff\xfe", "invalid"),
        (b'{"resourceType": "Bundle", "total": NaN}', "invalid"),
        (b'{"a":' * 3000 + b"1" + b"}" * 3000, "invalid"),
        (b"{}", ""),
        (b'{"resourceType": "SECRET"}', ""),
        (b'{"resourceType": ["Bundle"]}', ""),
        (b'{"resourceType": "Bundle", "type": "message", "entry": [null]}', ""),
    ],
)
def test_a_body_that_is_no_message(receiver: Receiver, slot: Slot, body: bytes, issue: str) -> None:
    response = receiver.post(body)
    status, code, found = outcome(response)
    assert (status, code) == (400, "REC_BAD_REQUEST")
    assert found == issue or not issue
    stored = InboundMessage.objects.get()
    assert (bytes(stored.body), stored.state) == (body, InboundState.REFUSED)
    assert b"SECRET" not in response.content


LONG_AGO = "11111111-1111-4111-8111-111111111111"


@pytest.mark.parametrize(
    ("header", "value", "expected"),
    [
        ("X_Request_ID", None, (400, "REC_BAD_REQUEST", "required")),
        ("X_Request_ID", "", (400, "REC_BAD_REQUEST", "required")),
        ("X_Request_ID", "  ", (400, "REC_BAD_REQUEST", "required")),
        ("X_Request_ID", "SECRET", (400, "REC_BAD_REQUEST", "value")),
        ("X_Request_ID", LONG_AGO[:-1], (400, "REC_BAD_REQUEST", "value")),
        ("X_Correlation_ID", None, (400, "REC_BAD_REQUEST", "required")),
        ("X_Correlation_ID", "", (400, "REC_BAD_REQUEST", "required")),
        ("X_Correlation_ID", "SECRET", (400, "REC_BAD_REQUEST", "value")),
        ("NHSD_Target_Identifier", "SECRET", (400, "REC_BAD_REQUEST", "value")),
        ("NHSD_Target_Identifier", encoded([]), (400, "REC_BAD_REQUEST", "value")),
        ("NHSD_Target_Identifier", encoded({"system": "x"}), (400, "REC_BAD_REQUEST", "value")),
        ("NHSD_Target_Identifier", target(""), (400, "REC_BAD_REQUEST", "value")),
        ("NHSD_End_User_Organisation", "%%%", (400, "REC_BAD_REQUEST", "value")),
        (
            "NHSD_End_User_Organisation",
            encoded({"resourceType": "Organization"}),
            (400, "REC_BAD_REQUEST", "value"),
        ),
        ("NHSD_Requesting_Software", "SECRET", (400, "REC_BAD_REQUEST", "value")),
        ("NHSD_Requesting_Practitioner", "SECRET", (400, "REC_BAD_REQUEST", "value")),
        ("Accept", f"{FHIR}; version=2.0.0", (406, "REC_NOT_ACCEPTABLE", "processing")),
        ("Accept", "text/html", (406, "REC_NOT_ACCEPTABLE", "processing")),
        ("content_type", "text/plain", (415, "REC_BAD_REQUEST", "not-supported")),
        ("content_type", "application/fhir+xml", (400, "REC_BAD_REQUEST", "invalid")),
        ("path", f"{MESSAGE}?_format=turtle", (406, "REC_NOT_ACCEPTABLE", "processing")),
        ("path", "/FHIR/R4/$process-messages", (404, "REC_NOT_FOUND", "not-found")),
        ("path", "/fhir/r4/$process-message", (404, "REC_NOT_FOUND", "not-found")),
        ("path", "/", (404, "REC_NOT_FOUND", "not-found")),
        ("path", "/FHIR/R4/metadata", (405, "REC_METHOD_NOT_ALLOWED", "not-supported")),
        ("path", "/FHIR/R4/Slot", (405, "REC_METHOD_NOT_ALLOWED", "not-supported")),
        ("peer", WRONG_NAME, (403, "REC_FORBIDDEN", "forbidden")),
        ("X_SSL_Client_Verify", "FAILED", (403, "REC_FORBIDDEN", "forbidden")),
        ("X_SSL_Client_Verify", None, (403, "REC_FORBIDDEN", "forbidden")),
        ("X_SSL_Client_Cert", None, (403, "REC_FORBIDDEN", "forbidden")),
        ("X_SSL_Client_Cert", "SECRET", (403, "REC_FORBIDDEN", "forbidden")),
    ],
)
def test_what_is_wrong_around_a_message(
    receiver: Receiver, slot: Slot, header: str, value: str | None, expected: tuple[int, str, str]
) -> None:
    before = state_of_the_world()
    response = receiver.send(fresh(), **{header: value})
    assert outcome(response) == expected
    for name in ("X-Request-ID", "X-Correlation-ID"):
        assert response.headers.get(name) == receiver.sent.get(name)
    assert state_of_the_world() == before
    assert b"SECRET" not in response.content
    event = AuditEvent.objects.get()
    assert event.outcome == "refused"
    assert event.detail["code"] == " ".join(map(str, expected))


def test_a_request_id_of_a_validation_that_is_no_uuid_has_a_code_of_its_own(
    receiver: Receiver, slot: Slot
) -> None:
    context = "a4t1|validation|servicerequest-request|new"
    found = outcome(receiver.send(fresh(), X_Request_ID="SECRET", use_context=context))
    assert found == (400, "REC_BAD_REQUEST", "invariant")


@pytest.mark.parametrize(
    "value", [encoded({"system": "tests", "value": "NHS0001"}), target("Ottershaw"), target("2000099999")]
)
def test_an_unknown_target_of_a_message_is_no_fault_in_itself(
    receiver: Receiver, slot: Slot, value: str
) -> None:
    """The message says by itself whom it is for."""
    assert receiver.send(fresh(), NHSD_Target_Identifier=value).status_code == 200
    assert InboundMessage.objects.get().service_id == SERVICE.service_id.value
    refused = receiver.send({"resourceType": "Bundle"}, NHSD_Target_Identifier=value)
    assert outcome(refused)[0] == 400


@pytest.mark.parametrize("value", ["SECRET", encoded({"system": "x"})])
def test_who_asked_in_vain_is_on_the_trail_although_another_header_does_not_decode(
    receiver: Receiver, slot: Slot, value: str
) -> None:
    assert receiver.get("/Patient", NHSD_Target_Identifier=value).status_code == 404
    assert "RX111" in AuditEvent.objects.get().actor_label


def test_a_name_that_comes_twice_refuses_the_message_whole(receiver: Receiver, slot: Slot) -> None:
    written = json.dumps(fresh())
    twice = written.replace('"status": "booked"', '"status": "SECRET", "status": "booked"', 1)
    before = state_of_the_world()
    response = receiver.post(twice.encode())
    assert outcome(response) == (400, "REC_BAD_REQUEST", "invalid")
    assert issue_of(response)["expression"] == ["Bundle.entry[1].resource.status"]
    assert b"SECRET" not in response.content
    assert state_of_the_world() == before
    assert receiver.post(written.encode()).status_code == 200


def test_pretty_printed_headers_with_unknown_members_are_read(receiver: Receiver, slot: Slot) -> None:
    import base64

    pretty = b'{\r\n  "system": "http://fhir.nhs.uk/Id/dos-service-id",\r\n  "value": "2000099001", "x": 1}'
    response = receiver.send(fresh(), NHSD_Target_Identifier=base64.b64encode(pretty).decode())
    assert response.status_code == 200


@pytest.mark.parametrize("verb", ["get", "put", "patch", "delete", "head", "options"])
def test_messages_are_posted(receiver: Receiver, slot: Slot, verb: str) -> None:
    receiver.get("/nothing")
    response = getattr(receiver.client, verb)(MESSAGE, headers=receiver.sent)
    assert response.status_code == 405
    assert response.headers["Allow"] == "POST"
    assert response.headers["X-Request-ID"] == receiver.sent["X-Request-ID"]


def test_a_body_that_is_too_large_is_refused(receiver: Receiver, slot: Slot) -> None:
    assert outcome(receiver.post(b" " * 2_600_000)) == (413, "REC_BAD_REQUEST", "too-long")


@pytest.mark.parametrize("known", [True, False])
def test_only_allowed_callers_reach_a_service(receiver: Receiver, slot: Slot, known: bool) -> None:
    slot.service.allowed_callers = ["RX111"]
    slot.service.save()
    before = state_of_the_world()
    response = receiver.send(fresh(), NHSD_End_User_Organisation=organisation("OTHER") if known else None)
    assert outcome(response) == (401, "REC_UNAUTHORIZED", "forbidden")
    assert state_of_the_world() == before
    assert receiver.send(fresh()).status_code == 200


def test_access_comes_before_content_and_counts_for_the_service_in_the_message_too(
    receiver: Receiver, slot: Slot
) -> None:
    slot.service.allowed_callers = ["ABC"]
    slot.service.save()
    assert outcome(receiver.post(b"{"))[0] == 401
    assert outcome(receiver.send(fresh(), NHSD_Target_Identifier=None))[0] == 401


def test_ids_are_echoed_as_they_were_written(receiver: Receiver, slot: Slot) -> None:
    loud = str(uuid4()).upper()
    response = receiver.send(fresh(), X_Request_ID=loud)
    assert response.headers["X-Request-ID"] == loud

"""A verdict on every request: sound ones are right, and each fault is told in plain words."""

import base64
import copy
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bars_portal.simulator.config import FHIR_BASE, TOKEN_PATH
from bars_portal.simulator.fhir import to_xml
from bars_portal.simulator.journal import Entry, Journal
from bars_portal.simulator.selftest.messages import Values, apply, build, names
from bars_portal.simulator.verdicts.judging import judge
from bars_portal.simulator.verdicts.message import Outcome, Verdict
from bars_portal.simulator.wire import Answer, Request
from tests.simulator.support import IDS, target

SLOT = {"id": "4d65ddaa-4d09-41cd-87c9-aeb9c0c96352", "start": "2026-12-01T10:00:00+00:00"}
SLOT["end"] = "2026-12-01T10:15:00+00:00"
Json = dict[str, Any]


def encoded(content: object) -> str:
    return base64.b64encode(json.dumps(content).encode()).decode()


HEADERS = {
    **{name.lower(): value for name, value in IDS.items()},
    "accept": "application/fhir+json; version=1.1.0",
    "content-type": "application/fhir+json",
    "use-context": "a1t1|referral|servicerequest-request|new",
    "nhsd-target-identifier": target("2000099001"),
    "nhsd-end-user-organisation": encoded({"identifier": [{"value": "A1001"}]}),
    "nhsd-requesting-software": encoded({"identifier": [{"value": "SOFT"}]}),
}
ECHO = tuple((name, value) for name, value in IDS.items())
GOOD_ANSWER = Answer(200, (("Content-Type", "application/fhir+json"), *ECHO), b"{}")


def values() -> Values:
    fixed = {"service": "2000099001", "sender": "2000088001", "use_case": "a1t1", "answers": SLOT["id"]}
    return Values(fixed, datetime(2026, 11, 20, 9, tzinfo=UTC), lambda _: SLOT)


def entry(
    path: str = "/$process-message",
    *,
    body: bytes = b"",
    headers: dict[str, str] | None = None,
    answer: Answer | None = GOOD_ANSWER,
    query: str = "",
    scenario: str = "",
) -> Entry:
    """As the journal keeps it."""
    raw = path if path == TOKEN_PATH else FHIR_BASE + path
    method = "POST" if body or path == TOKEN_PATH else "GET"
    request = Request(method, raw, query, HEADERS | (headers or {}), body, "127.0.0.1")
    journal = Journal()
    status = str(answer.status) if answer else "cut"
    at = datetime(2026, 11, 20, 9, tzinfo=UTC)
    journal.note(request, answer=answer, status=status, at=at, took_ms=1, scenario=scenario)
    return journal.entries()[0]


def verdict_on(message: Json) -> Verdict:
    return judge(entry(body=json.dumps(message).encode()))


@pytest.mark.parametrize("name", sorted(names()))
@pytest.mark.parametrize("media", ["json", "xml"])
def test_a_sound_message_is_right(name: str, media: str) -> None:
    message = build(name, {}, values())
    body = json.dumps(message).encode() if media == "json" else to_xml(message)

    found = judge(entry(body=body, headers={"content-type": f"application/fhir+{media}"}))

    assert found.wrong == ()
    assert found.outcome is Outcome.RIGHT
    assert len(found.checks) > 20


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"set": {"Bundle.type": "collection"}}, "Bundle.type is not message"),
        ({"remove": ["Bundle.meta.versionId"]}, "Bundle.meta.versionId is missing"),
        ({"set": {"Bundle.meta.versionId": "2.0.0"}}, "Bundle.meta.versionId is missing or of another"),
        ({"set": {"MessageHeader.eventCoding.code": "hello"}}, "The event is none of BaRS"),
        ({"set": {"MessageHeader.reason.coding[0].code": "why"}}, "The reason is none of BaRS"),
        ({"set": {"MessageHeader.focus[0].reference": "urn:uuid:x"}}, "The focus is not in the message"),
        ({"remove": ["MessageHeader.source.endpoint"]}, "source.endpoint"),
        ({"set": {"Flag.subject.reference": "urn:uuid:nowhere"}}, "1 references point at nothing"),
        ({"remove": ["Patient.contact"]}, "0 contacts have rank 1"),
        ({"remove": ["Patient.contact[0].telecom"]}, "The contact of rank 1 has no telecom"),
        ({"set": {"Consent.category[0].coding[0].code": "X"}}, "A consent is not for direct care"),
        ({"remove": ["ServiceRequest.category[0].coding[1]"]}, "There is not one use case"),
        ({"drop": ["CarePlan"]}, "There are 0 CarePlan"),
        ({"double": ["Patient"]}, "There are 2 Patient"),
        ({"set": {"Patient.birthDate": "soon"}}, "does not take it as FHIR R4"),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_a_fault_is_told(changes: Json, words: str) -> None:
    message = copy.deepcopy(build("referral-new", {}, values()))
    apply(message, changes, values())

    found = verdict_on(message)

    assert found.outcome is Outcome.WRONG
    assert any(words in told for told in found.wrong), found.wrong
    assert not any("DYBALL" in told or "9658499007" in told for told in found.wrong)


def test_a_response_without_what_it_answers() -> None:
    message = build("validation-interim", {"remove": ["MessageHeader.response"]}, values())

    assert "MessageHeader.response names nothing" in verdict_on(message).wrong


def test_the_receivers_encounter_in_an_update_is_only_noted() -> None:
    message = build("referral-update", {"double": ["Encounter"]}, values())

    found = verdict_on(message)

    assert (found.outcome, found.wrong) == (Outcome.NOTE, ())


@pytest.mark.parametrize("body", [b"{", b"[]", b"<Bundle", b'{"resourceType": "Patient"}'])
def test_a_body_that_is_no_message(body: bytes) -> None:
    assert "no FHIR Bundle" in judge(entry(body=body)).wrong[0]


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ({"x-request-id": ""}, "X-Request-ID is missing or no UUID"),
        ({"x-correlation-id": "12345"}, "X-Correlation-ID is missing or no UUID"),
        ({"nhsd-target-identifier": "%%%"}, "NHSD-Target-Identifier is missing"),
        ({"nhsd-end-user-organisation": ""}, "NHSD-End-User-Organisation is missing"),
        ({"nhsd-requesting-software": encoded({"name": "x"})}, "NHSD-Requesting-Software is missing"),
        ({"nhsd-requesting-practitioner": "AAAA"}, "NHSD-Requesting-Practitioner is missing"),
    ],
)
def test_a_header_that_is_wrong(headers: dict[str, str], words: str) -> None:
    assert any(words in told for told in judge(entry("/Appointment/1", headers=headers)).wrong)


def test_what_is_only_a_note() -> None:
    found = judge(entry("/Appointment/1", headers={"accept": "*/*"}))

    assert (found.outcome, found.notes) == (Outcome.NOTE, ("Accept names no version",))


@pytest.mark.parametrize("use_context", ["", "a1t1", "a1t1||servicerequest-request|new", "a|b|c|d|e"])
def test_use_context_has_four_parts_and_none_is_empty(use_context: str) -> None:
    found = judge(entry(body=b"{", headers={"use-context": use_context}))

    assert any("use-context is not" in told for told in found.notes)


@pytest.mark.parametrize(
    "bounds", ["", "start=ge2030", "start=ge2030&start=ge2031", "start=2030&start=le2031"]
)
def test_a_search_has_one_bound_of_each_kind(bounds: str) -> None:
    found = judge(entry("/Slot", query=f"status=free&{bounds}"))

    assert "start is not given once with ge and once with le" in found.notes
    both = judge(entry("/Slot", query="status=free&start=ge2030&start=le2031"))
    assert not any(told.startswith("start") for told in both.notes)


def test_the_proxy_asks_no_nhsd_headers_of_metadata() -> None:
    bare = dict.fromkeys(
        ("nhsd-target-identifier", "nhsd-end-user-organisation", "nhsd-requesting-software"), ""
    )

    assert judge(entry("/metadata", headers=bare)).wrong == ()


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("status=free", "Schedule.actor:HealthcareService is missing"),
        ("Schedule.actor:HealthcareService=1", "status is missing"),
    ],
)
def test_a_slot_search_that_lacks_something(query: str, words: str) -> None:
    assert words in judge(entry("/Slot", query=query)).wrong


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (None, "There was no answer"),
        (Answer(200, (("Content-Type", "application/fhir+json"),), b"{}"), "The answer does not echo"),
        (Answer(200, (("Content-Type", "text/html"), *ECHO), b""), "The answer's type is text/html"),
        (Answer(400, GOOD_ANSWER.headers, b"{}"), "The error is no OperationOutcome"),
    ],
    ids=["none", "no-echo", "html", "no-outcome"],
)
def test_an_answer_that_is_wrong(answer: Answer | None, words: str) -> None:
    assert any(words in told for told in judge(entry("/Slot", answer=answer)).wrong)


def test_the_token_is_judged() -> None:
    refused = Answer(
        401, GOOD_ANSWER.headers, b'{"code": "SEND_UNAUTHORIZED", "resourceType": "OperationOutcome"}'
    )

    assert (
        "The access token is missing, unknown or expired" in judge(entry("/metadata", answer=refused)).wrong
    )
    assert judge(entry(TOKEN_PATH)).outcome is Outcome.RIGHT
    bad = judge(entry(TOKEN_PATH, answer=Answer(400), scenario="Missing 'exp' claim"))
    assert bad.wrong == ("Missing 'exp' claim",)


def test_no_published_message_is_called_wrong(shared_dir: Path) -> None:
    messages = [each.read_bytes() for each in (shared_dir / "fhir" / "examples").glob("*.json")]
    told = [judge(entry(body=each)).wrong for each in messages if json.loads(each).get("type") == "message"]

    assert len(told) > 15
    assert set(told) == {()}

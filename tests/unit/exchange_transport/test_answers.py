"""Standard section 8 as a table: which answer means what for the message."""

import json
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bars_portal.exchange.transport.auth import TokenRefused
from bars_portal.exchange.transport.judgement import Delivery, Judgement, judge_answer, judge_error
from bars_portal.http import Answer, LostReply, NotSent, TransportError

REQUEST, CORRELATION = uuid4(), uuid4()
ECHO = {"x-request-id": str(REQUEST).upper(), "X-Correlation-Id": str(CORRELATION)}
MESSAGE = json.dumps({"resourceType": "Bundle", "type": "message"}).encode()
NHS_CODES = "https://fhir.nhs.uk/Codesystem/http-error-codes"


def outcome(code: str, issue: str, system: str = NHS_CODES, severity: str = "error") -> bytes:
    details = {"coding": [{"system": system, "code": code}]}
    issues = [{"severity": severity, "code": issue, "details": details}]
    return json.dumps({"resourceType": "OperationOutcome", "issue": issues}).encode()


def judge(status: int, body: bytes, headers: dict[str, str] | None = None, **more: str) -> Judgement:
    answer = Answer(status, ECHO if headers is None else headers, body, 1)
    return judge_answer(answer, request_id=REQUEST, correlation_id=CORRELATION, **more)  # type: ignore[arg-type]  # only `expected` is passed


@pytest.mark.parametrize(
    ("status", "code", "issue", "expected"),
    [
        # Final.
        (400, "REC_BAD_REQUEST", "invariant", "refused bad-request"),
        (400, "SEND_BAD_REQUEST", "value", "refused bad-request"),
        (400, "PROXY_BAD_REQUEST", "400", "refused bad-request"),
        (400, "BAD_REQUEST", "structure", "refused bad-request"),
        (401, "REC_UNAUTHORIZED", "forbidden", "refused unauthorized"),
        (401, "REC_UNAUTHORIZED", "security", "refused unauthorized"),
        (403, "REC_FORBIDDEN", "forbidden", "refused forbidden"),
        (404, "PROXY_NOT_FOUND", "not-found", "refused not-found"),
        (405, "SEND_METHOD_NOT_ALLOWED", "not-supported", "refused method-not-allowed"),
        (406, "REC_NOT_ACCEPTABLE", "processing", "refused not-acceptable"),
        (409, "REC_CONFLICT", "conflict", "refused conflict"),
        (422, "REC_UNPROCESSABLE_ENTITY", "too-costly", "refused unprocessable-entity"),
        (500, "REC_SERVER_ERROR", "exception", "refused server-error"),
        (500, "SERVER_ERROR", "transient", "refused server-error"),
        (501, "REC_NOT_IMPLEMENTED", "not-supported", "refused not-implemented"),
        (418, "SOMETHING_NEW", "x", "refused http-418"),
        # Delivered before.
        (409, "REC_CONFLICT", "duplicate", "duplicate duplicate"),
        (409, "", "DUPLICATE", "duplicate duplicate"),
        # Send again, by status.
        (401, "SEND_UNAUTHORIZED", "security", "unknown unauthorised"),
        (401, "PROXY_UNAUTHORIZED", "security", "unknown unauthorised"),
        (401, "UNAUTHORIZED", "unknown", "unknown unauthorised"),
        (408, "REC_TIMEOUT", "timeout", "unknown timeout"),
        (425, "REC_TOO_EARLY", "duplicate", "unknown too-early"),
        (429, "PROXY_TOO_MANY_REQUESTS", "429", "unknown throttled"),
        (503, "REC_SERVICE_UNAVAILABLE", "transient", "unknown unavailable"),
        (504, "OTHER", "x", "unknown timeout"),
        # Send again, by code in any prefix, whatever the status.
        (500, "TIMEOUT", "x", "unknown timeout"),
        (409, "REC_TIMEOUT", "timeout", "unknown timeout"),
        (500, "PROXY_TIMEOUT", "x", "unknown timeout"),
        (400, "SEND_TOO_MANY_REQUESTS", "throttled", "unknown throttled"),
        (500, "TOO_MANY_REQUESTS", "x", "unknown throttled"),
        (500, "PROXY_UNAVAILABLE", "x", "unknown unavailable"),
        (500, "rec_unavailable", "x", "unknown unavailable"),
        (500, "SERVICE_UNAVAILABLE", "transient", "unknown unavailable"),
        (403, "SEND_FORBIDDEN", "forbidden", "unknown forbidden"),
        # Send again, by a status in the place of the issue code.
        (500, "WHATEVER", "503", "unknown unavailable"),
        (500, "WHATEVER", "429", "unknown throttled"),
    ],
)
@pytest.mark.parametrize("system", [NHS_CODES, "http://hl7.org/fhir/ValueSet/operation-outcome", ""])
def test_errors_with_an_outcome(status: int, code: str, issue: str, system: str, expected: str) -> None:
    judged = judge(status, outcome(code, issue, system))
    assert f"{judged.delivery} {judged.reason}" == expected
    assert judged.issues[0].code == code


@pytest.mark.parametrize("status", [301, 400, 404, 409, 418, 500, 502])
@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b"[1]", b'{"resourceType":"OperationOutcome"}'])
def test_an_error_without_an_outcome_is_unknown(status: int, body: bytes) -> None:
    assert judge(status, body) == Judgement(Delivery.UNKNOWN, "no-outcome")


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [(429, b"", "throttled"), (503, b"<html>", "unavailable"), (401, b"", "unauthorised")],
)
def test_a_retryable_status_needs_no_outcome(status: int, body: bytes, reason: str) -> None:
    assert judge(status, body, {}) == Judgement(Delivery.UNKNOWN, reason)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-Request-ID": str(REQUEST)},
        {"X-Correlation-ID": str(CORRELATION)},
        {**ECHO, "x-request-id": str(uuid4())},
        {"X-Request-ID": str(CORRELATION), "X-Correlation-ID": str(REQUEST)},
    ],
)
@pytest.mark.parametrize(("status", "body"), [(200, MESSAGE), (400, outcome("REC_BAD_REQUEST", "value"))])
def test_ids_that_are_not_echoed(headers: dict[str, str], status: int, body: bytes) -> None:
    judged = judge(status, body, headers)
    assert (judged.delivery, judged.reason) == (Delivery.UNKNOWN, "ids-not-echoed")


def test_duplicate_counts_even_without_the_ids() -> None:
    assert judge(409, outcome("REC_CONFLICT", "duplicate"), {}).delivery is Delivery.DUPLICATE


def test_a_conflict_stays_one_when_a_later_issue_says_duplicate() -> None:
    first, second = (json.loads(outcome("REC_CONFLICT", issue)) for issue in ("conflict", "duplicate"))
    first["issue"] += second["issue"]
    assert judge(409, json.dumps(first).encode()).reason == "conflict"


def test_a_warning_before_the_error_does_not_decide() -> None:
    first = json.loads(outcome("REC_CONFLICT", "duplicate", severity="warning"))
    first["issue"] += json.loads(outcome("REC_CONFLICT", "conflict"))["issue"]
    assert judge(409, json.dumps(first).encode()).delivery is Delivery.REFUSED


@pytest.mark.parametrize("status", [200, 201, 202])
def test_a_message_bundle_with_both_ids_is_accepted(status: int) -> None:
    assert judge(status, MESSAGE) == Judgement(Delivery.ACCEPTED, "accepted")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"OK",
        b"<Bundle xmlns='http://hl7.org/fhir'/>",
        b"[]",
        b"{}",
        MESSAGE[:-1],
        MESSAGE.replace(b"message", b"searchset"),
        b'{"resourceType": "Appointment"}',
        outcome("REC_SERVER_ERROR", "exception"),
    ],
)
def test_a_success_that_is_not_our_kind_of_reply_is_unknown(body: bytes) -> None:
    judged = judge(200, body)
    assert (judged.delivery, judged.reason) == (Delivery.UNKNOWN, "unreadable-reply")


def test_reads_expect_another_resource() -> None:
    body = b'{"resourceType": "Appointment", "type": "message"}'
    assert judge(200, body, expected="Appointment").delivery is Delivery.ACCEPTED
    assert judge(200, MESSAGE, expected="Bundle:searchset").reason == "unreadable-reply"


NOON = datetime(2026, 7, 14, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "now", "seconds"),
    [
        ({}, NOON, None),
        ({"retry-after": "120"}, None, 120),
        ({"Retry-After": " 0 "}, None, 0),
        ({"Retry-After": "99999999"}, None, 86_400),
        ({"Retry-After": "-5"}, NOON, None),
        ({"Retry-After": "soon"}, NOON, None),
        ({"Retry-After": "\u0663"}, NOON, None),
        ({"Retry-After": "Tue, 14 Jul 2026 12:01:30 GMT"}, NOON, 90),
        ({"Retry-After": "Tue, 14 Jul 2026 11:00:00 GMT"}, NOON, 0),
        ({"Retry-After": "Tue, 14 Jul 2026 12:01:30 GMT"}, None, None),
        (
            {"Retry-After": "Tue, 14 Jul 2026 12:01:30 -0000", "Date": "Tue, 14 Jul 2026 12:01:00 GMT"},
            None,
            30,
        ),
    ],
)
def test_retry_after(headers: dict[str, str], now: datetime | None, seconds: int | None) -> None:
    answer = Answer(429, headers, b"", 1)
    judged = judge_answer(answer, request_id=REQUEST, correlation_id=CORRELATION, now=now)
    assert (judged.delivery, judged.retry_after) == (Delivery.UNKNOWN, seconds)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (LostReply("timeout"), "timeout"),
        (LostReply("cut"), "cut"),
        (LostReply("garbled"), "garbled"),
        (NotSent("timeout"), "not-sent"),
        (TokenRefused("invalid_client"), "token-refused"),
    ],
)
def test_no_answer_is_unknown(error: TransportError, reason: str) -> None:
    assert judge_error(error) == Judgement(Delivery.UNKNOWN, reason)


@given(
    status=st.integers(100, 599),
    body=st.binary() | st.sampled_from([MESSAGE, outcome("A", "b")]),
    headers=st.dictionaries(st.sampled_from(["Retry-After", "Date", "X-Request-ID"]), st.text()),
)
def test_any_answer_gets_a_judgement_and_only_a_good_one_is_accepted(
    status: int, body: bytes, headers: dict[str, str]
) -> None:
    judged = judge_answer(
        Answer(status, headers, body, 1), request_id=UUID(int=1), correlation_id=UUID(int=2)
    )
    assert judged.delivery is not Delivery.ACCEPTED
    assert judged.reason

"""What becomes of a receiver's errors on the way to the sender."""

import gzip
import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bars_portal.simulator.forwarding import ReceiverTimedOut, ReceiverUnreachable
from bars_portal.simulator.outcomes import first_issue_code
from bars_portal.simulator.wire import Answer
from tests.simulator.conftest import CallProxy
from tests.simulator.support import CORRELATION_ID, REQUEST_ID, Recorder


def outcome(code: str) -> bytes:
    return json.dumps(
        {"resourceType": "OperationOutcome", "issue": [{"code": code, "diagnostics": "theirs"}]}
    ).encode()


def xml_outcome(code: str) -> bytes:
    issue = f'<issue><code value="{code}"/></issue>'
    return f'<OperationOutcome xmlns="http://hl7.org/fhir">{issue}</OperationOutcome>'.encode()


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (503, outcome("transient"), (503, "REC_SERVICE_UNAVAILABLE", "transient")),
        (503, b"", (503, "REC_SERVICE_UNAVAILABLE", "transient")),
        (504, outcome("timeout"), (408, "REC_TIMEOUT", "timeout")),
        (403, outcome("security"), (403, "REC_FORBIDDEN", "forbidden")),
        (500, b"", (500, "REC_SERVER_ERROR", "exception")),
        (500, b"<html>oops</html>", (500, "REC_SERVER_ERROR", "exception")),
        (500, b'{"resourceType": "Bundle"}', (500, "REC_SERVER_ERROR", "exception")),
        (500, outcome("no-store"), (500, "REC_SERVER_ERROR", "exception")),
        (500, xml_outcome("no-store"), (500, "REC_SERVER_ERROR", "exception")),
    ],
)
def test_replaced(
    proxy: CallProxy, receiver: Recorder, status: int, body: bytes, expected: tuple[int, str, str]
) -> None:
    receiver.answers = lambda _call: Answer(status, (), body)

    reply = proxy("GET", "/Slot")

    assert reply.outcome == expected
    assert b"theirs" not in reply.body
    assert (reply.headers["x-request-id"], reply.headers["x-correlation-id"]) == (REQUEST_ID, CORRELATION_ID)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b"anything"),
        (400, outcome("invalid")),
        (400, b"not FHIR"),
        (401, outcome("security")),
        (404, outcome("not-found")),
        (408, outcome("timeout")),
        (409, outcome("duplicate")),
        (422, outcome("processing")),
        (425, outcome("duplicate")),
        (429, outcome("throttled")),
        (500, outcome("exception")),
        (500, xml_outcome("exception")),
        (501, outcome("not-supported")),
        (502, b""),
    ],
)
def test_passed_through(proxy: CallProxy, receiver: Recorder, status: int, body: bytes) -> None:
    receiver.answers = lambda _call: Answer(status, (("X-Request-Id", "theirs"), ("Retry-After", "7")), body)

    reply = proxy("GET", "/Slot")

    assert (reply.status, reply.body) == (status, body)
    assert (reply.headers["x-request-id"], reply.headers["retry-after"]) == ("theirs", "7")


def test_a_zipped_500_is_looked_into_but_passed_on_zipped(proxy: CallProxy, receiver: Recorder) -> None:
    zipped = gzip.compress(outcome("exception"))
    receiver.answers = lambda _call: Answer(500, (("Content-Encoding", "gzip"),), zipped)

    assert proxy("GET", "/Slot").body == zipped


@pytest.mark.parametrize(
    ("problem", "expected"),
    [
        (ReceiverTimedOut, (408, "REC_TIMEOUT", "timeout")),
        (ReceiverUnreachable, (503, "REC_SERVICE_UNAVAILABLE", "transient")),
    ],
)
def test_no_answer(
    proxy: CallProxy, receiver: Recorder, problem: Callable[[], Exception], expected: tuple[int, str, str]
) -> None:
    def fail(_call: object) -> Answer:
        raise problem()

    receiver.answers = fail

    assert proxy("GET", "/Slot").outcome == expected


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"null",
        b"<!DOCTYPE a [<!ENTITY b 'c'>]><a/>",
        b"<OperationOutcome/>",
        "<OperationOutcome xmlns='http://hl7.org/fhir'/>".encode("utf-16-le"),
        b"<",
        b"\xff",
        b'{"resourceType": "Other", "issue": [{"code": "no-store"}]}',
    ],
)
def test_what_is_no_outcome(body: bytes) -> None:
    assert first_issue_code(Answer(500, (), body)) is None


@pytest.mark.parametrize("issue", [None, [], {}, ["x"], [{}]])
def test_an_outcome_without_a_code(issue: object) -> None:
    body = json.dumps({"resourceType": "OperationOutcome", "issue": issue}).encode()

    assert first_issue_code(Answer(500, (), body)) == ""


@given(body=st.binary(max_size=300), encoding=st.sampled_from(["", "gzip"]))
def test_any_body_is_survived(body: bytes, encoding: str) -> None:
    first_issue_code(Answer(500, (("Content-Encoding", encoding),), body))

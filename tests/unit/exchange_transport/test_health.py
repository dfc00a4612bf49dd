"""What an answer, or none, says of the partner itself: what opens its circuit, and what closes it."""

import json

import pytest

from bars_portal.exchange.transport.auth import TokenRefused
from bars_portal.exchange.transport.judgement import Health, health_of_answer, health_of_error
from bars_portal.http import Answer, LostReply, NotSent, TransportError

UP, DOWN, UNSAID = Health.UP, Health.DOWN, Health.UNSAID


@pytest.mark.parametrize(
    ("status", "code", "health"),
    [
        (200, "", UP),
        (409, "REC_CONFLICT", UP),
        (422, "REC_UNPROCESSABLE_ENTITY", UP),
        (500, "REC_SERVER_ERROR", UP),
        (500, "", UNSAID),
        (429, "SEND_TOO_MANY_REQUESTS", UNSAID),
        (403, "SEND_FORBIDDEN", UNSAID),
        (404, "PROXY_NOT_FOUND", UNSAID),
        (408, "REC_TIMEOUT", DOWN),
        (400, "PROXY_TIMEOUT", DOWN),
        (503, "REC_SERVICE_UNAVAILABLE", DOWN),
        (502, "", DOWN),
        (503, "", DOWN),
        (504, "", DOWN),
    ],
)
def test_an_answer(status: int, code: str, health: Health) -> None:
    issue = {"severity": "error", "code": "processing", "details": {"coding": [{"code": code}]}}
    body = {"resourceType": "OperationOutcome", "issue": [issue]} if code else {"resourceType": "Bundle"}
    assert health_of_answer(Answer(status, {}, json.dumps(body).encode(), 1)) is health


@pytest.mark.parametrize(
    ("error", "health"),
    [
        (NotSent("connect"), DOWN),
        (NotSent("timeout"), DOWN),
        (NotSent("tls"), DOWN),
        (LostReply("timeout"), DOWN),
        (LostReply("cut"), DOWN),
        (LostReply("garbled"), UNSAID),
        (NotSent("pool"), UNSAID),
        (NotSent("request"), UNSAID),
        (NotSent("busy"), UNSAID),
        (NotSent("circuit"), UNSAID),
        (TokenRefused("invalid_client"), UNSAID),
    ],
)
def test_none(error: TransportError, health: Health) -> None:
    assert health_of_error(error) is health

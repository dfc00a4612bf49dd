"""A referral and a validation request over the real wire, portal to receiver and back, without pages."""

from datetime import UTC, datetime

import orjson

from tests.factories.replies import validation_reply
from tests.live.conftest import FhirCheck, Query
from tests.live.partner import Partner, encoded, new_ids, wait_until
from tests.stack import Stack

SEND = "tests.live.requesting.send"
ASSESSMENT, EMERGENCY, REPLIES = "2000099003", "2000099001", "2000099000"
TABLES = {"referral": "referrals_referral", "validation": "referrals_validationcase"}
RIVERSIDE = {
    "resourceType": "Organization",
    "identifier": [{"system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": "RIV01"}],
    "name": "Riverside Health",
}


def wait_for(query: Query, kind: str, case_id: str, status: str) -> None:
    sql = f"SELECT status FROM {TABLES[kind]} WHERE id = %s"
    wait_until(lambda: query(sql, case_id) == [(status,)])


def test_a_referral_there_and_taken_back(stack: Stack, query: Query) -> None:
    case_id = stack.call(SEND, "referral", "a1t1", EMERGENCY)
    wait_for(query, "referral", case_id, "sent")
    ((reference, remote_id),) = query(
        "SELECT reference, remote_id FROM referrals_referral WHERE id = %s", case_id
    )
    held = "SELECT reference, status, safeguarding FROM referrals_referral WHERE id = %s"
    assert query(held, remote_id) == [(reference, "received", True)]

    assert stack.call("tests.live.requesting.revoke", case_id) == "current"

    wait_for(query, "referral", case_id, "revoked")
    assert query(held, remote_id) == [(reference, "revoked", True)]


def test_a_validation_there_and_its_outcome_back(stack: Stack, query: Query, proxied: Partner) -> None:
    case_id = stack.call(SEND, "validation", "a4t1", ASSESSMENT)
    wait_for(query, "validation", case_id, "sent")
    sql = "SELECT body, correlation_id::text FROM exchange_outboundmessage WHERE subject_id = %s"
    ((body, conversation),) = query(sql, case_id)

    for status, expected in (("in-progress", "in-progress"), ("finished", "completed")):
        now = datetime.now(UTC)
        reply = validation_reply(bytes(body), status=status, source=ASSESSMENT, own=REPLIES, now=now)
        answer = proxied.post(
            reply,
            ids=(new_ids()[0], conversation),
            service=REPLIES,
            headers={"NHSD-End-User-Organisation": encoded(RIVERSIDE)},
        )
        assert answer.status_code == 200, answer.text
        wait_for(query, "validation", case_id, expected)


def test_all_that_was_sent_satisfies_the_profiles(stack: Stack, query: Query, fhir_check: FhirCheck) -> None:
    case_id = stack.call(SEND, "validation", "a4t2", ASSESSMENT)
    wait_for(query, "validation", case_id, "sent")
    rows = query("SELECT body FROM exchange_outboundmessage WHERE subject_type LIKE 'referrals.%%'")
    fhir_check([orjson.loads(bytes(body)) for (body,) in rows])

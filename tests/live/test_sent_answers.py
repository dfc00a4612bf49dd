"""Answers to a received validation travel portal -> simulator -> receiver, and move the sent case."""

from pathlib import Path
from uuid import uuid4

import orjson

from tests.live.conftest import FhirCheck, Query
from tests.live.messages import addressed, only
from tests.live.partner import SERVICE_SYSTEM, Partner, new_ids, wait_until
from tests.stack import Stack

ASSESSMENT, REPLIES = "2000099003", "2000099000"
SENT = (
    "SELECT id::text, status FROM referrals_validationcase WHERE correlation_id = %s AND direction = 'sent'"
)
REPLY = """
    SELECT kind, responder_status, priority, action_needed, source_service_id FROM referrals_casereply
    WHERE validation_id::text = %s ORDER BY received_at
"""
ANSWERS = """
    SELECT answer.kind, answer.state FROM referrals_caseanswer answer
    WHERE answer.validation_id::text = %s ORDER BY answer.created_at
"""
BODIES = "SELECT body FROM exchange_outboundmessage WHERE correlation_id = %s"


def test_a_validation_is_started_and_completed_over_the_wire(
    stack: Stack, direct: Partner, shared_dir: Path, query: Query, fhir_check: FhirCheck
) -> None:
    ids = new_ids()
    message = addressed(shared_dir, "VALREQ01", ASSESSMENT) | {"id": str(uuid4())}
    only(message, "MessageHeader")["source"]["endpoint"] = f"{SERVICE_SYSTEM}|{REPLIES}"
    stack.call("tests.live.answering.register", message["id"], ids[1], ASSESSMENT)
    taken = direct.post(message, ids=ids, service=ASSESSMENT)
    assert taken.status_code == 200, taken.text
    case_id = only(taken.json(), "ServiceRequest")["id"]

    stack.call("tests.live.answering.start", case_id)
    wait_until(lambda: query(ANSWERS, case_id) == [("interim", "delivered")], seconds=60)
    ((sent_id, status),) = query(SENT, ids[1])
    assert status == "in-progress"

    stack.call("tests.live.answering.complete", case_id)
    both = [("interim", "delivered"), ("full", "delivered")]
    wait_until(lambda: query(ANSWERS, case_id) == both, seconds=60)
    assert query(SENT, ids[1]) == [(sent_id, "completed")]
    assert query(REPLY, sent_id) == [
        ("interim", "in-progress", "", None, ASSESSMENT),
        ("full", "finished", "C5", False, ASSESSMENT),
    ]
    fhir_check([orjson.loads(bytes(body)) for (body,) in query(BODIES, ids[1])])

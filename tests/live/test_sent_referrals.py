"""A referral and a validation request over the real wire, portal to receiver and back, without pages."""

from collections.abc import Callable
from datetime import UTC, datetime

import orjson
import pytest

from tests.factories.replies import validation_reply
from tests.live.conftest import FhirCheck, Query
from tests.live.partner import Partner, encoded, new_ids, wait_until
from tests.stack import Stack

ASSESSMENT, EMERGENCY, REPLIES = "2000099003", "2000099001", "2000099000"
TABLES = {"referral": "referrals_referral", "validation": "referrals_validationcase"}
RIVERSIDE = {
    "resourceType": "Organization",
    "identifier": [{"system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": "RIV01"}],
    "name": "Riverside Health",
}
# What a view will do: somebody signed in, a service of the directory, what was stated.
BEGIN = """
from datetime import UTC, datetime
from bars_portal.accounts.acting import resolve_acting
from bars_portal.accounts.models import User
from bars_portal.exchange.gateway import get_client
from directory.remote import sender_identity
from directory.models import HealthcareService
from referrals import services
from referrals.cases.models import Referral
from referrals.sending.latest import read_latest
from tests.factories.contents import UseCase, make_content
from tests.factories.patients import DETAILS
acting, now = resolve_acting(User.objects.get(username="clinician"), {}), datetime.now(UTC)
"""
SEND = """
made = services.request_%s(
    content=make_content(UseCase.%s%s), details=DETAILS, acting=acting, now=now,
    service=HealthcareService.objects.select_related("provider").get(service_id="%s"),
)
print(made.pk)  # what the test reads of this program
"""
REVOKE = """
case = Referral.objects.get(pk="%s")
latest = read_latest(get_client(), case=case, sender=sender_identity(acting), now=now)
services.revoke_request(case=case, latest=latest, reason="Better", acting=acting, now=now)
print(latest.state)  # the same
"""
Run = Callable[[str], str]


@pytest.fixture
def run(stack: Stack) -> Run:
    return lambda code: stack.run(BEGIN + code)


def wait_for(query: Query, kind: str, case_id: str, status: str) -> None:
    sql = f"SELECT status FROM {TABLES[kind]} WHERE id = %s"
    wait_until(lambda: query(sql, case_id) == [(status,)])


def test_a_referral_there_and_taken_back(run: Run, query: Query) -> None:
    case_id = run(SEND % ("referral", "A1T1", ", booking_ids=()", EMERGENCY))
    wait_for(query, "referral", case_id, "sent")
    ((reference, remote_id),) = query(
        "SELECT reference, remote_id FROM referrals_referral WHERE id = %s", case_id
    )
    held = "SELECT reference, status, safeguarding FROM referrals_referral WHERE id = %s"
    assert query(held, remote_id) == [(reference, "received", True)]

    assert run(REVOKE % case_id) == "current"

    wait_for(query, "referral", case_id, "revoked")
    assert query(held, remote_id) == [(reference, "revoked", True)]


def test_a_validation_there_and_its_outcome_back(run: Run, query: Query, proxied: Partner) -> None:
    case_id = run(SEND % ("validation", "A4T1", "", ASSESSMENT))
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


def test_all_that_was_sent_satisfies_the_profiles(run: Run, query: Query, fhir_check: FhirCheck) -> None:
    case_id = run(SEND % ("validation", "A4T2", "", ASSESSMENT))
    wait_for(query, "validation", case_id, "sent")
    rows = query("SELECT body FROM exchange_outboundmessage WHERE subject_type LIKE 'referrals.%%'")
    fhir_check([orjson.loads(bytes(body)) for (body,) in rows])

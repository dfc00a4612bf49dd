"""Replies of other services: matched with what we sent, refused, or kept for people."""

from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from bars_portal.accounts.permissions import Role
from bars_portal.audit.models import AuditEvent
from bars_portal.exchange.fhir.identifiers import ServiceID
from bars_portal.exchange.models import OutboundMessage
from bars_portal.exchange.transport.headers import Party
from directory.models import HealthcareService
from referrals.cases.models import CaseReply, Referral, UnmatchedReply, ValidationCase
from referrals.cases.selectors import changes_of, replies_of
from referrals.cases.states import CaseStatus, Category
from referrals.worklist.selectors import open_unmatched_replies
from tests.factories.accounts import make_acting
from tests.factories.referrals import NOW, make_case, make_hub, make_sent_case
from tests.integration.referrals.official import (
    Bundle,
    adapted,
    answer_of,
    answering,
    example,
    focus_of,
    issue,
    of_type,
    resources,
    send,
)

pytestmark = pytest.mark.django_db
REQUEST_ID = "8fd0d9b4-6b5c-4f0e-9a39-0e6d6d8f1c11"


@pytest.fixture
def hub() -> HealthcareService:
    """Our own reply address."""
    return make_hub()


def reply(shared_dir: Path, hub: HealthcareService, name: str, answers: str = REQUEST_ID) -> Bundle:
    return answering(adapted(example(shared_dir, name), hub), answers)


@pytest.mark.parametrize(
    ("name", "kind", "status", "facts"),
    [
        (
            "VALRESP01A",
            "interim",
            CaseStatus.IN_PROGRESS,
            {"responder_status": "in-progress", "responder_reference": "receiver1234"},
        ),
        (
            "VALRESP04",
            "rejected",
            CaseStatus.REJECTED,
            {"reason_code": "FC", "reason_text": "We were unable to contact the patient"},
        ),
        (
            "VALRESP02",
            "full",
            CaseStatus.COMPLETED,
            {"responder_status": "finished", "action_needed": True, "cad_id": ""},
        ),
    ],
)
def test_an_official_reply_moves_the_validation(
    shared_dir: Path, hub: HealthcareService, name: str, kind: str, status: CaseStatus, facts: dict[str, Any]
) -> None:
    case = make_sent_case(Category.VALIDATION, bundle_id=REQUEST_ID)
    message = reply(shared_dir, hub, name)
    answer = answer_of(message, correlation_id=case.correlation_id)
    assert answer["id"] == message["id"]
    for entry in answer["entry"]:
        assert UUID(entry["resource"]["id"]) != UUID(entry["fullUrl"].removeprefix("urn:uuid:"))
    case.refresh_from_db()
    (kept,) = replies_of(case)
    assert (case.status, kept.kind) == (status, kind)
    assert {field: getattr(kept, field) for field in facts} == facts
    assert kept.sender_ods_code == "RX111"
    assert [each.to_status for each in changes_of(case)] == ["sent", status]
    assert AuditEvent.objects.filter(subject_id=str(case.pk), outcome=status).exists()


def test_a_full_reply_tells_outcomes_clock_and_a_new_case(shared_dir: Path, hub: HealthcareService) -> None:
    """VALRESP03 is not published: like 02 with a third Encounter, the ambulance control's new case."""
    case = make_sent_case(Category.VALIDATION, bundle_id=REQUEST_ID)
    message = reply(shared_dir, hub, "VALRESP02")
    url = f"urn:uuid:{uuid4()}"
    third = {**focus_of(message), "identifier": [{"value": "CAD-7"}], "id": str(uuid4()), "status": "planned"}
    message["entry"].append({"fullUrl": url, "resource": third})
    outcome = of_type(message, "CarePlan")["activity"][0]["outcomeCodeableConcept"]
    system = "https://fhir.nhs.uk/CodeSystem/arp-priority-codes"
    outcome.append({"coding": [{"system": system, "code": "C2", "display": "Cat2 Emergency"}]})
    answer_of(message)
    (kept,) = replies_of(case)
    assert (kept.cad_id, kept.priority) == ("CAD-7", "C2")
    assert kept.clock_start is not None
    assert kept.clock_start.isoformat() == "2021-11-26T15:00:00+00:00"
    assert [each["code"] for each in kept.outcomes] == ["1122334455", "1122334455", "1122334455", "", "C2"]
    assert kept.outcomes[3]["text"] == "CONSULTATION SUMMARY - add information here"


def test_a_full_reply_may_answer_the_interim_one(shared_dir: Path, hub: HealthcareService) -> None:
    case = make_sent_case(Category.VALIDATION, bundle_id=REQUEST_ID)
    interim = reply(shared_dir, hub, "VALRESP01A")
    answer_of(interim)
    answer_of(reply(shared_dir, hub, "VALRESP01B", interim["id"]))
    case.refresh_from_db()
    assert (case.status, replies_of(case).count()) == (CaseStatus.COMPLETED, 2)


def test_a_late_interim_is_a_conflict(shared_dir: Path, hub: HealthcareService) -> None:
    """It changes nothing, but that it came is part of the history: when, from whom, what we answered."""
    case = make_sent_case(Category.VALIDATION, bundle_id=REQUEST_ID)
    answer_of(reply(shared_dir, hub, "VALRESP02"))
    assert issue(send(reply(shared_dir, hub, "VALRESP01A"))) == (409, "conflict")
    case.refresh_from_db()
    assert (case.status, replies_of(case).count()) == (CaseStatus.COMPLETED, 1)
    late = list(changes_of(case))[-1]
    assert (late.event, late.from_status, late.to_status) == ("refuse-reply", "completed", "completed")
    assert late.note == "Started, too late, from service 2222222222 of A 111 provider: answered 409"
    assert (late.at, late.version) == (NOW, 1)
    assert late.message is not None
    assert (late.message.state, late.message.status_code) == ("refused", 409)
    assert AuditEvent.objects.filter(action="referrals.refuse_reply", outcome="completed").count() == 1


def test_the_same_outcome_again_is_kept_and_changes_nothing(shared_dir: Path, hub: HealthcareService) -> None:
    case = make_sent_case(Category.VALIDATION, bundle_id=REQUEST_ID)
    for _ in range(2):
        answer_of(reply(shared_dir, hub, "VALRESP02"))
    case.refresh_from_db()
    assert (case.status, replies_of(case).count()) == (CaseStatus.COMPLETED, 2)
    assert [each.to_status for each in changes_of(case)] == ["sent", "completed", "completed"]


@pytest.mark.parametrize("name", ["VALRESP01A", "VALRESP02", "VALRESP04"])
def test_a_validation_reply_to_nothing_of_ours_is_refused(
    shared_dir: Path, hub: HealthcareService, name: str
) -> None:
    """Neither a conversation of ours, nor a case that we received, makes it an answer to us."""
    case = make_sent_case(Category.VALIDATION)
    received = make_case(Category.VALIDATION, service=hub)
    for conversation in (case.correlation_id, received.correlation_id, uuid4()):
        refused = send(reply(shared_dir, hub, name), correlation_id=conversation)
        assert issue(refused) == (400, "invariant")
    case.refresh_from_db()
    assert case.status == CaseStatus.SENT
    assert not CaseReply.objects.exists()
    assert not UnmatchedReply.objects.exists()


def test_a_validation_reply_to_a_referral_is_refused(shared_dir: Path, hub: HealthcareService) -> None:
    make_sent_case(Category.REFERRAL, bundle_id=REQUEST_ID)
    assert issue(send(reply(shared_dir, hub, "VALRESP02"))) == (400, "invariant")


def test_a_reply_may_answer_an_update_of_ours(shared_dir: Path, hub: HealthcareService) -> None:
    """Known by the outbox, inside the conversation."""
    case = make_sent_case(Category.VALIDATION)
    OutboundMessage.objects.create(
        message_type="validation-update",
        subject_type="referrals.validationcase",
        subject_id=str(case.pk),
        organisation=case.organisation,
        actor_label="clinician",
        correlation_id=case.correlation_id,
        bundle_id=REQUEST_ID,
        service_id="1",
        headers={},
        body=b"",
        created_at=NOW,
    )
    answer_of(reply(shared_dir, hub, "VALRESP02"), correlation_id=case.correlation_id)
    case.refresh_from_db()
    assert case.status == CaseStatus.COMPLETED


def test_that_a_patient_did_not_attend_is_heard(shared_dir: Path, hub: HealthcareService) -> None:
    case = make_sent_case(Category.REFERRAL, bundle_id=REQUEST_ID)
    answer_of(reply(shared_dir, hub, "REFRESP01"))
    case.refresh_from_db()
    (kept,) = replies_of(case)
    assert (case.status, kept.kind) == (CaseStatus.DID_NOT_ATTEND, "did-not-attend")
    assert (kept.request_status, kept.safeguarding) == ("revoked", True)
    assert not UnmatchedReply.objects.exists()


@pytest.mark.parametrize("name", ["REFRESP01", "REFRESP02"])
def test_a_referral_reply_to_nothing_of_ours_is_kept_for_people(
    shared_dir: Path, hub: HealthcareService, name: str
) -> None:
    conversation = uuid4()
    message = reply(shared_dir, hub, name)
    answer = answer_of(message, correlation_id=conversation)
    assert answer["id"] == message["id"]
    kept = UnmatchedReply.objects.get()
    assert (kept.answers_bundle_id, kept.bundle_id) == (REQUEST_ID, message["id"])
    assert (kept.organisation, kept.handled_at) == (hub.provider, None)
    assert kept.patient.family_name
    assert kept.journey.correlation_id == conversation
    own = make_acting(role=Role.CLINICIAN, organisation=hub.provider)
    may = frozenset({"referrals.view_sent_referrals"})
    assert AuditEvent.objects.filter(action="referrals.keep_unmatched_reply").count() == 1
    assert list(open_unmatched_replies(replace(own, permissions=may))) == [kept]
    assert list(open_unmatched_replies(replace(own, permissions=frozenset()))) == []
    assert list(open_unmatched_replies(replace(make_acting(), permissions=may))) == []
    assert not (Referral.objects.exists() or ValidationCase.objects.exists())


@pytest.mark.parametrize(
    ("encounter", "request_status", "expected"),
    [
        ("planned", "active", CaseStatus.ACCEPTED),
        ("in-progress", "active", CaseStatus.IN_PROGRESS),
        ("finished", "active", CaseStatus.COMPLETED),
        ("cancelled", "active", CaseStatus.REJECTED),
        ("cancelled", "revoked", CaseStatus.REJECTED),
    ],
)
def test_an_ambulance_control_says_how_far_it_is(
    shared_dir: Path, hub: HealthcareService, encounter: str, request_status: str, expected: CaseStatus
) -> None:
    case = make_sent_case(Category.REFERRAL, bundle_id=REQUEST_ID, use_case="a6t3")
    message = reply(shared_dir, hub, "REFRESP02")
    responder = list(resources(message, "Encounter"))[-1]
    responder["status"] = encounter
    if encounter != "cancelled":
        del responder["reasonCode"]
    of_type(message, "ServiceRequest")["status"] = request_status
    answer_of(message)
    case.refresh_from_db()
    (kept,) = replies_of(case)
    assert (case.status, kept.responder_status) == (expected, encounter)
    assert kept.reason_code == ("RRNA" if encounter == "cancelled" else "")


def test_a_reply_says_what_it_answers(shared_dir: Path, hub: HealthcareService) -> None:
    message = reply(shared_dir, hub, "REFRESP01")
    del of_type(message, "MessageHeader")["response"]
    assert issue(send(message)) == (400, "invariant")
    assert not UnmatchedReply.objects.exists()


def test_what_we_received_is_not_ours_to_be_answered(shared_dir: Path, hub: HealthcareService) -> None:
    """A reply that names a request which we received, not sent, answers nothing of ours."""
    conversation = uuid4()
    request = adapted(example(shared_dir, "VALREQ01"), hub)
    answer_of(request, correlation_id=conversation)
    refused = send(reply(shared_dir, hub, "VALRESP01A", request["id"]), correlation_id=conversation)
    assert issue(refused) == (400, "invariant")
    assert ValidationCase.objects.get().status == CaseStatus.RECEIVED


STRANGER = Party("ZZ999", "Somebody else")


def source(message: Bundle, service_id: str) -> Bundle:
    of_type(message, "MessageHeader")["source"]["endpoint"] = ServiceID(service_id).token
    return message


@pytest.mark.parametrize("case_of_letters", [str.lower, str.upper])
def test_the_organisation_that_was_asked_answers(
    shared_dir: Path, hub: HealthcareService, case_of_letters: Any
) -> None:
    case = make_sent_case(Category.VALIDATION, bundle_id=REQUEST_ID)
    answer_of(reply(shared_dir, hub, "VALRESP02"), organisation=Party(case_of_letters("RX111"), "Asked"))
    case.refresh_from_db()
    assert case.status == CaseStatus.COMPLETED


def test_the_service_that_was_asked_answers(shared_dir: Path, hub: HealthcareService) -> None:
    """Whoever runs it now: a service is known by its id."""
    case = make_sent_case(Category.VALIDATION, bundle_id=REQUEST_ID)
    message = source(reply(shared_dir, hub, "VALRESP02"), case.service.service_id)
    answer_of(message, organisation=STRANGER)
    case.refresh_from_db()
    assert case.status == CaseStatus.COMPLETED
    assert [each.note for each in changes_of(case)] == ["", "Outcome"]


def test_whoever_else_has_our_request_answers_and_is_named(shared_dir: Path, hub: HealthcareService) -> None:
    """A refused outcome could cost a patient more than one that is looked at twice."""
    case = make_sent_case(Category.VALIDATION, bundle_id=REQUEST_ID)
    message = source(reply(shared_dir, hub, "VALRESP02"), "2000077777")
    answer_of(message, organisation=STRANGER)
    case.refresh_from_db()
    assert case.status == CaseStatus.COMPLETED
    expected = "Outcome, from service 2000077777 of Somebody else, who was not asked"
    assert list(changes_of(case))[-1].note == expected


@pytest.mark.parametrize("name", ["REFRESP01", "REFRESP02"])
def test_what_somebody_else_says_of_a_referral_is_on_the_case(
    shared_dir: Path, hub: HealthcareService, name: str
) -> None:
    """It may be a safeguarding warning."""
    case = make_sent_case(Category.REFERRAL, bundle_id=REQUEST_ID, use_case="a6t3")
    answer_of(reply(shared_dir, hub, name), organisation=STRANGER)
    assert replies_of(case).count() == 1
    assert "who was not asked" in list(changes_of(case))[-1].note

"""Requests of other senders: new, update, revoke, entered in error, and everything that must be refused."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from bars_portal.audit.models import AuditEvent
from bars_portal.exchange.arrival import Arrival
from bars_portal.exchange.fhir.json import dumps
from bars_portal.exchange.inbound import receive
from bars_portal.exchange.models import InboundMessage
from bars_portal.exchange.transport.headers import IncomingHeaders, Party
from bars_portal.patients.models import Journey
from directory.models import HealthcareService
from referrals.cases.models import CaseStatusChange, CaseVersion, Referral, ValidationCase
from referrals.cases.selectors import changes_of, versions_of
from referrals.cases.states import CaseStatus
from referrals.cases.wire import REFERENCE_SYSTEM, included_in
from tests.factories.referrals import NOW, make_hub
from tests.integration.referrals.official import (
    NEW_REQUESTS,
    Bundle,
    adapted,
    answer_of,
    example,
    focus_of,
    issue,
    later,
    of_type,
    resources,
    send,
)

pytestmark = pytest.mark.django_db
JOURNEY = UUID("d877b820-e72b-44d1-a627-195f54bfc606")
Case = Referral | ValidationCase


@pytest.fixture
def hub() -> HealthcareService:
    return make_hub()


@pytest.fixture
def conversation() -> UUID:
    return uuid4()


def the_case() -> Case:
    cases: list[Case] = [*Referral.objects.all(), *ValidationCase.objects.all()]
    (case,) = cases
    return case


def events(case: Case) -> list[str]:
    return [each.event for each in changes_of(case)]


def counts() -> tuple[int, ...]:
    models = (Referral, ValidationCase, CaseStatusChange, CaseVersion)
    return tuple(model.objects.count() for model in models)


@pytest.mark.parametrize("name", NEW_REQUESTS)
def test_an_official_request_is_taken(shared_dir: Path, hub: HealthcareService, name: str) -> None:
    sent = adapted(example(shared_dir, name), hub)
    correlation_id = uuid4()
    answer = answer_of(sent, correlation_id=correlation_id)
    case = the_case()
    assert answer["id"] == sent["id"]
    urls = [each["fullUrl"] for each in answer["entry"]]
    assert urls[:-1] == [each["fullUrl"] for each in sent["entry"]], "everything that was sent, and one more"
    request = focus_of(answer)
    assert request["id"] == str(case.pk) != request.get("fullUrl")
    assert (request["meta"]["versionId"], request["status"]) == ("1", "active")
    theirs, ours = resources(answer, "Encounter")
    assert (ours["status"], ours["class"], ours["subject"]) == ("planned", theirs["class"], theirs["subject"])
    assert ours["identifier"] == [{"system": REFERENCE_SYSTEM, "value": case.reference}]
    assert ours["episodeOfCare"] == theirs["episodeOfCare"]
    for entry in answer["entry"]:
        assert UUID(entry["resource"]["id"]) != UUID(entry["fullUrl"].removeprefix("urn:uuid:"))
    assert (case.status, events(case)) == (CaseStatus.RECEIVED, ["receive"])
    assert (case.journey.journey_id, case.journey.correlation_id) == (JOURNEY, correlation_id)
    assert (case.case_number, case.source_service_id) == ("sender1234", "2222222222")
    assert case.patient.journey == case.journey
    assert AuditEvent.objects.filter(action="referrals.receive", subject_id=str(case.pk)).exists()
    stored = InboundMessage.objects.get()
    assert (stored.starts_conversation, bytes(stored.body)) == (True, json.dumps(sent).encode())
    assert case.message_id == stored.pk


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("REFREQ01", {"flags": ["RA", "RS", "SG"], "safeguarding": True, "scene_unsafe": False}),
        ("VALREQ01", {"priority": "C3", "flags": ["SS"], "scene_unsafe": False}),
        ("REFREQ8A", {"priority": "", "flags": ["SS"], "scene_unsafe": True}),
    ],
)
def test_what_a_worklist_needs_is_indexed(
    shared_dir: Path, hub: HealthcareService, name: str, expected: dict[str, Any]
) -> None:
    answer_of(adapted(example(shared_dir, name), hub))
    case = the_case()
    assert {field: getattr(case, field) for field in expected} == expected


def test_times_bookings_and_requester_are_indexed(shared_dir: Path, hub: HealthcareService) -> None:
    answer_of(adapted(example(shared_dir, "VALREQ01"), hub))
    answer_of(adapted(example(shared_dir, "REFREQ01"), hub))
    validation, referral = ValidationCase.objects.get(), Referral.objects.get()
    assert validation.breach_at is not None
    assert validation.breach_at.isoformat() == "2021-11-26T15:20:00+00:00"
    assert referral.booking_ids == [UUID("3cac9cde-a262-42b3-bcf1-215ab79c3e37")]
    assert referral.authored_on is not None
    assert referral.breach_at is None
    assert referral.requester_ods_code
    assert referral.requester_name


def test_the_same_bundle_id_in_another_new_message(shared_dir: Path, hub: HealthcareService) -> None:
    sent = adapted(example(shared_dir, "REFREQ01"), hub)
    answer_of(sent)
    before = counts()
    assert issue(send(sent)) == (400, "invariant")
    assert counts() == before


def test_staged_updates_of_ambulance_control(
    shared_dir: Path, hub: HealthcareService, conversation: UUID
) -> None:
    """REFREQ8A, then 8B with the same Bundle.id and our Encounter told back in their words."""
    first = adapted(example(shared_dir, "REFREQ8A"), hub)
    answer_of(first, correlation_id=conversation)
    update = adapted(example(shared_dir, "REFREQ8B"), hub, bundle_id=first["id"])
    answer = answer_of(update, correlation_id=conversation)
    case = the_case()
    assert (case.status, case.version) == (CaseStatus.RECEIVED, 2)
    assert events(case) == ["receive", "receive-update"]
    request = focus_of(answer)
    assert (request["id"], request["meta"]["versionId"]) == (str(case.pk), "2")
    theirs, ours = resources(answer, "Encounter")
    assert ours["identifier"][0]["value"] == case.reference
    assert theirs["location"][0]["period"]["start"] == "2023-12-26T15:00:02+00:00", "newer entries replace"
    held = [resource["id"] for _, resource in included_in(case)]
    assert len(set(held)) == len(held) == len(update["entry"]) - 2


def test_entries_with_an_equal_stamp_are_unchanged(
    shared_dir: Path, hub: HealthcareService, conversation: UUID
) -> None:
    sent = adapted(example(shared_dir, "VALREQ01"), hub)
    answer_of(sent, correlation_id=conversation)
    held = dict(included_in(the_case()))
    update = adapted(example(shared_dir, "VALREQ02"), hub)
    of_type(update, "Location")["name"] = "A change without a new stamp"
    answer_of(update, correlation_id=conversation)
    case = the_case()
    now = dict(included_in(case))
    locations = [url for url, each in held.items() if each["resourceType"] == "Location"]
    assert [now[url] for url in locations] == [held[url] for url in locations]
    plans = [url for url, each in held.items() if each["resourceType"] == "CarePlan"]
    assert [now[url] for url in plans] != [held[url] for url in plans]
    assert [now[url]["id"] for url in plans] == [held[url]["id"] for url in plans], "an id stays"
    assert case.breach_at is not None
    assert case.breach_at.isoformat() == "2021-11-26T15:45:00+00:00"
    versions = [each.resource["occurrencePeriod"]["end"] for each in versions_of(case)]
    assert versions == ["2021-11-26T15:20:00+00:00", "2021-11-26T15:45:00+00:00"]


@pytest.mark.parametrize("by", ["id", "full url", "conversation", "journey"])
def test_a_case_is_known_by(shared_dir: Path, hub: HealthcareService, conversation: UUID, by: str) -> None:
    sent = adapted(example(shared_dir, "VALREQ01"), hub)
    answer_of(deepcopy(sent), correlation_id=conversation)
    update = adapted(example(shared_dir, "VALREQ02"), hub)
    if by == "id":
        of_type(update, "ServiceRequest")["id"] = str(the_case().pk)
        _rename_focus(update, f"urn:uuid:{uuid4()}")
    elif by == "full url":
        _rename_focus(update, f"urn:uuid:{the_case().pk}")
    same = conversation if by == "conversation" else uuid4()
    answer_of(update, correlation_id=same)
    assert the_case().version == 2


def _rename_focus(bundle: Bundle, url: str) -> None:
    of_type(bundle, "MessageHeader")["focus"][0]["reference"] = url
    entry = next(each for each in bundle["entry"] if each["resource"]["resourceType"] == "ServiceRequest")
    entry["fullUrl"] = url


def test_the_conversation_goes_before_the_journey(shared_dir: Path, hub: HealthcareService) -> None:
    """Two cases of one journey and one fullUrl: an update is about that of its conversation."""
    first, second = uuid4(), uuid4()
    ids = {
        each: focus_of(answer_of(adapted(example(shared_dir, "VALREQ01"), hub), correlation_id=each))["id"]
        for each in (first, second)
    }
    for each in (first, second):
        answer = answer_of(adapted(example(shared_dir, "VALREQ02"), hub), correlation_id=each)
        assert focus_of(answer)["id"] == ids[each]
    # A cancel names no journey: only its conversation says which.
    cancel = later(adapted(example(shared_dir, "SERVREQ01"), hub), 60)
    assert focus_of(answer_of(cancel, correlation_id=second))["id"] == ids[second]
    assert issue(send({**cancel, "id": str(uuid4())}, correlation_id=uuid4())) == (404, "not-found")


def test_a_stale_update_is_a_conflict(shared_dir: Path, hub: HealthcareService, conversation: UUID) -> None:
    answer_of(adapted(example(shared_dir, "VALREQ01"), hub), correlation_id=conversation)
    update = adapted(example(shared_dir, "VALREQ02"), hub)
    of_type(update, "Patient")["meta"]["lastUpdated"] = "2021-11-26T14:59:59+00:00"
    before = counts()
    reply = send(update, correlation_id=conversation)
    assert issue(reply) == (409, "conflict")
    (expression,) = json.loads(reply.body)["issue"][0]["expression"]
    assert expression.endswith("meta.lastUpdated")
    assert counts() == before
    assert the_case().version == 1


def taken_back(shared_dir: Path, hub: HealthcareService, status: str, reason: str, category: str) -> Bundle:
    """SERVREQ01, or the missing SERVREQ02, of either category."""
    bundle = adapted(example(shared_dir, "SERVREQ01"), hub)
    request = of_type(bundle, "ServiceRequest")
    request |= {"status": status, "reasonCode": [{"text": "The patient feels better"}]}
    of_type(bundle, "MessageHeader")["reason"]["coding"][0]["code"] = reason
    kind, use_case = request["category"][0]["coding"]
    kind["code"] = category
    use_case["code"] = "a4t1" if category == "validation" else "a1t1"
    return bundle


@pytest.mark.parametrize(
    ("status", "reason", "expected"),
    [
        ("revoked", "update", CaseStatus.REVOKED),
        ("entered-in-error", "update", CaseStatus.ENTERED_IN_ERROR),
        ("entered-in-error", "delete", CaseStatus.ENTERED_IN_ERROR),
    ],
)
@pytest.mark.parametrize(("name", "category"), [("REFREQ01", "referral"), ("VALREQ01", "validation")])
def test_a_request_is_taken_back(
    shared_dir: Path,
    hub: HealthcareService,
    conversation: UUID,
    name: str,
    category: str,
    status: str,
    reason: str,
    expected: CaseStatus,
) -> None:
    answer_of(adapted(example(shared_dir, name), hub), correlation_id=conversation)
    held = the_case()
    answer = answer_of(taken_back(shared_dir, hub, status, reason, category), correlation_id=conversation)
    case = the_case()
    assert (case.status, case.version) == (expected, 2)
    request = focus_of(answer)
    assert (request["id"], request["status"]) == (str(case.pk), status)
    assert (case.resource["status"], case.resource["meta"]["versionId"]) == (status, "2")
    assert case.included == included_in(held), "a cancel leaves most of it out, and takes nothing away"
    assert [each.resource["status"] for each in versions_of(case)] == ["active", status]
    assert [each.note for each in changes_of(case)] == ["", "The patient feels better"]


@pytest.mark.parametrize(("name", "category"), [("REFREQ01", "referral"), ("VALREQ01", "validation")])
def test_nobody_elses_request_is_taken_back(
    shared_dir: Path, hub: HealthcareService, conversation: UUID, name: str, category: str
) -> None:
    answer_of(adapted(example(shared_dir, name), hub), correlation_id=conversation)
    cancel = taken_back(shared_dir, hub, "revoked", "update", category)
    of_type(cancel, "Patient").pop("identifier", None)
    of_type(cancel, "Patient")["birthDate"] = "1901-01-01"
    before = counts()
    assert issue(send(cancel, correlation_id=conversation)) == (422, "processing")
    assert counts() == before


@pytest.mark.parametrize("again", ["revoke", "update"])
def test_what_is_over_stays_over(
    shared_dir: Path, hub: HealthcareService, conversation: UUID, again: str
) -> None:
    answer_of(adapted(example(shared_dir, "VALREQ01"), hub), correlation_id=conversation)
    answer_of(taken_back(shared_dir, hub, "revoked", "update", "validation"), correlation_id=conversation)
    before = counts()
    message = (
        taken_back(shared_dir, hub, "revoked", "update", "validation")
        if again == "revoke"
        else adapted(example(shared_dir, "VALREQ02"), hub)
    )
    assert issue(send(later(message, 60), correlation_id=conversation)) == (422, "processing")
    assert counts() == before


@pytest.mark.parametrize("name", ["VALREQ02", "REFREQ8B", "SERVREQ01"])
def test_nothing_is_known_before_its_new(shared_dir: Path, hub: HealthcareService, name: str) -> None:
    message = adapted(example(shared_dir, name), hub)
    assert issue(send(message)) == (404, "not-found")
    assert counts() == (0, 0, 0, 0)
    assert InboundMessage.objects.get().status_code == 404


def test_a_case_is_its_senders_only(shared_dir: Path, hub: HealthcareService, conversation: UUID) -> None:
    answer_of(adapted(example(shared_dir, "VALREQ01"), hub), correlation_id=conversation)
    message = adapted(example(shared_dir, "SERVREQ01"), hub)
    of_type(message, "ServiceRequest")["id"] = str(the_case().pk)
    of_type(message, "MessageHeader")["source"]["endpoint"] = "https://fhir.nhs.uk/Id/dos-service-id|777"
    reply = send(message, correlation_id=conversation, organisation=Party("OTHER", "Another"))
    assert issue(reply) == (401, "forbidden")
    assert the_case().status == CaseStatus.RECEIVED


def test_another_service_of_ours_knows_nothing_of_it(
    shared_dir: Path, hub: HealthcareService, conversation: UUID
) -> None:
    answer_of(adapted(example(shared_dir, "VALREQ01"), hub), correlation_id=conversation)
    message = adapted(example(shared_dir, "SERVREQ01"), make_hub())
    of_type(message, "ServiceRequest")["id"] = str(the_case().pk)
    assert issue(send(message, correlation_id=conversation)) == (404, "not-found")


def test_any_application_may_update_a_current_referral(
    shared_dir: Path, hub: HealthcareService, conversation: UUID
) -> None:
    sent = adapted(example(shared_dir, "REFREQ01"), hub)
    answer_of(deepcopy(sent), correlation_id=conversation)
    update = later({**deepcopy(sent), "id": str(uuid4())}, 5)
    of_type(update, "MessageHeader")["reason"]["coding"][0]["code"] = "update"
    of_type(update, "Patient")["name"][0]["family"] = "Corrected"
    answer_of(update, correlation_id=conversation)
    case = the_case()
    assert (case.version, case.patient.family_name) == (2, "Corrected")
    assert case.journey.patients.count() == 2, "the patient as first told is history"


def test_on_hold_is_kept_although_the_stamp_is_equal(
    shared_dir: Path, hub: HealthcareService, conversation: UUID
) -> None:
    sent = adapted(example(shared_dir, "VALREQ01"), hub)
    answer_of(deepcopy(sent), correlation_id=conversation)
    update = {**deepcopy(sent), "id": str(uuid4())}
    of_type(update, "MessageHeader")["reason"]["coding"][0]["code"] = "update"
    of_type(update, "ServiceRequest")["status"] = "on-hold"
    answer = answer_of(update, correlation_id=conversation)
    assert focus_of(answer)["status"] == the_case().resource["status"] == "on-hold"


def test_decimals_are_read_back_as_they_were_sent(shared_dir: Path, hub: HealthcareService) -> None:
    sent = adapted(example(shared_dir, "REFREQ01"), hub)
    observation = of_type(sent, "Observation")
    for name in [name for name in observation if name.startswith("value")]:
        del observation[name]
    observation["valueQuantity"] = {"value": 37.5, "unit": "C"}
    body = json.dumps(sent).replace('"value": 37.5,', '"value": 37.50,')
    headers = IncomingHeaders(uuid4(), uuid4(), None, Party("RX111", "A"), None, None, None, None)
    reply = receive(Arrival(body.encode(), {}, headers, "proxy", NOW))
    assert reply.status == 200, reply.body
    assert b'"value":37.50' in reply.body
    assert b'"value":37.50' in dumps({"included": included_in(the_case())})


def test_a_reference_that_is_taken_is_not_given_again(
    shared_dir: Path, hub: HealthcareService, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered = iter(["RIV-AAAA-AA", "RIV-AAAA-AA", "RIV-BBBB-BB"])
    monkeypatch.setattr("referrals.receiving.requests.new_reference", lambda name: next(offered))
    for _ in range(2):
        answer_of(adapted(example(shared_dir, "REFREQ01"), hub))
    assert set(Referral.objects.values_list("reference", flat=True)) == {"RIV-AAAA-AA", "RIV-BBBB-BB"}


def test_an_update_that_comes_late_is_a_conflict(
    shared_dir: Path, hub: HealthcareService, conversation: UUID
) -> None:
    """Older than the update before it, although newer than the first message."""
    answer_of(adapted(example(shared_dir, "VALREQ01"), hub), correlation_id=conversation)
    newest, late = (
        later(adapted(example(shared_dir, "VALREQ02"), hub), 2),
        later(adapted(example(shared_dir, "VALREQ02"), hub), 1),
    )
    answer_of(newest, correlation_id=conversation)
    assert issue(send(late, correlation_id=conversation)) == (409, "conflict")
    assert the_case().version == 2


def test_two_cases_without_a_journey_are_not_one(shared_dir: Path, hub: HealthcareService) -> None:
    answer_of(adapted(example(shared_dir, "VALREQ01"), hub))
    Journey.objects.update(journey_id=None)
    assert issue(send(adapted(example(shared_dir, "SERVREQ01"), hub))) == (404, "not-found")
    assert the_case().status == CaseStatus.RECEIVED

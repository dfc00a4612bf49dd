"""What our receiver answers to GET /ServiceRequest."""

from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from bars_portal.audit.actor import Actor
from bars_portal.exchange.fhir.access import Caller
from bars_portal.exchange.fhir.identifiers import ServiceID, UnknownTarget
from bars_portal.exchange.fhir.outcomes import OutcomeError
from bars_portal.exchange.registry import ReadContext
from directory.models import HealthcareService
from referrals.cases.models import Referral, ValidationCase
from referrals.messages import ServiceRequestReader
from tests.factories.referrals import NOW, make_hub, make_sent_case
from tests.integration.referrals.official import adapted, answer_of, example, of_type

pytestmark = pytest.mark.django_db
Params = list[tuple[str, str]]
NUMBER = "9476719931"


def context(ods: str = "RX111", target: str = "") -> ReadContext:
    service = ServiceID(target) if target else None
    return ReadContext(uuid4(), uuid4(), service, Caller(ods), NOW, Actor("partner"))


@pytest.fixture
def hub() -> HealthcareService:
    return make_hub()


@pytest.fixture
def referral(shared_dir: Path, hub: HealthcareService) -> Referral:
    message = adapted(example(shared_dir, "REFREQ01"), hub)
    of_type(message, "Patient")["identifier"][0]["value"] = NUMBER
    answer_of(message)
    return Referral.objects.get()


def test_a_request_is_read_as_it_was_sent(shared_dir: Path, referral: Referral) -> None:
    found = ServiceRequestReader().read(referral.pk, context())
    sent = of_type(example(shared_dir, "REFREQ01"), "ServiceRequest")
    assert found is not None
    assert found["id"] == str(referral.pk)
    assert found["meta"]["versionId"] == "1"
    assert found["meta"]["lastUpdated"].startswith("2026-11-21T09:00:00")
    assert {**found, "meta": 0, "id": 0} == {**sent, "meta": 0, "id": 0}


def test_the_current_version_is_read(shared_dir: Path, hub: HealthcareService) -> None:
    conversation = uuid4()
    for name in ("VALREQ01", "VALREQ02"):
        answer_of(adapted(example(shared_dir, name), hub), correlation_id=conversation)
    found = ServiceRequestReader().read(ValidationCase.objects.get().pk, context())
    assert found is not None
    assert found["meta"]["versionId"] == "2"
    assert found["occurrencePeriod"]["end"] == "2021-11-26T15:45:00+00:00"


def test_what_we_do_not_hold_is_not_read() -> None:
    assert ServiceRequestReader().read(uuid4(), context()) is None
    sent = make_sent_case()
    assert ServiceRequestReader().read(sent.pk, context()) is None, "what we sent is not ours to show"


def by_number(number: str) -> Params:
    return [("patient:identifier", f"https://fhir.nhs.uk/Id/nhs-number|{number}")]


def by_person(name: str, born: str, postcode: str) -> Params:
    return [("patient:name", name), ("patient:birthdate", born), ("patient:address-postalcode", postcode)]


def test_a_search_by_patient(shared_dir: Path, referral: Referral, hub: HealthcareService) -> None:
    patient = referral.patient
    asked = [
        by_number(patient.nhs_number),
        by_person(patient.family_name, str(patient.birth_date), patient.postcode),
    ]
    for params in asked:
        found = ServiceRequestReader().search(params, context())
        assert found["total"] == 1
        kinds = {each["resource"]["resourceType"] for each in found["entry"]}
        assert {"ServiceRequest", "Patient", "CarePlan", "Encounter", "Practitioner"} <= kinds
        assert [each["search"]["mode"] for each in found["entry"]].count("match") == 1
        assert any(
            each["resource"].get("identifier", [{}])[0].get("value") == referral.reference
            for each in found["entry"]
            if each["resource"]["resourceType"] == "Encounter"
        )
        assert patient.nhs_number not in found["link"][0]["url"]
    assert ServiceRequestReader().search(asked[0], context(target="1"))["total"] == 0
    assert ServiceRequestReader().search(asked[0], context(target=hub.service_id))["total"] == 1
    other = by_person("Nobody", str(patient.birth_date), patient.postcode)
    assert ServiceRequestReader().search(other, context())["total"] == 0


@pytest.mark.parametrize("known", [ServiceID("1"), UnknownTarget()])
def test_what_another_target_holds_is_not_found(
    referral: Referral, hub: HealthcareService, known: ServiceID | UnknownTarget
) -> None:
    other = replace(context(), target=known)
    assert ServiceRequestReader().read(referral.pk, other) is None
    assert ServiceRequestReader().search(by_number(NUMBER), other)["total"] == 0
    assert (
        ServiceRequestReader().search([("ServiceRequest.identifier", referral.reference)], other)["total"]
        == 0
    )
    assert ServiceRequestReader().read(referral.pk, context(target=hub.service_id)) is not None


def test_a_search_finds_referrals_and_validations_of_one_sender(
    shared_dir: Path, hub: HealthcareService
) -> None:
    for name in ("REFREQ02", "VALREQ01", "VALREQ03"):
        message = adapted(example(shared_dir, name), hub)
        (identifier, *_) = of_type(message, "Patient")["identifier"]
        identifier["value"] = NUMBER
        answer_of(message)
    found = ServiceRequestReader().search(by_number(NUMBER), context())
    urls = [each["fullUrl"] for each in found["entry"]]
    assert found["total"] == 3
    assert len(urls) == len(set(urls)), "one sender used the same fullUrls for all of them"


def found_by(identifier: str, *others: tuple[str, str]) -> int:
    params = [("ServiceRequest.identifier", identifier), *others]
    total: int = ServiceRequestReader().search(params, context())["total"]
    return total


def test_a_search_by_identifier(shared_dir: Path, hub: HealthcareService) -> None:
    """Our reference, the requester's case number, or an identifier of the request; never its id."""
    message = adapted(example(shared_dir, "REFREQ01"), hub)
    of_type(message, "ServiceRequest")["identifier"] = [{"system": "https://s.example/id", "value": "SR-77"}]
    answer_of(message)
    answer_of(adapted(example(shared_dir, "VALREQ01"), hub))
    referral, validation = Referral.objects.get(), ValidationCase.objects.get()
    assert found_by("https://s.example/id|SR-77") == found_by("SR-77") == 1
    assert found_by("https://other.example/id|SR-77") == 0
    assert found_by(referral.reference) == found_by(validation.reference) == 1
    assert found_by(validation.case_number) >= 1
    assert found_by(str(referral.pk)) == 0
    nobody = by_person("Nobody", "1980-01-01", "LS1 4AP")
    assert found_by("SR-77", *nobody) == 0


def test_an_unverified_number_finds_nobody(referral: Referral) -> None:
    referral.patient.nhs_number_verified = False
    referral.patient.save()
    assert ServiceRequestReader().search(by_number(referral.patient.nhs_number), context())["total"] == 0


@pytest.mark.parametrize("asked", [[], [("patient:name", "Quill")], [("patient:identifier", "x")]])
def test_a_search_without_a_patient_is_refused(asked: Params) -> None:
    with pytest.raises(OutcomeError) as refused:
        ServiceRequestReader().search(asked, context())
    assert refused.value.status == 400


def test_only_callers_that_the_service_allows(referral: Referral, hub: HealthcareService) -> None:
    hub.allowed_callers = ["RX111"]
    hub.save()
    found = ServiceRequestReader().read(referral.pk, context("RX111"))
    assert found is not None
    assert UUID(found["id"]) == referral.pk
    with pytest.raises(OutcomeError) as refused:
        ServiceRequestReader().read(referral.pk, context("OTHER"))
    assert refused.value.status == 401
    with pytest.raises(OutcomeError) as refused:
        ServiceRequestReader().search(by_number(NUMBER), context("OTHER"))
    assert refused.value.status == 401

"""A partner's search by patient: all that fits is found and counted, however much only seems to fit."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import pytest

from bars_portal.audit.actor import Actor
from bars_portal.correspondence import searches
from bars_portal.correspondence.states import Direction
from bars_portal.exchange.fhir.access import Caller
from bars_portal.exchange.fhir.outcomes import OutcomeError
from bars_portal.exchange.registry import ReadContext, ResourceReader
from bars_portal.patients.models import Patient
from bookings.resources import AppointmentReader
from bookings.states import BookingStatus
from directory.models import HealthcareService
from referrals.cases.states import Category
from referrals.messages import ServiceRequestReader
from tests.factories.accounts import make_organisation
from tests.factories.bookings import NOW, make_booking
from tests.factories.patients import make_details, make_patient
from tests.factories.referrals import make_case, make_hub
from tests.plans import multiply, plans, read_whole

pytestmark = pytest.mark.django_db

WHO = [
    ("patient:name", "quill"),
    ("patient:birthdate", "1945-07-14"),
    ("patient:address-postalcode", "LS1 4AP"),
]
READERS: list[type[ResourceReader]] = [AppointmentReader, ServiceRequestReader]
MOST = 5


def context(ods: str = "RX111") -> ReadContext:
    return ReadContext(uuid4(), uuid4(), None, Caller(ods), NOW, Actor("partner"))


def search(
    reader: type[ResourceReader], ods: str = "RX111", *, asked: Sequence[tuple[str, str]] = WHO
) -> dict[str, Any]:
    found = reader().search(asked, context(ods))
    assert isinstance(found, dict)
    return found


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> HealthcareService:
    monkeypatch.setattr(searches, "MOST_FOUND", MOST)
    return make_hub(provider=make_organisation())


def keep(here: HealthcareService, number: int, minute: int | None = None, **details: Any) -> None:
    """A booking and a case of one person; the later the number (or the minute), the later both."""
    patient = make_patient(organisation=here.provider, details=make_details(**details))
    if details:
        # As an earlier version wrote it: its name may be anything.
        Patient.objects.filter(pk=patient.pk).update(name_key="")
    at = NOW + timedelta(minutes=number if minute is None else minute)
    resource = {"id": str(uuid4())}
    own: dict[str, Any] = {
        **{"patient": patient, "sender_full_url": f"urn:uuid:{uuid4()}"},
        **{"resource": resource, "reference": str(number) + here.service_id},
    }
    make_booking(
        service=here, direction=Direction.RECEIVED, start=at, slot=None, status=BookingStatus.CANCELLED, **own
    )
    make_case(Category.REFERRAL, service=here, created_at=at, **own)


@pytest.mark.parametrize("reader", READERS)
def test_who_only_seems_to_be_meant_hides_nobody(
    here: HealthcareService, reader: type[ResourceReader]
) -> None:
    for number in range(3):
        keep(here, number)
    for number in range(MOST * 10):
        keep(here, 100 + number, family_name="Other", given_names="Ben")
    found = search(reader)
    assert found["total"] == len(found["entry"]) == 3


@pytest.mark.parametrize("reader", READERS)
def test_the_total_counts_what_is_not_sent_too(here: HealthcareService, reader: type[ResourceReader]) -> None:
    for number in range(MOST + 2):
        keep(here, number)
    found = search(reader)
    assert (found["total"], len(found["entry"])) == (MOST + 2, MOST)


def next_page(found: dict[str, Any]) -> list[tuple[str, str]]:
    """What the next link asks for; nothing on the last page."""
    links = {each["relation"]: each["url"] for each in found["link"]}
    return parse_qsl(urlsplit(links.get("next", "")).query)


@pytest.mark.parametrize("reader", READERS)
def test_pages_are_followed_to_the_last_whatever_comes_meanwhile(
    here: HealthcareService, reader: type[ResourceReader]
) -> None:
    total = MOST * 2 + 1
    for number in range(total):
        # Some at the same time: their keys tell them apart.
        keep(here, number, number // 3)
    found, seen = search(reader), list[str]()
    while asked := next_page(found):
        seen += [each["fullUrl"] for each in found["entry"]]
        # Before all that was seen.
        keep(here, 1000 + len(seen))
        found = search(reader, asked=asked)
    seen += [each["fullUrl"] for each in found["entry"]]
    assert (len(seen), len(set(seen))) == (total, total)
    assert found["total"] == total + 2


@pytest.mark.parametrize("reader", READERS)
def test_the_address_of_a_page_names_nobody_and_is_good_for_an_hour(
    here: HealthcareService, reader: type[ResourceReader]
) -> None:
    for number in range(MOST + 1):
        keep(here, number)
    ((name, token),) = next_page(search(reader))
    assert not any(value in token for _, value in WHO)
    late = replace(context(), received_at=NOW + timedelta(minutes=61))
    (other,) = (each for each in READERS if each is not reader)
    for each, asked, who in (
        (reader, [(name, token)], late),
        (reader, [(name, token[:-2])], context()),
        (reader, [(name, "")], context()),
        (reader, [(name, token), *WHO], context()),
        (other, [(name, token)], context()),
    ):
        with pytest.raises(OutcomeError) as refused:
            each().search(asked, who)
        assert (refused.value.status, refused.value.issues[0].code.issue) == (400, "value")
    HealthcareService.objects.update(allowed_callers=["RX999"])
    with pytest.raises(OutcomeError):
        reader().search([(name, token)], context())


@pytest.mark.parametrize("reader", READERS)
def test_what_a_caller_may_not_see_is_not_counted(
    here: HealthcareService, reader: type[ResourceReader]
) -> None:
    closed = make_hub(provider=here.provider, service_id="2000066001", allowed_callers=["RX999"])
    keep(here, 1)
    for number in range(MOST):
        keep(closed, 10 + number)
    assert search(reader)["total"] == 1
    assert search(reader, "RX999")["total"] == MOST + 1
    HealthcareService.objects.update(allowed_callers=["RX999"])
    with pytest.raises(OutcomeError):
        search(reader)


def fill(here: HealthcareService, patients: int) -> None:
    """Each with one booking; every birthday some of them share."""
    patient = make_patient(organisation=here.provider, details=make_details(family_name="Other"))
    booking = make_booking(service=here, patient=patient, direction=Direction.RECEIVED, reference="0")
    key = "md5('p' || n)::uuid"
    multiply(
        patient,
        patients,
        id=key,
        birth_date="CASE WHEN n % 3 = 0 THEN NULL ELSE date '1930-01-01' + n % 30000 END",
        birth_partly="CASE WHEN n % 3 = 0 THEN (1930 + n % 80)::text ELSE '' END",
        postcode="'LS' || n % 30 || ' ' || n % 10 || 'AP'",
        nhs_number="''",
    )
    multiply(
        booking, patients, id="gen_random_uuid()", patient_id=key, reference="n::text", status="'cancelled'"
    )


ASKED = [
    WHO,
    [*WHO[:1], ("patient:birthdate", "1945"), *WHO[2:]],
    [("patient:identifier", "https://fhir.nhs.uk/Id/nhs-number|9449306621")],
]


def test_no_search_reads_all_patients(here: HealthcareService) -> None:
    fill(here, 5_000)
    for asked in ASKED:
        for _, plan in plans(partial(AppointmentReader().search, asked, context())):
            assert not read_whole(plan), (asked, plan)


@pytest.mark.thorough
def test_a_million_patients(here: HealthcareService, capsys: pytest.CaptureFixture[str]) -> None:
    fill(here, 1_000_000)
    for asked in ASKED:
        told = list(plans(partial(AppointmentReader().search, asked, context())))
        took = sum(milliseconds for milliseconds, _ in told)
        with capsys.disabled():
            print(f"{took:9.1f} ms  {[name for name, _ in asked]}")  # noqa: T201 - figures for who asks
        assert took < 500, asked

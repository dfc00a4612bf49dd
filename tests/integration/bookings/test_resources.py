"""What our receiver answers to GET /Slot and GET /Appointment."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.forms import model_to_dict
from django.test.utils import CaptureQueriesContext

from bars_portal.audit.actor import Actor
from bars_portal.audit.models import AuditEvent
from bars_portal.audit.services import event_of
from bars_portal.correspondence.states import Direction
from bars_portal.exchange.fhir.access import Caller
from bars_portal.exchange.fhir.identifiers import ServiceID, UnknownTarget
from bars_portal.exchange.fhir.outcomes import OutcomeError
from bars_portal.exchange.fhir.timestamps import format_instant
from bars_portal.exchange.registry import ReadContext
from bookings.models import Booking, Schedule, Slot, SlotStatus
from bookings.resources import AppointmentReader, SlotReader
from tests.factories.bookings import NOW, TOMORROW, make_schedule, make_slot
from tests.factories.directory import make_service
from tests.integration.bookings.conftest import Desk

pytestmark = pytest.mark.django_db
INCLUDES = ("Slot:schedule", "Schedule:actor:Practitioner", "Schedule:actor:HealthcareService")
Params = list[tuple[str, str]]


def context(ods: str = "RX111", target: str = "") -> ReadContext:
    service = ServiceID(target) if target else None
    return ReadContext(uuid4(), uuid4(), service, Caller(ods), NOW, Actor("partner"))


def params(service_id: str, *, status: str = "free", days: int = 2) -> Params:
    return [
        ("Schedule.actor:HealthcareService", service_id),
        ("status", status),
        ("start", f"ge{format_instant(NOW)}"),
        ("start", f"le{format_instant(NOW + timedelta(days=days))}"),
        *(("_include", each) for each in INCLUDES),
    ]


def slots_found(asked: Params, who: ReadContext) -> dict[str, Any]:
    return SlotReader().search(asked, who).read()


def slots_of(found: dict[str, Any]) -> list[dict[str, Any]]:
    return [each["resource"] for each in found.get("entry", []) if each["search"]["mode"] == "match"]


@pytest.fixture
def schedule() -> Schedule:
    return make_schedule(practitioner_family="Bloggs")


def test_slots_in_order_with_their_total(schedule: Schedule) -> None:
    later = make_slot(schedule=schedule, start=TOMORROW + timedelta(hours=1))
    first = make_slot(schedule=schedule)
    make_slot(schedule=schedule, start=NOW + timedelta(days=9))
    make_slot(schedule=make_schedule())
    found = slots_found(params(schedule.service.service_id), context())
    assert [each["id"] for each in slots_of(found)] == [str(first.pk), str(later.pk)]
    assert found["total"] == 2
    assert {each["status"] for each in slots_of(found)} == {"free"}


@pytest.mark.parametrize(
    ("status", "expected"), [("free", {"free"}), ("busy", {"busy"}), ("free,busy", {"free", "busy"})]
)
def test_statuses_as_asked(schedule: Schedule, status: str, expected: set[str]) -> None:
    for minutes, each in enumerate(SlotStatus):
        make_slot(schedule=schedule, start=TOMORROW + timedelta(minutes=15 * minutes), status=each)
    found = slots_found(params(schedule.service.service_id, status=status), context())
    assert {each["status"] for each in slots_of(found)} == expected


def test_no_slots_is_a_bundle_with_total_0(schedule: Schedule) -> None:
    found = slots_found(params(schedule.service.service_id), context())
    assert (found["total"], "entry" in found) == (0, False)


@pytest.mark.parametrize("changes", [{"hosted": False}, {"active": False}])
def test_a_service_that_is_not_ours_is_unknown(changes: dict[str, Any]) -> None:
    with pytest.raises(OutcomeError) as refused:
        slots_found(params(make_service(**changes).service_id), context())
    assert refused.value.status == 404


def test_only_callers_that_the_service_allows() -> None:
    service = make_service(allowed_callers=["RX111"])
    assert slots_found(params(service.service_id), context("RX111"))["total"] == 0
    for stranger in ("OTHER", ""):
        with pytest.raises(OutcomeError) as refused:
            slots_found(params(service.service_id), context(stranger))
        assert refused.value.status == 401


def test_the_read_is_on_the_trail_with_it(schedule: Schedule) -> None:
    make_slot(schedule=schedule)
    who = replace(context(), action="exchange.read", detail={"path": "^Slot/?$", "service_id": None})
    slots_found(params(schedule.service.service_id), who)
    noted = AuditEvent.objects.get()
    wanted = event_of(
        actor=replace(who.actor, organisation_id=schedule.service.provider_id),
        action=who.action,
        now=who.received_at,
        detail=who.detail,
        correlation_id=who.correlation_id,
    )
    assert model_to_dict(noted, exclude=["id"]) == model_to_dict(wanted, exclude=["id"])


@pytest.mark.parametrize(
    "changes", [{"active": False}, {"allowed_callers": ["RX999"]}], ids=["closed", "others"]
)
def test_a_refused_read_is_left_to_who_answers_it(changes: dict[str, Any]) -> None:
    slot = make_slot(schedule=make_schedule(service=make_service(**changes)))
    with pytest.raises(OutcomeError):
        slots_found(params(slot.service.service_id), context())
    assert not AuditEvent.objects.exists()


def test_one_statement_for_the_service_and_its_slots(schedule: Schedule) -> None:
    for number in range(40):
        make_slot(schedule=schedule, start=TOMORROW + timedelta(minutes=15 * number))
    with CaptureQueriesContext(connection) as captured:
        slots_found(params(schedule.service.service_id), context())
    assert len(captured.captured_queries) == 1


def test_includes_that_stand_for_several_are_honoured_and_foreign_ones_left_out() -> None:
    schedule = make_schedule(practitioner_family="Bloggs", practitioner_role="Doctor", location_name="Annexe")
    make_slot(schedule=schedule)
    asked = [pair for pair in params(schedule.service.service_id) if pair[0] != "_include"]
    several = ("Slot:*", "Schedule:*", "HealthcareService:*", "Slot:appointment")
    found = slots_found([*asked, *(("_include", each) for each in several)], context())
    assert {each["resource"]["resourceType"] for each in found["entry"]} == {
        "Slot",
        "Schedule",
        "Practitioner",
        "PractitionerRole",
        "HealthcareService",
        "Location",
        "Organization",
    }
    assert "appointment" not in found["link"][0]["url"]
    assert "_include=Schedule%3A%2A" in found["link"][0]["url"]


def test_an_appointment_is_read_as_it_stands(desk: Desk, booking: Booking) -> None:
    theirs = UUID(booking.remote_id)
    found = AppointmentReader().read(theirs, context())
    assert found is not None
    assert (found["id"], found["status"], found["meta"]["versionId"]) == (str(theirs), "booked", "1")
    assert found["meta"]["lastUpdated"]
    assert AppointmentReader().read(uuid4(), context()) is None
    assert AppointmentReader().read(booking.pk, context()) is None, "what we sent is not ours to show"


def by_number(number: str) -> Params:
    return [("patient:identifier", f"https://fhir.nhs.uk/Id/nhs-number|{number}")]


def by_person(name: str = "quill", born: str = "1945-07-14", postcode: str = "ls14ap") -> Params:
    return [("patient:name", name), ("patient:birthdate", born), ("patient:address-postalcode", postcode)]


@pytest.mark.parametrize(
    ("asked", "total"),
    [
        (by_number("9449306621"), 1),
        (by_number("9476719931"), 0),
        # Its check digit is wrong.
        (by_number("9449306622"), 0),
        (by_person(), 1),
        (by_person("Ada"), 1),
        (by_person("ada quill"), 1),
        # FHIR's search for a string: starts with. It asked for whole words before section 13.
        (by_person("qui"), 1),
        (by_person("uill"), 0),
        (by_person("Qu\u00edll"), 1),
        (by_person("QUILL, Ada-Mary"), 1),
        (by_person("%"), 0),
        (by_person(born="1945-07-15"), 0),
        (by_person(postcode="LS1 4AQ"), 0),
        ([*by_number("9449306621"), *by_person("other")], 0),
    ],
)
def test_a_search_by_patient(desk: Desk, asked: Params, total: int) -> None:
    desk.book()
    found = AppointmentReader().search(asked, context())
    assert found["total"] == total
    kinds = {each["resource"]["resourceType"] for each in found.get("entry", [])}
    assert not total or {"Appointment", "Patient", "Slot"} <= kinds
    assert "9449306621" not in found["link"][0]["url"]


@pytest.mark.parametrize("known", [ServiceID("1"), UnknownTarget()])
def test_what_another_target_holds_is_not_found(
    desk: Desk, booking: Booking, known: ServiceID | UnknownTarget
) -> None:
    """An unknown target is a scope in which there is nothing, never no scope (standard section 12)."""
    theirs = UUID(booking.remote_id)
    other = replace(context(), target=known)
    assert AppointmentReader().read(theirs, other) is None
    assert AppointmentReader().search(by_number("9449306621"), other)["total"] == 0
    ours = context(target=desk.service.service_id)
    assert AppointmentReader().read(theirs, ours) is not None
    assert AppointmentReader().search(by_number("9449306621"), ours)["total"] == 1


def test_an_unverified_number_finds_nobody(desk: Desk) -> None:
    desk.book()
    theirs = Booking.objects.get(direction=Direction.RECEIVED).patient
    theirs.nhs_number_verified = False
    theirs.save()
    assert AppointmentReader().search(by_number("9449306621"), context())["total"] == 0


def test_two_bookings_of_one_sender_do_not_clash(desk: Desk) -> None:
    desk.book()
    desk.book()
    Booking.objects.filter(direction=Direction.RECEIVED).update(sender_full_url="urn:uuid:" + str(uuid4()))
    found = AppointmentReader().search(by_number("9449306621"), context())
    urls = [each["fullUrl"] for each in found["entry"]]
    assert found["total"] == 2
    assert len(urls) == len(set(urls))


@pytest.mark.parametrize("asked", [[], [("patient:name", "Quill")], [("patient:identifier", "x")]])
def test_a_search_without_a_patient_is_refused(asked: Sequence[tuple[str, str]]) -> None:
    with pytest.raises(OutcomeError) as refused:
        AppointmentReader().search(asked, context())
    assert refused.value.status == 400


def test_appointments_of_a_closed_service_are_for_its_callers(desk: Desk, booking: Booking) -> None:
    desk.service.allowed_callers = ["OTHER"]
    desk.service.save()
    with pytest.raises(OutcomeError) as refused:
        AppointmentReader().read(UUID(booking.remote_id), context())
    assert refused.value.status == 401
    with pytest.raises(OutcomeError) as refused:
        AppointmentReader().search(by_number("9449306621"), context())
    assert refused.value.status == 401
    assert Slot.objects.filter(status=SlotStatus.BUSY).count() == 1

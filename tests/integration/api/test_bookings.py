"""Slots and bookings through the API, over the wire to our own receiver."""

from datetime import UTC, date, datetime
from threading import Semaphore
from typing import Any
from uuid import uuid4

import httpx
import pytest

from bars_portal.api import headers as habits
from bars_portal.audit.models import AuditEvent
from bars_portal.exchange.fhir.identifiers import SDS_ROLE_PROFILE_SYSTEM
from bars_portal.exchange.models import OutboundMessage
from bars_portal.patients.forms import PatientForm
from bookings import ports
from bookings.models import Booking, WaitingEntry
from bookings.ports import TimeFrame
from tests.factories.bookings import make_booking
from tests.factories.directory import make_service
from tests.factories.patients import make_patient
from tests.integration.api.conftest import DOCTOR, PATIENT, Calls, World

pytestmark = pytest.mark.django_db
LATER = datetime(2026, 12, 24, tzinfo=UTC)


def test_who_am_i(calls: Calls) -> None:
    answer = calls.get("applications/me", x_request_id="mine-1")
    assert answer.status_code == 200
    assert answer.json()["name"] == calls.application.name
    assert answer["X-Request-ID"] == "mine-1"


def test_booked_read_and_cancelled(world: World) -> None:
    made = world.book()
    assert made.status_code == 202, made.content
    assert made.json()["state"] == {"code": "requested", "name": "Still confirming", "is_open": True}
    world.network.deliver_all()
    read = world.calls.get(made["Location"].split("/api/v1/")[1])
    assert read.status_code == 200
    assert read.json()["state"]["code"] == "booked"
    assert read.json()["patient"]["family_name"] == "Quill"
    gone = world.calls.post(f"bookings/{made.json()['id']}/cancel", {"reason": "patient"})
    assert gone.status_code == 202, gone.content
    world.network.deliver_all()
    assert world.calls.get(f"bookings/{made.json()['id']}").json()["state"]["code"] == "cancelled"
    actors = set(
        AuditEvent.objects.filter(action__startswith="bookings.").values_list("actor_label", flat=True)
    )
    assert f"{world.calls.application.name} (application)" in actors


def test_a_search_finds_services_and_their_times(world: World) -> None:
    page = world.calls.get("services", {"use_case": "a1t2", "limit": 1})
    assert page.status_code == 200, page.content
    found = page.json()["items"][0]
    assert (found["id"], found["cannot_be_booked"]) == (world.service.service_id, None)
    one = world.calls.get(f"services/{found['id']}")
    assert one.status_code == 200
    assert world.calls.get(f"services/{found['id']}", if_none_match=one["ETag"]).status_code == 304
    slots = world.calls.get(f"services/{found['id']}/slots").json()
    assert [each["start"][:16] for each in slots["slots"]] == sorted(
        each["start"][:16] for each in slots["slots"]
    )
    assert [each["code"] for each in slots["use_cases"]] == ["a1t2", "a1t4"]


# Each service is asked by a thread of its own.
@pytest.mark.django_db(transaction=True)
def test_one_service_that_does_not_answer_holds_up_no_other(world: World) -> None:
    other = make_service(accepted_use_cases=["a1t2"], hosted=False)
    found = world.calls.get("slots", {"service": [world.service.service_id, other.service_id]}).json()
    assert not found["is_complete"]
    assert [bool(each["slots"]) for each in found["results"]] == [True, False]
    assert found["results"][1]["problem"]["code"] != "none-in-range"


def test_only_a_person_behind_a_program_waits_for_a_time(world: World) -> None:
    """A program that asks again and again is nobody whom the service could phone."""
    for slot in world.slots:
        slot.status = "busy-unavailable"
        slot.save()
    address = f"services/{world.service.service_id}/slots"
    for headers, waiting in (({}, 0), ({"x_acting_user": DOCTOR}, 1)):
        assert world.calls.get(address, **headers).json()["problem"]["code"] == "none-in-range"
        assert WaitingEntry.objects.count() == waiting
    assert WaitingEntry.objects.get().label.startswith("Dr Ann Lee, through ")


def test_a_page_and_the_api_name_the_same_faults(world: World) -> None:
    typed = {"gender": "green", "nhs_number": "123", "phone": "", "postcode": "nowhere"}
    form = PatientForm({**typed, "call_back": "patient"}, today=date(2026, 11, 30))
    on_the_page = {f"/patient/{name}": [str(text) for text in texts] for name, texts in form.errors.items()}
    refused = world.calls.post("bookings", {"slot": world.slot_ids()[0], "patient": typed})
    assert (refused.status_code, refused["Content-Type"]) == (422, "application/problem+json")
    told: dict[str, list[str]] = {}
    for each in refused.json()["errors"]:
        told.setdefault(each["pointer"], []).append(each["detail"])
    assert told == on_the_page
    assert refused.json()["type"].endswith("/api/docs/problems/invalid-fields/")
    assert not Booking.objects.exists()


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, {"/slot", "/patient/gender", "/patient/phone", "/patient/family_name", "/patient/birth_date"}),
        ({"slot": "made-up", "patient": PATIENT, "colour": 1}, {"/slot", "/colour"}),
        ({"slot": 7, "patient": {**PATIENT, "phone": 7}}, {"/slot", "/patient/phone"}),
        ({"slot": "x", "patient": {**PATIENT, "birth_date": "14.7.1945"}}, {"/slot", "/patient/birth_date"}),
        ({"slot": "x", "patient": {**PATIENT, "has_died": "yes"}}, {"/slot", "/patient/has_died"}),
        ({"slot": "x", "patient": {**PATIENT, "a/b~": "1"}}, {"/slot", "/patient/a~1b~0"}),
        ({"slot": "x", "patient": []}, {"/patient"}),
        ({"slot": "x", "patient": PATIENT, "journey": str(uuid4())}, {"/slot", "/journey"}),
        (
            {"slot": "x", "patient": PATIENT, "approval": {"reason": ""}},
            {"/slot", "/approval/reason", "/approval/confirmed"},
        ),
        ([], {""}),
    ],
)
def test_every_fault_is_named_at_once(calls: Calls, body: Any, pointers: set[str]) -> None:
    refused = calls.post("bookings", body)
    assert refused.status_code == 422
    assert {each["pointer"] for each in refused.json()["errors"]} == pointers
    assert "1945" not in refused.content.decode()


def test_a_time_that_is_gone_is_a_conflict_and_stays_one_under_its_key(world: World) -> None:
    ids = world.slot_ids()
    world.slots[0].status = "busy"
    world.slots[0].save()
    body = {"slot": ids[0], "patient": PATIENT}
    refused = world.calls.post("bookings", body, key="k")
    assert (refused.status_code, refused.json()["title"]) == (409, "The time is no longer free")
    assert refused.json()["detail"] == "That time is no longer free. Choose another time."
    again = world.calls.post("bookings", body, key="k")
    assert (again.status_code, again.content, again["Idempotent-Replayed"]) == (409, refused.content, "true")


def test_a_use_case_that_is_not_taken_is_told(world: World) -> None:
    body = {"slot": world.slot_ids()[0], "patient": PATIENT, "use_case": "a6t1"}
    refused = world.calls.post("bookings", body)
    assert [each["pointer"] for each in refused.json()["errors"]] == ["/use_case"]


def test_rebooked_at_another_time(world: World) -> None:
    old = world.booked()
    assert old["can"] == ["cancel", "rebook"]
    body = {"slot": world.slot_ids()[1], "reason": "patient"}
    answer = world.calls.post(f"bookings/{old['id']}/rebook", body)
    assert answer.status_code == 202, answer.content
    world.network.deliver_all()
    told = world.calls.get(f"bookings/{old['id']}").json()
    assert (told["state"]["code"], told["rebooking"]["state"]) == ("cancelled", "done")
    new = world.calls.get(f"bookings/{told['rebooking']['booked']}").json()
    assert new["state"]["code"] == "booked"
    assert new["patient"] == told["patient"]


def test_if_match_keeps_a_change_that_was_not_seen(world: World) -> None:
    booked = world.booked()
    path = f"bookings/{booked['id']}"
    tag = world.calls.get(path)["ETag"]
    refused = world.calls.post(f"{path}/cancel", {"reason": "patient"}, if_match='"another"')
    assert refused.status_code == 412
    assert world.calls.post(f"{path}/cancel", {"reason": "patient"}, if_match=tag).status_code == 202
    late = world.calls.post(f"{path}/cancel", {"reason": "patient"})
    assert (late.status_code, late.json()["detail"]) == (409, "This appointment is being cancelled already.")


def test_who_prefers_to_wait_does_while_there_are_threads_to_spare(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nothing is delivered meanwhile: a second is over soon.
    assert world.book(0, prefer="respond-async, wait=1")["Preference-Applied"] == "wait=1"
    monkeypatch.setattr(habits, "WAITERS", Semaphore(0))
    answer = world.book(1, prefer="wait=10")
    assert (answer.status_code, answer.has_header("Preference-Applied")) == (202, False)


def test_unknown_is_a_state_that_can_be_checked_again(world: World) -> None:
    made = world.book()
    world.network.before.append(lambda request: httpx.Response(504))
    world.network.deliver_all()
    told = world.calls.get(f"bookings/{made.json()['id']}").json()
    assert told["state"] == {"code": "unknown", "name": "Not known", "is_open": True}
    assert "check-again" in told["can"]
    assert told["reason"].startswith("We do not know yet whether this was booked")
    again = world.calls.post(f"bookings/{told['id']}/check-again", {})
    assert again.status_code == 202, again.content
    world.network.deliver_all()
    assert world.calls.get(f"bookings/{told['id']}").json()["state"]["code"] == "booked"


def test_pages_of_the_list_are_stable(world: World) -> None:
    for _ in range(5):
        make_booking(organisation=world.calls.application.organisation, service=world.service)
    first = world.calls.get("bookings", {"limit": 2, "state": "booked"}).json()
    # One that comes meanwhile moves nothing.
    make_booking(organisation=world.calls.application.organisation, service=world.service, created_at=LATER)
    seen, following = [each["id"] for each in first["items"]], first["next"]
    while following:
        page = world.calls.client.get(following, headers=world.calls.headers).json()
        seen, following = [*seen, *(each["id"] for each in page["items"])], page["next"]
    assert len(seen) == len(set(seen)) == 5


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "101"},
        {"limit": "٣"},
        {"cursor": "x"},
        {"cursor": "WyJ4IiwieSJd"},
        {"state": "asleep"},
        {"service": "a\x00"},
        {"journey": "1"},
        {"starts_from": "tomorrow"},
        {"starts_from": "2026-11-30T10:00:00"},
        {"colour": "blue"},
        {"state": ["booked", "refused"]},
    ],
)
def test_a_slip_in_the_address_is_told(calls: Calls, query: dict[str, Any]) -> None:
    refused = calls.get("bookings", query)
    assert refused.status_code == 400, refused.content
    assert {each["parameter"] for each in refused.json()["errors"]} == set(query)


def test_outside_the_time_frame_a_clinician_has_to_answer_for_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = TimeFrame(None, LATER.replace(year=2000))
    monkeypatch.setattr(ports.time_frame, "_provider", lambda journey: frame)
    journey = make_patient(organisation=world.calls.application.organisation).journey
    body = {"slot": world.slot_ids()[0], "patient": PATIENT, "journey": str(journey.pk)}
    approved = {**body, "approval": {"confirmed": True, "reason": "The patient is travelling"}}
    clerk = DOCTOR.replace("clinician", "clerk").replace("true", "false")
    for sent, headers, expected in (
        (approved, {}, "acting-user-missing"),
        (approved, {"x_acting_user": clerk}, "not-allowed"),
        (body, {"x_acting_user": DOCTOR}, "invalid-fields"),
    ):
        refused = world.calls.post("bookings", sent, **headers)
        assert refused.json()["type"].rstrip("/").rpartition("/")[2] == expected, refused.content
    made = world.calls.post("bookings", approved, x_acting_user=DOCTOR)
    assert made.status_code == 202, made.content
    note = Booking.objects.get(pk=made.json()["id"]).changes.get().note
    assert "approved by Dr Ann Lee, through" in note
    event = AuditEvent.objects.get(action="bookings.approve_time")
    assert event.detail["asked_by"] == "https://hospital.example/staff|77"


def test_a_person_is_sent_as_such_only_when_stated_by_their_sds_role(world: World) -> None:
    doctor = DOCTOR.replace("https://hospital.example/staff", SDS_ROLE_PROFILE_SYSTEM)
    for position, (headers, named) in enumerate((({}, False), ({"x_acting_user": doctor}, True))):
        made = world.book(position, **headers)
        message = OutboundMessage.objects.get(subject_id=made.json()["id"])
        assert ("NHSD-Requesting-Practitioner" in message.headers) == named
        world.network.deliver_all()

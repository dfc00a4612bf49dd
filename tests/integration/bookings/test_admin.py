"""Staff pages: own services only, booked slots left alone, no patient in lists."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from bars_portal.accounts.models import User
from bars_portal.accounts.permissions import Role
from bars_portal.audit.models import AuditEvent
from bars_portal.correspondence.states import Direction
from bars_portal.exchange.fhir.timestamps import LONDON
from bookings.models import Schedule, Slot, SlotStatus
from tests.factories.accounts import add_membership, make_user
from tests.factories.bookings import TOMORROW, make_booking, make_schedule, make_slot
from tests.integration.staff.acting import carry_out

pytestmark = pytest.mark.django_db


@pytest.fixture
def schedule() -> Schedule:
    return make_schedule(name="Own room")


def signed_in(role: Role, schedule: Schedule) -> Client:
    client = Client()
    client.force_login(
        make_user(role=role, organisation=schedule.service.provider),
        backend="bars_portal.accounts.acting.RoleBackend",
    )
    return client


def act(client: Client, page: str, action: str, rows: list[Any]) -> str:
    address = reverse(f"admin:bookings_{page}_changelist")
    response = carry_out(client, address, action, [row.pk for row in rows])
    assert response.status_code == 200
    return str(response.content.decode())


def test_a_manager_sees_the_own_diaries_only(schedule: Schedule) -> None:
    make_schedule(name="Foreign room")
    page = signed_in(Role.MANAGER, schedule).get(reverse("admin:bookings_schedule_changelist"))
    assert b"Own room" in page.content
    assert b"Foreign room" not in page.content


def test_reading_everything_is_no_right_to_change_everything(schedule: Schedule) -> None:
    """A manager who is an auditor too."""
    foreign = make_slot()
    client = signed_in(Role.MANAGER, schedule)
    person = User.objects.get(memberships__organisation=schedule.service.provider)
    add_membership(person, schedule.service.provider, Role.AUDITOR)
    address = reverse("admin:bookings_schedule_change", args=[foreign.schedule_id])
    assert client.get(address).status_code == 404
    assert client.post(address, {"name": "Mine"}).status_code == 404
    assert "Nothing was changed" in act(client, "schedule", "make_two_weeks", [foreign.schedule])
    act(client, "slot", "block", [foreign])
    foreign.refresh_from_db()
    assert foreign.status == SlotStatus.FREE


def test_slots_are_made_from_a_diary(schedule: Schedule) -> None:
    client = signed_in(Role.MANAGER, schedule)
    assert "new slots" in act(client, "schedule", "make_two_weeks", [schedule])
    assert Slot.objects.count() == 14 * 48
    assert AuditEvent.objects.filter(action="bookings.generate_slots").count() == 1


def test_a_diary_is_changed_with_names_of_days(schedule: Schedule) -> None:
    client = signed_in(Role.MANAGER, schedule)
    address = reverse("admin:bookings_schedule_change", args=[schedule.pk])
    page = client.get(address)
    assert b"Wednesday" in page.content
    data = {
        "name": "Room 2",
        "active": "on",
        "weekdays": ["0", "2"],
        "day_start": "09:00",
        "day_end": "17:00",
        "slot_minutes": "30",
    }
    assert client.post(address, data).status_code == 302
    schedule.refresh_from_db()
    assert (schedule.weekdays, schedule.slot_minutes) == ([0, 2], 30)
    assert AuditEvent.objects.filter(action="bookings.change_schedule").exists()


@pytest.mark.parametrize("typed", ["24:00", "24:00:00", "00:00"])
def test_a_diary_may_end_at_the_end_of_the_day(schedule: Schedule, typed: str) -> None:
    client = signed_in(Role.MANAGER, schedule)
    address = reverse("admin:bookings_schedule_change", args=[schedule.pk])
    data = {"name": "Night", "weekdays": list("0123456"), "active": "on", "slot_minutes": "60"}
    assert client.post(address, {**data, "day_start": "20:00", "day_end": typed}).status_code == 302
    assert b'value="24:00"' in client.get(address).content
    assert b"20:00 to 24:00" in client.get(reverse("admin:bookings_schedule_changelist")).content
    act(client, "schedule", "make_two_weeks", [schedule])
    assert Slot.objects.count() == 14 * 4
    assert sorted({each.start.astimezone(LONDON).hour for each in Slot.objects.all()}) == [20, 21, 22, 23]


def test_what_is_wrong_with_a_pattern_is_said_in_words(schedule: Schedule) -> None:
    client = signed_in(Role.MANAGER, schedule)
    address = reverse("admin:bookings_schedule_change", args=[schedule.pk])
    data = {
        "name": "Night",
        "weekdays": ["0"],
        "day_start": "20:00",
        "day_end": "08:00",
        "slot_minutes": "60",
    }
    page = client.post(address, data).content.decode()
    assert "The last slot must end after the first one starts" in page
    assert "schedule_day" not in page
    assert "violated" not in page


def test_times_that_slots_run_into_and_diaries_that_rest_are_told(schedule: Schedule) -> None:
    client = signed_in(Role.MANAGER, schedule)
    resting = make_schedule(service=schedule.service, name="Resting", active=False)
    act(client, "schedule", "make_two_weeks", [schedule])
    Schedule.objects.filter(pk=schedule.pk).update(slot_minutes=20)
    page = act(client, "schedule", "make_two_weeks", [schedule, resting])
    assert "0 new slots" in page
    assert f"{14 * 36} times of the pattern were left out" in page
    assert "1 left as they were: the diary is not active" in page


@pytest.mark.parametrize(
    "spoil",
    [
        {"slot_minutes": "0"},
        {"day_end": "08:00"},
        {"weekdays": ["9"]},
        {"weekdays": []},
        {"slot_minutes": "9e9"},
    ],
)
def test_an_impossible_pattern_is_refused(schedule: Schedule, spoil: dict[str, Any]) -> None:
    data = {
        "name": "Room 2",
        "weekdays": ["0"],
        "day_start": "09:00",
        "day_end": "17:00",
        "slot_minutes": "30",
        **spoil,
    }
    address = reverse("admin:bookings_schedule_change", args=[schedule.pk])
    assert signed_in(Role.MANAGER, schedule).post(address, data).status_code == 200
    schedule.refresh_from_db()
    assert schedule.name == "Own room"


def test_booked_slots_refuse_to_be_blocked(schedule: Schedule) -> None:
    client = signed_in(Role.MANAGER, schedule)
    free, booked = (
        make_slot(schedule=schedule),
        make_slot(schedule=schedule, start=TOMORROW.replace(hour=15), status=SlotStatus.BUSY),
    )
    page = act(client, "slot", "block", [free, booked])
    assert "1 slot blocked" in page
    assert "1 left as they were" in page
    booked.refresh_from_db()
    assert booked.status == SlotStatus.BUSY


def test_foreign_slots_cannot_be_blocked(schedule: Schedule) -> None:
    foreign = make_slot()
    act(signed_in(Role.MANAGER, schedule), "slot", "block", [foreign])
    foreign.refresh_from_db()
    assert foreign.status == SlotStatus.FREE


@pytest.mark.parametrize("role", [Role.MANAGER, Role.AUDITOR])
def test_bookings_are_shown_and_never_changed(schedule: Schedule, role: Role) -> None:
    booking = make_booking(direction=Direction.RECEIVED, service=schedule.service, reference="RIV-7K3M-Q2")
    sent = make_booking(organisation=schedule.service.provider, reference="SENT-REF")
    client = signed_in(role, schedule)
    listed = client.get(reverse("admin:bookings_booking_changelist"))
    assert b"RIV-7K3M-Q2" in listed.content
    assert b"QUILL" not in listed.content.upper()
    assert (sent.reference.encode() in listed.content) is (role is Role.AUDITOR)
    shown = client.get(reverse("admin:bookings_booking_change", args=[booking.pk]))
    assert shown.status_code == 200
    assert b"QUILL, Ada Mary" in shown.content
    assert b"9449306621" not in shown.content
    assert b"_save" not in shown.content
    assert AuditEvent.objects.filter(action="bookings.view_booking", subject_id=str(booking.pk)).exists()


@pytest.mark.parametrize("role", [Role.CLINICIAN, Role.ENGINEER])
def test_others_have_no_business_here(schedule: Schedule, role: Role) -> None:
    client = signed_in(role, schedule)
    for page in ("schedule", "slot", "booking"):
        assert client.get(reverse(f"admin:bookings_{page}_changelist")).status_code in (302, 403)

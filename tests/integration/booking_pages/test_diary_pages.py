"""The pages on which a manager plans clinics and runs the diary: shown first, then done."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from lxml import html

from bars_portal.accounts.permissions import Role
from bars_portal.audit.models import AuditEvent
from bars_portal.nhsuk.dates import in_london
from bookings.models import Booking, Clinic, ClinicRun, DiaryBlock, Schedule, Slot
from bookings.services.clinics import fill_clinics
from bookings.views import clinics, common, diary, running
from directory.models import HealthcareService
from tests.factories.accounts import make_acting
from tests.factories.bookings import make_schedule, make_slot
from tests.factories.directory import make_service
from tests.integration.booking_pages.conftest import client_of
from tests.integration.bookings.running import book
from tests.worlds import Kept, Worlds

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
PLAN = {
    "name": "Dr Patel",
    "first_day-day": "24",
    "first_day-month": "11",
    "first_day-year": "2026",
    "session_1_days": ["0", "1", "2", "3", "4"],
    "session_1_start": "09:00",
    "session_1_end": "12:00",
    "break_1_start": "10:00",
    "break_1_end": "10:30",
    "date_1_day-day": "25",
    "date_1_day-month": "11",
    "date_1_day-year": "2026",
    "slot_minutes": "30",
    "lanes": "2",
    "lead_minutes": "0",
    "horizon_days": "7",
}


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (clinics, common, diary, running):
        monkeypatch.setattr(module, "clock", lambda: NOW)


Place = tuple[HealthcareService, Client]


@pytest.fixture(scope="module")
def kept_place(worlds: Worlds) -> Kept[Place]:
    def make() -> Place:
        service = make_service(name="Walk-in centre")
        return service, client_of(make_acting(role=Role.MANAGER, organisation=service.provider))

    return worlds.keep("kept_place", make)


@pytest.fixture
def service(kept_place: Kept[Place], db: None) -> HealthcareService:
    return kept_place.copy()[0]


@pytest.fixture
def client(kept_place: Kept[Place], db: None) -> Client:
    return kept_place.copy()[1]


def seen_in(page: str) -> str:
    return page.partition('name="seen" value="')[2].partition('"')[0]


def planned(client: Client, service: HealthcareService, **changes: Any) -> Clinic:
    """By the pages: filled in, looked at, applied."""
    given = PLAN | {"service": service.service_id} | changes
    page = client.post(reverse("bookings:new-clinic"), given).content.decode()
    assert not Clinic.objects.exists(), "nothing is written yet"
    client.post(reverse("bookings:new-clinic"), given | {"step": "apply", "seen": seen_in(page)})
    return Clinic.objects.get()


def test_a_clinic_is_shown_before_it_is_made(client: Client, service: HealthcareService) -> None:
    page = client.post(
        reverse("bookings:new-clinic"), PLAN | {"service": service.service_id}
    ).content.decode()
    assert "Each lane: 09:00 to 10:00" in page
    assert "2 new" in page
    assert "Wednesday 25 November 2026: closed" in page
    far = client.post(
        reverse("bookings:new-clinic"),
        PLAN | {"service": service.service_id, "horizon_days": "45", "session_1_end": "24:00"},
    ).content.decode()
    assert "Closed: Friday 25 December 2026, Monday 28 December 2026, Friday 1 January 2027" in far
    assert "10:30 to 24:00" in far, "in the picture of the week too"
    clinic = planned(client, service)
    # Tuesday, Thursday, Friday and Monday, five slots in each of two lanes.
    assert Slot.objects.count() == 4 * 5 * 2
    assert Schedule.objects.filter(clinic=clinic, active=True).count() == 2
    shown = client.get(reverse("bookings:clinic", args=[clinic.pk])).content.decode()
    assert "10:00 to 10:30" in shown
    assert fill_clinics(now=NOW + timedelta(days=2)) == 20


@pytest.mark.parametrize(
    ("spoilt", "told"),
    [
        ({"session_1_end": "08:00"}, "Last slot ends by must be after its start"),
        ({"session_1_start": ""}, "Enter when it starts"),
        ({"session_1_days": []}, "Select the days of the week"),
        ({"session_1_days": [], "session_1_start": "", "session_1_end": ""}, "Say on which days"),
        ({"session_2_days": ["0"], "session_2_start": "11:00", "session_2_end": "13:00"}, "must not overlap"),
        ({"session_1_start": "nine"}, "must be a time like 09:00"),
        ({"slot_minutes": "240"}, "No slot of this length fits"),
        ({"slot_minutes": "1"}, "must be a whole number from 5 to 480"),
        ({"lanes": "many"}, "must be a whole number from 1 to 12"),
        ({"break_2_start": "10:00"}, "Enter when it ends"),
        (
            {"last_day-day": "1", "last_day-month": "11", "last_day-year": "2026"},
            "must not be before the first",
        ),
        ({"date_2_start": "10:00", "date_2_end": "11:00"}, "Enter the date that has these hours"),
        ({"service": ""}, "Select service"),
        ({"service": "2000000000"}, "Select service"),
    ],
)
def test_what_is_wrong_with_a_plan_is_said(
    client: Client, service: HealthcareService, spoilt: dict[str, Any], told: str
) -> None:
    given = PLAN | {"service": service.service_id} | spoilt
    page = client.post(reverse("bookings:new-clinic"), given).content.decode()
    assert told in page
    assert "There is a problem" in page
    assert 'value="Dr Patel"' in page, "what was typed is kept"
    assert not Clinic.objects.exists()


def test_a_change_tells_whom_it_meets_and_can_be_undone(client: Client, service: HealthcareService) -> None:
    clinic = planned(client, service)
    slot = clinic.lanes.get(lane=1).slots.order_by("start")[0]
    assert book(slot, NOW)
    address = reverse("bookings:change-clinic", args=[clinic.pk])
    shown = client.get(address).content.decode()
    assert 'value="09:00"' in shown
    since = {"from_day-day": "24", "from_day-month": "11", "from_day-year": "2026"}
    given = PLAN | since | {"session_1_start": "09:15", "slot_minutes": "15"}
    page = client.post(address, given).content.decode()
    assert "QUILL" in page
    assert "These patients keep their appointments" in page
    assert "Times that cannot have a slot" in page
    client.post(address, given | {"step": "apply", "seen": seen_in(page)})
    slot.refresh_from_db()
    assert (slot.status, slot.standing) == ("busy", "leaving")
    address = reverse("bookings:undo-clinic", args=[clinic.pk])
    page = client.get(address).content.decode()
    client.post(address, {"seen": seen_in(page)})
    slot.refresh_from_db()
    assert slot.standing == "planned"
    assert ClinicRun.objects.filter(undone_at=None).count() == 1
    assert client.post(address, {"seen": "old"}).status_code == 200, "shown anew"


def test_a_diary_of_the_old_way_becomes_a_clinic(client: Client, service: HealthcareService) -> None:
    old = make_schedule(service=service, name="Old diary")
    page = client.get(reverse("bookings:clinics")).content.decode()
    assert f"?diary={old.pk}" in page
    shown = client.get(reverse("bookings:new-clinic"), {"diary": str(old.pk)}).content.decode()
    assert 'value="Old diary"' in shown
    assert 'value="20:00"' in shown


def test_an_afternoon_is_blocked_with_who_comes_in_sight(client: Client, service: HealthcareService) -> None:
    clinic = planned(client, service)
    lanes = list(clinic.lanes.order_by("lane"))
    slot = lanes[0].slots.order_by("start")[1]
    assert book(slot, NOW)
    day = {"first_day-day": "24", "first_day-month": "11", "first_day-year": "2026"}
    times = {"from_time": "09:00", "to_time": "11:00", "reason": "Training"}
    given = {"act": "block", "diaries": [str(each.pk) for each in lanes], **day, **times}
    address = reverse("bookings:block", query={"service": service.service_id})
    page = client.post(address, given).content.decode()
    assert "1 patient is booked in this time" in page
    assert "QUILL" in page
    assert not DiaryBlock.objects.exists()
    shown = client.post(address, given | {"step": "apply"}, follow=True).content.decode()
    assert "5 slots are blocked. 1 patient is still booked in this time: move or cancel" in shown
    assert shown.count("this time is blocked") == 1, "and the diary goes on saying so"
    assert "Training" in shown
    block = DiaryBlock.objects.get(schedule=lanes[1])
    freed = client.post(reverse("bookings:free-block", args=[block.pk]), follow=True).content.decode()
    assert "3 slots are offered again" in freed
    off = {"act": "free", "reason": "Training is off", "step": "apply"}
    assert "2 slots are offered again" in client.post(address, given | off, follow=True).content.decode()
    events = AuditEvent.objects.filter(action__in=["bookings.block_range", "bookings.free_range"])
    told = [(each.action, each.detail["reason"]) for each in events.order_by("pk")]
    blocked, freed_by_form = ("bookings.block_range", "Training"), ("bookings.free_range", "Training is off")
    assert told == [*[blocked] * 2, ("bookings.free_range", None), *[freed_by_form] * 2]
    wrong = client.post(address, given | {"to_time": "08:00"}).content.decode()
    assert "The end must be after the start" in wrong
    assert 'value="Training"' in wrong


def test_before_its_time_a_booking_says_from_when_attendance_can_be_told(
    client: Client, service: HealthcareService
) -> None:
    booking = book(planned(client, service).lanes.get(lane=1).slots.order_by("start")[0], NOW)
    assert booking
    shown = client.get(reverse("bookings:received", args=[booking.pk])).content.decode()
    assert "You can say whether the patient attended from Tuesday 24 November 2026 at 09:00 on." in shown
    assert ">Attended<" not in shown


def test_day_week_list_and_file(client: Client, service: HealthcareService) -> None:
    clinic = planned(client, service)
    slot = clinic.lanes.get(lane=2).slots.order_by("start")[0]
    assert book(slot, NOW)
    shown = {"service": service.service_id, "on": "2026-11-24"}
    day = client.get(reverse("bookings:diary"), shown).content.decode()
    assert "Dr Patel, lane 2" in day
    assert "1 booked, 9 free" in day
    week = client.get(reverse("bookings:diary"), shown | {"view": "week"}).content.decode()
    assert "1 booked, 39 free" in week
    assert "2 Free" in week
    one = client.get(
        reverse("bookings:diary"), shown | {"diary": str(clinic.lanes.get(lane=1).pk)}
    ).content.decode()
    assert "0 booked, 5 free" in one
    # The service last used is shown first.
    make_slot(schedule=make_schedule(service=make_service(provider=service.provider, name="Another")))
    assert "Diary of Walk-in centre" in client.get(reverse("bookings:diary")).content.decode()
    listed = client.get(reverse("bookings:clinic-list"), shown).content.decode()
    assert "REF-" in listed
    assert "944 930 6621" in listed
    file = client.get(reverse("bookings:diary-csv"), shown)
    lines = file.content.decode().splitlines()
    assert len(lines) == 11
    assert "REF-" in file.content.decode()


def found_in(page: str, path: str) -> list[Any]:
    """Elements or attributes of a page."""
    found: Any = html.document_fromstring(page).xpath(path)
    return list(found)


def typed_in(page: str) -> dict[str, str]:
    """What the form of a page is filled with."""
    (form,) = found_in(page, "//main//form")
    return dict(form.form_values())


def test_the_table_tells_the_script_where_each_act_leads(client: Client, service: HealthcareService) -> None:
    """Each is an address of a page that asks first."""
    clinic = planned(client, service)
    lane, other = clinic.lanes.order_by("lane")
    slot, free = lane.slots.order_by("start")[:2]
    booking = book(slot, NOW)
    assert booking
    lane_only = {"service": service.service_id, "on": "2026-11-24", "diary": str(lane.pk)}
    page = client.get(reverse("bookings:diary"), lane_only).content.decode()
    (moved,) = found_in(page, "//*[@data-app-move]/@data-app-move")
    target = found_in(page, "//td/@data-app-target")[0]
    ticked = client.get(f"{moved}?{target}").content.decode()
    assert moved == reverse("bookings:move", args=[booking.pk])
    assert re.findall(r'value="([^"]+)"[^>]*checked', ticked) == [str(free.pk)]
    (shared,), (column,) = found_in(page, "//table/@data-app-block"), found_in(page, "//th/@data-app-query")
    cell = found_in(page, "//td[@data-app-act='block']")[0]
    begin, end = cell.get("data-app-from"), cell.get("data-app-to")
    asked = f"{shared}&{column}&act=block&from={begin}&to={end}"
    values = typed_in(client.get(asked).content.decode())
    assert (values["from_time"], values["to_time"]) == ("09:30", "10:00")
    assert (values["diaries"], values["first_day-day"], values["act"]) == (str(lane.pk), "24", "block")
    week = client.get(reverse("bookings:diary"), lane_only | {"view": "week"}).content.decode()
    assert 'data-app-query="on=2026-11-24"' in week
    assert str(other.pk) not in week.partition("<table")[2]


@pytest.mark.parametrize("typed", ["9:00", "25:00", "24:30", "<b>", "09:00 ", ""])
def test_a_time_in_an_address_is_a_time(client: Client, service: HealthcareService, typed: str) -> None:
    make_schedule(service=service)
    page = client.get(reverse("bookings:block"), {"service": service.service_id, "from": typed, "act": "x"})
    values = typed_in(page.content.decode())
    assert (values["from_time"], values["act"]) == ("", "block")


def test_lanes_stand_in_order_of_their_numbers(client: Client, service: HealthcareService) -> None:
    make_schedule(service=service, name="Another room")
    clinic = planned(client, service, lanes="11")
    on = {"service": service.service_id, "on": "2026-11-24"}
    columns = found_in(client.get(reverse("bookings:diary"), on).content.decode(), "//th[@data-app-query]")
    lanes = [f"Dr Patel, lane {number}" for number in range(1, 12)]
    assert [each.text for each in columns] == lanes
    booking = book(clinic.lanes.get(lane=1).slots.order_by("start")[0], NOW)
    assert booking
    page = client.get(reverse("bookings:move", args=[booking.pk])).content.decode()
    assert re.findall(r"09:00 to 09:30, (Dr Patel, lane \d+)", page) == lanes[1:]


def test_who_only_reads_the_diary_is_offered_no_act(service: HealthcareService) -> None:
    slot = make_slot(schedule=make_schedule(service=service))
    reader = client_of(make_acting(role=Role.CLINICIAN, organisation=service.provider))
    on = {"service": service.service_id, "on": in_london(slot.start).date().isoformat()}
    page = reader.get(reverse("bookings:diary"), on).content.decode()
    assert "data-app-diary" in page
    for act in ("data-app-block", "data-app-move", "data-app-target", "data-app-act"):
        assert act not in page


def test_slots_are_added_by_hand(client: Client, service: HealthcareService) -> None:
    clinic = planned(client, service)
    lane = clinic.lanes.get(lane=1)
    given = {
        "diary": str(lane.pk),
        "day-day": "24",
        "day-month": "11",
        "day-year": "2026",
        "from_time": "11:30",
        "to_time": "12:30",
        "minutes": "30",
    }
    page = client.post(reverse("bookings:add-slots"), given, follow=True).content.decode()
    assert "1 slot is added. 1 were left out" in page
    assert lane.slots.filter(standing="added").count() == 1


def test_moved_by_the_page(client: Client, service: HealthcareService) -> None:
    clinic = planned(client, service)
    slot, other = clinic.lanes.get(lane=1).slots.order_by("start")[:2]
    booking = book(slot, NOW)
    assert booking is not None
    address = reverse("bookings:move", args=[booking.pk])
    assert "The sender is not told by this" in client.get(address).content.decode()
    assert "Select the new time" in client.post(address, {"reason": "Ill"}).content.decode()
    page = client.post(address, {"slot": str(other.pk), "reason": "Ill"}, follow=True).content.decode()
    assert "The sender has not been told" in page
    assert Booking.objects.get().slot_id == other.pk
    assert "Moved from" in client.get(reverse("bookings:calls")).content.decode()


def test_switched_off_by_the_page(client: Client, service: HealthcareService) -> None:
    clinic = planned(client, service)
    address = reverse("bookings:switch-clinic", args=[clinic.pk])
    assert "Nobody is booked in it" in client.get(address).content.decode()
    assert "switched off" in client.post(address, {"switch": "off"}, follow=True).content.decode()
    clinic.refresh_from_db()
    assert not clinic.active

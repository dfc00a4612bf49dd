"""SQL writes a slot exactly as the mapping defines it, whatever is in the columns."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bars_portal.audit.actor import Actor
from bars_portal.audit.services import ReadNote
from bars_portal.exchange.fhir import json
from bars_portal.exchange.fhir.access import Caller
from bars_portal.exchange.fhir.identifiers import ServiceID
from bars_portal.exchange.fhir.timestamps import format_london
from bookings.mapping.slots import SlotTexts, slot_entry, slot_template
from bookings.models import Schedule, Slot, SlotStatus
from bookings.models.diary import OfferedSlots, paired_id
from bookings.selectors.slots import offered_slots
from directory.models import HealthcareService
from tests.factories.bookings import NOW, TOMORROW, make_schedule, make_slot
from tests.factories.directory import make_service
from tests.profiles import examples

pytestmark = pytest.mark.django_db


class Odd(NamedTuple):
    """One slot: its id, start, length, last change, and the channel of its diary."""

    id: UUID
    start: datetime
    length: timedelta
    updated_at: datetime
    channel: str


# London has had two offsets since 1972; the clocks change within the examples below.
FIRST, LAST = datetime(1972, 1, 1), datetime(2090, 1, 1)  # noqa: DTZ001 - hypothesis adds the zone itself
moments = st.datetimes(FIRST, LAST, timezones=st.just(UTC))
words = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
odd_slots = st.builds(
    Odd,
    st.uuids(),
    moments,
    st.timedeltas(timedelta(microseconds=1), timedelta(days=40)),
    moments,
    st.sampled_from(["", "In-person", "Telephone", "Video"]) | words,
)


def clock_change(month: int, day: int) -> Odd:
    """A slot that begins before the clocks change, at 01:00 UTC, and ends after."""
    start = datetime(2026, month, day, 0, 59, 59, 999999, tzinfo=UTC)
    return Odd(UUID(int=month), start, timedelta(seconds=1), start, 'a"\\%1$s')


def offered(
    service: HealthcareService,
    start: datetime,
    end: datetime,
    statuses: Iterable[str] = SlotStatus.values,
    *,
    now: datetime = NOW,
) -> OfferedSlots:
    found = offered_slots(
        ServiceID(service.service_id),
        caller=Caller("RX111"),
        note=ReadNote.of(
            actor=Actor("partner"), action="exchange.read", now=now, detail={}, correlation_id=UUID(int=1)
        ),
        statuses=list(statuses),
        start=start,
        end=end,
        template=slot_template(with_channel=False),
        template_with_channel=slot_template(with_channel=True),
    )
    assert found is not None
    return found


def everything(service: HealthcareService) -> OfferedSlots:
    """Asked before any of it is over."""
    first = datetime(1900, 1, 1, tzinfo=UTC)
    return offered(service, first, datetime(2100, 1, 1, tzinfo=UTC), now=first)


def as_defined(slot: Slot) -> str:
    texts = SlotTexts(
        paired_id(slot.id),
        str(slot.id),
        format_london(slot.updated_at),
        paired_id(slot.schedule_id),
        slot.status,
        format_london(slot.start),
        format_london(slot.end),
        slot.schedule.delivery_channel,
    )
    return json.dumps(slot_entry(texts)).decode()


@pytest.fixture
def service(db: None) -> HealthcareService:
    return make_service()


@pytest.mark.further
@settings(
    max_examples=examples(15, thorough=120),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(slots=st.lists(odd_slots, max_size=4, unique_by=lambda each: each.id))
@example(slots=[clock_change(3, 29), clock_change(10, 25)])
def test_every_slot_is_as_the_mapping_defines_it(slots: list[Odd], service: HealthcareService) -> None:
    with transaction.atomic():
        for odd, status in zip(slots, [*SlotStatus, SlotStatus.FREE], strict=False):
            make_odd(odd, service, status)
        held = Slot.objects.select_related("schedule").order_by("start", "schedule_id")
        found = everything(service)
        assert found.entries == ",".join(as_defined(slot) for slot in held)
        assert found.total == len(slots)
        transaction.set_rollback(True)


def make_odd(odd: Odd, service: HealthcareService, status: str) -> None:
    schedule = Schedule.objects.create(service=service, name="Odd", delivery_channel=odd.channel)
    Slot.objects.create(
        id=odd.id,
        schedule=schedule,
        service=service,
        start=odd.start,
        end=odd.start + odd.length,
        status=status,
        updated_at=odd.updated_at,
    )


def test_both_bounds_are_included_and_the_order_is_that_of_time(service: HealthcareService) -> None:
    one, other = (make_schedule(service=service, name=name) for name in ("One", "Other"))
    starts = [TOMORROW + timedelta(minutes=minutes) for minutes in (-15, 0, 15, 30, 45)]
    made = [make_slot(schedule=each, start=start) for start in starts for each in (one, other)]
    found = offered(service, starts[1], starts[3])
    wanted = sorted(made[2:8], key=lambda slot: (slot.start, slot.schedule_id))
    assert found.entries == ",".join(as_defined(slot) for slot in wanted)
    assert [diary.name for diary in found.diaries] == ["One", "Other"]


def test_a_crowd_comes_in_several_rows_and_in_order(service: HealthcareService) -> None:
    schedule = make_schedule(service=service, name="Crowd")
    minute = timedelta(minutes=1)
    starts = [TOMORROW + number * minute for number in range(1001)]
    slots = [
        Slot(schedule=schedule, service=service, start=at, end=at + minute, updated_at=NOW) for at in starts
    ]
    Slot.objects.bulk_create(reversed(slots))
    found = everything(service)
    assert found.total == len(slots)
    assert found.entries == ",".join(map(as_defined, slots))
    assert [diary.name for diary in found.diaries] == ["Crowd"]


def test_only_diaries_of_what_is_found_come_along(service: HealthcareService) -> None:
    make_slot(schedule=make_schedule(service=service, name="Blocked"), status=SlotStatus.BUSY_UNAVAILABLE)
    make_slot(schedule=make_schedule(service=service, name="Free"))
    make_slot(schedule=make_schedule(service=service, name="Not in use", active=False))
    make_slot(schedule=make_schedule(name="Elsewhere"))
    found = offered(service, NOW, TOMORROW, ["free", "busy"])
    assert [(diary.name, diary.active) for diary in found.diaries] == [("Free", True)]
    assert found.total == 1
    assert offered(service, NOW, TOMORROW, ["busy"])[1:] == (0, "", [])


def test_a_diary_comes_with_everything_that_an_answer_says_of_it(service: HealthcareService) -> None:
    schedule = make_schedule(
        service=service,
        practitioner_prefix="Dr",
        practitioner_given="Zoë",
        practitioner_family='O"Neill \\ Sons',
        practitioner_gender="female",
        practitioner_role_code="doctor",
        practitioner_role="Doctor",
        location_name="Annexe\n2",
    )
    make_slot(schedule=schedule)
    (diary,) = everything(service).diaries
    assert diary == tuple(getattr(schedule, name) for name in diary._fields)


def test_a_template_has_percent_signs_in_its_places_only() -> None:
    for with_channel, places in ((False, "1237456"), (True, "12384567")):
        text = slot_template(with_channel=with_channel)
        assert text.count("%") == len(places)
        assert all(f"%{place}$s" in text for place in places)

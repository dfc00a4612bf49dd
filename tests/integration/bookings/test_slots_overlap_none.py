"""No two slots of a diary overlap: whoever writes them, one after the other or at the same moment."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, time, timedelta
from functools import partial
from importlib import import_module
from itertools import pairwise
from threading import Barrier

import pytest
from django.core.management.base import CommandError
from django.db import IntegrityError, connection, transaction
from django.db.models import F

from bars_portal.correspondence.states import Direction
from bookings.models import Schedule, Slot
from bookings.services.diaries import MadeSlots, generate_slots, make_slots
from tests.console import ROOT
from tests.factories.bookings import NOW, TOMORROW, make_booking, make_schedule, make_slot

DAY = date(2026, 11, 23)
MINUTE = timedelta(minutes=1)
migration = import_module("bookings.migrations.0002_slots_that_overlap_none")


def overlapping(schedule: Schedule) -> list[tuple[datetime, datetime]]:
    times = list(schedule.slots.order_by("start").values_list("start", "end"))
    return [(one[1], other[0]) for one, other in pairwise(times) if one[1] > other[0]]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("begin", "end", "refused"),
    [
        (-15, 0, False),
        (-15, 1, True),
        (0, 15, True),
        (5, 10, True),
        (-5, 20, True),
        (14, 30, True),
        (15, 30, False),
        (-60, 600, True),
    ],
)
def test_a_slot_beside_another(begin: int, end: int, refused: bool) -> None:
    there = make_slot(minutes=15)
    make_slot(schedule=there.schedule, start=TOMORROW + timedelta(days=1))
    made: list[Slot] = []

    def add(schedule: Schedule) -> None:
        with transaction.atomic():
            made.append(make_slot(schedule=schedule, start=TOMORROW + begin * MINUTE, minutes=end - begin))

    add(make_schedule(service=there.service, name="Another diary of the service"))
    if refused:
        with pytest.raises(IntegrityError):
            add(there.schedule)
    else:
        add(there.schedule)
    assert len(made) == 2 - refused


@pytest.mark.django_db
def test_many_slots_at_once_are_looked_at_together() -> None:
    diary = make_schedule()

    def slots(minutes: int) -> list[Slot]:
        at = [TOMORROW + number * 10 * MINUTE for number in range(5)]
        own = {"schedule": diary, "service": diary.service, "updated_at": NOW}
        return [Slot(start=start, end=start + minutes * MINUTE, **own) for start in at]

    with pytest.raises(IntegrityError), transaction.atomic():
        Slot.objects.bulk_create(slots(11))
    Slot.objects.bulk_create(slots(10))
    # As one statement they stay apart, however it goes through them.
    assert Slot.objects.update(start=F("start") + 5 * MINUTE, end=F("end") + 5 * MINUTE) == 5
    with pytest.raises(IntegrityError), transaction.atomic():
        Slot.objects.filter(start=TOMORROW + 5 * MINUTE).update(end=TOMORROW + 16 * MINUTE)


@pytest.mark.django_db
def test_another_pattern_only_fills_what_is_left() -> None:
    diary = make_schedule(day_start=time(8), day_end=time(10), slot_minutes=15)
    make_slot(schedule=diary, start=datetime(2026, 11, 23, 9, 0, tzinfo=NOW.tzinfo), minutes=15)
    diary.slot_minutes = 20
    diary.save()
    assert make_slots(schedule=diary, first_day=DAY, days=1, now=NOW) == MadeSlots(made=5, left_out=1)
    assert make_slots(schedule=diary, first_day=DAY, days=1, now=NOW) == MadeSlots(made=0, left_out=1)
    assert overlapping(diary) == []


def at_once(jobs: list[Callable[[], object]]) -> list[object]:
    start = Barrier(len(jobs))

    def run(job: Callable[[], object]) -> object:
        try:
            start.wait(timeout=10)
            return job()
        except IntegrityError as refused:
            return refused
        finally:
            connection.close()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(run, jobs))


@pytest.mark.django_db(transaction=True)
def test_slots_made_at_once_from_changing_patterns() -> None:
    """Each thread changes the pattern and makes slots of it: nobody fails, every slot is counted once."""
    diary = make_schedule(day_start=time(8), day_end=time(12))

    def job(minutes: int) -> Callable[[], int]:
        def run() -> int:
            Schedule.objects.filter(pk=diary.pk).update(slot_minutes=minutes)
            return generate_slots(schedule=diary, first_day=DAY, days=3, now=NOW)

        return run

    made = at_once([job(minutes) for minutes in (10, 15, 20, 25, 35, 45, 50, 60)])
    assert sum(each for each in made if isinstance(each, int)) == diary.slots.count() > 0
    assert not [each for each in made if not isinstance(each, int)]
    assert overlapping(diary) == []


@pytest.mark.django_db(transaction=True)
def test_slots_written_at_once_past_all_services() -> None:
    """Any two of them overlap, and none starts when another does: one is there in the end."""
    diary = make_schedule()
    starts = [TOMORROW + at * MINUTE for at in range(12)]
    outcomes = at_once([partial(make_slot, schedule=diary, start=start, minutes=30) for start in starts])
    assert sum(isinstance(each, Slot) for each in outcomes) == 1 == diary.slots.count()


@pytest.mark.django_db
def test_the_migration_names_what_overlaps_already() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE bookings_slot DISABLE TRIGGER slot_overlaps_none")
    one = make_slot()
    other = make_slot(schedule=one.schedule, start=one.start + 5 * MINUTE)
    make_slot(schedule=make_schedule(service=one.service), start=one.start + 5 * MINUTE)
    with pytest.raises(CommandError) as told:
        migration.refuse_what_overlaps_already(None, connection.schema_editor())
    words = str(told.value)
    assert "overlap in 1 places" in words
    assert "nothing was changed" in words
    for name in (one.schedule.name, one.pk, other.pk, "2026-11-22 10:00 to 10:15"):
        assert str(name) in words
    other.delete()
    migration.refuse_what_overlaps_already(None, connection.schema_editor())


@pytest.mark.django_db
def test_what_overlaps_is_parted_as_the_how_to_says() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE bookings_slot DISABLE TRIGGER slot_overlaps_none")
    diary = make_schedule()
    at = [make_slot(schedule=diary, start=TOMORROW + each * MINUTE) for each in (0, 5, 10, 20, 60, 65, 70)]
    for booked in (1, 4, 5):
        make_booking(
            direction=Direction.RECEIVED, service=diary.service, slot=at[booked], reference=f"R{booked}"
        )
    page = (ROOT / "docs" / "how-to" / "run-against-a-real-postgresql.md").read_text()
    with connection.cursor() as cursor:
        cursor.execute(page.partition("## Slots that overlap")[2].partition("```sql")[2].partition("```")[0])
    migration.refuse_what_overlaps_already(None, connection.schema_editor())
    left = list(diary.slots.order_by("start"))
    assert [each.pk for each in left] == [at[place].pk for place in (1, 4, 5)]
    assert [(each.end - each.start) // MINUTE for each in left] == [15, 5, 15]

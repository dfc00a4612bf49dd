"""Every change of a booking or a case is told once, in an order in which no reader passes one by."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from bars_portal.accounts.models import Organisation
from bars_portal.api import events
from bars_portal.api.events import (
    _LOCK,
    CursorGone,
    EventRow,
    Sight,
    all_types,
    events_after,
    number_events,
    row_of,
)
from bars_portal.api.models import Event, EventStream
from bars_portal.audit.actor import SYSTEM
from bookings.models import Booking
from bookings.services.history import change_status, start_history
from bookings.states import TRANSITIONS as BOOKING_TRANSITIONS
from bookings.states import VIEW_PERMISSION, BookingEvent, BookingStatus
from referrals.cases.history import change_case
from referrals.cases.history import start_history as start_case
from referrals.cases.models import MODELS
from referrals.cases.states import TRANSITIONS as CASE_TRANSITIONS
from referrals.cases.states import CaseEvent, CaseStatus, Category
from tests.factories.accounts import make_organisation
from tests.factories.api import happen
from tests.factories.bookings import make_booking
from tests.factories.referrals import make_case

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
ALL = Sight(frozenset({"bookings.view_sent_bookings", "bookings.view_received_bookings"}))
_INSERT = """INSERT INTO api_event
    (uid, organisation_id, at, type, subject_id, direction, status, service_id, journey_id, needs)
    VALUES (%s, %s, now(), 'booking.booked', %s, 'sent', 'booked', '1', %s, 'bookings.view_sent_bookings')"""


def write(other: psycopg.Connection[Any], organisation: Organisation, subject: object = None) -> None:
    other.execute(_INSERT, [uuid4(), organisation.pk, subject or uuid4(), uuid4()])


@contextmanager
def somebody_else() -> Iterator[psycopg.Connection[Any]]:
    """Another connection to the tests' database, in a transaction that is rolled back at the end."""
    given = connection.get_connection_params()
    for ours in ("cursor_factory", "context", "prepare_threshold"):
        given.pop(ours, None)
    with psycopg.connect(**given) as other:
        yield other
        other.rollback()


def positions(organisation: Organisation) -> list[int]:
    return [int(each.cursor) for each in events_after(organisation, after=0, sight=ALL).events]


# -- every transition is told


@pytest.mark.django_db
def test_every_step_of_a_booking_is_told_with_the_change_itself() -> None:
    for (direction, before, event), after in BOOKING_TRANSITIONS.items():
        booking = make_booking(direction=direction, status=before or after)
        if before is None:
            fresh = Booking(**{f.attname: getattr(booking, f.attname) for f in Booking._meta.concrete_fields})
            fresh.pk, fresh.status, fresh.reference = uuid4(), after, uuid4().hex
            start_history(booking=fresh, event=event, actor=SYSTEM, now=NOW)
            booking = fresh
        else:
            change_status(booking=booking, event=event, actor=SYSTEM, now=NOW)
        told = Event.objects.get(subject_id=booking.pk)
        assert (told.type, told.status, told.direction) == (f"booking.{after}", after, direction)
        assert (told.organisation_id, told.journey_id) == (booking.organisation_id, booking.journey_id)
        assert (told.service_id, told.needs) == (booking.service.service_id, VIEW_PERMISSION[direction])
        assert told.type in all_types()


@pytest.mark.django_db
def test_every_step_of_a_case_is_told_by_the_word_for_it() -> None:
    case_of = {category: make_case(category, reference=uuid4().hex) for category in Category}
    words: dict[tuple[CaseEvent, CaseStatus], set[str]] = {}
    for (category, direction), table in CASE_TRANSITIONS.items():
        case = case_of[category]
        MODELS[category].objects.update(direction=direction)
        case.direction = direction
        for (before, event), after in table.items():
            if before is None:
                fresh = make_case(category, reference=uuid4().hex)
                fresh._state.adding, fresh.pk, fresh.status = True, uuid4(), after
                fresh.direction, fresh.reference = direction, uuid4().hex
                start_case(case=fresh, event=event, bundle_id="x", actor=SYSTEM, now=NOW)
            else:
                MODELS[category].objects.filter(pk=case.pk).update(status=before)
                case.status = before
                change_case(case=case, event=event, actor=SYSTEM, now=NOW)
            told = Event.objects.latest("id")
            kind, _, word = told.type.partition(".")
            assert (kind, told.status, told.direction) == (category.value, after, direction)
            assert told.type in all_types()
            words.setdefault((event, after), set()).add(word)
    assert Event.objects.count() == sum(map(len, CASE_TRANSITIONS.values()))
    assert words[CaseEvent.RECEIVE_UPDATE, CaseStatus.RECEIVED] == {"updated"}
    assert words[CaseEvent.HEAR_COMPLETED, CaseStatus.COMPLETED] == {"completed"}
    assert words[CaseEvent.REFUSE_REPLY, CaseStatus.COMPLETED] == {"reply-refused"}


@pytest.mark.django_db(transaction=True)
def test_what_is_rolled_back_is_not_told() -> None:
    booking = make_booking(status=BookingStatus.REQUESTED)
    with pytest.raises(RuntimeError), transaction.atomic():
        change_status(booking=booking, event=BookingEvent.CONFIRM, actor=SYSTEM, now=NOW)
        raise RuntimeError
    assert not Event.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("change", [{"status": "cancelled"}, {"position": 7}, {"position": None}])
def test_nothing_of_it_is_ever_changed(change: dict[str, Any]) -> None:
    happen(make_organisation())
    number_events()
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        Event.objects.update(**change)


# -- the order


@pytest.mark.django_db
def test_each_organisation_counts_for_itself_without_gaps() -> None:
    one, two = make_organisation(), make_organisation()
    happen(one, 3)
    happen(two, 2)
    assert number_events(batch=2) == 5
    happen(two)
    happen(one)
    assert number_events() == 2
    assert (positions(one), positions(two)) == ([1, 2, 3, 4], [1, 2, 3])
    assert dict(EventStream.objects.values_list("pk", "last")) == {one.pk: 4, two.pk: 3}


@pytest.mark.django_db(transaction=True)
def test_what_commits_late_comes_after_what_was_read() -> None:
    ours = make_organisation()
    with somebody_else() as other:
        write(other, ours)
        happen(ours)
        number_events()
        read = events_after(ours, after=None, sight=ALL)
        other.commit()
    number_events()
    late = events_after(ours, after=read.cursor, sight=ALL)
    assert ([int(each.cursor) for each in read.events], [int(each.cursor) for each in late.events]) == (
        [1],
        [2],
    )
    ids = {str(uid): pk for uid, pk in Event.objects.values_list("uid", "id")}
    assert ids[late.events[0].event] < ids[read.events[0].event]


@pytest.mark.django_db(transaction=True)
def test_one_numbers_at_a_time() -> None:
    happen(make_organisation())
    with somebody_else() as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        assert number_events() == 0
    assert number_events() == 1


@pytest.mark.django_db(transaction=True)
def test_readers_beside_many_writers_and_two_that_number_miss_nothing_and_see_nothing_twice() -> None:
    ours, writers, each_writes = make_organisation(), 6, 40
    done, failed = threading.Event(), list[BaseException]()
    begun = threading.Barrier(writers + 3)

    def guarded(work: Any) -> threading.Thread:
        def run() -> None:
            try:
                begun.wait()
                work()
            except BaseException as error:  # noqa: BLE001 - told to the test
                failed.append(error)
            finally:
                connection.close()

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    def writing(number: int) -> Any:
        def work() -> None:
            subject = uuid4()
            with somebody_else() as other:
                for turn in range(each_writes):
                    for _ in range(1 + (turn + number) % 3):
                        write(other, ours, subject)
                    if (turn + number) % 5:
                        other.commit()
                    else:
                        other.rollback()

        return work

    def numbering() -> None:
        while not done.is_set():
            number_events(batch=7)

    read: list[EventRow] = []

    def reading() -> None:
        cursor = 0
        while True:
            is_last = done.is_set()
            page = events_after(ours, after=cursor, sight=ALL, limit=11)
            read.extend(page.events)
            cursor = page.cursor
            if is_last and not page.has_more:
                return

    threads = [guarded(writing(number)) for number in range(writers)]
    others = [guarded(numbering), guarded(numbering), guarded(reading)]
    for each in threads:
        each.join()
    while Event.objects.filter(position=None).exists():
        number_events()
    done.set()
    for each in others:
        each.join()
    assert failed == []
    assert len(read) == Event.objects.count() > 0
    assert [int(each.cursor) for each in read] == list(range(1, len(read) + 1))
    # Of one subject in the order in which it happened.
    ids = {str(uid): pk for uid, pk in Event.objects.values_list("uid", "id")}
    for subject in {each.subject for each in read}:
        own = [ids[each.event] for each in read if each.subject == subject]
        assert all(earlier < later for earlier, later in pairwise(own))


# -- what a reader sees


@pytest.mark.django_db
def test_a_reader_sees_what_it_may_and_goes_on_past_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = make_organisation(), make_organisation()
    happen(theirs, 2)
    for number in range(6):
        happen(ours, service_id=str(number % 2), type=f"booking.{'booked' if number < 3 else 'cancelled'}")
    happen(ours, needs="referrals.view_sent_referrals")
    number_events()
    of_one = Sight(ALL.permissions, service_ids=["1"])
    assert [int(each.cursor) for each in events_after(ours, after=None, sight=of_one).events] == [2, 4, 6]
    typed = Sight(ALL.permissions, types=["booking.cancelled"])
    assert [int(each.cursor) for each in events_after(ours, after=None, sight=typed).events] == [4, 5, 6]
    first = events_after(ours, after=None, sight=ALL, limit=4)
    assert (len(first.events), first.cursor, first.has_more) == (4, 4, True)
    rest = events_after(ours, after=first.cursor, sight=ALL, limit=4)
    assert (len(rest.events), rest.cursor, rest.has_more) == (2, 7, False)
    nothing = events_after(ours, after=None, sight=Sight(frozenset()))
    assert (nothing.events, nothing.cursor, nothing.has_more) == ([], 7, False)
    monkeypatch.setattr(events, "LOOKED_AT", 3)
    windowed = events_after(ours, after=0, sight=typed)
    assert (windowed.events, windowed.cursor, windowed.has_more) == ([], 3, True)
    assert [int(each.cursor) for each in events_after(ours, after=3, sight=typed).events] == [4, 5, 6]


@pytest.mark.django_db
@pytest.mark.parametrize("microsecond", [0, 999, 1_000, 123_456, 999_999])
def test_what_the_database_writes_is_what_a_webhook_says(microsecond: int) -> None:
    ours = make_organisation()
    happen(ours, at=NOW.replace(microsecond=microsecond))
    number_events()
    assert events_after(ours, after=None, sight=ALL).events == [row_of(Event.objects.get())]


@pytest.mark.django_db
def test_a_cursor_whose_events_are_gone_is_told_so() -> None:
    ours = make_organisation()
    happen(ours, 3)
    number_events()
    EventStream.objects.update(forgotten=2)
    with pytest.raises(CursorGone):
        events_after(ours, after=1, sight=ALL)
    assert [int(each.cursor) for each in events_after(ours, after=None, sight=ALL).events] == [3]
    assert events_after(make_organisation(), after=None, sight=ALL).cursor == 0

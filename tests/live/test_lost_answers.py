"""Not known means not known: the clinician is told so, and checking again never books twice."""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import psycopg
import pytest

from tests.live.conftest import Query
from tests.live.partner import arm, wait_until
from tests.live.people import Person, heading
from tests.processes import needs_proc
from tests.stack import Stack

# The drills are for the next message to the service, whoever sends it.
pytestmark = pytest.mark.alone
UNKNOWN, BOOKED = "We do not know yet whether this is booked", "Appointment booked"
SERVICE = "2000099003"
# The view polls for up to 4 s.
RELEASED_SECONDS, ROUNDS = 5.5, 3
# Of the slot that a sent booking asked for: how many bookings its receiver ever wrote.
RECEIVED = """
    SELECT received.status, received.reference FROM bookings_booking sent
    JOIN bookings_booking received ON received.slot_id::text = sent.remote_slot_id
    WHERE sent.id = %s AND received.created_at > sent.created_at
"""
# Whoever works on a message holds its claim.
PROCESSING = (
    "SELECT 1 FROM pg_locks JOIN pg_database ON pg_database.oid = database "
    "WHERE locktype = 'advisory' AND granted AND datname = current_database()"
)


def booking_id(page: httpx.Response) -> str:
    return page.url.path.strip("/").rsplit("/", 1)[-1]


def reference(page: httpx.Response) -> str:
    """What the confirmation panel reads out."""
    match = re.search(r"Reference\s+([A-Z0-9-]+)", page.text)
    assert match, "no reference on the page"
    return match[1]


def assert_booked_once(page: httpx.Response, query: Query) -> None:
    assert heading(page) == BOOKED
    assert query(RECEIVED, booking_id(page)) == [("booked", reference(page))]


@pytest.mark.parametrize("fault", ["lost-reply", "no-ids", "garbage", "cut", "503", "408"])
def test_an_answer_that_is_none(fault: str, clinician: Person, stack: Stack, query: Query) -> None:
    ready = clinician.fill_in(clinician.choose_time(SERVICE))
    arm(stack, SERVICE, fault)

    unknown = clinician.settled(clinician.confirm(ready))

    assert heading(unknown) == UNKNOWN
    assert "Do not book or cancel again" in unknown.text
    assert_booked_once(clinician.settled(clinician.check_again(unknown)), query)


def test_it_is_settled_by_itself(clinician: Person, stack: Stack, query: Query) -> None:
    """The first automatic attempt comes after 5 s; the page says so, and nobody presses anything."""
    ready = clinician.fill_in(clinician.choose_time(SERVICE))
    arm(stack, SERVICE, "lost-reply")

    unknown = clinician.settled(clinician.confirm(ready))

    assert heading(unknown) == UNKNOWN
    assert "Still trying, next attempt at" in unknown.text
    pages = [unknown]

    def is_booked() -> bool:
        pages.append(clinician.get(unknown.url.path))
        return heading(pages[-1]) == BOOKED

    wait_until(is_booked)
    assert_booked_once(pages[-1], query)


def test_a_slow_service_releases_the_clinician(clinician: Person, stack: Stack, query: Query) -> None:
    # What is promised holds in every round; the time is that of a round without busy neighbours.
    for _ in range(ROUNDS):
        ready = clinician.fill_in(clinician.choose_time(SERVICE))
        arm(stack, SERVICE, "slow")
        began = time.monotonic()
        waiting = clinician.confirm(ready)
        took = time.monotonic() - began
        assert heading(waiting) == "Still confirming"
        assert_booked_once(clinician.settled(waiting), query)
        if took < RELEASED_SECONDS:
            return
    pytest.fail(f"the clinician waited {took:.1f} s")


def test_a_lost_answer_to_a_cancellation(clinician: Person, stack: Stack, query: Query) -> None:
    booked = clinician.book(SERVICE)
    form = clinician.get(f"{booked.url.path}cancel/")
    arm(stack, SERVICE, "lost-reply")

    unknown = clinician.settled(clinician.submit(form, {"reason": "patient", "details": ""}))

    assert heading(unknown) == "We do not know yet whether this is cancelled"
    cancelled = clinician.settled(clinician.check_again(unknown))
    assert heading(cancelled) == "Appointment cancelled"
    assert [status for status, _ in query(RECEIVED, booking_id(booked))] == ["cancelled"]


@pytest.mark.further
@needs_proc
def test_the_receiver_is_killed_in_the_middle(clinician: Person, stack: Stack, query: Query) -> None:
    ready = clinician.fill_in(clinician.choose_time(SERVICE))

    with ThreadPoolExecutor(1) as pool, psycopg.connect(stack.environment["DATABASE_URL"]) as rival:
        _hold_every_slot(rival)
        confirmed = pool.submit(clinician.confirm, ready)
        # The receiver has claimed the message and waits for its slot: the worst moment to die.
        wait_until(lambda: bool(query(PROCESSING)))
        with stack.receiver_away():
            rival.rollback()
            unknown = clinician.settled(confirmed.result())
            assert heading(unknown) == UNKNOWN
            assert query(RECEIVED, booking_id(unknown)) == []
            # Pressed while the receiver is still away: nothing is lost by it.
            still = clinician.settled(clinician.check_again(unknown))
            assert heading(still) == UNKNOWN

    # It is up, but may not have been in time for an attempt that was on its way already.
    pages = [still]

    def is_known() -> bool:
        pages.append(clinician.settled(clinician.check_again(still)))
        return heading(pages[-1]) != UNKNOWN

    wait_until(is_known)
    assert_booked_once(pages[-1], query)


def _hold_every_slot(connection: psycopg.Connection[Any]) -> None:
    connection.execute(
        "SELECT 1 FROM bookings_slot WHERE service_id ="
        " (SELECT id FROM directory_healthcareservice WHERE service_id = '2000099003') FOR UPDATE"
    )

"""The published example and a message of our own: booked, refused twice, read, cancelled, offered again."""

from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest

from tests.live.conftest import FhirCheck, Query, TakeSlot
from tests.live.messages import full_url_of, official, only, own_booking, own_cancel
from tests.live.partner import FreeSlot, Partner, Resource, assert_ids_echoed, new_ids, outcome_of


@dataclass(frozen=True)
class Booked:
    """An accepted booking and everything needed to go on with it."""

    partner: Partner
    slot: FreeSlot
    message: Resource = field(repr=False)
    cancel: Resource = field(repr=False)
    ids: tuple[str, str]
    answer: httpx.Response

    @property
    def appointment(self) -> Resource:
        return only(self.answer.json(), "Appointment")

    def repeat(self, *, ids: tuple[str, str], bundle_id: str | None = None) -> httpx.Response:
        message = self.message if bundle_id is None else {**self.message, "id": bundle_id}
        return self.partner.post(message, ids=ids)


@pytest.fixture(scope="module")
def answers() -> list[Resource]:
    """What the receiver answered, gathered for the checker."""
    return []


@pytest.fixture(params=["direct", "proxied"])
def partner(request: pytest.FixtureRequest) -> Partner:
    found: Partner = request.getfixturevalue(request.param)
    return found


@pytest.fixture(params=["own", "BOOKREQ01"])
def booked(request: pytest.FixtureRequest, partner: Partner, take_slot: TakeSlot) -> Booked:
    """A booking made now, with a Bundle.id of its own."""
    slot, ids = take_slot(), new_ids()
    if request.param == "own":
        message = own_booking(slot)
        cancel = own_cancel(message)
    else:
        shared: Path = request.getfixturevalue("shared_dir")
        message = official(shared, "BOOKREQ01", slot) | {"id": str(uuid4())}
        cancel = official(shared, "BOOKREQ02", slot) | {"id": str(uuid4())}
    return Booked(partner, slot, message, cancel, ids, partner.post(message, ids=ids))


def assert_booked(answer: httpx.Response, message: Resource, slot: FreeSlot) -> None:
    assert answer.status_code == 200, answer.text
    assert_ids_echoed(answer)
    told = answer.json()
    assert (told["type"], told["id"]) == ("message", message["id"])
    appointment = only(told, "Appointment")
    assert appointment["status"] == "booked"
    assert (appointment["start"], appointment["end"]) == (slot.start, slot.end)
    assert UUID(appointment["id"])
    assert full_url_of(told, "Appointment") == full_url_of(message, "Appointment")
    assert appointment["id"] not in full_url_of(told, "Appointment")
    taken = only(told, "Slot")
    assert (taken["id"], taken["status"]) == (slot.id, "busy")


def test_the_published_example_as_it_is(direct: Partner, shared_dir: Path, take_slot: TakeSlot) -> None:
    slot = take_slot()
    message = official(shared_dir, "BOOKREQ01", slot)
    ids = new_ids()

    assert_booked(direct.post(message, ids=ids), message, slot)

    assert outcome_of(direct.post(message, ids=ids)) == (409, "REC_CONFLICT", "duplicate")
    reused = direct.post(message)
    assert outcome_of(reused) == (400, "REC_BAD_REQUEST", "invariant")
    cancel = official(shared_dir, "BOOKREQ02", slot)
    assert direct.post(cancel).status_code == 200
    assert direct.offers(slot)


def test_it_is_booked_and_can_be_read(booked: Booked, query: Query, answers: list[Resource]) -> None:
    assert_booked(booked.answer, booked.message, booked.slot)
    held = booked.partner.get(f"/Appointment/{booked.appointment['id']}")

    assert held.status_code == 200
    assert_ids_echoed(held)
    sent = only(booked.message, "Appointment")
    read = held.json()
    answers += [booked.answer.json(), read]
    assert (read["id"], read["status"]) == (booked.appointment["id"], "booked")
    assert {name: read[name] for name in ("start", "end", "serviceCategory")} == {
        name: sent[name] for name in ("start", "end", "serviceCategory")
    }
    assert read["meta"]["versionId"]
    assert read["meta"]["lastUpdated"]
    assert query(
        "SELECT status FROM bookings_booking WHERE slot_id = %s AND direction = 'received'", booked.slot.id
    ) == [("booked",)]


def test_the_slot_is_busy_and_no_longer_free(booked: Booked) -> None:
    assert not booked.partner.offers(booked.slot, "free")
    assert booked.partner.offers(booked.slot, "busy")


def test_the_very_same_again_is_a_duplicate(booked: Booked) -> None:
    again = booked.repeat(ids=booked.ids)

    assert outcome_of(again) == (409, "REC_CONFLICT", "duplicate")
    assert_ids_echoed(again)


def test_new_ids_for_the_same_slot_are_a_conflict(booked: Booked) -> None:
    again = booked.repeat(ids=new_ids(), bundle_id=str(uuid4()))

    assert outcome_of(again) == (409, "REC_CONFLICT", "conflict")
    assert_ids_echoed(again)


def test_a_used_bundle_id_under_a_new_request_id(booked: Booked) -> None:
    again = booked.repeat(ids=new_ids())

    assert outcome_of(again) == (400, "REC_BAD_REQUEST", "invariant")


@pytest.mark.parametrize("with_id", [False, True])
def test_cancelling_frees_the_slot(booked: Booked, with_id: bool, answers: list[Resource]) -> None:
    if with_id:
        only(booked.cancel, "Appointment")["id"] = booked.appointment["id"]

    cancelled = booked.partner.post(booked.cancel)

    assert cancelled.status_code == 200, cancelled.text
    assert cancelled.json()["id"] == booked.cancel["id"]
    assert only(cancelled.json(), "Appointment")["status"] == "cancelled"
    assert only(cancelled.json(), "Appointment")["id"] == booked.appointment["id"]
    assert booked.partner.offers(booked.slot, "free")
    assert not booked.partner.offers(booked.slot, "busy")
    held = booked.partner.get(f"/Appointment/{booked.appointment['id']}").json()
    assert held["status"] == "cancelled"
    answers += [cancelled.json(), held]


def test_a_second_cancel_is_refused(booked: Booked) -> None:
    booked.partner.post(booked.cancel)

    again = booked.partner.post({**booked.cancel, "id": str(uuid4())})

    assert 400 <= again.status_code < 500
    outcome_of(again)
    assert booked.partner.offers(booked.slot, "free")


def test_a_freed_slot_is_booked_by_the_next(booked: Booked) -> None:
    booked.partner.post(booked.cancel)

    next_one = own_booking(booked.slot)

    assert_booked(booked.partner.post(next_one), next_one, booked.slot)


def test_answers_and_reads_satisfy_the_profiles(
    answers: list[Resource], direct: Partner, take_slot: TakeSlot, fhir_check: FhirCheck
) -> None:
    """One run of the checker for this test's answers and those that other tests left."""
    booking = own_booking(take_slot())
    booked = direct.post(booking).json()
    held = direct.get(f"/Appointment/{only(booked, 'Appointment')['id']}").json()

    fhir_check([*answers, booked, held, direct.post(own_cancel(booking)).json()])

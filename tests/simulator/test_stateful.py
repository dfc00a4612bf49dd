"""Every cell of the stateful 111-to-ED table over HTTP, per organisation, and its reset."""

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from typing import Any

import httpx
import pytest

from bars_portal.simulator.tkw.messages import understand
from bars_portal.simulator.tkw.stateful import StatefulReceiver
from bars_portal.simulator.tkw.tables import Rejected
from tests.live.xml import values
from tests.simulator import messages
from tests.simulator.conftest import World
from tests.simulator.messages import of_type
from tests.simulator.program import FHIR_JSON, FHIR_XML

PATIENT = "9707606312"
OTHER_ID = "11111111-1111-4111-8111-111111111111"
BOOKING_EXISTS, REFERRAL_EXISTS = "The booking already exists.", "The referral already exists."
NO_BOOKING = "The booking this request relates to does not exist."
NO_REFERRAL = "The referral this request relates to does not exist."
NOT_LINKED = "The referral is not linked to the correct booking."
_numbers = count(1)


class Caller:
    """An end-user organisation of its own, so that cells do not disturb each other."""

    def __init__(self, world: World, media: str = FHIR_JSON) -> None:
        self.world = world
        self.media = media
        self.code = f"ORG{next(_numbers)}"
        self.booking = ""

    def book(self) -> httpx.Response:
        answer = self._post(messages.booking(PATIENT))
        if answer.status_code == 200:
            self.booking = _focus_id(answer, "Appointment")
        return answer

    def cancel_booking(self) -> httpx.Response:
        return self._post(messages.booking(PATIENT, status="cancelled"))

    def refer(self) -> httpx.Response:
        return self._post(messages.referral(PATIENT, booking_id=self.booking or OTHER_ID))

    def refer_mislinked(self) -> httpx.Response:
        return self._post(messages.referral(PATIENT, booking_id=OTHER_ID))

    def refer_unlinked(self) -> httpx.Response:
        return self._post(messages.referral(PATIENT))

    def cancel_referral(self) -> httpx.Response:
        return self._post(messages.referral(PATIENT, reason="update", status="revoked"))

    def read(self, kind: str, identity: str) -> httpx.Response:
        return self.world.sender.call("GET", f"/{kind}/{identity}", organisation=self.code)

    def brought_to(self, state: str) -> "Caller":
        steps: dict[str, list[Callable[[], httpx.Response]]] = {
            "initial": [],
            "booked": [self.book],
            "referred": [self.book, self.refer],
        }
        assert all(step().status_code == 200 for step in steps[state])
        return self

    def _post(self, bundle: dict[str, Any]) -> httpx.Response:
        return self.world.sender.post(bundle, organisation=self.code, media=self.media)


def _focus_id(answer: httpx.Response, kind: str) -> str:
    if answer.headers["content-type"] == FHIR_XML:
        (found,) = values(answer.content, f"entry/resource/{kind}/id")
        return found
    (resource,) = of_type(answer.json(), kind)
    return str(resource["id"])


def told(answer: httpx.Response) -> tuple[int, str]:
    """Status, and the diagnostics of a refusal."""
    if answer.status_code == 200:
        return 200, ""
    if answer.headers["content-type"] == FHIR_XML:
        return answer.status_code, values(answer.content, "issue/diagnostics")[0]
    return answer.status_code, answer.json()["issue"][0]["diagnostics"]


# Event -> expected in the initial state, with an appointment booked, with a referral created.
CELLS = {
    "book": ((200, ""), (409, BOOKING_EXISTS), (409, BOOKING_EXISTS)),
    "cancel_booking": ((400, NO_BOOKING), (200, ""), (200, "")),
    "refer": ((400, NO_BOOKING), (200, ""), (409, REFERRAL_EXISTS)),
    "refer_mislinked": ((400, NO_BOOKING), (409, NOT_LINKED), (409, REFERRAL_EXISTS)),
    "refer_unlinked": ((400, NO_BOOKING), (409, NOT_LINKED), (409, REFERRAL_EXISTS)),
    "cancel_referral": ((400, NO_BOOKING), (400, NO_REFERRAL), (200, "")),
}
STATES = ("initial", "booked", "referred")


@pytest.mark.parametrize("media", [FHIR_JSON, FHIR_XML], ids=["json", "xml"])
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("event", CELLS)
def test_a_cell(world: World, event: str, state: str, media: str) -> None:
    caller = Caller(world, media).brought_to(state)

    answer = getattr(caller, event)()

    assert told(answer) == CELLS[event][STATES.index(state)]
    assert PATIENT not in answer.text or answer.status_code == 200


@pytest.mark.parametrize(
    ("state", "event", "after"),
    [
        ("booked", "cancel_booking", "initial"),
        ("referred", "cancel_booking", "initial"),
        ("referred", "cancel_referral", "booked"),
        ("booked", "refer", "referred"),
        ("booked", "book", "booked"),
        ("booked", "refer_mislinked", "booked"),
        ("initial", "cancel_booking", "initial"),
    ],
)
def test_where_an_event_leads(world: World, state: str, event: str, after: str) -> None:
    caller = Caller(world).brought_to(state)
    getattr(caller, event)()

    assert told(caller.cancel_referral()) == CELLS["cancel_referral"][STATES.index(after)]


def test_organisations_do_not_see_each_other(world: World) -> None:
    first, second = Caller(world).brought_to("booked"), Caller(world)

    assert second.book().status_code == 200
    assert first.booking != second.booking
    assert first.read("Appointment", first.booking).status_code == 200
    assert second.read("Appointment", first.booking).status_code == 404


def test_what_was_booked_is_read_back(world: World) -> None:
    caller = Caller(world).brought_to("booked")
    booked = caller.read("Appointment", caller.booking).json()
    caller.cancel_booking()
    cancelled = caller.read("Appointment", caller.booking).json()

    assert (booked["id"], booked["status"], booked["meta"]["versionId"]) == (caller.booking, "booked", "1")
    assert (booked["start"], booked["end"]) == ("2026-07-15T09:00:00+01:00", "2026-07-15T09:30:00+01:00")
    assert (cancelled["status"], cancelled["meta"]["versionId"]) == ("cancelled", "2")
    assert PATIENT not in str(booked)


def test_what_was_referred_is_read_back(world: World) -> None:
    caller = Caller(world).brought_to("booked")
    identity = _focus_id(caller.refer(), "ServiceRequest")

    assert caller.read("ServiceRequest", identity).json()["status"] == "active"
    caller.cancel_referral()
    assert caller.read("ServiceRequest", identity).json()["status"] == "revoked"
    assert caller.read("Appointment", identity).status_code == 404


def test_a_search_finds_the_organisations_own_booking(world: World) -> None:
    caller = Caller(world)
    path = f"/Appointment?patient:identifier=https://fhir.nhs.uk/Id/nhs-number|{PATIENT}"

    assert world.sender.call("GET", path, organisation=caller.code).json()["total"] == 0
    caller.brought_to("booked")
    found = world.sender.call("GET", path, organisation=caller.code).json()
    assert [each["resource"]["id"] for each in found["entry"]] == [caller.booking]


def test_a_second_booking_gets_another_id(world: World) -> None:
    caller = Caller(world).brought_to("booked")
    first = caller.booking
    caller.cancel_booking()
    caller.book()

    assert caller.booking != first


def test_other_patients_have_no_memory(world: World) -> None:
    answers = [world.sender.post(messages.booking("9658499007"), organisation="NOSTATE") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]


def test_one_organisation_is_reset(world: World) -> None:
    first, second = Caller(world).brought_to("booked"), Caller(world).brought_to("booked")

    reset = httpx.post(
        f"{world.url}/simulator/reset", json={"organisation": first.code.lower()}, trust_env=False
    )

    assert reset.status_code == 204
    assert first.book().status_code == 200
    assert second.book().status_code == 409


def test_the_states_are_told(world: World) -> None:
    booked, referred = Caller(world).brought_to("booked"), Caller(world).brought_to("referred")
    gone = Caller(world).brought_to("booked")
    gone.cancel_booking()

    told = httpx.get(f"{world.url}/simulator/stateful", trust_env=False).json()

    assert (told[booked.code], told[referred.code]) == ("booked", "referred")
    assert gone.code not in told


def test_everyone_is_reset(world: World) -> None:
    callers = [Caller(world).brought_to("booked") for _ in range(2)]

    assert httpx.post(f"{world.url}/simulator/reset", json={}, trust_env=False).status_code == 204

    assert [caller.book().status_code for caller in callers] == [200, 200]


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"Origin": "{url}"}, "organisation=", 303),
        ({"Origin": "{url}"}, "", 303),
        ({"Origin": "http://evil.example"}, "organisation=", 415),
        ({}, "organisation=", 415),
        ({"Content-Type": "text/plain"}, "{}", 415),
        ({"Content-Type": "application/json"}, "[]", 400),
        ({"Content-Type": "application/json"}, "{", 400),
    ],
)
def test_a_button_of_our_own_page_resets_and_another_sites_does_not(
    world: World, headers: dict[str, str], body: str, status: int
) -> None:
    sent = {"Content-Type": "application/x-www-form-urlencoded"} | {
        name: value.format(url=world.url) for name, value in headers.items()
    }
    caller = Caller(world).brought_to("booked")

    answer = httpx.post(f"{world.url}/simulator/reset", content=body, headers=sent, trust_env=False)

    assert (answer.status_code, answer.headers.get("location")) == (status, "/" if status == 303 else None)
    assert caller.book().status_code == (200 if status == 303 else 409)


@pytest.mark.parametrize(
    ("later", "free_again"),
    [
        ("2026-07-14T22:59:59+00:00", False),
        ("2026-07-14T23:00:00+00:00", True),  # midnight in London, in summer
        ("2026-07-16T09:00:00+00:00", True),
    ],
)
def test_the_night_makes_everything_new(later: str, free_again: bool) -> None:
    receiver = StatefulReceiver()
    evening = datetime(2026, 7, 14, 20, tzinfo=UTC)

    def book(now: datetime) -> bool:
        try:
            receiver.process(understand(messages.booking(PATIENT)), organisation="A1", now=now)
        except Rejected:
            return False
        return True

    assert book(evening)
    assert book(datetime.fromisoformat(later)) == free_again

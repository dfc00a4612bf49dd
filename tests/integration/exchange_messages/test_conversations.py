"""What depends on what was there before: repeats, ids used again, unknown, over, stale, somebody else's."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from bars_portal.exchange.fhir.bundle import key_of
from bars_portal.exchange.fhir.formats import Format
from bars_portal.exchange.fhir.outcomes import OutcomeCode
from bars_portal.exchange.models import InboundMessage
from bars_portal.exchange.registry import message_type
from bookings.models import Booking
from referrals.cases.models import Referral, ValidationCase
from referrals.cases.selectors import bundle_id_as_sent, request_bundle_id
from referrals.cases.states import CaseStatus
from tests.integration.exchange.calling import Json, encoded, fresh, issue_of, organisation, outcome
from tests.integration.exchange_messages.world import FORERUNNERS, World, domain_rows, new_id
from tests.unit.exchange_fhir.changes import (
    ANSWERS,
    BOOKINGS,
    destination,
    on_focus,
    on_header,
    paths_in,
)
from tests.unit.exchange_fhir.factory import PATIENT, SENDER, Change, changed, nhs_number, ref, urn
from tests.unit.exchange_fhir.samples import HUB, SAMPLES, having, nth

pytestmark = pytest.mark.django_db
C = OutcomeCode
FOLLOWERS = frozenset(FORERUNNERS)
CASES = FOLLOWERS - BOOKINGS
VALIDATION_REPLIES = frozenset(key for key in ANSWERS if key.startswith("validation"))
SOURCE = {"endpoint": "https://fhir.nhs.uk/Id/dos-service-id|2000088002"}
NHS_NUMBERS = "https://fhir.nhs.uk/Id/nhs-number"
OTHER_NUMBER = "9990548617"


def send_before(world: World, key: str, *changes: Change) -> None:
    """What went before, changed."""
    world.prepare(key, *changes)


def send_twice(world: World, key: str) -> None:
    """The same was taken already."""
    world.prepare(key)
    world.take(fresh(SAMPLES[key]()))


def nothing(world: World, key: str) -> None:
    """Nothing was sent and nothing received."""


def another_case(world: World, key: str) -> None:
    """The conversation is known, by another request."""
    world.take(changed(fresh(FORERUNNERS[key]()), elsewhere))


def elsewhere(raw: Json) -> None:
    raw["entry"][1]["fullUrl"] = urn(60)
    on_header("focus", [ref(60)])(raw)


def stamped(stamp: str) -> Change:
    def change(raw: Json) -> None:
        for entry in raw["entry"]:
            entry["resource"]["meta"] = {"lastUpdated": stamp}

    return change


def other_person(raw: Json) -> None:
    having("Patient", "identifier", None)(raw)
    having("Patient", "birthDate", "1981-07-15")(raw)


def other_number(raw: Json) -> None:
    """A namesake born on the same day."""
    having("Patient", "identifier", [nhs_number(OTHER_NUMBER)])(raw)


def named(*actors: Json) -> Change:
    return having("Appointment", "participant", [{"actor": each, "status": "accepted"} for each in actors])


# Neither the Patient of the message nor what was booked.
OTHERS: dict[str, Json] = {
    "of nothing": ref(77),
    "by address": {"reference": "https://example.org/fhir/Patient/1"},
    "by number": {"identifier": {"system": NHS_NUMBERS, "value": OTHER_NUMBER}},
    "of another kind": ref(SENDER),
    "in words": {"display": "Somebody"},
}


def long_over(raw: Json) -> None:
    for kind in ("Appointment", "Slot"):
        having(kind, "start", "2020-03-01T09:00:00Z")(raw)
        having(kind, "end", "2020-03-01T09:15:00Z")(raw)


def slot_long_over(world: World, key: str) -> None:
    """It was free, and nobody came."""
    world.slot.start, world.slot.end = (
        datetime(2020, 3, 1, 9, tzinfo=UTC),
        datetime(2020, 3, 1, 9, 15, tzinfo=UTC),
    )
    world.slot.save()


def told(world: World, message: Json, **headers: Any) -> tuple[tuple[int, str, str], str]:
    """Refused, nothing written, the bytes kept; what the sender is told."""
    before, body = domain_rows(), Format.JSON.dumps(message)
    response = world.post(body, **headers)
    world.assert_echoed(response)
    assert domain_rows() == before
    kept = InboundMessage.objects.filter(request_id=world.receiver.sent["X-Request-ID"])
    assert body in [bytes(each.body) for each in kept]
    return outcome(response), issue_of(response).get("expression", [""])[0]


def as_told(code: OutcomeCode) -> tuple[int, str, str]:
    return code.status, code.code, code.issue


Arrange = Callable[[World, str], Any]
STAMP = "2030-02-01T10:00:00+00:00"
LATER, EARLIER = stamped("2030-02-01T10:00:00+00:00"), stamped("2029-02-01T10:00:00+00:00")


def before_with(change: Change) -> Arrange:
    return lambda world, key: send_before(world, key, change)


def of_kind(kind: str) -> str:
    return f"Bundle.entry.resource.ofType({kind})"


APPOINTMENT, REQUEST = of_kind("Appointment"), of_kind("ServiceRequest")
# What: types, what was before, the change, the outcome, the start of the FHIRPath.
TABLE: list[tuple[str, frozenset[str], Arrange, Change, OutcomeCode, str]] = [
    ("unknown", FOLLOWERS & BOOKINGS, nothing, LATER, C.NOT_FOUND, APPOINTMENT),
    # An update of Application 6 may be the first that we hear; not with an id, nor in a known conversation.
    ("unknown", CASES - {"referral-update"}, nothing, LATER, C.NOT_FOUND, REQUEST),
    ("unknown id", CASES, nothing, having("ServiceRequest", "id", new_id()), C.NOT_FOUND, REQUEST),
    ("unknown here", CASES, another_case, having("ServiceRequest", "intent", "order"), C.NOT_FOUND, REQUEST),
    ("over", FOLLOWERS & BOOKINGS, send_twice, LATER, C.UNPROCESSABLE, APPOINTMENT),
    ("over", CASES - {"referral-update", "validation-update"}, send_twice, LATER, C.UNPROCESSABLE, REQUEST),
    ("stale", FOLLOWERS & BOOKINGS, before_with(LATER), EARLIER, C.CONFLICT, APPOINTMENT),
    ("stale", CASES, before_with(LATER), EARLIER, C.CONFLICT, "Bundle.entry["),
    (
        "other times",
        FOLLOWERS & BOOKINGS,
        send_before,
        having("Appointment", "end", "2030-03-01T09:20:00Z"),
        C.UNPROCESSABLE,
        APPOINTMENT,
    ),
    (
        "other person",
        FOLLOWERS & BOOKINGS,
        send_before,
        other_person,
        C.UNPROCESSABLE,
        APPOINTMENT,
    ),
    *(
        (
            f"another participant, {name}",
            FOLLOWERS & BOOKINGS,
            send_before,
            named(actor),
            C.UNPROCESSABLE,
            APPOINTMENT,
        )
        for name, actor in OTHERS.items()
    ),
    ("taken slot", frozenset({"booking-new"}), send_twice, LATER, C.CONFLICT, of_kind("Slot")),
    (
        "unknown slot",
        frozenset({"booking-new"}),
        nothing,
        having("Slot", "id", "00000000-0000-4000-8000-000000000001"),
        C.NOT_FOUND,
        of_kind("Slot"),
    ),
    (
        "not the slot's times",
        frozenset({"booking-new"}),
        nothing,
        having("Appointment", "end", "2030-03-01T09:20:00Z"),
        C.UNPROCESSABLE,
        APPOINTMENT,
    ),
    (
        "other NHS number",
        FOLLOWERS & BOOKINGS,
        send_before,
        other_number,
        C.UNPROCESSABLE,
        APPOINTMENT,
    ),
    (
        "slot that is over",
        frozenset({"booking-new"}),
        slot_long_over,
        long_over,
        C.CONFLICT,
        of_kind("Slot"),
    ),
    ("answers nothing of ours", VALIDATION_REPLIES, nothing, LATER, C.INVARIANT, of_kind("MessageHeader")),
]


def cases() -> Iterator[Any]:
    for name, keys, arrange, change, code, path in TABLE:
        for key in sorted(keys):
            yield pytest.param(key, arrange, change, code, path, id=f"{key}: {name}")


@pytest.mark.parametrize(("key", "arrange", "change", "code", "path"), list(cases()))
def test_it_contradicts_what_was_before(
    world: World, key: str, arrange: Arrange, change: Change, code: OutcomeCode, path: str
) -> None:
    arrange(world, key)
    found, expression = told(world, changed(fresh(SAMPLES[key]()), change))
    assert found == as_told(code)
    assert expression.startswith(path)


@pytest.mark.parametrize("odd_id", [None, "no id of FHIR's"])
def test_an_ambulance_controls_update_may_be_the_first_that_we_hear(world: World, odd_id: str | None) -> None:
    message = changed(SAMPLES["referral-update"](), having("ServiceRequest", "id", odd_id))
    world.take(fresh(message))
    case = Referral.objects.get()
    assert (case.status, case.version, case.reference != "") == (CaseStatus.RECEIVED, 1, True)
    # The next one is an update of it, in this conversation.
    world.take(changed(fresh(message), LATER))
    case.refresh_from_db()
    assert (Referral.objects.count(), case.version) == (1, 2)


def test_another_use_cases_update_is_of_something_known(world: World) -> None:
    message = changed(
        SAMPLES["referral-update"](),
        lambda raw: nth(raw, "ServiceRequest")["category"][0]["coding"][1].update(code="a3t1"),
    )
    assert told(world, fresh(message))[0] == as_told(C.NOT_FOUND)


@pytest.mark.parametrize(
    "actors",
    [
        [ref(PATIENT)],
        [{"identifier": {"system": NHS_NUMBERS, "value": "999 054 8609"}}],
        # The very references that were booked, one of them of nobody in this message.
        [{"reference": "https://example.org/fhir/Practitioner/1"}, ref(PATIENT)],
    ],
)
def test_a_cancel_names_who_was_booked(world: World, actors: list[Json]) -> None:
    world.prepare(
        "booking-cancelled", named(ref(PATIENT), {"reference": "https://example.org/fhir/Practitioner/1"})
    )
    world.take(fresh(changed(SAMPLES["booking-cancelled"](), named(*actors))))


def test_a_cancel_may_keep_the_reference_that_was_booked(world: World) -> None:
    """The Patient has another address in this message."""
    world.prepare("booking-cancelled")
    message = SAMPLES["booking-cancelled"]()
    message["entry"][PATIENT]["fullUrl"] = urn(50)
    world.take(fresh(message))


@pytest.mark.parametrize("key", sorted(FOLLOWERS))
def test_only_who_asked_may_change_it(world: World, key: str) -> None:
    world.prepare(key)
    model = Booking if key in BOOKINGS else Referral if key.startswith("referral") else ValidationCase
    ours = str(model._default_manager.get(direction="received").pk)
    message = changed(fresh(SAMPLES[key]()), on_header("source", SOURCE), on_focus("id", ours))
    found, _ = told(world, message, NHSD_End_User_Organisation=organisation("OTHER"))
    assert found == as_told(C.NOT_PERMITTED)


@pytest.mark.parametrize("key", SAMPLES)
def test_a_repeat_is_a_duplicate(world: World, key: str) -> None:
    world.prepare(key)
    message = fresh(SAMPLES[key]())
    ids: dict[str, Any] = {"X_Request_ID": new_id()}
    assert world.post(message, **ids).status_code == 200
    found, _ = told(world, message, **ids)
    assert found == as_told(C.DUPLICATE)


@pytest.mark.parametrize("key", SAMPLES)
def test_a_bundle_id_starts_one_conversation(world: World, key: str) -> None:
    """A new message needs a new one; all others may keep that of the message that they follow."""
    world.prepare(key)
    message = fresh(SAMPLES[key]())
    if key in FOLLOWERS:
        first = InboundMessage.objects.get()
        assert world.post({**message, "id": first.bundle_id}).status_code == 200
    elif message_type(key).starts_conversation:
        assert world.post(message).status_code == 200
        assert told(world, message) == (as_told(C.INVARIANT), "Bundle.id")


_LONG = "https://sender.example/bundles/" + "0" * 60


@pytest.mark.parametrize("bundle_id", ["no id of FHIR's", "urn:uuid:1", _LONG])
@pytest.mark.parametrize("sent_as", Format)
def test_a_bundle_id_of_any_form_is_repeated_as_it_was_sent(
    world: World, bundle_id: str, sent_as: Format
) -> None:
    """Also in an answer to it that we send later (standard section 12, "Ids")."""
    message = {**SAMPLES["validation-new"](), "id": bundle_id}
    assert world.take(message, sent_as)["id"] == bundle_id
    assert told(world, message)[0] == as_told(C.INVARIANT)
    # Long ids that begin alike are two.
    assert world.take({**message, "id": f"{bundle_id}0"}, sent_as)["id"] == f"{bundle_id}0"
    case = ValidationCase.objects.get(caseversion_rows__bundle_id=key_of(bundle_id), direction="received")
    assert bundle_id_as_sent(case, request_bundle_id(case)) == bundle_id


@pytest.mark.parametrize("key", sorted(ANSWERS))
def test_a_response_may_keep_its_requests_destination(world: World, key: str) -> None:
    world.prepare(key)
    asked = {"endpoint": "https://fhir.nhs.uk/Id/dos-service-id|2000011147"}
    world.take(changed(fresh(SAMPLES[key]()), destination(**asked)))
    assert world.stored().service_id == HUB.service_id.value


@pytest.mark.parametrize("key", sorted(ANSWERS))
def test_a_response_may_have_a_bundle_id_that_came_before(world: World, key: str) -> None:
    world.prepare(key)
    message = {**SAMPLES[key](), "id": "no id of FHIR's"}
    assert [world.take(message)["id"] for _ in range(2)] == [message["id"]] * 2


@pytest.mark.parametrize("key", SAMPLES)
def test_only_allowed_callers_reach_a_service(world: World, key: str) -> None:
    world.prepare(key)
    world.slot.service.allowed_callers = ["ABC"]
    world.slot.service.save()
    assert told(world, fresh(SAMPLES[key]()))[0] == as_told(C.NOT_PERMITTED)
    hidden = encoded({"system": "https://fhir.nhs.uk/Id/dos-service-id", "value": "2000011147"})
    found, _ = told(world, fresh(SAMPLES[key]()), NHSD_Target_Identifier=hidden)
    assert found == as_told(C.NOT_PERMITTED)
    allowed: dict[str, Any] = {"NHSD_End_User_Organisation": organisation("ABC")}
    # The same source service: it is theirs whichever organisation's name they use.
    assert world.post(fresh(SAMPLES[key]()), **allowed).status_code == 200


def take_only_others(world: World) -> None:
    world.slot.service.accepted_use_cases = ["a2t4"]
    world.slot.service.save()


@pytest.mark.parametrize("key", sorted(SAMPLES.keys() - ANSWERS))
def test_a_use_case_that_is_not_accepted(world: World, key: str) -> None:
    world.prepare(key)
    take_only_others(world)
    path = "{Appointment}.serviceCategory" if key in BOOKINGS else "{ServiceRequest}.category"
    message = fresh(SAMPLES[key]())
    assert told(world, message) == (as_told(C.INVARIANT), paths_in(message, path))


@pytest.mark.parametrize("key", sorted(ANSWERS))
def test_an_answer_comes_to_whoever_asked_whatever_requests_they_take(world: World, key: str) -> None:
    world.prepare(key)
    take_only_others(world)
    assert world.post(fresh(SAMPLES[key]())).status_code == 200

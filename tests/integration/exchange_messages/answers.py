"""What every accepted message is answered with, and what is read back (standard sections 5 and 7)."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from bars_portal.exchange.fhir.formats import Format
from bookings.models import Booking
from referrals.cases.models import MODELS
from tests.integration.exchange.calling import Json
from tests.integration.exchange_messages.world import World
from tests.unit.exchange_fhir_xml.exact import exact

# What the receiver adds to; everything else comes back as it was sent.
_OURS = {"id", "meta", "identifier"}


def check_taken(
    world: World,
    key: str,
    sent: Json,
    sent_as: Format,
    wanted: Format | None = None,
    *,
    read_as: Iterable[Format] = Format,
) -> Json:
    """Send it and check the answer, what is stored and what is read back; gives the answer."""
    body, format_ = sent_as.dumps(sent), wanted or sent_as
    response = world.post(body, sent_as, format_)
    assert (response.status_code, response["Content-Type"]) == (200, format_.value), response.content
    world.assert_echoed(response)
    stored = world.stored()
    assert (stored.message_type, bytes(stored.body)) == (key, body), "the bytes are the record"
    answer = format_.loads(response.content)
    check_answer(sent, answer)
    if key.startswith("booking"):
        _check_booking(answer)
    elif not has_response(sent):
        _check_case(key, answer)
    check_read_back(world, sent, answer, read_as)
    return answer


def check_answer(sent: Json, answer: Json) -> None:
    """A message with the same Bundle.id, all that was sent with ids of ours, and the focus as it was sent."""
    assert (answer["resourceType"], answer["type"], answer["id"]) == ("Bundle", "message", sent["id"])
    assert answer["entry"][0]["resource"]["resourceType"] == "MessageHeader"
    given = {each["fullUrl"]: each["resource"] for each in answer["entry"]}
    assert len(given) == len(answer["entry"])
    for entry in sent["entry"]:
        assert_kept(entry["resource"], given[entry["fullUrl"]])
    for url, resource in given.items():
        assert str(UUID(resource["id"])) == resource["id"] != url.removeprefix("urn:uuid:")
    assert focus_of(answer)["status"] == focus_of(sent)["status"]


def assert_kept(sent: Json, got: Json) -> None:
    """Every element of what was sent is in what came back, decimals exact; ours are only added."""
    assert exact(without_ours(got)) == exact(without_ours(sent))
    profiles = (sent.get("meta") or {}).get("profile")
    assert profiles is None or profiles == got["meta"]["profile"]
    given = sent.get("identifier")
    assert all(each in got["identifier"] for each in given) if isinstance(given, list) else True


def without_ours(resource: Json) -> Json:
    # When it was booked is the receiver's to say; of one that is taken back, what was sent counts.
    booked = resource["resourceType"] == "Appointment" and resource.get("status") == "booked"
    ours = {*_OURS, "created"} if booked else _OURS
    return {name: value for name, value in resource.items() if name not in ours}


def _check_booking(answer: Json) -> None:
    booking, focus = Booking.objects.latest("updated_at"), focus_of(answer)
    assert focus["id"] == str(booking.pk)
    assert booking.reference in [each["value"] for each in focus["identifier"]]
    slots = [each for each in of_type(answer, "Slot") if each["status"] == "busy"]
    assert focus["status"] != "booked" or [each["id"] for each in slots] == [str(booking.slot_id)]


def _check_case(key: str, answer: Json) -> None:
    model = MODELS[next(each for each in MODELS if key.startswith(each.value))]
    case, focus = model.objects.latest("updated_at"), focus_of(answer)
    assert (focus["id"], focus["meta"]["versionId"]) == (str(case.pk), str(case.version))
    if focus["status"] == "active":
        names = [_references(each) for each in of_type(answer, "Encounter")]
        assert [case.reference] in names, "a person can read it out"


def _references(encounter: Json) -> list[str]:
    found = [each for each in encounter.get("identifier", []) if "case-reference" in each.get("system", "")]
    return [each["value"] for each in found]


def check_read_back(world: World, sent: Json, answer: Json, read_as: Iterable[Format]) -> None:
    """What was accepted can be read: as it was sent when new, ended when taken back."""
    focus = focus_of(answer)
    if has_response(sent) or focus["resourceType"] not in ("Appointment", "ServiceRequest"):
        return
    for format_ in read_as:
        response = world.receiver.get(f"/{focus['resourceType']}/{focus['id']}", Accept=format_.value)
        assert response.status_code == 200, response.content
        read: Any = format_.loads(response.content)
        assert (read["id"], read["status"], read["meta"]["versionId"]) == (
            focus["id"],
            focus["status"],
            focus["meta"]["versionId"],
        )
        if focus["status"] in ("booked", "active", "on-hold"):
            assert_kept({**focus_of(sent), "identifier": focus.get("identifier", [])}, read)


def focus_of(bundle: Json) -> Json:
    url = bundle["entry"][0]["resource"]["focus"][0]["reference"]
    (found,) = [each["resource"] for each in bundle["entry"] if each["fullUrl"] == url]
    return dict(found)


def of_type(bundle: Json, kind: str) -> list[Json]:
    return [each["resource"] for each in bundle["entry"] if each["resource"]["resourceType"] == kind]


def has_response(bundle: Json) -> bool:
    return "response" in bundle["entry"][0]["resource"]

"""What a scenario left booked or referred is taken back, so that a diary and a worklist stay usable."""

from collections.abc import Iterable, Iterator
from typing import Any

from bars_portal.simulator.selftest.model import Json, Step
from bars_portal.simulator.selftest.paths import found

# After every stamp that a scenario gives.
_LATER = "now+1d"
_OPEN = {"Appointment": "booked", "ServiceRequest": "active"}


def clearing(answers: Iterable[Json | None]) -> Iterator[Step]:
    """A cancel for everything that the last answer about it says is still open."""
    last = {resource["id"]: resource for answer in answers if answer for resource in _answered(answer)}
    for resource in last.values():
        if resource.get("status") == _OPEN[resource["resourceType"]]:
            yield _cancel(resource)


def _answered(answer: Json) -> list[Json]:
    if answer.get("type") != "message" or not found(answer, "Bundle.entry"):
        return []
    # A response is heard, not held: there is nothing to take back.
    if found(answer, "MessageHeader.eventCoding.code") == ["servicerequest-response"]:
        return []
    resources: list[Any] = [each for kind in _OPEN for each in found(answer, kind)]
    return [each for each in resources if each.get("id")]


def _cancel(resource: Json) -> Step:
    kind = resource["resourceType"]
    kept = ("id", "start", "end") if kind == "Appointment" else ("id", "category")
    places = {f"{kind}.{name}": resource[name] for name in kept if name in resource}
    return Step("send", _template(resource), {"stamped": _LATER, "set": places})


def _template(resource: Json) -> str:
    if resource["resourceType"] == "Appointment":
        return "booking-cancel"
    codes = found(resource, "ServiceRequest.category[*].coding[*].code")
    return "validation-cancel" if "validation" in codes else "referral-cancel"

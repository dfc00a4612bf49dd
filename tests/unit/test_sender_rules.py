"""Each rule for senders is kept by what we build, and noticed when a message breaks it."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from bars_portal.exchange.fhir import json
from bars_portal.exchange.fhir.bundle import searchset
from bars_portal.exchange.fhir.codes import ServiceRequestStatus, UseCase
from referrals.cases.states import ReplyKind
from referrals.responding.content import Disposition, Outcome
from tests.factories.contents import make_content
from tests.factories.referrals import NOW
from tests.sender_rules import RULES, broken
from tests.unit.referrals import built
from tests.unit.referrals import test_responses as responses

Json = dict[str, Any]
Break = Callable[[Json], object]


def request(use_case: UseCase = UseCase.A4T1) -> Json:
    return built.message(make_content(use_case))


def cancel() -> Json:
    return built.end(make_content(UseCase.A4T1), ServiceRequestStatus.REVOKED)


def outcome() -> Json:
    said = Outcome(Disposition.HEAR_AND_TREAT, NOW, "Advice was given")
    return responses.built(ReplyKind.FULL, said)


def slots() -> Json:
    slot = {
        "resourceType": "Slot",
        "start": "2026-07-14T10:00:00.0000000+01:00",
        "end": "2026-07-14T10:15:00.0000000+01:00",
    }
    return searchset(bundle_id="b", now=NOW, self_link="Slot", matches=[("urn:uuid:1", slot)])


def first(bundle: Json, kind: str, number: int = 0) -> Json:
    found = [each["resource"] for each in bundle["entry"] if each["resource"]["resourceType"] == kind]
    resource: Json = found[number]
    return resource


def scene(bundle: Json) -> Json:
    flags = (each["resource"] for each in bundle["entry"] if each["resource"]["resourceType"] == "Flag")
    return next(each for each in flags if each["category"][0]["coding"][0]["code"] == "SS")


def without_flags(bundle: Json) -> None:
    bundle["entry"] = [each for each in bundle["entry"] if each["resource"]["resourceType"] != "Flag"]


def nowhere(bundle: Json) -> None:
    place = first(bundle, "Location")
    place |= {"address": {"city": "Leeds"}, "extension": []}
    del place["position"]


BREACHES: dict[str, list[tuple[Callable[[], Json], Break]]] = {
    "instants": [
        (request, lambda b: first(b, "ServiceRequest").update(authoredOn="2026-11-21T09:00:00+00:00")),
        (request, lambda b: first(b, "CarePlan")["period"].update(start="2026-07-14T10:00:00.0000000+01:00")),
        (outcome, lambda b: first(b, "CarePlan")["period"].update(start="2026-07-14T10:00:00.123Z")),
        (cancel, lambda b: first(b, "Patient").update(birthDate="2026-07-14T10:00:00.1234567Z")),
    ],
    "slot-times": [
        (slots, lambda b: first(b, "Slot").update(start="2026-07-14T09:00:00.000Z")),
        (slots, lambda b: b.update(timestamp="2026-07-14T09:00:00.0000000-05:00")),
    ],
    "displays": [
        (request, lambda b: first(b, "Consent")["scope"]["coding"][0].pop("display")),
        (request, lambda b: first(b, "MessageHeader")["eventCoding"].pop("display")),
        (request, lambda b: first(b, "Encounter")["class"].pop("display")),
    ],
    "birth-sex": [
        (
            request,
            lambda b: first(b, "Patient").update(
                extension=[{"url": "x/Extension-UKCore-BirthSex", "valueCode": "F"}]
            ),
        )
    ],
    "scene-told": [(request, without_flags), (outcome, without_flags)],
    "scene-coded": [
        (request, lambda b: scene(b)["code"].pop("coding")),
        (request, lambda b: scene(b)["code"].pop("text")),
    ],
    "two-profiles": [
        (request, lambda b: scene(b)["meta"]["profile"].pop()),
        (request, lambda b: first(b, "Location")["meta"]["profile"].pop(0)),
    ],
    "incident-where": [(request, nowhere)],
    "phones": [
        (
            request,
            lambda b: first(b, "Patient")["contact"][0]["telecom"][0].update(value="+44 7700 900123"),
        )
    ],
    "named-text": [
        (lambda: request(UseCase.A5T1), lambda b: first(b, "Condition")["code"].pop("text")),
        (request, lambda b: first(b, "Observation")["code"].pop("text")),
    ],
    "pharmacy-task": [
        (lambda: request(UseCase.A5T1), lambda b: first(b, "Task").update(intent="plan")),
        (lambda: request(UseCase.A5T3), lambda b: first(b, "Task").update(code={"text": "Advice"})),
    ],
    "outcome-kinds": [
        (
            request,
            lambda b: first(b, "CarePlan")["activity"][0]["outcomeCodeableConcept"][0].update(text="Soon"),
        )
    ],
    "help-asked": [
        (lambda: request(UseCase.A6T3), lambda b: first(b, "ServiceRequest")["category"][0].pop("text"))
    ],
    "cancel-reason": [(cancel, lambda b: first(b, "ServiceRequest").pop("reasonCode"))],
}


def test_every_rule_is_broken_here() -> None:
    assert [each.id for each in RULES] == list(BREACHES)
    assert all(each.sentence.endswith(".") for each in RULES)


@pytest.mark.parametrize(
    ("rule", "make", "spoil"),
    [(rule, make, spoil) for rule, found in BREACHES.items() for make, spoil in found],
)
def test_a_message_that_breaks_a_rule_is_noticed(rule: str, make: Callable[[], Json], spoil: Break) -> None:
    sound = json.loads(json.dumps(make()))
    assert broken(sound) == []
    spoilt = deepcopy(sound)
    spoil(spoilt)
    assert {each.partition(":")[0] for each in broken(spoilt)} == {rule}

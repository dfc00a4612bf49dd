"""The workflow table: every row recognised, and nothing beside it."""

from collections.abc import Callable
from itertools import combinations

import pytest

from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.codes import MessageEvent, MessageReason, UseCase
from bars_portal.exchange.fhir.outcomes import OutcomeCode
from bars_portal.exchange.fhir.profiles import DEFINITIONS
from bars_portal.exchange.fhir.rules import WorkflowRow, table
from bars_portal.exchange.fhir.rules.case import (
    journey_id,
    request_of,
    requester_encounter,
    responder_encounter,
    use_case_of,
)
from bars_portal.exchange.fhir.rules.table import overlap
from bars_portal.exchange.registry import MessageType, workflow_rows

from .factory import Json, cancel, coded
from .samples import (
    HEADER,
    SAMPLES,
    USE_CASES,
    cad,
    did_not_attend,
    encounter,
    full,
    having,
    interim,
    judged,
    nth,
    referral_new,
    referral_update,
    rejected,
    taken_back,
    validation,
    with_reason,
)


@pytest.mark.parametrize("key", SAMPLES)
def test_a_sound_message_is_recognised_and_breaks_nothing(key: str) -> None:
    verdict = judged(SAMPLES[key]())
    assert (verdict.issues, verdict.warnings) == ((), ())
    assert verdict.row == table.row(key)


def test_every_row_has_a_sample_and_a_definition() -> None:
    assert [row.message_key for row in table.ROWS] == list(SAMPLES)
    assert {url for row in table.ROWS for url in row.definitions} == set(DEFINITIONS)
    assert set(UseCase) == USE_CASES


def test_no_two_rows_claim_one_message() -> None:
    assert [(a.message_key, b.message_key) for a, b in combinations(table.ROWS, 2) if overlap(a, b)] == []


@pytest.mark.parametrize("row", table.ROWS, ids=lambda row: row.message_key)
def test_a_row_overlaps_with_itself(row: WorkflowRow) -> None:
    assert overlap(row, row)


def test_registered_types_are_rows_of_the_table() -> None:
    registered = {row.message_key: row for row in workflow_rows()}
    assert registered
    assert registered == {key: table.row(key) for key in registered}


def test_a_message_type_may_just_name_its_row() -> None:
    class Kind(MessageType):
        workflow = table.VALIDATION_CANCELLED

    assert Kind.key == "validation-cancelled"
    assert Kind.event is MessageEvent.SERVICEREQUEST_REQUEST
    assert Kind.reasons == {MessageReason.UPDATE, MessageReason.DELETE}
    assert Kind.focus_type == "ServiceRequest"
    assert Kind.focus_statuses == {"revoked", "entered-in-error"}
    assert Kind.categories == {"validation"}
    assert Kind.definition == table.VALIDATION_CANCELLED.definition


# Messages that the standard describes and that differ from the samples; several have no published example.
VARIANTS: list[tuple[str, str, Callable[[], Json]]] = [
    ("REFREQ02 to CAS", "referral-new", lambda: referral_new("a3t1")),
    ("triaged only", "referral-new", lambda: referral_new("a2t1", "triaged")),
    ("REFREQ05 mutual aid", "referral-new", lambda: referral_new("a6t3", "triaged", "active")),
    ("REFREQ06 blood pressure", "referral-new", lambda: referral_new("a5t3")),
    ("REFREQ07 contraception", "referral-new", lambda: referral_new("a5t2")),
    ("REFREQ8A, 9A-1", "referral-new", lambda: referral_new("a6t1", "in-progress", "active")),
    ("call assist", "referral-new", lambda: referral_new("a6t2", "finished", "active")),
    ("update of a referral to ED", "referral-update", lambda: in_use_case(referral_update(), "a1t1")),
    ("deleted referral", "referral-entered-in-error", lambda: deleted("referral", "a1t1")),
    ("SERVREQ02", "validation-cancelled", lambda: deleted("validation", "a4t1")),
    (
        "entered in error",
        "validation-cancelled",
        lambda: taken_back("entered-in-error", "validation", "a4t1"),
    ),
    ("deleted booking", "booking-cancelled", lambda: with_reason(cancel(), "delete")),
    ("held validation", "validation-update", lambda: validation("update", "on-hold")),
    ("falls", "validation-new", lambda: validation("new", use_case="a4t2")),
    ("other reason", "validation-rejected", lambda: interim(rejected("OTH"))),
    ("rejected in the guide's words", "validation-rejected", lambda: revoked(interim(rejected()))),
    ("rejected late", "validation-rejected", lambda: with_reason(revoked(interim(rejected())), "update")),
    ("VALRESP01B", "validation-full", lambda: full("update", "active")),
    ("VALRESP03 new CAD id", "validation-full", lambda: full("new", "active", encounter("planned"))),
    ("VALRESP05 falls", "validation-full", lambda: full(use_case="a4t2")),
    ("in the guide's words", "validation-full", lambda: triaged(full())),
    ("REFRESP03", "cad-response", lambda: cad(encounter("planned"), use_case="a6t1")),
    ("crew on its way", "cad-response", lambda: with_reason(cad(encounter("in-progress")), "update")),
    ("done", "cad-response", lambda: cad(encounter("finished"), use_case="a6t2")),
    ("revoked", "cad-rejection", lambda: cad(rejected("OTH"), "revoked")),
    ("no request's Encounter named", "cad-rejection", lambda: unnamed(cad(rejected()))),
    ("no request's Encounter named", "cad-response", lambda: unnamed(cad(encounter("planned")))),
    ("two concepts", "referral-new", lambda: in_two_concepts(referral_new())),
]


def in_use_case(raw: Json, code: str) -> Json:
    nth(raw, "ServiceRequest")["category"][0]["coding"][1]["code"] = code
    return raw


def in_two_concepts(raw: Json) -> Json:
    asked = nth(raw, "ServiceRequest")
    asked["category"] = [{"coding": [coding]} for coding in asked["category"][0]["coding"]]
    return raw


def triaged(raw: Json) -> Json:
    """An outcome whose Encounter is told to be triaged, and its request to be completed."""
    nth(raw, "Encounter", 1)["status"] = "triaged"
    nth(raw, "ServiceRequest")["status"] = "completed"
    return raw


def revoked(raw: Json) -> Json:
    """A rejection whose Encounter is told to be triaged, and its request to be revoked."""
    nth(raw, "Encounter", 1)["status"] = "triaged"
    nth(raw, "ServiceRequest")["status"] = "revoked"
    return raw


def unnamed(raw: Json) -> Json:
    having("ServiceRequest", "encounter", None)(raw)
    return raw


def deleted(category: str, use_case: str) -> Json:
    return taken_back("entered-in-error", category, use_case, "delete")


@pytest.mark.parametrize(("key", "make"), [pytest.param(*row[1:], id=row[0]) for row in VARIANTS])
def test_a_variant_is_taken(key: str, make: Callable[[], Json]) -> None:
    verdict = judged(make())
    assert (verdict.issues, verdict.warnings) == ((), ())
    assert verdict.row == table.row(key)


OUTSIDE: list[tuple[str, Callable[[], Json]]] = [
    ("revoked is not deleted", lambda: taken_back("revoked", "validation", "a4t1", "delete")),
    ("nor is a referral", lambda: taken_back("revoked", "referral", "a1t1", "delete")),
    ("a cancel is no new", lambda: taken_back("revoked", "referral", "a1t1", "new")),
    ("referral of a validation's use case", lambda: referral_new("a4t1")),
    ("validation of a referral's use case", lambda: validation("new", use_case="a1t1")),
    ("held referral", lambda: held(referral_update())),
    ("new validation on hold", lambda: validation("new", "on-hold")),
    ("interim as update", lambda: with_reason(interim(encounter("in-progress")), "update")),
    ("rejection as update", lambda: with_reason(interim(rejected()), "update")),
    ("planned is no answer", lambda: interim(encounter("planned"))),
    ("did not attend as update", lambda: with_reason(did_not_attend(), "update")),
    ("answer to no CAD", lambda: cad(encounter("planned"), use_case="a1t1")),
    ("completed", lambda: cad(encounter("planned"), "completed")),
    ("request of another kind", lambda: taken_back("active", "request", "a1t1")),
]


def held(raw: Json) -> Json:
    having("ServiceRequest", "status", "on-hold")(raw)
    return raw


@pytest.mark.parametrize("make", [pytest.param(row[1], id=row[0]) for row in OUTSIDE])
def test_what_is_outside_the_table_is_refused(make: Callable[[], Json]) -> None:
    verdict = judged(make())
    assert (verdict.issues[0].rule, verdict.issues[0].code) == ("workflow", OutcomeCode.INVARIANT)
    assert verdict.row is None


def test_the_combination_is_named() -> None:
    (issue, *_) = judged(referral_new("a4t1")).issues
    for word in ("servicerequest-request", "new", "referral", "a4t1", "ServiceRequest", "active"):
        assert word in issue.diagnostics
    assert issue.expression == (
        "Bundle.entry[0].resource.eventCoding",
        "Bundle.entry[0].resource.reason",
        "Bundle.entry[1].resource.status",
        "Bundle.entry[1].resource.category",
    )


def test_the_parts_of_a_case_are_found() -> None:
    raw = cad(rejected())
    bundle = MessageBundle(raw)
    assert request_of(bundle) is nth(raw, "ServiceRequest")
    assert requester_encounter(bundle) is nth(raw, "Encounter")
    assert responder_encounter(bundle) is nth(raw, "Encounter", 1)
    assert use_case_of(bundle) is UseCase.A6T3
    assert str(journey_id(bundle)) == "6b1f0a2c-50d3-4a53-9a5e-0f3f3bb5a201"


def test_the_responder_of_a_validation_is_the_focus() -> None:
    raw = full("new", "active", encounter("planned"))
    assert responder_encounter(MessageBundle(raw)) is nth(raw, "Encounter", 1)


def test_a_message_without_parts_has_none() -> None:
    bundle = MessageBundle({})
    assert request_of(bundle) is None
    assert requester_encounter(bundle) is None
    assert responder_encounter(bundle) is None
    assert use_case_of(bundle) is None
    assert journey_id(bundle) is None


def test_two_use_cases_are_none() -> None:
    raw = referral_new()
    nth(raw, "ServiceRequest")["category"].append(coded("usecases-categories-bars", "a1t2"))
    assert use_case_of(MessageBundle(raw)) is None


def test_an_event_of_bookings_does_not_take_requests() -> None:
    raw = referral_new()
    raw["entry"][HEADER]["resource"]["eventCoding"]["code"] = "booking-request"
    assert judged(raw).issues[0].rule == "workflow"


def test_only_help_is_rejected() -> None:
    """A call from out of area is the control's own, whoever took it."""
    verdict = judged(cad(rejected(), "revoked", use_case="a6t1"))
    assert verdict.issues[0].code is OutcomeCode.INVARIANT

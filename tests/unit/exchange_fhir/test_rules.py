"""Every rule broken once, starting from a message that breaks none."""

from typing import Any

import pytest

from bars_portal.exchange.fhir.outcomes import OutcomeCode
from bars_portal.exchange.fhir.rules import all_rules

from .breaches import BREACHES
from .breaches_states import CATEGORY_BREACHES, STATE_BREACHES
from .factory import (
    APPOINTMENT,
    CANCEL,
    HEADER,
    NEW,
    PATIENT,
    RECEIVER,
    SCHEDULE,
    SENDER,
    SERVICE,
    SLOT,
    Change,
    Json,
    booking,
    cancel,
    changed,
    coded,
    contact,
    message,
    nhs_number,
    phone,
    put,
    ref,
    resource,
    urn,
    verdict_on,
)
from .lapses import LAPSES

C = OutcomeCode
SERVICES = "https://fhir.nhs.uk/Id/dos-service-id"
ODS = "https://fhir.nhs.uk/Id/ods-organization-code"


def meta(version: str | None) -> Change:
    return put(
        -1, "meta", {"lastUpdated": "2030-02-01T10:00:00Z"} | ({"versionId": version} if version else {})
    )


def destination(endpoint: str | None, receiver: Json | None) -> Change:
    built: Json = {"endpoint": endpoint} if endpoint else {"name": "x"}
    return put(HEADER, "destination", [built | ({"receiver": receiver} if receiver else {})])


def definition(name: str | None) -> Change:
    return put(HEADER, "definition", name and f"https://fhir.nhs.uk/MessageDefinition/{name}")


def drop(*positions: int) -> Change:
    def change(bundle: Json) -> None:
        bundle["entry"] = [each for at, each in enumerate(bundle["entry"]) if at not in positions]

    return change


def add(built: Json, number: int = 20, at: int = 99) -> Change:
    return lambda bundle: bundle["entry"].insert(at, {"fullUrl": urn(number), "resource": built})


def full_url(position: int, url: str | None) -> Change:
    def change(bundle: Json) -> None:
        bundle["entry"][position] = {"resource": resource(bundle, position)} | (
            {"fullUrl": url} if url else {}
        )

    return change


def both(*changes: Change) -> Change:
    def change(bundle: Json) -> None:
        changed(bundle, *changes)

    return change


CONSENT = {"resourceType": "Consent", "category": [coded("consent-categories-bars", "RESEARCH")]}

FAULTS: list[tuple[str, Change, OutcomeCode]] = [
    ("bundle-type", put(-1, "type", "collection"), C.INVARIANT),
    ("bundle-id", put(-1, "id", None), C.REQUIRED),
    ("version", meta(None), C.INVARIANT),
    ("version", meta("2.0.0"), C.VERSION_NOT_SUPPORTED),
    ("version", meta("x"), C.VERSION_NOT_SUPPORTED),
    ("header-first", drop(HEADER), C.INVARIANT),
    ("header-first", lambda b: b["entry"].reverse(), C.INVARIANT),
    ("header-first", add({"resourceType": "MessageHeader"}), C.INVARIANT),
    ("entry-resource", lambda b: b["entry"].append({"fullUrl": urn(30)}), C.REQUIRED),
    ("bundle-stamps", put(-1, "timestamp", None), C.REQUIRED),
    ("bundle-stamps", put(-1, "timestamp", "9999-12-31T23:59:59-14:00"), C.VALUE),
    (
        "response-answers",
        put(HEADER, "eventCoding", coded("message-events-bars", "booking-response")["coding"][0]),
        C.INVARIANT,
    ),
    (
        "event-known",
        put(HEADER, "eventCoding", coded("message-events-bars", "SECRET")["coding"][0]),
        C.INVARIANT,
    ),
    ("event-known", put(HEADER, "eventCoding", coded("other", "booking-request")["coding"][0]), C.INVARIANT),
    ("event-known", put(HEADER, "eventCoding", None), C.INVARIANT),
    ("reason-known", put(HEADER, "reason", coded("message-reason-bars", "SECRET")), C.INVARIANT),
    ("reason-known", put(HEADER, "reason", None), C.INVARIANT),
    ("focus-resolves", put(HEADER, "focus", None), C.REQUIRED),
    ("focus-resolves", put(HEADER, "focus", [{"display": "SECRET"}]), C.VALUE),
    ("focus-resolves", put(HEADER, "focus", [ref(77)]), C.INVARIANT),
    ("workflow", put(HEADER, "reason", coded("message-reason-bars", "update")), C.INVARIANT),
    ("workflow", put(APPOINTMENT, "status", "arrived"), C.INVARIANT),
    ("workflow", put(APPOINTMENT, "status", "SECRET"), C.INVARIANT),
    ("workflow", put(HEADER, "focus", [ref(PATIENT)]), C.INVARIANT),
    (
        "workflow",
        put(HEADER, "eventCoding", coded("message-events-bars", "servicerequest-request")["coding"][0]),
        C.INVARIANT,
    ),
    ("destination-hosted", destination(f"{SERVICES}|2000011147", ref(RECEIVER)), C.NOT_FOUND),
    ("destination-hosted", destination("https://example.org/SECRET", ref(RECEIVER)), C.VALUE),
    ("destination-hosted", destination(f"{SERVICES}|SECRET", ref(RECEIVER)), C.VALUE),
    ("destination-hosted", destination(None, ref(RECEIVER)), C.REQUIRED),
    ("receiver-resolves", destination(SERVICE.service_id.token, None), C.REQUIRED),
    ("receiver-resolves", destination(SERVICE.service_id.token, ref(77)), C.INVARIANT),
    ("use-case", put(APPOINTMENT, "serviceCategory", None), C.INVARIANT),
    ("use-case", put(APPOINTMENT, "serviceCategory", [coded("other", "a1t1")]), C.INVARIANT),
    ("use-case", put(APPOINTMENT, "serviceCategory", [coded("usecases-categories-bars", "SECRET")]), C.VALUE),
    (
        "use-case",
        put(APPOINTMENT, "serviceCategory", [coded("usecases-categories-bars", "a5t1")]),
        C.INVARIANT,
    ),
    ("definition-fits", definition("bars-message-booking-request-cancelled"), C.INVARIANT),
    ("counts", add(resource(booking(), APPOINTMENT)), C.INVARIANT),
    ("counts", add({"resourceType": "Patient"}), C.INVARIANT),
    ("counts", both(put(HEADER, "sender", ref(RECEIVER)), drop(SENDER)), C.INVARIANT),
    ("full-urls", full_url(SENDER, urn(RECEIVER)), C.INVARIANT),
    ("full-urls", full_url(SENDER, None), C.REQUIRED),
    ("full-urls", full_url(SENDER, "urn:uuid:SECRET"), C.VALUE),
    ("references", put(SLOT, "schedule", ref(77)), C.INVARIANT),
    ("references", put(SLOT, "schedule", {"reference": "Schedule/SECRET"}), C.INVARIANT),
    ("references", put(SLOT, "schedule", {"reference": "#SECRET"}), C.INVARIANT),
    ("references", put(HEADER, "sender", ref(77)), C.INVARIANT),
    ("contact-call-back", put(PATIENT, "contact", None), C.INVARIANT),
    ("contact-call-back", put(PATIENT, "contact", [contact(2, phone("1"))]), C.INVARIANT),
    (
        "contact-call-back",
        put(PATIENT, "contact", [contact(1, phone("1")), contact(1, phone("2"))]),
        C.INVARIANT,
    ),
    ("contact-call-back", put(PATIENT, "contact", [contact(1)]), C.INVARIANT),
    ("contact-call-back", put(PATIENT, "contact", [contact(1, {"system": "phone"})]), C.INVARIANT),
    ("appointment-times", put(APPOINTMENT, "start", None), C.REQUIRED),
    ("appointment-times", put(APPOINTMENT, "end", None), C.REQUIRED),
    ("appointment-times", put(APPOINTMENT, "end", "2030-03-01T09:30:00"), C.VALUE),
    ("appointment-times", put(APPOINTMENT, "end", "2030-03-01T09:00:00Z"), C.INVARIANT),
    ("appointment-times", put(APPOINTMENT, "end", "2030-03-01T09:30:00+01:00"), C.INVARIANT),
    ("appointment-slot", put(APPOINTMENT, "slot", None), C.REQUIRED),
    ("appointment-slot", put(APPOINTMENT, "slot", [ref(SCHEDULE)]), C.INVARIANT),
    ("appointment-slot", put(SLOT, "id", None), C.REQUIRED),
    ("appointment-slot", put(SLOT, "id", "SECRET"), C.VALUE),
    ("consent", add(CONSENT), C.INVARIANT),
]

WARNINGS: list[tuple[str, Change]] = [
    ("bundle-stamps", put(-1, "meta", {"versionId": "1.0.0-beta"})),
    ("receiver-provider", put(RECEIVER, "identifier", [{"system": ODS, "value": "OTHER"}])),
    ("source-service", put(HEADER, "source", {"endpoint": "https://example.org"})),
    ("sender", put(HEADER, "sender", None)),
    ("sender", put(HEADER, "sender", {"display": "SECRET"})),
    ("definition-fits", definition("bars-message-booking")),
    ("definition-fits", definition(None)),
    ("counts-listed", add({"resourceType": "Observation"})),
    ("contact-ranks", put(PATIENT, "contact", [contact(1, phone("1")), contact(None, phone("2"))])),
    ("contact-ranks", put(PATIENT, "contact", [contact(1, phone("1"), phone("2"))])),
    ("contact-ranks", put(PATIENT, "contact", [contact(1, phone("1", None))])),
    ("nhs-number", put(PATIENT, "identifier", [nhs_number("9990548608")])),
    ("nhs-number", put(PATIENT, "identifier", [nhs_number("SECRET")])),
    ("nhs-number", put(PATIENT, "identifier", [nhs_number("9990548609", "trace-required")])),
    (
        "identifier-system",
        put(RECEIVER, "identifier", [{"system": ODS.replace("/Id/", "/id/"), "value": "RR8"}]),
    ),
]


@pytest.mark.parametrize(("rule", "change", "code"), FAULTS)
def test_the_broken_rule_decides(rule: str, change: Change, code: OutcomeCode) -> None:
    verdict = verdict_on(changed(booking(), change))
    assert (verdict.issues[0].rule, verdict.issues[0].code) == (rule, code)
    assert "SECRET" not in str((verdict.issues, verdict.warnings))


@pytest.mark.parametrize(("rule", "change"), WARNINGS)
def test_a_lapse_is_only_a_warning(rule: str, change: Change) -> None:
    verdict = verdict_on(changed(booking(), change))
    assert verdict.issues == ()
    assert rule in {issue.rule for issue in verdict.warnings}
    assert "SECRET" not in str(verdict.warnings)


@pytest.mark.parametrize(
    "change",
    [
        put(-1, "timestamp", "9999-12-31T23:59:59-14:00"),
        put(HEADER, "focus", [{"display": "x"}]),
        put(HEADER, "sender", {"display": "x"}),
        destination("https://example.org", ref(RECEIVER)),
        put(APPOINTMENT, "start", "2030-03-01"),
        put(APPOINTMENT, "end", "2030-03-01T10:00:00"),
        put(SLOT, "id", "x"),
        full_url(PATIENT, "x"),
    ],
)
def test_what_cannot_be_read_is_not_called_missing(change: Change) -> None:
    """Standard section 12; the Encounter of a rejection and the times of a validation have their own rows."""
    verdict = verdict_on(changed(booking(), change))
    found = [*verdict.issues, *verdict.warnings]
    assert found
    assert not [issue for issue in found if issue.code is C.REQUIRED or "missing" in issue.diagnostics]


@pytest.mark.parametrize("offset", ["Z", "+00:00"])
def test_a_leap_second_is_a_time_like_any_other(offset: str) -> None:
    late = f"2030-06-30T23:59:60{offset}"
    ended = changed(booking(), put(-1, "timestamp", late), put(APPOINTMENT, "start", late))
    before = put(APPOINTMENT, "end", "2030-06-30T23:59:59Z"), put(APPOINTMENT, "start", late)
    after = put(APPOINTMENT, "end", "2030-07-01T00:30:00Z"), put(APPOINTMENT, "start", late)
    assert verdict_on(changed(ended, *after)).issues == ()
    assert [issue.rule for issue in verdict_on(changed(ended, *before)).issues] == ["appointment-times"]


def test_every_rule_is_broken_here() -> None:
    broken = [*FAULTS, *WARNINGS, *BREACHES, *STATE_BREACHES, *CATEGORY_BREACHES, *LAPSES]
    assert {rule.id for rule in all_rules()} == {rule for rule, *_ in broken}
    assert len({rule.id for rule in all_rules()}) == len(all_rules())


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.id)
def test_every_rule_has_a_section_and_a_sentence(rule: Any) -> None:
    assert rule.section.isdigit()
    assert rule.sentence.endswith(".")


def test_a_booking_breaks_nothing() -> None:
    verdict = verdict_on(booking())
    assert (verdict.issues, verdict.warnings) == ((), ())
    assert (verdict.row, verdict.service) == (NEW, SERVICE)


@pytest.mark.parametrize("reason", ["new", "update"])
@pytest.mark.parametrize("status", ["cancelled", "entered-in-error"])
def test_a_cancel_breaks_nothing(reason: str, status: str) -> None:
    stripped = changed(
        cancel(),
        put(HEADER, "reason", coded("message-reason-bars", reason)),
        put(APPOINTMENT, "status", status),
        # What the references pointed at was left out.
        put(APPOINTMENT, "slot", [ref(SLOT)]),
    )
    verdict = verdict_on(stripped)
    assert (verdict.issues, verdict.row) == ((), CANCEL)
    assert [issue.rule for issue in verdict.warnings] == ["cancel-reason"] * (reason == "new")


def test_a_cancel_may_carry_the_whole_booking() -> None:
    whole = changed(booking(), put(APPOINTMENT, "status", "cancelled"))
    verdict = verdict_on(whole)
    assert (verdict.issues, verdict.row) == ((), CANCEL)


def test_a_cancel_still_needs_its_receiver() -> None:
    stripped = changed(cancel(), destination(SERVICE.service_id.token, ref(77)))
    assert [issue.rule for issue in verdict_on(stripped).issues] == ["receiver-resolves"]


@pytest.mark.parametrize(
    "reference",
    [
        {"reference": "EpisodeOfCare/3f9f0b5e-7a51-4a55-8a61-0f3f3bb5a101"},
        {"reference": "ServiceRequest/1"},
        {"reference": "https://example.org/fhir/Organization/1"},
        {"identifier": {"value": "G82080"}},
    ],
)
def test_references_out_of_the_bundle_are_normal(reference: Json) -> None:
    assert verdict_on(changed(booking(), put(APPOINTMENT, "basedOn", [reference]))).issues == ()


NHS_NUMBERS = "https://fhir.nhs.uk/Id/nhs-number"


@pytest.mark.parametrize(
    "actor",
    [
        {"identifier": {"system": NHS_NUMBERS, "value": "999 054 8609"}},
        ref(PATIENT) | {"identifier": {"system": NHS_NUMBERS, "value": "9990548609"}},
        ref(PATIENT) | {"identifier": {"system": "https://example.org/Id", "value": "1"}},
        ref(PATIENT) | {"identifier": {"system": NHS_NUMBERS}},
        {"reference": f"{urn(PATIENT)}/_history/1"},
        {"reference": "https://example.org/fhir/Practitioner/1"},
        {"reference": "https://example.org/fhir/Location/1/_history/2"},
        {"reference": "https://example.org/1", "type": "HealthcareService"},
        {"type": "Practitioner", "identifier": {"value": "1"}},
        {"display": "The patient"},
    ],
)
def test_who_takes_part_is_the_patient_or_no_patient(actor: Json) -> None:
    participants = [{"actor": actor, "status": "accepted"}]
    assert verdict_on(changed(booking(), put(APPOINTMENT, "participant", participants))).issues == ()


def test_a_contained_resource_resolves() -> None:
    contained = changed(
        booking(),
        put(SLOT, "contained", [{"resourceType": "Schedule", "id": "s"}]),
        put(SLOT, "schedule", {"reference": "#s"}),
    )
    assert verdict_on(contained).issues == ()


def test_all_faults_are_listed_and_the_decisive_one_is_first() -> None:
    broken = changed(booking(), put(PATIENT, "contact", None), put(APPOINTMENT, "end", None), meta("9.0.0"))
    found = [issue.rule for issue in verdict_on(broken).issues]
    assert found == ["version", "contact-call-back", "appointment-times"]


def test_one_rule_does_not_fill_the_answer() -> None:
    hostile = changed(booking(), put(APPOINTMENT, "basedOn", [ref(77)] * 5000))
    assert len(verdict_on(hostile).issues) == 100


def test_an_unknown_combination_is_named() -> None:
    change = put(HEADER, "eventCoding", coded("message-events-bars", "servicerequest-request")["coding"][0])
    request: Json = {
        "resourceType": "ServiceRequest",
        "status": "active",
        "category": [coded("message-category-servicerequest", "referral")],
    }
    referral = changed(booking(), change, put(HEADER, "focus", [ref(20)]), add(request))
    (issue, *_) = verdict_on(referral).issues
    for word in ("servicerequest-request", "new", "referral", "ServiceRequest", "active"):
        assert word in issue.diagnostics


def test_an_empty_message_is_judged() -> None:
    assert verdict_on(message()).issues
    assert verdict_on({}).issues[0].rule == "bundle-type"

"""GET /Slot, /Appointment, /metadata and /MessageDefinition as section 7 of the standard wants them."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest

from tests.live.conftest import FhirCheck, TakeSlot
from tests.live.messages import PATIENT, of_type, only, own_booking
from tests.live.partner import (
    EMERGENCY,
    INCLUDES,
    SERVICE_SYSTEM,
    Params,
    Partner,
    Resource,
    assert_ids_echoed,
    outcome_of,
    slot_params,
)

FROM = datetime.now(UTC) + timedelta(days=1)
SERVICE, NHS_NUMBER = "Schedule.actor:HealthcareService", "https://fhir.nhs.uk/Id/nhs-number"
WITH_PRACTITIONER = "2000099002"
MISSING = (400, "REC_BAD_REQUEST", "required")
MALFORMED = (400, "REC_BAD_REQUEST", "value")
UNKNOWN_PARAMETER = (400, "REC_BAD_REQUEST", "invalid")
REPLIES = "2000099000"
UNKNOWN = (404, "REC_NOT_FOUND", "not-found")
TOO_COSTLY = (422, "REC_UNPROCESSABLE_ENTITY", "too-costly")
Expected = tuple[int, str, str]


def search(*, days: float = 1, service: str = EMERGENCY, status: str = "free") -> Params:
    return slot_params(service, FROM, FROM + timedelta(days=days), status)


def without(name: str, value: str | None = None) -> Params:
    return [pair for pair in search() if pair[0] != name or (value is not None and pair[1] != value)]


def changed(name: str, *values: str) -> Params:
    return [*without(name), *((name, value) for value in values)]


GE, LE = f"ge{FROM.isoformat()}", f"le{(FROM + timedelta(days=1)).isoformat()}"


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ([], MISSING),
        (without(SERVICE), MISSING),
        (without("status"), MISSING),
        (without("start"), MISSING),
        (without("_include"), MISSING),
        *((without("_include", each), MISSING) for each in INCLUDES),
        (changed("start", GE), MISSING),
        (changed("start", LE), MISSING),
        (changed("start", GE, LE, LE), MISSING),
        (changed("start", GE, GE), MISSING),
        (changed("start", "ge", LE), MALFORMED),
        (changed("start", "", LE), MALFORMED),
        (changed("start", "ge2026-11-30T10:00:00", LE), MALFORMED),
        (changed("start", "ge2026-02-30T10:00:00Z", LE), MALFORMED),
        (changed("start", GE, "le9434765919"), MALFORMED),
        (changed("start", GE.replace("ge", "gt"), LE), MALFORMED),
        (changed("start", f"ge{(FROM + timedelta(days=2)).isoformat()}", LE), MALFORMED),
        (changed("status", ""), MALFORMED),
        (changed("status", "free,"), MALFORMED),
        (changed("status", "FREE"), MALFORMED),
        (changed("status", "9434765919"), MALFORMED),
        (changed(SERVICE, ""), MALFORMED),
        (changed(SERVICE, "9434765919x"), MALFORMED),
        (changed(SERVICE, f"https://fhir.nhs.uk/Id/ods-organization-code|{EMERGENCY}"), MALFORMED),
        (changed(SERVICE, EMERGENCY, EMERGENCY), MALFORMED),
        (changed(SERVICE, "1" * 5000), MALFORMED),
        (changed(SERVICE, "9434765919"), UNKNOWN),
        (changed(SERVICE, "2000072489"), UNKNOWN),
        ([*search(), ("patient", "9434765919")], UNKNOWN_PARAMETER),
        ([*search(), ("_count", "5")], UNKNOWN_PARAMETER),
        ([*search(), ("_include", "9434765919")], MALFORMED),
        (search(days=31.5), TOO_COSTLY),
        (search(days=4000), TOO_COSTLY),
    ],
)
def test_a_slot_search_that_is_wrong(params: Params, expected: Expected, direct: Partner) -> None:
    answer = direct.get("/Slot", params)

    assert outcome_of(answer, hidden=["9434765919", "1" * 30]) == expected
    assert_ids_echoed(answer)


@pytest.fixture(scope="module")
def found(direct: Partner) -> Resource:
    answer = direct.get("/Slot", search(days=2, service=WITH_PRACTITIONER), service=WITH_PRACTITIONER)
    assert answer.status_code == 200
    assert_ids_echoed(answer)
    bundle: Resource = answer.json()
    return bundle


def test_slots_are_counted_and_named(found: Resource) -> None:
    slots = of_type(found, "Slot")

    assert slots
    assert (found["type"], found["total"]) == ("searchset", len(slots))
    assert all(len(str(UUID(each["id"]))) == len(each["id"]) == 36 for each in slots)
    assert not any("identifier" in each for each in slots)
    modes = {
        entry["search"]["mode"] for entry in found["entry"] if entry["resource"]["resourceType"] == "Slot"
    }
    others = {
        entry["search"]["mode"] for entry in found["entry"] if entry["resource"]["resourceType"] != "Slot"
    }
    assert (modes, others) == ({"match"}, {"include"})


def test_slots_are_in_london_time(found: Resource) -> None:
    london = ZoneInfo("Europe/London")
    for each in of_type(found, "Slot"):
        for text in (each["start"], each["end"]):
            time = datetime.fromisoformat(text)
            assert time.utcoffset() == time.astimezone(london).utcoffset()
            assert text[-6] in "+-"


def test_slots_come_with_what_was_asked(found: Resource) -> None:
    """Those of every schedule: a manager may have planned more clinics meanwhile."""
    urls = {entry["fullUrl"]: entry["resource"]["resourceType"] for entry in found["entry"]}

    schedules = of_type(found, "Schedule")
    assert schedules
    for schedule in schedules:
        named = {urls[actor["reference"]] for actor in schedule["actor"] if actor["reference"] in urls}
        assert {"Practitioner", "HealthcareService"} <= named
    assert "Anand" in {each["name"][0]["family"] for each in of_type(found, "Practitioner")}
    identifiers = only(found, "HealthcareService")["identifier"]
    assert {"system": SERVICE_SYSTEM, "value": WITH_PRACTITIONER} in [
        {"system": each["system"].replace("http:", "https:"), "value": each["value"]} for each in identifiers
    ]


@pytest.mark.parametrize("offset", ["+00:00", "Z", "+05:30", "-11:00"])
def test_any_offset_is_understood(offset: str, direct: Partner) -> None:
    zone = UTC if offset == "Z" else datetime.fromisoformat(f"2026-01-01T00:00:00{offset}").tzinfo
    bounds = [FROM.astimezone(zone), (FROM + timedelta(days=1)).astimezone(zone)]
    texts = [
        each.isoformat().replace("+00:00", "Z") if offset == "Z" else each.isoformat() for each in bounds
    ]

    asked = changed("start", f"ge{texts[0]}", f"le{texts[1]}")

    ids = [
        [each["id"] for each in of_type(direct.get("/Slot", params).json(), "Slot")]
        for params in (asked, search())
    ]
    assert ids[0] == ids[1]
    assert ids[0]


def test_no_slots_is_an_empty_searchset(direct: Partner, fhir_check: FhirCheck) -> None:
    far = FROM + timedelta(days=900)

    nothing = direct.get("/Slot", slot_params(EMERGENCY, far, far + timedelta(days=1)))

    assert nothing.status_code == 200
    assert nothing.json()["total"] == 0
    fhir_check([nothing.json()])


def test_both_statuses_with_a_comma(direct: Partner, take_slot: TakeSlot) -> None:
    slot = take_slot()
    assert direct.post(own_booking(slot)).status_code == 200

    assert direct.offers(slot, "free,busy")


def test_a_slot_search_satisfies_the_profiles(found: Resource, fhir_check: FhirCheck) -> None:
    fhir_check([found])


IDENTIFIER, NAME, BORN, POSTCODE = (
    "patient:identifier",
    "patient:name",
    "patient:birthdate",
    "patient:address-postalcode",
)


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ([], MISSING),
        ([(NAME, "Ottershaw")], MISSING),
        ([(NAME, "Ottershaw"), (BORN, "1961-02-03")], MISSING),
        ([(IDENTIFIER, "")], MALFORMED),
        ([(IDENTIFIER, "943476591")], MALFORMED),
        ([(IDENTIFIER, "94347659190")], MALFORMED),
        ([(IDENTIFIER, f"{NHS_NUMBER}|")], MALFORMED),
        ([(IDENTIFIER, f"{NHS_NUMBER}|Ottershaw")], MALFORMED),
        ([(IDENTIFIER, "https://fhir.nhs.uk/Id/other|9434765919")], MALFORMED),
        ([(IDENTIFIER, "9434765919"), (IDENTIFIER, "9434765919")], MALFORMED),
        ([(NAME, "Ottershaw"), (BORN, "1961-13-03"), (POSTCODE, "LS6 3QX")], MALFORMED),
        ([(NAME, "Ottershaw"), (BORN, "1961-02-03"), (POSTCODE, "Periwinkle")], MALFORMED),
        ([(NAME, ""), (BORN, "1961-02-03"), (POSTCODE, "LS6 3QX")], MALFORMED),
        ([("identifier", "9434765919")], MISSING),
        ([("", f"{NHS_NUMBER}|")], MISSING),
        ([("", f"{NHS_NUMBER}|Ottershaw")], MALFORMED),
        ([("patient", "Ottershaw"), (IDENTIFIER, "9434765919")], UNKNOWN_PARAMETER),
    ],
)
def test_an_appointment_search_that_is_wrong(params: Params, expected: Expected, direct: Partner) -> None:
    answer = direct.get("/Appointment", params)

    hidden = ["Ottershaw", "943476591", "LS6 3QX", "Periwinkle", "1961"]
    assert outcome_of(answer, hidden=hidden) == expected
    assert_ids_echoed(answer)


def test_a_patient_is_found_by_name_birth_date_and_postcode(direct: Partner, take_slot: TakeSlot) -> None:
    booked = only(direct.post(own_booking(take_slot())).json(), "Appointment")
    who = [(NAME, PATIENT["family"].upper()), (BORN, "eq1961-02-03"), (POSTCODE, "ls63qx")]

    found = direct.get("/Appointment", who).json()

    ids = [each["id"] for each in of_type(found, "Appointment")]
    assert booked["id"] in ids
    assert found["total"] == len(ids)
    assert all(value not in str(found["link"]) for value in PATIENT.values())


@pytest.mark.parametrize("number", ["9991234560", "9434765918"])
def test_nobody_is_found_by_a_number_that_nobody_has(number: str, direct: Partner) -> None:
    """Whether its check digit is right or not (standard section 12)."""
    found = direct.get("/Appointment", [(IDENTIFIER, f"{NHS_NUMBER}|{number}")])

    assert found.status_code == 200
    assert found.json()["total"] == 0


def test_an_appointment_that_is_not_there(direct: Partner) -> None:
    assert outcome_of(direct.get(f"/Appointment/{uuid4()}")) == UNKNOWN


def test_metadata_needs_no_target(direct: Partner, fhir_check: FhirCheck) -> None:
    names = ("NHSD-Target-Identifier", "NHSD-End-User-Organisation", "NHSD-Requesting-Software")
    answer = direct.get("/metadata", headers=dict.fromkeys(names))

    assert answer.status_code == 200
    statement = answer.json()
    assert (statement["resourceType"], statement["fhirVersion"]) == ("CapabilityStatement", "4.0.1")
    fhir_check([statement])


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ([], MISSING),
        ([("context", "")], MALFORMED),
        ([("context", f"{SERVICE_SYSTEM}|")], MALFORMED),
        ([("context", f"{SERVICE_SYSTEM}|Ottershaw")], MALFORMED),
        ([("context", f"{SERVICE_SYSTEM}|9434765919")], UNKNOWN),
        ([("context", f"{SERVICE_SYSTEM}|{EMERGENCY}"), ("name", "Ottershaw")], UNKNOWN_PARAMETER),
    ],
)
def test_a_definition_search_that_is_wrong(params: Params, expected: Expected, direct: Partner) -> None:
    answer = direct.get("/MessageDefinition", params)

    assert outcome_of(answer, hidden=["Ottershaw", "9434765919"]) == expected
    assert_ids_echoed(answer)


@pytest.mark.parametrize("context", [EMERGENCY, f"{SERVICE_SYSTEM}|{EMERGENCY}"])
def test_definitions_satisfy_the_profiles(context: str, direct: Partner, fhir_check: FhirCheck) -> None:
    found = direct.get("/MessageDefinition", [("context", context)]).json()

    definitions = of_type(found, "MessageDefinition")
    assert {each["url"].rsplit("/", 1)[1] for each in definitions} == {
        "bars-message-booking-request",
        "bars-message-booking-request-cancelled",
        "bars-message-servicerequest-request-referral",
        "bars-message-servicerequest-request-cancelled",
        "bars-message-servicerequest-response-referral",
    }
    fhir_check([found])


def test_an_address_for_replies_has_no_definitions(direct: Partner, fhir_check: FhirCheck) -> None:
    found = direct.get("/MessageDefinition", [("context", REPLIES)]).json()

    assert found["total"] == 0
    fhir_check([found])

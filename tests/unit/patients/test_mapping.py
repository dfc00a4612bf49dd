"""FHIR Patients both ways: what we send keeps every rule, what we read never raises."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.people import dialled_phone
from bars_portal.patients.details import ContactDetails, Limit, PatientDetails, Telecom
from bars_portal.patients.forms import PatientForm
from bars_portal.patients.mapping import patient_entries, patient_to_fhir
from bars_portal.patients.reading import patient_from_fhir, patient_in
from tests.fhir_check import assert_no_errors
from tests.profiles import examples
from tests.unit.patients.strategies import json_values, odd_resources, patients

NOW = datetime(2026, 7, 14, 9, 30, tzinfo=UTC)
RANK = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-ContactRank"
FULL = PatientDetails(
    nhs_number="9449306621",
    nhs_number_verified=True,
    prefix="Mrs",
    given_names="Ada Mary",
    family_name="Quill",
    gender="female",
    birth_date=date(1945, 7, 14),
    address_lines=("1 Sample Row", "Leeds"),
    postcode="LS1 4AP",
    contacts=(
        ContactDetails("ONESELF", telecoms=(Telecom("phone", "+447700900123", "mobile"),)),
        ContactDetails(
            "FRND",
            "Bo",
            "Reed",
            telecoms=(Telecom("phone", "+441134960000", "home"), Telecom("email", "bo@example.org")),
        ),
    ),
)


def told(resource: object) -> PatientDetails:
    return patient_from_fhir(resource, now=NOW)


def known(details: PatientDetails) -> PatientDetails:
    """What FHIR can carry of made-up details: a status needs a number; old ways and stand-ins come last.

    A phone number has one form.
    """
    contacts = (
        replace(
            each,
            telecoms=tuple(
                replace(way, value=_dialled(way))
                for way in sorted(each.telecoms, key=lambda way: _LAST.get(way.use, 0))
            ),
        )
        for each in details.contacts
    )
    verified = bool(details.nhs_number) and details.nhs_number_verified
    return replace(
        details,
        nhs_number_verified=verified,
        contacts=tuple(contacts),
        birth_partly="" if details.birth_date else details.birth_partly,
    )


_LAST = {"temp": 1, "old": 2}


def _dialled(way: Telecom) -> str:
    return dialled_phone(way.value) if way.system in ("phone", "sms") else way.value


@given(patients)
def test_what_is_written_is_read_back(details: PatientDetails) -> None:
    details = known(details)
    assert told(patient_to_fhir(details, now=NOW, sends_untraced=True)) == details


@given(patients)
def test_ranks_count_from_one_and_nothing_is_empty(details: PatientDetails) -> None:
    resource = patient_to_fhir(details, now=NOW)
    contacts = resource.get("contact", [])
    ranks = [each["extension"][0]["valuePositiveInt"] for each in contacts]
    assert ranks == list(range(1, len(contacts) + 1))
    for contact in contacts:
        places = [each["rank"] for each in contact.get("telecom", [])]
        assert places == list(range(1, len(places) + 1))
    assert not list(empty_values(resource))


def empty_values(value: Any) -> Any:
    if value in ("", None, [], {}):
        yield value
    for member in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from empty_values(member)


@settings(max_examples=examples(60, thorough=1000))
@given(odd_resources)
def test_odd_shapes_never_raise(resource: object) -> None:
    details = told(resource)
    assert len(details.family_name) <= Limit.NAME
    assert len(details.contacts) <= Limit.CONTACTS


@given(json_values)
def test_odd_values_in_every_place_never_raise(value: object) -> None:
    resource = patient_to_fhir(FULL, now=NOW)
    for name in list(resource):
        told({**resource, name: value})
        told({**resource, name: [value]})
        told({**resource, "contact": [{name: value, "telecom": value, "name": value}]})


def test_a_whole_patient_as_fhir() -> None:
    resource = patient_to_fhir(FULL, now=NOW, practice_url="urn:uuid:1", resource_id="2")
    assert resource["id"] == "2"
    assert resource["name"] == [
        {
            "use": "official",
            "text": "Mrs Ada Mary Quill",
            "family": "Quill",
            "given": ["Ada", "Mary"],
            "prefix": ["Mrs"],
        }
    ]
    assert resource["address"][0]["text"] == "1 Sample Row, Leeds LS1 4AP"
    assert resource["generalPractitioner"] == [{"reference": "urn:uuid:1"}]
    assert resource["contact"][1]["relationship"][0]["coding"][0]["display"] == "unrelated friend"


@pytest.mark.parametrize(
    ("verified", "code"), [(True, "number-present-and-verified"), (False, "number-present-but-not-traced")]
)
def test_the_nhs_number_says_whether_it_was_verified(verified: bool, code: str) -> None:
    details = replace(FULL, nhs_number_verified=verified)
    (identifier,) = patient_to_fhir(details, now=NOW, sends_untraced=True)["identifier"]
    assert identifier["extension"][0]["valueCodeableConcept"]["coding"][0]["code"] == code


def test_a_number_that_nobody_traced_stays_here() -> None:
    details = replace(FULL, nhs_number_verified=False)
    assert "identifier" not in patient_to_fhir(details, now=NOW)


@pytest.mark.parametrize("use", ["home", "temp", ""])
def test_home_is_only_the_official_residence(use: str) -> None:
    (address,) = patient_to_fhir(replace(FULL, address_use=use), now=NOW)["address"]
    assert address.get("use", "") == use
    assert told({"address": [address]}).address_use == use


def test_a_patient_of_whom_nothing_is_known() -> None:
    resource = patient_to_fhir(PatientDetails(), now=NOW)
    assert set(resource) == {"resourceType", "meta"}
    assert told({}) == PatientDetails()


def test_an_unverified_or_mistyped_number_is_kept_and_not_trusted() -> None:
    system = "http://fhir.nhs.uk/id/NHS-number"
    details = told({"identifier": [{"system": system, "value": "347 852-6985"}]})
    assert (details.nhs_number, details.nhs_number_verified) == ("3478526985", False)
    assert told({"identifier": [{"system": system, "value": "34785"}]}).nhs_number == ""


@pytest.mark.parametrize(
    ("written", "day", "partly"),
    [
        ("1945-07-14", date(1945, 7, 14), ""),
        ("1945", None, "1945"),
        ("1945-07", None, "1945-07"),
        ("1945-13", None, ""),
        ("0000", None, ""),
        ("2023-02-29", None, ""),
        ("", None, ""),
    ],
)
def test_a_birth_date_is_kept_as_far_as_it_is_known(written: str, day: date | None, partly: str) -> None:
    details = told({"birthDate": written})
    assert (details.birth_date, details.birth_partly) == (day, partly)
    assert patient_to_fhir(details, now=NOW).get("birthDate", "") == (written if day or partly else "")


def test_contacts_are_sorted_by_rank_and_unranked_ones_come_last() -> None:
    def contact(family: str, rank: object) -> dict[str, Any]:
        return {"extension": [{"url": RANK, "valuePositiveInt": rank}], "name": {"family": family}}

    resource = {"contact": [contact("C", None), contact("B", 2), contact("D", "1"), contact("A", 1)]}
    assert [each.family_name for each in told(resource).contacts] == ["A", "B", "C", "D"]


def test_the_patients_own_numbers_become_a_contact() -> None:
    details = told({"telecom": [{"system": "phone", "value": "07700 900123"}]})
    assert details.contacts == (
        ContactDetails(relationship="ONESELF", telecoms=(Telecom("phone", "07700 900123"),)),
    )


def test_what_cannot_be_stored_or_is_too_long_is_cut() -> None:
    name = {"family": "Qu\x00ill\ud800" + "x" * 500, "given": ["A\nB", 7, None], "prefix": "Mrs"}
    details = told({"name": [name]})
    assert details.family_name == ("Quill" + "x" * 500)[:140]
    assert (details.given_names, details.prefix) == ("A B", "")


def test_a_relationship_without_a_code_keeps_its_words() -> None:
    assert told({"contact": [{"relationship": [{"text": "Warden"}]}]}).contacts == (
        ContactDetails(relationship_text="Warden"),
    )


def test_the_town_is_a_line_and_old_addresses_do_not_count() -> None:
    address = [
        {"use": "old", "line": ["Gone"]},
        {"line": ["1 Row", "Leeds"], "city": "LEEDS", "district": "Yorks", "postalCode": "LS1 4AP"},
    ]
    details = told({"address": address})
    assert (details.address_lines, details.postcode) == (("1 Row", "Leeds", "Yorks"), "LS1 4AP")
    assert told({"address": address[:1]}).address_lines == (), "better none than where nobody lives"


def test_the_surgery_is_an_organisation_of_its_own() -> None:
    person = replace(FULL, practice_code="A81001", practice_name="The Surgery", local_number="HOSP-1")
    entries = patient_entries(person, url="urn:1", practice_url="urn:2", now=NOW)
    bundle = MessageBundle({"entry": [{"fullUrl": url, "resource": each} for url, each in entries]})
    patient, practice = (each for _, each in entries)
    assert practice["resourceType"] == "Organization"
    assert bundle.resolve(patient["generalPractitioner"][0]) is practice
    assert patient_in(bundle, patient, now=NOW) == known(person)
    for number in ("", person.nhs_number):
        details = replace(person, nhs_number=number, practice_code="", practice_name="")
        ((_, sent),) = patient_entries(details, url="urn:1", practice_url="urn:2", now=NOW)
        numbers = [each["value"] for each in sent["identifier"]]
        assert numbers == list(filter(None, (number, "HOSP-1"))), "also where there is no NHS number"
        assert "generalPractitioner" not in sent


def test_another_systems_number_is_told_and_not_sent_as_ours() -> None:
    read = told({"identifier": [{"system": "https://elsewhere/Id", "value": "77"}]})
    assert (read.local_number, read.local_number_system) == ("77", "https://elsewhere/Id")
    assert PatientForm.initial_from(read)["local_number"] == ""


def test_the_published_booking(shared_dir: Path) -> None:
    message = json.loads(
        (shared_dir / "fhir/examples/BOOKREQ01 - Booking Request New Full.json").read_bytes()
    )
    found = [each["resource"] for each in message["entry"]]
    details = told(next(each for each in found if each["resourceType"] == "Patient"))
    assert details.nhs_number_verified
    assert [len(each.telecoms) for each in details.contacts] == [3, 1]
    assert details.contacts[0].telecoms[0].use == "mobile"
    assert told(patient_to_fhir(details, now=NOW, sends_untraced=True)) == known(details)


@pytest.mark.parametrize("details", [FULL, PatientDetails(), replace(FULL, nhs_number_verified=False)])
def test_our_patients_pass_the_published_profiles(
    shared_dir: Path, tmp_path: Path, details: PatientDetails
) -> None:
    path = tmp_path / "patient.json"
    path.write_text(json.dumps(patient_to_fhir(details, now=NOW)))
    assert_no_errors(shared_dir, tmp_path)

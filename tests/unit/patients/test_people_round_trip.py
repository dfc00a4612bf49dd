"""Names, numbers, postcodes and births from form to message, receiver, page, paper and search."""

import json
import unicodedata
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.people import dialled_phone
from bars_portal.exchange.fhir.queries.patients import AppointmentQuery
from bars_portal.nhsuk.documents import printable
from bars_portal.nhsuk.words import banner_name, format_phone, without_direction_marks
from bars_portal.patients.details import PatientDetails, is_same_person, may_be_person
from bars_portal.patients.forms import PatientForm
from bars_portal.patients.mapping import patient_entries
from bars_portal.patients.presenters import contact_lines
from bars_portal.patients.reading import patient_from_fhir, patient_in
from bars_portal.patients.typed import answers_from
from bars_portal.values import is_named

NOW = datetime(2026, 7, 14, 9, 30, tzinfo=UTC)
TODAY = date(2026, 7, 14)
# What people are called: letters of every script, their marks, and the signs between and around them.
_signs = st.one_of(
    st.characters(categories=["Ll", "Lu", "Lo", "Mn"], codec="utf-8"),
    st.sampled_from("'\u2019-\u2010 \u200f\u00df"),
)
names = st.text(_signs, max_size=30)
phones = st.from_regex(r"0(?:113 496|20 7946) 0[0-9]{3}|07700 900[0-9]{3}", fullmatch=True)


@st.composite
def typed(draw: st.DrawFn) -> dict[str, str]:
    born = draw(st.dates(date(1900, 1, 1), TODAY))
    parts = draw(st.sampled_from([(), ("year",), ("month", "year"), ("day", "month", "year")]))
    family, given_names = draw(names), draw(names)
    answers = {
        "family_name": family,
        "given_names": given_names,
        "gender": draw(st.sampled_from(["male", "female", "other", "unknown"])),
        "nhs_number": draw(st.sampled_from(["", "944 930 6621", "9476719931"])),
        "postcode": draw(st.sampled_from(["", "ls14ap", "ZZ99 3VZ", "zz99-3cz", "ZZ993WZ", "ec1a 1bb"])),
        "call_back": "patient",
        "address_line_1": draw(st.sampled_from(["", "1 Row"])),
        "town": draw(st.sampled_from(["", "Leeds", "1 Row"])),
        "district": draw(st.sampled_from(["", "West Yorkshire", "Leeds"])),
        "practice_name": draw(st.sampled_from(["", "The Surgery"])),
        "practice_code": draw(st.sampled_from(["", "a81001"])),
        "local_number": draw(st.sampled_from(["", "HOSP 12"])),
        "language": draw(st.sampled_from(["", "pl", "q4"])),
        "ethnic_category": draw(st.sampled_from(["", "C", "Z"])),
        "phone": draw(phones) + draw(st.sampled_from(["", " ext 12"])),
        **{f"birth_date-{part}": str(getattr(born, part)) for part in parts},
    }
    if not parts or not (family.strip() or given_names.strip()):
        answers["identity_unknown"] = "on"
    return answers


def as_sent(details: PatientDetails) -> PatientDetails:
    """Phone numbers have one form on the wire; what was typed is the sender's own."""
    contacts = tuple(
        replace(each, telecoms=tuple(replace(way, value=dialled_phone(way.value)) for way in each.telecoms))
        for each in details.contacts
    )
    return replace(details, contacts=contacts)


def received(details: PatientDetails) -> PatientDetails:
    entries = patient_entries(details, url="urn:1", practice_url="urn:2", now=NOW, sends_untraced=True)
    sent = [{"fullUrl": url, "resource": json.loads(json.dumps(each))} for url, each in entries]
    return patient_in(MessageBundle({"entry": sent}), sent[0]["resource"], now=NOW)


@given(typed())
def test_what_is_typed_arrives_and_is_found(answers: dict[str, str]) -> None:
    form = PatientForm(answers, today=TODAY)
    assert form.is_valid(), form.errors
    sent = form.to_details()
    there = received(sent)
    assert there == as_sent(sent)
    _is_shown(there, answers)
    _is_found(there, sent)
    again = PatientForm(answers_from(there), today=TODAY)
    assert again.is_valid(), again.errors
    assert without_direction_marks(banner_name(again.to_details())) == without_direction_marks(
        banner_name(sent)
    )
    assert (again.to_details().born, again.to_details().postcode) == (sent.born, sent.postcode)


def _is_shown(there: PatientDetails, answers: dict[str, str]) -> None:
    """On the page, and on paper, where each sign that cannot be printed is told by its number."""
    name = banner_name(there)
    for part in (there.family_name.upper(), there.given_names):
        assert part in name
        assert printable(part) in printable(name)
    way = contact_lines(there)[0].ways[0].value
    assert way == format_phone(there.contacts[0].telecoms[0].value)
    assert answers["phone"].partition(" ext")[0].replace(" ", "") in way.replace(" ", "")
    assert way.endswith("x12") is ("ext" in answers["phone"])


def _is_found(there: PatientDetails, sent: PatientDetails) -> None:
    """By the receiver's search, however the name is typed; and nobody else is, not even their twin."""
    asked = sent.family_name or sent.given_names
    if not (asked and sent.born and sent.postcode):
        return
    query = AppointmentQuery.parse(
        [
            ("patient:name", unicodedata.normalize("NFD", asked.upper())),
            ("patient:birthdate", f"eq{sent.born}"),
            ("patient:address-postalcode", sent.postcode.lower().replace(" ", "")),
        ]
    )
    person = query.demographics
    assert person is not None
    assert is_named(f"{there.given_names} {there.family_name}", person.name)
    assert (person.born, person.postcode) == (there.born, there.postcode)
    twin: Any = patient_from_fhir(
        {
            "name": [{"family": there.family_name, "given": ["Zebedee"]}],
            "birthDate": there.born,
            "address": [{"postalCode": there.postcode}],
        },
        now=NOW,
    )
    assert may_be_person(there, sent)
    assert not is_same_person(there, twin)

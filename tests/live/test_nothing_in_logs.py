"""No patient data in logs, addresses, titles or stray files: searched for by its values."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from tests.live.conftest import Query, TakeSlot
from tests.live.messages import PATIENT as SENT_TO_US
from tests.live.messages import only, own_booking
from tests.live.partner import Partner
from tests.live.people import DAYS_AHEAD, Person, heading, signed_in
from tests.stack import Stack

SERVICE = "2000099004"
TYPED = {
    "family_name": "Quetzalberg",
    "given_names": "Xanthippe",
    "birth_date-day": "29",
    "birth_date-month": "2",
    "birth_date-year": "1944",
    "nhs_number": "9658499163",
    "traced_in": "PDS",
    "address_line_1": "77 Zygote Quadrangle",
    "town": "Blaenau Gwernog",
    "postcode": "ZE3 9JW",
    "phone": "07700900987",
    "second_phone": "0113 496 0987",
    "email": "xanthippe@quetzalberg.example",
}
VALUES = (
    "Quetzalberg",
    "QUETZALBERG",
    "Xanthippe",
    "xanthippe",
    "9658499163",
    "965 849 9163",
    "Zygote",
    "Gwernog",
    "ZE3 9JW",
    "ZE39JW",
    "ZE3%209JW",
    "7700900987",
    "1134960987",
    "1944-02-29",
    "29 February 1944",
    *SENT_TO_US.values(),
)


@pytest.fixture(scope="module")
def seen(stack: Stack, direct: Partner, proxied: Partner, take_slot: TakeSlot) -> Iterator[Person]:
    """A person's and a partner's day with all that can go wrong, every value unmistakable."""
    with signed_in(stack) as person:
        _a_day_at_the_pages(person, direct)
        for partner in (direct, proxied):
            _a_day_on_the_wire(partner, take_slot)
        for path in ("/Appointment/Quetzalberg", "/Patient/Xanthippe", "/Quetzalberg"):
            assert direct.get(path).status_code in (400, 404)
            # Not through `get`: these addresses are the tests' own invention.
            person.http.get(f"/services{path}/")
            person.http.get(f"/bookings{path}/")
        yield person


def _a_day_at_the_pages(person: Person, direct: Partner) -> None:
    form = person.choose_time(SERVICE)
    wrong = person.fill_in(form, **TYPED | {"birth_date-month": "Quetzalberg", "phone": "Xanthippe"})
    assert "There is a problem" in wrong.text
    for odd in (
        {"family_name": "Quetzalberg\x00"},
        {"given_names": "Xanthippe" * 1000},
        {"gender": "ZE3 9JW"},
    ):
        person.fill_in(form, **TYPED | odd)
    booked = person.settled(person.confirm(person.fill_in(form, **TYPED)))
    assert heading(booked) == "Appointment booked"
    person.get("/bookings/")
    person.cancel(person.get(booked.url.path))
    person.get("/services/?name=Nowhere")
    person.submit(form, {"test_patient": "Quetzalberg"})
    refused = person.fill_in(person.choose_time(SERVICE), **TYPED)
    _take_first(person, direct, refused)
    person.http.post(str(form.url), data=TYPED)  # without its token: refused by the CSRF check


def _take_first(person: Person, direct: Partner, ready: httpx.Response) -> None:
    """Somebody else takes the slot while the person is checking their answers."""
    day = datetime.now(UTC) + timedelta(days=DAYS_AHEAD)
    start = day.replace(hour=0, minute=0, second=0, microsecond=0)
    (first, *_) = direct.slots(service=SERVICE, start=start, end=start + timedelta(days=1))
    assert direct.post(own_booking(first, use_case="a5t1"), service=SERVICE).status_code == 200
    assert heading(person.settled(person.confirm(ready))) == "Not booked"


def _a_day_on_the_wire(partner: Partner, take_slot: TakeSlot) -> None:
    slot = take_slot()
    good = own_booking(slot)
    patient = only(good, "Patient")
    patient["name"][0]["family"] = "Quetzalberg"
    body = json.dumps(good)
    assert partner.post(good).status_code == 200
    for bad in (
        body[:-50],
        body.replace('"Quetzalberg"', '"Quetzalberg\\u0000"'),
        body.replace('"birthDate": "1961-02-03"', '"birthDate": "9658499163"'),
        body.replace('"gender": "female"', '"gender": "Xanthippe"'),
        body.replace('"resourceType": "Patient"', '"resourceType": "Quetzalberg"'),
        body.replace('"reference"', '"Xanthippe"'),
        body.replace('"telecom"', '"Zygote"'),
        body.replace('"booked"', '"ZE3 9JW"'),
        '{"Quetzalberg": 9658499163',
        '"Quetzalberg"',
    ):
        assert partner.post(bad.encode()).status_code == 400
    assert partner.post({**good, "id": "4d65ddaa-4d09-41cd-87c9-aeb9c0c96352"}).status_code == 409
    system = "https://fhir.nhs.uk/Id/nhs-number"
    for number in ("9658499163", "9658499163x"):
        partner.get("/Appointment", [("patient:identifier", f"{system}|{number}")])
    who = [("patient:name", "Quetzalberg"), ("patient:birthdate", "1944-02-29")]
    partner.get("/Appointment", [*who, ("patient:address-postalcode", "ZE3 9JW")])
    partner.get("/Slot", [("status", "Quetzalberg"), ("start", "9658499163")])
    partner.get("/metadata", [("_format", "Quetzalberg")])
    assert partner.get("/Appointment/9658499163").status_code == 400
    partner.get("/Patient", [("name", "Quetzalberg")], headers={"User-Agent": "Xanthippe"})
    partner.call("PUT", "/Appointment", params=[("family", "Quetzalberg")], body=body.encode())


def test_the_log_says_much_but_names_nobody(seen: Person, stack: Stack) -> None:
    log = stack.log

    assert "POST /FHIR/R4/$process-message 200" in log
    assert "/FHIR/R4/Appointment " in log
    assert [value for value in VALUES if value in log] == []
    assert "Traceback" not in log


def test_no_address_and_no_title_names_anybody(seen: Person) -> None:
    assert len(seen.addresses) > 20
    assert any("Choose a time" in title for title in seen.titles)
    for text in (*seen.addresses, *seen.titles):
        assert [value for value in VALUES if value in text] == []


def test_no_file_beside_the_database_names_anybody(seen: Person, stack: Stack) -> None:
    """The broker's files, the simulator's state, the beat schedule."""
    files = [file for file in stack.var.rglob("*") if file.is_file()]

    assert files
    assert [file.name for file in files if _names_somebody(file)] == []


def test_the_audit_trail_names_nobody(seen: Person, query: Query) -> None:
    rows = query("SELECT action, detail::text, actor_label FROM audit_auditevent")

    assert rows
    assert [row for row in rows if any(value in str(row) for value in VALUES)] == []


def _names_somebody(file: Path) -> bool:
    content = file.read_bytes()
    return any(value.encode() in content for value in VALUES)

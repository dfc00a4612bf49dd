"""Bookings in XML and gzip, all the way: taken, repeated, cancelled, refused; what arrived is the record."""

import gzip
import json as stdlib_json
from itertools import product
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from bars_portal.exchange.fhir import json, xml
from bars_portal.exchange.fhir.formats import Format
from bars_portal.exchange.fhir.json import parse_decimal
from bars_portal.exchange.message_bytes import decode, readable
from bars_portal.exchange.models import InboundMessage, InboundState
from bookings.models import Booking, Slot, SlotStatus
from bookings.states import BookingStatus
from tests.fhir_check import assert_no_errors
from tests.integration.bookings.official import CANCELLED, NEW, Bundle, adapted, example, of_type
from tests.integration.exchange_formats.conftest import JSON, XML, Partner
from tests.profiles import daily, share

FORMATS = [Format.JSON, Format.XML]


@pytest.fixture
def new(shared_dir: Path, slot: Slot) -> Bundle:
    return adapted(example(shared_dir, NEW), slot)


@pytest.fixture
def cancel(shared_dir: Path, slot: Slot) -> Bundle:
    return adapted(example(shared_dir, CANCELLED), slot)


@pytest.mark.parametrize("sent", FORMATS)
@pytest.mark.parametrize("wanted", FORMATS)
@pytest.mark.parametrize("zipped", [False, True])
def test_a_booking_in_every_form(
    partner: Partner, new: Bundle, slot: Slot, sent: Format, wanted: Format, zipped: bool
) -> None:
    plain = sent.dumps(new)
    body, coding = (gzip.compress(plain), "gzip") if zipped else (plain, "")
    answer = partner.post(body, sent.value, Accept=wanted.value, Content_Encoding=coding)
    assert (answer.status_code, answer["Content-Type"]) == (200, wanted.value), answer.content
    reply = wanted.loads(answer.content)
    booking = Booking.objects.get()
    assert reply["id"] == new["id"]
    assert of_type(reply, "Appointment")["id"] == str(booking.pk)
    message = InboundMessage.objects.get()
    assert bytes(message.body) == body, "what arrived is the record"
    assert message.headers.get("Content-Encoding", "") == coding
    assert decode(message.body) == new
    assert Format.JSON.loads(bytes(message.reply or b"")) == reply


@pytest.mark.parametrize("sent", FORMATS)
def test_a_leap_second_is_taken_in_both_formats(partner: Partner, new: Bundle, sent: Format) -> None:
    new["timestamp"] = new["meta"]["lastUpdated"] = "2016-12-31T23:59:60Z"
    appointment, patient = of_type(new, "Appointment"), of_type(new, "Patient")
    appointment["meta"] = {**appointment.get("meta", {}), "lastUpdated": "2017-01-01T00:59:60.250+01:00"}
    patient["deceasedDateTime"] = "2016-12-31T23:59:60+00:00"
    answer = partner.post(sent.dumps(new), sent.value)
    assert answer.status_code == 200, answer.content
    assert decode(InboundMessage.objects.get().body) == new


def test_both_formats_leave_the_same(partner: Partner, new: Bundle, slot: Slot) -> None:
    partner.post(xml.dumps(new), XML)
    first = Booking.objects.get()
    Booking.objects.update(status=BookingStatus.CANCELLED)
    Slot.objects.update(status=SlotStatus.FREE)
    partner.post(json.dumps({**new, "id": str(uuid4())}), JSON)
    second = Booking.objects.exclude(pk=first.pk).get()
    ours = ("id", "identifier", "meta", "created")
    assert [{**each.resource, **dict.fromkeys(ours)} for each in (first, second)] == [
        {**first.resource, **dict.fromkeys(ours)}
    ] * 2
    assert first.patient.family_name == second.patient.family_name


@pytest.mark.parametrize("zipped", [False, True])
def test_a_booking_in_xml_is_cancelled_in_xml(
    partner: Partner, new: Bundle, cancel: Bundle, slot: Slot, zipped: bool
) -> None:
    body = xml.dumps(new)
    partner.post(gzip.compress(body) if zipped else body, XML, Content_Encoding="gzip" if zipped else "")
    answer = partner.post(xml.dumps(cancel), XML, Accept=XML)
    assert answer.status_code == 200, answer.content
    assert of_type(xml.loads(answer.content), "Appointment")["status"] == "cancelled"
    assert Booking.objects.get().status == BookingStatus.CANCELLED


@pytest.mark.parametrize("wanted", FORMATS)
def test_a_repeat_is_answered_in_the_format_it_asks_for(
    partner: Partner, new: Bundle, wanted: Format
) -> None:
    ids = {"X_Request_ID": str(uuid4())}
    assert partner.post(xml.dumps(new), XML, **ids).status_code == 200
    answer = partner.post(xml.dumps(new), XML, Accept=wanted.value, **ids)
    assert (answer.status_code, answer["Content-Type"]) == (409, wanted.value)
    assert wanted.loads(answer.content)["issue"][0]["code"] == "duplicate"


def test_faults_are_the_same_in_both_formats(partner: Partner, new: Bundle) -> None:
    of_type(new, "MessageHeader")["eventCoding"]["code"] = "unheard-of"
    answers = [
        each.loads(partner.post(each.dumps(new), each.value, Accept=each.value).content) for each in FORMATS
    ]
    issues = [answer["issue"] for answer in answers]
    assert issues[0] == issues[1]
    assert not Booking.objects.exists()


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ((b"<Appointment>", b"<Appointment><SECRET/>"), "Bundle.entry[1].resource"),
        ((b'<status value="booked"/>', b""), "Bundle.entry[1].resource"),
        ((b"<Slot>", b"<Slot>SECRET"), None),
        ((b"</Bundle>", b""), None),
        ((b"<Bundle", b"<!DOCTYPE Bundle><Bundle"), None),
        ((b'xmlns="http://hl7.org/fhir"', b'xmlns="http://hl7.org/SECRET"'), None),
    ],
)
def test_faulty_xml_is_refused_whole_and_kept(
    partner: Partner, new: Bundle, change: tuple[bytes, bytes], path: str | None
) -> None:
    body = xml.dumps(new).replace(*change)
    answer = partner.post(body, XML)
    found = json.loads(answer.content)
    assert (answer.status_code, answer["Content-Type"]) == (400, JSON)
    expressions = found["issue"][0].get("expression", [""])
    assert expressions[0].startswith(path or "")
    assert "SECRET" not in str(found)
    message = InboundMessage.objects.get()
    assert (message.state, bytes(message.body)) == (InboundState.REFUSED, body)
    assert not Booking.objects.exists()


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        (JSON, 200),
        # Section 12: a body is in one of FHIR's own types, whatever Accept may ask for.
        ("application/json", 415),
        ("text/json", 415),
        ("application/xml", 415),
        ("text/xml; charset=utf-8", 415),
        (f"{JSON}; charset=utf-8", 200),
        (f"{JSON};version=1.0.0", 200),
        (f'{JSON}; charset="UTF-8"', 200),
        ("APPLICATION/FHIR+JSON", 200),
        (f"{JSON}; charset=latin-1", 415),
        ("text/plain", 415),
        ("multipart/form-data", 415),
        ("application/x-www-form-urlencoded", 415),
        ("", 415),
        (";", 415),
        (XML, 400),
    ],
)
def test_the_type_of_a_body(partner: Partner, new: Bundle, content_type: str, status: int) -> None:
    answer = partner.post(json.dumps(new), content_type)
    assert answer.status_code == status, answer.content
    kept = InboundMessage.objects.get()
    assert (kept.status_code, bytes(kept.body)) == (status, json.dumps(new))
    assert Booking.objects.exists() is (status == 200)


@pytest.mark.parametrize(
    "content_type",
    [XML, f"{XML}; charset=UTF-8; version=1.1.0"],
)
def test_the_types_of_xml(partner: Partner, new: Bundle, content_type: str) -> None:
    assert partner.post(xml.dumps(new), content_type).status_code == 200


@pytest.mark.parametrize(
    ("coding", "body", "status"),
    [
        ("identity", b"{}", 400),
        ("br", b"{}", 415),
        ("deflate", b"{}", 415),
        ("gzip, gzip", b"{}", 415),
        ("gzip", b"{}", 400),
        ("gzip", gzip.compress(b"{}", mtime=0)[:-4], 400),
        ("gzip", gzip.compress(b" " * 10_000_001, mtime=0), 413),
        ("x-gzip", gzip.compress(b"{}", mtime=0), 400),
    ],
)
@pytest.mark.parametrize("wanted", FORMATS)
def test_the_coding_of_a_body(
    partner: Partner, coding: str, body: bytes, status: int, wanted: Format
) -> None:
    answer = partner.post(body, JSON, Content_Encoding=coding, Accept=wanted.value)
    assert (answer.status_code, answer["Content-Type"]) == (status, wanted.value)
    assert wanted.loads(answer.content)["resourceType"] == "OperationOutcome"


TEXTS = ["1.10", "51.50000", "0.0", "-0.10", "12345678901234567.890"]
WAYS = list(product(TEXTS, FORMATS, FORMATS))


# In turns, so that each text is sent and each of the ways is gone.
@pytest.mark.parametrize(
    ("text", "wanted", "sent"), daily(WAYS, lambda row: row in [*share(WAYS, 0, of=5), *share(WAYS, 2, of=5)])
)
def test_decimals_are_answered_as_they_were_sent(
    partner: Partner, new: Bundle, sent: Format, wanted: Format, text: str
) -> None:
    """In the answer, and in what is read back from the database."""
    exact = {"url": "https://sender.example/score", "valueDecimal": parse_decimal(text)}
    of_type(new, "Appointment")["extension"] = [exact]
    written = {
        Format.JSON: f'"valueDecimal":{text}',
        Format.XML: f'<valueDecimal value="{text}"/>',
    }[wanted].encode()
    answer = partner.post(sent.dumps(new), sent.value, Accept=wanted.value)
    assert written in answer.content
    booking = Booking.objects.get()
    read = partner.get(f"/Appointment/{booking.pk}", Accept=wanted.value)
    assert written in read.content
    found = partner.get("/Appointment?patient:identifier=9476719931", Accept=wanted.value)
    assert written in found.content
    booking.refresh_from_db()
    assert json.dumps(booking.changes.get().resource) == json.dumps(booking.resource)


def test_staff_read_what_arrived_in_any_form(partner: Partner, new: Bundle) -> None:
    wide = xml.dumps(new).decode().replace("UTF-8", "UTF-16").encode("utf-16")
    forms = [json.dumps(new), xml.dumps(new), gzip.compress(xml.dumps(new)), wide]
    texts = {readable(form, masked=False) for form in forms}
    assert len({stdlib_json.dumps(stdlib_json.loads(text), sort_keys=True) for text in texts}) == 1
    masked = readable(forms[2], masked=True)
    assert "Chalmers" not in masked
    assert "MessageHeader" in masked
    assert readable(b"SECRET", masked=True) == "6 bytes that are not FHIR in JSON or XML."


def test_what_we_answer_in_xml_has_no_error(
    partner: Partner, new: Bundle, cancel: Bundle, slot: Slot, shared_dir: Path, tmp_path: Path
) -> None:
    day = slot.start.date().isoformat()
    search = (
        f"/Slot?Schedule.actor:HealthcareService={slot.service.service_id}&status=free,busy"
        f"&start=ge{day}T00:00:00%2B00:00&start=le{day}T23:59:59%2B00:00&_include=Slot:schedule"
        "&_include=Schedule:actor:Practitioner&_include=Schedule:actor:HealthcareService"
    )
    taken = partner.post(xml.dumps(new), XML, Accept=XML)
    answers = [
        taken,
        partner.get(search, Accept=XML),
        partner.get(f"/Appointment/{Booking.objects.get().pk}", Accept=XML),
        partner.get("/metadata", Accept=XML),
        partner.get(f"/MessageDefinition?context={quoted(slot)}", Accept=XML),
        partner.post(xml.dumps(cancel), XML, Accept=XML),
        partner.get("/Appointment/7", Accept=XML),
    ]
    assert [each.status_code for each in answers] == [200, 200, 200, 200, 200, 200, 400]
    for number, each in enumerate(answers):
        (tmp_path / f"{number}.xml").write_bytes(each.content)
    assert_no_errors(shared_dir, tmp_path)


def quoted(slot: Slot) -> str:
    return f"https://fhir.nhs.uk/Id/dos-service-id%7C{slot.service.service_id}"


@pytest.mark.parametrize("wanted", FORMATS)
def test_reads_say_the_same_in_both_formats(partner: Partner, new: Bundle, wanted: Format) -> None:
    partner.post(xml.dumps(new), XML)
    path = f"/Appointment/{Booking.objects.get().pk}"
    in_json: Any = json.loads(partner.get(path).content)
    assert wanted.loads(partner.get(path, Accept=wanted.value).content) == in_json

"""JSON and XML over the real wire: a booking and a referral taken in either, answered in either."""

from datetime import datetime
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.live.conftest import FhirCheck, Query, TakeSlot
from tests.live.messages import PATIENT, addressed, own_booking
from tests.live.partner import EMERGENCY, Partner, Resource, assert_ids_echoed
from tests.live.xml import JSON, XML, kind, to_xml, values

FORMATS = [JSON, XML]


def sent(partner: Partner, message: Resource, media_type: str, accept: str) -> httpx.Response:
    body = message if media_type == JSON else to_xml(message)
    return partner.post(body, headers={"Content-Type": media_type, "Accept": accept})


def served_as(answer: httpx.Response, media_type: str, status: int = 200) -> httpx.Response:
    assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (status, media_type), (
        answer.text
    )
    assert_ids_echoed(answer)
    return answer


@pytest.mark.parametrize("certified", ["direct", "proxied"])
def test_a_booking_in_xml_is_answered_in_xml(
    certified: str, take_slot: TakeSlot, request: pytest.FixtureRequest
) -> None:
    partner: Partner = request.getfixturevalue(certified)
    slot = take_slot()
    message = own_booking(slot)

    answer = served_as(sent(partner, message, XML, f"{XML}; version=1.1.0"), XML)

    assert kind(answer.content) == "Bundle"
    assert values(answer.content, "id") == [message["id"]]
    assert values(answer.content, "entry/resource/Appointment/status") == ["booked"]
    (appointment_id,) = values(answer.content, "entry/resource/Appointment/id")
    read = served_as(partner.get(f"/Appointment/{appointment_id}", headers={"Accept": XML}), XML)
    assert kind(read.content) == "Appointment"
    assert values(read.content, "id") == [appointment_id]
    stored = partner.get(f"/Appointment/{appointment_id}").json()
    assert (stored["status"], datetime.fromisoformat(stored["start"])) == (
        "booked",
        datetime.fromisoformat(slot.start),
    )
    assert not partner.offers(slot)


def test_a_fault_in_xml_is_told_in_xml(direct: Partner, take_slot: TakeSlot) -> None:
    message = own_booking(take_slot())
    message["type"] = "collection"

    answer = served_as(sent(direct, message, XML, XML), XML, 400)

    assert kind(answer.content) == "OperationOutcome"
    assert values(answer.content, "issue/details/coding/code")[0].startswith("REC_")
    assert not [value for value in PATIENT.values() if value in answer.text]


@pytest.mark.parametrize("path", ["/metadata", "/MessageDefinition"])
def test_what_the_receiver_says_of_itself(path: str, direct: Partner) -> None:
    context = [("context", f"https://fhir.nhs.uk/Id/dos-service-id|{EMERGENCY}")] if "Def" in path else []

    told = served_as(direct.get(path, context, headers={"Accept": XML}), XML)

    assert kind(told.content) == ("Bundle" if context else "CapabilityStatement")
    if not context:
        assert len(values(told.content, "format")) == 2


@pytest.mark.parametrize("accept", FORMATS)
def test_who_takes_gzip_gets_it(accept: str, direct: Partner) -> None:
    coding = {"Accept-Encoding": "gzip"}

    told = served_as(direct.get("/metadata", headers={"Accept": accept, **coding}), accept)

    assert told.headers["content-encoding"] == "gzip"
    assert int(told.headers["content-length"]) == told.num_bytes_downloaded < len(told.content)


@pytest.mark.parametrize("media_type", FORMATS)
@pytest.mark.parametrize("accept", FORMATS)
def test_the_published_referral_is_taken_and_read_back(
    media_type: str, accept: str, direct: Partner, shared_dir: Path, query: Query, fhir_check: FhirCheck
) -> None:
    message = addressed(shared_dir, "REFREQ01", EMERGENCY) | {"id": str(uuid4())}

    answer = served_as(sent(direct, message, media_type, accept), accept)

    if accept == JSON:
        fhir_check([answer.json()])
        found = [entry["resource"] for entry in answer.json()["entry"]]
        (case_id,) = [each["id"] for each in found if each["resourceType"] == "ServiceRequest"]
    else:
        (case_id,) = values(answer.content, "entry/resource/ServiceRequest/id")
    assert query("SELECT status, direction FROM referrals_referral WHERE id = %s", case_id) == [
        ("received", "received")
    ]
    in_xml = served_as(direct.get(f"/ServiceRequest/{case_id}", headers={"Accept": XML}), XML)
    assert (kind(in_xml.content), values(in_xml.content, "id")) == ("ServiceRequest", [case_id])
    in_json = served_as(direct.get(f"/ServiceRequest/{case_id}"), JSON)
    assert in_json.json()["status"] == "active"
    fhir_check([in_json.json()])


@pytest.mark.parametrize("accept", FORMATS)
def test_a_referral_that_is_not_held(accept: str, direct: Partner) -> None:
    answer = direct.get(f"/ServiceRequest/{uuid4()}", headers={"Accept": accept})

    assert b"REC_NOT_FOUND" in served_as(answer, accept, 404).content

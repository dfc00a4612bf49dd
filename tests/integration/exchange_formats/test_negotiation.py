"""Which format an answer has: every combination of `_format`, Accept and outcome."""

import gzip
import json as stdlib_json
from typing import Any

import pytest

from bars_portal.exchange.fhir import json, xml
from tests.integration.exchange_formats.conftest import JSON, XML, Partner

LOADS = {JSON: json.loads, XML: xml.loads}
UNKNOWN = ("/metadata", "/Slot", "/nothing", "/Appointment/", "/Appointment/7")


def content(answer: Any) -> dict[str, Any]:
    body = answer.content
    assert answer["Content-Length"] == str(len(body))
    assert answer["Vary"] == "Accept, Accept-Encoding"
    plain = gzip.decompress(body) if answer.get("Content-Encoding") == "gzip" else body
    found: dict[str, Any] = LOADS[answer["Content-Type"]](plain)
    return found


@pytest.mark.parametrize(
    ("query", "accept", "expected"),
    [
        ("", "", JSON),
        ("", "*/*", JSON),
        ("", "application/*", JSON),
        ("", JSON, JSON),
        ("", XML, XML),
        ("", "application/json", JSON),
        ("", "application/xml", XML),
        ("", "text/xml", XML),
        ("", "APPLICATION/FHIR+XML", XML),
        ("", f"{JSON}; version=1.0.0", JSON),
        ("", f"{JSON};version=1.1.0", JSON),
        ("", f"{XML}; version=1.1.0; charset=utf-8", XML),
        ("", f'{XML}; version="1.9.2"', XML),
        ("", f"{XML}; fhirVersion=4.0", XML),
        ("", f"{JSON}; version=2.0.0", None),
        ("", f"{JSON}; version=11.0.0", None),
        ("", f"{JSON}; version=one", None),
        ("", f"{JSON}; version=", None),
        ("", f"{JSON}; fhirVersion=5.0", None),
        ("", f"{JSON}; version=2.0.0, {XML}; version=1.0.0", XML),
        ("", f"{JSON}; version=2.0.0, {JSON}; version=1.0.0", JSON),
        ("", f"{JSON};q=0.5, {XML}", XML),
        ("", f"{XML};q=0.5, {JSON};q=0.4", XML),
        ("", f"{XML};q=0.5, {JSON};q=0.9", JSON),
        ("", f"{XML}, {JSON}", XML),
        ("", f"{JSON}, {XML}", JSON),
        ("", f"{JSON};q=0, */*", XML),
        ("", f"{JSON};q=0", None),
        ("", "*/*;q=0", None),
        ("", f"{XML};q=0.1, */*", JSON),
        ("", "text/html, application/xhtml+xml, application/xml;q=0.9, */*;q=0.8", XML),
        ("", "text/html", None),
        ("", "text/html, */*;q=0.1", JSON),
        ("", "image/*", None),
        # Written by a person: read as far as it can be, and no reason to refuse (standard section 12).
        ("", f"{JSON};q=high", JSON),
        ("", f"{JSON};q=.4, {XML};q=.8", XML),
        ("", f"{XML};q=.4, {JSON};q=.8", JSON),
        ("", f"{XML};q=0.12345, {JSON};q=0.1", XML),
        ("", f"{JSON};q=0,8", JSON),
        ("", f"{JSON};q=0,2, {XML};q=0,7", XML),
        ("", f"{XML};q=80%, {JSON};q=0.5", XML),
        ("", f"{XML};q=-1", XML),
        ("", f"{XML};q=2", XML),
        ("", f"{XML};q=", XML),
        ("", f"{JSON};q=.0", None),
        ("", f"{JSON};q=0.000", None),
        ("", ", ,", JSON),
        ("_format=json", XML, JSON),
        ("_format=xml", JSON, XML),
        ("_format=xml", "text/html", XML),
        ("_format=application/fhir%2Bxml", JSON, XML),
        ("_format=application/fhir+xml", JSON, XML),
        ("_format=application/fhir+json", XML, JSON),
        ("_format=application/xml", "", XML),
        ("_format=text/xml", "", XML),
        ("_format=application/json", XML, JSON),
        ("_format=XML", "", XML),
        ("_format=application/fhir%2Bxml;version=1.1.0", "", XML),
        ("_format=application/fhir%2Bxml;version=2.0.0", "", None),
        ("_format=ttl", XML, None),
        ("_format=", JSON, None),
        ("_format=text/html", "", None),
    ],
)
def test_the_format_that_is_asked_for(
    partner: Partner, query: str, accept: str, expected: str | None
) -> None:
    answer = partner.get(f"/metadata?{query}", Accept=accept)
    found = content(answer)
    if expected is None:
        assert (answer.status_code, answer["Content-Type"]) == (406, JSON)
        assert found["issue"][0]["code"] == "processing"
        assert found["issue"][0]["details"]["coding"][0]["code"] == "REC_NOT_ACCEPTABLE"
    else:
        assert (answer.status_code, answer["Content-Type"]) == (200, expected)
        assert found["format"] == ["json", "xml"]


def cases() -> list[tuple[str, str, dict[str, str], int]]:
    """Verb, path, headers, status: one of each way to be refused."""
    return [
        ("GET", "/nothing", {}, 404),
        ("GET", "/Appointment/00000000-0000-4000-8000-000000000000", {}, 404),
        ("DELETE", "/metadata", {}, 405),
        ("PUT", "/Slot", {}, 405),
        ("GET", "/$process-message", {}, 405),
        ("GET", "/Slot", {}, 400),
        ("GET", "/Appointment/", {}, 400),
        ("GET", "/MessageDefinition", {}, 400),
        ("GET", "/metadata", {"X_Request_ID": ""}, 400),
        ("GET", "/metadata", {"X_Correlation_ID": "SECRET"}, 400),
        ("GET", "/metadata", {"X_SSL_Client_Verify": "NONE"}, 403),
        # Verb and path are judged before the content of an NHSD header, and before what is asked for.
        ("GET", "/nothing", {"NHSD_Target_Identifier": "SECRET"}, 404),
        ("DELETE", "/metadata", {"NHSD_End_User_Organisation": "SECRET"}, 405),
        ("DELETE", "/nothing", {"NHSD_Requesting_Software": "SECRET"}, 404),
        ("GET", "/$process-message", {"NHSD_Requesting_Practitioner": "SECRET"}, 405),
        ("POST", "/$process-message", {"Content_Type": "application/json"}, 415),
        ("POST", "/$process-message", {"Content_Type": "text/plain"}, 415),
    ]


@pytest.mark.parametrize(("verb", "path", "headers", "status"), cases())
@pytest.mark.parametrize("wanted", [JSON, XML])
@pytest.mark.parametrize("zipped", [False, True])
def test_errors_are_negotiated_like_answers(
    partner: Partner, verb: str, path: str, headers: dict[str, str], status: int, wanted: str, zipped: bool
) -> None:
    ids = {"X_Request_ID": "11111111-1111-4111-8111-111111111111", **headers}
    coding = "gzip" if zipped else ""
    answer = partner.send(verb, path, b"", "text/plain", Accept=wanted, Accept_Encoding=coding, **ids)
    assert (answer.status_code, answer["Content-Type"]) == (status, wanted)
    assert ("Content-Encoding" in answer) is zipped
    found = content(answer)
    assert found["resourceType"] == "OperationOutcome"
    assert found["issue"][0]["details"]["coding"][0]["display"].startswith(f"{status} - REC_")
    assert "SECRET" not in str(found)
    assert answer.get("X-Request-ID", "") == ids["X_Request_ID"]


@pytest.mark.parametrize(
    ("accepted", "zipped"),
    [
        ("", False),
        ("gzip", True),
        ("x-gzip", True),
        ("deflate, gzip;q=0.5, br", True),
        ("GZIP", True),
        ("gzip;q=0", False),
        ("identity", False),
        ("*", False),
        ("br", False),
    ],
)
@pytest.mark.parametrize("wanted", [JSON, XML])
def test_gzip_when_asked(partner: Partner, accepted: str, zipped: bool, wanted: str) -> None:
    answer = partner.get("/metadata", Accept=wanted, Accept_Encoding=accepted)
    assert answer.get("Content-Encoding") == ("gzip" if zipped else None)
    assert content(answer)["resourceType"] == "CapabilityStatement"


@pytest.mark.parametrize("host", ["", "int.api.service.nhs.uk", "a b", "[::1", "x:99999", "ümlaut", "_/?"])
def test_the_host_never_matters(partner: Partner, host: str) -> None:
    assert partner.get("/metadata", Host=host).status_code == 200


@pytest.mark.parametrize("path", ["/$process-message", "/%24process-message", "/$process-message/"])
def test_the_operation_by_its_names(partner: Partner, path: str) -> None:
    answer = partner.post(b"{}", path=path)
    assert answer.status_code == 400
    assert content(answer)["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize("path", ["/metadata/", "/Slot/", "/Appointment/", "/MessageDefinition/"])
def test_a_trailing_slash_is_no_redirect(partner: Partner, path: str) -> None:
    assert partner.get(path).status_code in {200, 400}


def test_a_flood_of_parameters_is_answered(partner: Partner) -> None:
    answer = partner.get("/Slot?_format=xml&" + "a=1&" * 3000)
    assert (answer.status_code, answer["Content-Type"]) == (400, XML)


def test_json_is_compact(partner: Partner) -> None:
    body = partner.get("/metadata").content
    assert json.dumps(stdlib_json.loads(body)) == body

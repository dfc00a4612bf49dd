"""The proxy's own answers, in the live one's order; the receiver is a recorder."""

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from hypothesis import given
from hypothesis import strategies as st

from bars_portal.simulator.app import WsgiApp
from bars_portal.simulator.config import Config
from bars_portal.simulator.headers import accepted_version, decode_target
from bars_portal.simulator.outcomes import Refused
from tests.simulator.conftest import CallProxy
from tests.simulator.support import (
    BASE,
    CORRELATION_ID,
    IDS,
    REQUEST_ID,
    SYSTEM,
    FakeClock,
    Recorder,
    ask_token,
    call_app,
    form,
    sign,
    target,
)


def encoded(content: Any) -> str:
    return base64.b64encode(json.dumps(content).encode()).decode()


@pytest.mark.parametrize(
    ("headers", "outcome"),
    [
        ({"Authorization": None}, (401, "SEND_UNAUTHORIZED", "unknown")),
        ({"Authorization": "Basic eA=="}, (401, "SEND_UNAUTHORIZED", "unknown")),
        ({"Authorization": "Bearer "}, (401, "SEND_UNAUTHORIZED", "unknown")),
        ({"Authorization": "Bearer made-up"}, (401, "SEND_UNAUTHORIZED", "security")),
        ({"X-Request-Id": None}, (400, "BAD_REQUEST", "invalid")),
        ({"X-Correlation-Id": None}, (400, "BAD_REQUEST", "invalid")),
        ({"X-Correlation-Id": "  "}, (400, "BAD_REQUEST", "invalid")),
        ({"NHSD-Target-Identifier": None}, (400, "PROXY_BAD_REQUEST", "400")),
        ({"NHSD-Target-Identifier": "abcde"}, (400, "PROXY_BAD_REQUEST", "400")),
        ({"NHSD-Target-Identifier": encoded({"system": SYSTEM})}, (400, "PROXY_BAD_REQUEST", "structure")),
        ({"NHSD-Target-Identifier": encoded({"value": "1"})}, (400, "PROXY_BAD_REQUEST", "structure")),
        (
            {"NHSD-Target-Identifier": encoded({"system": "", "value": "1"})},
            (400, "PROXY_BAD_REQUEST", "structure"),
        ),
        ({"NHSD-Target-Identifier": target("2000000000")}, (404, "PROXY_NOT_FOUND", "not-found")),
        ({"NHSD-Target-Identifier": target("1", "urn:other")}, (500, "REC_SERVER_ERROR", "exception")),
        ({"NHSD-Target-Identifier": "bm8ganNvbg=="}, (500, "REC_SERVER_ERROR", "exception")),
        ({"NHSD-Target-Identifier": encoded([1])}, (500, "REC_SERVER_ERROR", "exception")),
        (
            {"NHSD-Target-Identifier": encoded({"system": [1], "value": "1"})},
            (500, "REC_SERVER_ERROR", "exception"),
        ),
        (
            {"NHSD-Target-Identifier": encoded({"system": SYSTEM, "value": 2000099001})},
            (404, "PROXY_NOT_FOUND", "not-found"),
        ),
    ],
)
def test_own_errors(
    proxy: CallProxy, receiver: Recorder, headers: dict[str, str | None], outcome: tuple[int, str, str]
) -> None:
    reply = proxy("GET", "/Slot", headers=headers)

    assert reply.outcome == outcome
    assert reply.headers["content-type"] == "application/json"
    assert "display" not in reply.json["issue"][0]["details"]["coding"][0]
    assert receiver.calls == []


def test_the_token_is_judged_before_the_ids(proxy: CallProxy) -> None:
    reply = proxy("GET", "/Slot", headers={"Authorization": None, "X-Request-Id": None})

    assert reply.status == 401
    assert "x-request-id" not in reply.headers
    assert reply.headers["x-correlation-id"] == CORRELATION_ID


def test_ids_are_echoed_as_sent(proxy: CallProxy) -> None:
    reply = proxy("GET", "/Slot", headers={"X-Request-Id": "No-UUID", "NHSD-Target-Identifier": None})

    assert reply.headers["x-request-id"] == "No-UUID"


@pytest.mark.parametrize(
    "content", [encoded({"system": SYSTEM, "value": "2000099001"})[:9] + " \n*" + "{rest}"]
)
def test_foreign_characters_in_base64_are_dropped(proxy: CallProxy, receiver: Recorder, content: str) -> None:
    whole = encoded({"system": SYSTEM, "value": "2000099001"})

    assert (
        proxy("GET", "/Slot", headers={"NHSD-Target-Identifier": content.format(rest=whole[9:])}).status
        == 200
    )
    assert receiver.calls[0].service_id == "2000099001"


def test_a_token_expires(proxy: CallProxy, clock: FakeClock) -> None:
    clock.forward(seconds=598)
    assert proxy("GET", "/Slot").status == 200
    clock.forward(seconds=1)
    assert proxy("GET", "/Slot").outcome == (401, "SEND_UNAUTHORIZED", "security")


def test_an_application_that_lost_its_registration_is_forbidden(proxy: CallProxy, config: Config) -> None:
    assert proxy("GET", "/Slot").status == 200

    config.clients_file.write_text("{}")

    assert proxy("GET", "/Slot").outcome == (403, "SEND_FORBIDDEN", "forbidden")


def test_metadata_without_target_needs_no_token(app: WsgiApp) -> None:
    reply = call_app(app, "GET", f"{BASE}/metadata")

    assert reply.status == 200
    assert reply.json["resourceType"] == "CapabilityStatement"
    assert reply.json["fhirVersion"] == "4.0.1"


def test_metadata_with_target_is_forwarded(app: WsgiApp, proxy: CallProxy, receiver: Recorder) -> None:
    assert proxy("GET", "/metadata").status == 200
    assert (
        call_app(app, "GET", f"{BASE}/metadata", {"NHSD-Target-Identifier": target("2000099001")}).status
        == 401
    )
    assert len(receiver.calls) == 1


@pytest.mark.parametrize(
    ("accept", "outcome"),
    [
        (None, (406, "SEND_NOT_ACCEPTABLE", "processing")),
        ("application/fhir+json", (406, "SEND_NOT_ACCEPTABLE", "processing")),
        ("application/fhir+json; version=1.0.9", (406, "SEND_NOT_ACCEPTABLE", "processing")),
        ("application/fhir+json; version=1.1.0", (501, "PROXY_NOT_IMPLEMENTED", "not-supported")),
    ],
)
def test_document_reference_needs_a_version(
    proxy: CallProxy, accept: str | None, outcome: tuple[int, str, str]
) -> None:
    assert proxy("GET", "/DocumentReference/1", headers={"Accept": accept}).outcome == outcome


@pytest.mark.parametrize(
    ("accept", "number"),
    [
        ("", 0),
        ("*/*", 10000),
        ("application/fhir+json; fhirVersion=4.0", 10000),
        ("application/fhir+json;version=1.2.3", 10203),
        ("application/fhir+json; version=1.1.0, application/fhir+xml; version=1.4.0", 10400),
        ("application/fhir+json; version=2", 10000),
        ("application/fhir+json; version=0.9.0", 10000),
        ("application/fhir+json; version", 10000),
    ],
)
def test_accepted_version(accept: str, number: int) -> None:
    assert accepted_version(accept) == number


def test_the_catalogue_is_read_again_when_it_changes(
    proxy: CallProxy, config: Config, receiver: Recorder
) -> None:
    assert proxy("GET", "/Slot", service="2000012345").status == 404

    routes = {"2000012345": "https://new.test/base"}
    config.catalogue_file.write_text(json.dumps({"NHSD-Target-Identifier": {SYSTEM: routes}}))

    assert proxy("GET", "/Slot", service="2000012345").status == 200
    assert receiver.calls[0].base_url == "https://new.test/base"


def test_one_trailing_slash_of_the_base_url_is_stripped(proxy: CallProxy, receiver: Recorder) -> None:
    proxy("GET", "/Appointment/?a=1")

    call = receiver.calls[0]
    assert (call.base_url, call.suffix, call.request.query) == (
        "https://receiver.test/FHIR/R4",
        "/Appointment/",
        "a=1",
    )


@pytest.mark.parametrize(
    "path", ["/nothing", "/oauth2", "/booking-and-referral", "/booking-and-referral/FHIR/R4x"]
)
def test_unknown_paths(app: WsgiApp, path: str) -> None:
    assert call_app(app, "GET", path, IDS).outcome == (404, "NOT_FOUND", "not-found")


def test_ping_and_preflight(app: WsgiApp) -> None:
    assert call_app(app, "GET", f"{BASE}/_ping").status == 200
    assert "PATCH" in call_app(app, "OPTIONS", f"{BASE}/Slot").headers["access-control-allow-methods"]


def test_a_huge_body_is_refused(proxy: CallProxy, receiver: Recorder) -> None:
    assert proxy("POST", "/$process-message", body=b"x" * (10 * 1024 * 1024 + 1)).status == 413
    assert receiver.calls == []


def test_two_applications_do_not_share_assertion_ids(
    app: WsgiApp, config: Config, private_key: RSAPrivateKey
) -> None:
    registered = json.loads(config.clients_file.read_text())
    config.clients_file.write_text(json.dumps(registered | {"second": registered["test-api-key"]}))

    first = ask_token(app, form(sign(private_key, jti="same")))
    second = ask_token(app, form(sign(private_key, jti="same", iss="second", sub="second")))

    assert (first.status, second.status) == (200, 200)


def test_the_status_page_shows_requests_without_what_they_asked(app: WsgiApp, proxy: CallProxy) -> None:
    proxy("GET", "/Appointment?patient:identifier=9434765919")
    proxy("GET", "/Patient/9434765919<script>")

    page = call_app(app, "GET", "/").body.decode()

    assert "/Appointment" in page
    assert "2000099001" in page
    assert "9434765919" not in page
    assert "<script>" not in page


def test_the_log_holds_no_token_no_query_no_body(
    proxy: CallProxy, token: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG"):
        proxy("POST", "/$process-message?name=Chalmers", body=b'{"family": "Grayson"}')

    assert "$process-message service=2000099001 status=200" in caplog.text
    assert not {"Chalmers", "Grayson", token, REQUEST_ID} & set(caplog.text.replace('"', " ").split())
    assert all(value not in caplog.text for value in ("Chalmers", "Grayson", token))


@given(st.one_of(st.text(), st.binary().map(lambda raw: base64.b64encode(raw).decode())))
def test_any_target_header_is_read_or_refused(header: str) -> None:
    try:
        decoded = decode_target(header)
    except Refused:
        return
    assert decoded.system
    assert decoded.value


@given(st.text())
def test_any_accept_header_is_read(accept: str) -> None:
    assert accepted_version(accept) >= 0

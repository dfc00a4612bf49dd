"""Fault drills: what each does, to whom, how often; and who may switch them on."""

import gzip
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from bars_portal.simulator.app import WsgiApp
from bars_portal.simulator.config import Config
from bars_portal.simulator.drills import ConnectionCut, Drill, Fault, FaultBoard
from bars_portal.simulator.wire import Answer
from tests.simulator.conftest import CallProxy
from tests.simulator.support import IDS, Recorder, Reply, ask_token, call_app, form, sign
from tests.simulator.tls_receiver import write_certificates

JSON = {"Content-Type": "application/json"}


def arm(app: WsgiApp, **drill: object) -> Reply:
    return call_app(
        app, "POST", "/simulator/faults", JSON, json.dumps({"service": "2000099001"} | drill).encode()
    )


@pytest.mark.parametrize(
    ("fault", "status", "forwarded", "waited"),
    [
        ("500", 500, 0, []),
        ("503", 503, 0, []),
        ("401", 401, 0, []),
        ("403", 403, 0, []),
        ("408", 408, 0, []),
        ("429", 429, 0, []),
        ("502", 502, 0, []),
        ("504", 504, 0, []),
        ("slow", 200, 1, [6.0]),
        ("garbage", 200, 1, []),
        ("half-answer", 200, 1, []),
        ("other-time", 200, 1, []),
        ("500-after", 500, 1, []),
        ("503-after", 503, 1, []),
    ],
)
def test_faults_with_an_answer(
    app: WsgiApp,
    proxy: CallProxy,
    receiver: Recorder,
    waits: list[float],
    fault: str,
    status: int,
    forwarded: int,
    waited: list[float],
) -> None:
    arm(app, fault=fault)

    assert proxy("POST", "/$process-message").status == status
    assert (len(receiver.calls), waits) == (forwarded, waited)


@pytest.mark.parametrize(("fault", "forwarded"), [("cut", 0), ("hang", 0), ("lost-reply", 1)])
def test_faults_without_an_answer(
    app: WsgiApp, proxy: CallProxy, receiver: Recorder, fault: str, forwarded: int
) -> None:
    arm(app, fault=fault)

    with pytest.raises(ConnectionCut):
        proxy("POST", "/$process-message")

    assert len(receiver.calls) == forwarded
    assert ">cut</td>" in call_app(app, "GET", "/").body.decode()


def test_no_ids(app: WsgiApp, proxy: CallProxy, receiver: Recorder) -> None:
    receiver.answers = lambda _call: Answer(200, tuple((name.upper(), value) for name, value in IDS.items()))
    assert proxy("GET", "/Slot").headers["x-request-id"] == IDS["X-Request-Id"]

    arm(app, fault="no-ids")

    assert not {"x-request-id", "x-correlation-id"} & proxy("GET", "/Slot").headers.keys()


def test_bad_ids(app: WsgiApp, proxy: CallProxy, receiver: Recorder) -> None:
    receiver.answers = lambda _call: Answer(200, tuple((name.upper(), value) for name, value in IDS.items()))

    arm(app, fault="bad-ids")

    echoed = proxy("GET", "/Slot").headers
    assert {"x-request-id", "x-correlation-id"} <= echoed.keys()
    assert not set(IDS.values()) & set(echoed.values())


def test_too_many_says_when_to_come_back(app: WsgiApp, proxy: CallProxy) -> None:
    arm(app, fault="429")

    assert proxy("GET", "/Slot").headers["retry-after"] == "1"


@pytest.mark.parametrize("fault", ["garbage", "half-answer", "502"])
def test_some_answers_are_no_json(app: WsgiApp, proxy: CallProxy, fault: str) -> None:
    arm(app, fault=fault)

    with pytest.raises(ValueError):
        json.loads(proxy("GET", "/metadata", service="2000099001").body)


@pytest.mark.parametrize("zipped", [False, True])
def test_an_appointment_is_answered_an_hour_later(
    app: WsgiApp, proxy: CallProxy, receiver: Recorder, zipped: bool
) -> None:
    booked = {"resourceType": "Appointment", "start": "2030-03-01T09:00:00Z", "end": "2030-03-01T09:15:00Z"}
    bundle = {"entry": [{"resource": booked}, {"resource": {"resourceType": "Slot", "start": "x"}}]}
    body = json.dumps(bundle).encode()
    headers = (("Content-Type", "application/fhir+json"),)
    receiver.answers = lambda _: Answer(200, headers, gzip.compress(body) if zipped else body)
    arm(app, fault="other-time")
    told = proxy("POST", "/$process-message").body
    answer = json.loads(gzip.decompress(told) if zipped else told)
    appointment, slot = (each["resource"] for each in answer["entry"])

    assert appointment["start"] == "2030-03-01T10:00:00+00:00"
    assert appointment["end"] == "2030-03-01T10:15:00+00:00"
    assert slot == {"resourceType": "Slot", "start": "x"}


@pytest.mark.parametrize(
    ("fault", "changed"),
    [
        ("other-bundle", lambda before, now: before["id"] != now["id"]),
        ("no-focus", lambda _, now: "focus" not in now["entry"][0]["resource"]),
        ("pending", lambda _, now: now["entry"][1]["resource"]["status"] == "pending"),
    ],
)
def test_a_200_that_is_no_answer(
    app: WsgiApp,
    proxy: CallProxy,
    receiver: Recorder,
    fault: str,
    changed: Callable[[dict[str, Any], dict[str, Any]], bool],
) -> None:
    header = {"resourceType": "MessageHeader", "focus": [{"reference": "ServiceRequest/1"}]}
    request = {"resourceType": "ServiceRequest", "status": "active"}
    bundle = {"id": "1", "entry": [{"resource": header}, {"resource": request}]}
    receiver.answers = lambda _: Answer(200, (), json.dumps(bundle).encode())
    arm(app, fault=fault)

    assert changed(bundle, json.loads(proxy("POST", "/$process-message").body))


def test_what_was_done_is_denied_when_it_is_repeated(
    app: WsgiApp, proxy: CallProxy, receiver: Recorder
) -> None:
    arm(app, fault="denied", times=2)
    with pytest.raises(ConnectionCut):
        proxy("POST", "/$process-message")
    receiver.answers = lambda _: Answer(409)

    assert (proxy("POST", "/$process-message").status, len(receiver.calls)) == (422, 2)


def test_the_token_endpoint_has_drills_too(app: WsgiApp, private_key: RSAPrivateKey) -> None:
    arm(app, fault="503", service="token")

    assert [ask_token(app, form(sign(private_key))).status for _ in range(2)] == [503, 200]


def test_a_drill_may_last_as_long_as_wanted(app: WsgiApp, proxy: CallProxy, waits: list[float]) -> None:
    arm(app, fault="slow", seconds=1.5)
    proxy("GET", "/Slot")
    arm(app, fault="hang", seconds=40)
    with pytest.raises(ConnectionCut):
        proxy("GET", "/Slot")

    assert waits == [1.5, 40]


def test_what_is_armed_is_shown_and_counted_down(app: WsgiApp, proxy: CallProxy) -> None:
    arm(app, fault="503", times=3)
    arm(app, fault="cut", service="2", method="post")
    proxy("GET", "/Slot")

    shown = call_app(app, "GET", "/simulator/faults").json
    assert [(each["service"], each["fault"], each["times"], each["method"]) for each in shown] == [
        ("2000099001", "503", 2, ""),
        ("2", "cut", 1, "POST"),
    ]


def test_one_services_drills_are_switched_off(app: WsgiApp) -> None:
    arm(app, fault="503")
    arm(app, fault="cut", service="2")

    assert call_app(app, "DELETE", "/simulator/faults/2000099001").status == 204

    assert [each["service"] for each in call_app(app, "GET", "/simulator/faults").json] == ["2"]


def test_an_expired_certificate_needs_the_authoritys_key(app: WsgiApp) -> None:
    refused = arm(app, fault="expired-certificate")

    assert (refused.status, "--ca-key" in refused.json["error"]) == (400, True)


def test_a_wrong_certificate_gets_no_answer_from_whoever_has_no_tls(
    app: WsgiApp, proxy: CallProxy, config: Config
) -> None:
    write_certificates(config.state_dir)
    arm(app, fault="no-certificate", service="2000072489")

    assert proxy("GET", "/metadata", service="2000072489").status == 503
    assert proxy("GET", "/metadata", service="2000072489").status == 200


def test_a_drill_hits_its_service_as_often_as_said(app: WsgiApp, proxy: CallProxy) -> None:
    arm(app, fault="503", times=2)

    assert proxy("GET", "/Slot", service="2000072489").status == 200
    assert [proxy("GET", "/Slot").status for _ in range(3)] == [503, 503, 200]


def test_a_drill_for_one_method_spares_the_others(app: WsgiApp, proxy: CallProxy) -> None:
    arm(app, fault="503", method="post")

    assert proxy("GET", "/Slot").status == 200
    assert proxy("POST", "/$process-message").status == 503


def test_drills_are_switched_off(app: WsgiApp, proxy: CallProxy) -> None:
    arm(app, fault="503", times=100)

    assert call_app(app, "DELETE", "/simulator/faults").status == 204
    assert proxy("GET", "/Slot").status == 200


def test_of_many_at_once_exactly_one_is_hit() -> None:
    board = FaultBoard()
    board.arm(Drill("1", Fault.CUT))

    with ThreadPoolExecutor(max_workers=32) as threads:
        taken = list(threads.map(lambda _number: board.take(service="1", method="GET"), range(200)))

    assert taken.count(None) == 199


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b'{"service": "1"}',
        b'{"service": "1", "fault": "explode"}',
        b'{"service": "", "fault": "cut"}',
        b'{"service": 1, "fault": "cut"}',
        b'{"service": "1", "fault": "cut", "times": 0}',
        b'{"service": "1", "fault": "cut", "times": true}',
        b'{"service": "1", "fault": "cut", "times": 1000000}',
        b'{"service": "1", "fault": "cut", "method": 7}',
        b'{"service": "1", "fault": "slow", "seconds": -1}',
        b'{"service": "1", "fault": "slow", "seconds": true}',
        b'{"service": "1", "fault": "slow", "seconds": 100000}',
    ],
)
def test_wrong_drills(app: WsgiApp, body: bytes) -> None:
    assert call_app(app, "POST", "/simulator/faults", JSON, body).status == 400


def test_a_web_page_cannot_arm_a_drill(app: WsgiApp) -> None:
    body = b'{"service": "1", "fault": "cut"}'

    assert call_app(app, "POST", "/simulator/faults", {"Content-Type": "text/plain"}, body).status == 415


@pytest.mark.parametrize("peer", ["10.0.0.7", "", "nonsense"])
@pytest.mark.parametrize(
    ("method", "path"), [("GET", "health"), ("POST", "faults"), ("DELETE", "faults"), ("POST", "reset")]
)
def test_loopback_only(app: WsgiApp, peer: str, method: str, path: str) -> None:
    assert call_app(app, method, f"/simulator/{path}", JSON, b"{}", peer).status == 404


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "health", 200),
        ("POST", "health", 405),
        ("PUT", "faults", 405),
        ("GET", "reset", 405),
        ("GET", "health/1", 404),
        ("GET", "other", 404),
    ],
)
def test_health_and_strays(app: WsgiApp, method: str, path: str, status: int) -> None:
    assert call_app(app, method, f"/simulator/{path}").status == status

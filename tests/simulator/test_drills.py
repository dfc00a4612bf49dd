"""Fault drills: what each does, to whom, how often; and who may switch them on."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from bars_portal.simulator.app import WsgiApp
from bars_portal.simulator.faults import ConnectionCut, Fault, FaultBoard
from bars_portal.simulator.wire import Answer
from tests.simulator.conftest import CallProxy
from tests.simulator.support import IDS, Recorder, Reply, call_app

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
        ("408", 408, 0, []),
        ("slow", 200, 1, [6.0]),
        ("garbage", 200, 1, []),
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
    assert "<td>cut</td>" in call_app(app, "GET", "/").body.decode()


def test_no_ids(app: WsgiApp, proxy: CallProxy, receiver: Recorder) -> None:
    receiver.answers = lambda _call: Answer(200, tuple((name.upper(), value) for name, value in IDS.items()))
    assert proxy("GET", "/Slot").headers["x-request-id"] == IDS["X-Request-Id"]

    arm(app, fault="no-ids")

    assert not {"x-request-id", "x-correlation-id"} & proxy("GET", "/Slot").headers.keys()


def test_garbage_is_no_json(app: WsgiApp, proxy: CallProxy) -> None:
    arm(app, fault="garbage")

    with pytest.raises(ValueError):
        json.loads(proxy("GET", "/Slot").body)


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
    board.arm(service="1", fault=Fault.CUT)

    with ThreadPoolExecutor(max_workers=32) as threads:
        taken = list(threads.map(lambda _number: board.take(service="1", method="GET"), range(200)))

    assert taken.count(Fault.CUT) == 1


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
    ],
)
def test_wrong_drills(app: WsgiApp, body: bytes) -> None:
    assert call_app(app, "POST", "/simulator/faults", JSON, body).status == 400


def test_a_web_page_cannot_arm_a_drill(app: WsgiApp) -> None:
    body = b'{"service": "1", "fault": "cut"}'

    assert call_app(app, "POST", "/simulator/faults", {"Content-Type": "text/plain"}, body).status == 415


@pytest.mark.parametrize("peer", ["10.0.0.7", "", "nonsense"])
@pytest.mark.parametrize(("method", "path"), [("GET", "health"), ("POST", "faults"), ("DELETE", "faults")])
def test_loopback_only(app: WsgiApp, peer: str, method: str, path: str) -> None:
    assert call_app(app, method, f"/simulator/{path}", JSON, b"{}", peer).status == 404


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "health", 200), ("POST", "health", 405), ("GET", "faults", 405), ("GET", "other", 404)],
)
def test_health_and_strays(app: WsgiApp, method: str, path: str, status: int) -> None:
    assert call_app(app, method, f"/simulator/{path}").status == status

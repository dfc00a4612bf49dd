"""The client over real sockets: headers, one renewal on 401, nothing followed, nothing leaked."""

import json
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from uuid import uuid4

import httpx
import pytest

from bars_portal.exchange.fhir.identifiers import ServiceID
from bars_portal.exchange.transport.auth import TokenRefused
from bars_portal.exchange.transport.client import BarsClient, build_http
from bars_portal.exchange.transport.headers import OutgoingContext, Party, Software, encode_headers
from bars_portal.http import LIMIT_BYTES, LostReply, NotSent, TransportError
from tests.unit.exchange_transport.servers import Server, Step, raw, reply, silence

NOW = datetime(2026, 7, 14, 12, 0, tzinfo=UTC)
CONTEXT = OutgoingContext(
    uuid4(), uuid4(), ServiceID.parse("2000099001"), Party("A1001", "Riverside"), Software("i", "n", "v")
)
HEADERS = encode_headers(CONTEXT)


class Tokens:
    """A TokenSource that numbers its tokens."""

    def __init__(self) -> None:
        self.number, self.discarded, self.asked_at = 1, list[str](), list[datetime]()

    def get(self, *, now: datetime) -> str:
        self.asked_at.append(now)
        return f"token-{self.number}" if self.number else ""

    def discard(self, token: str) -> None:
        self.discarded.append(token)
        self.number += 1


@pytest.fixture
def tokens() -> Tokens:
    return Tokens()


@pytest.fixture
def client(server: Server, http: httpx.Client, tokens: Tokens) -> BarsClient:
    return BarsClient(
        base_url=f"{server.url}/FHIR/R4/", tokens_of=lambda _: tokens, http=http, clock=lambda: NOW
    )


def test_get_carries_everything(server: Server, client: BarsClient, tokens: Tokens) -> None:
    server.script(reply(200, b'{"a": 1}', {"X-Request-ID": "r"}))
    params = [("status", "free,busy"), ("start", "ge2026-07-14T08:00:00+01:00"), ("start", "le2026-07-15")]
    answer = client.get("/Slot", params=params, context=CONTEXT)
    assert (answer.status, answer.body, answer.header("x-REQUEST-id")) == (200, b'{"a": 1}', "r")
    (request,) = server.received
    url = httpx.URL(f"http://test{request.target}")
    assert (request.method, url.path, url.params.multi_items()) == ("GET", "/FHIR/R4/Slot", params)
    assert HEADERS.items() <= {n: request.headers.get(n.lower()) for n in HEADERS}.items()
    assert request.headers["authorization"] == "Bearer token-1"
    assert request.headers["accept"] == "application/fhir+json; version=1.1.0"
    assert "content-type" not in request.headers
    assert tokens.asked_at == [NOW]


def test_post_sends_these_very_bytes(server: Server, client: BarsClient) -> None:
    server.script(reply())
    body = '{ "n": 1.50, "é": null }\n'.encode()
    client.post("/$process-message", body=body, headers={**HEADERS, "authorization": "Bearer stale"})
    (request,) = server.received
    assert (request.method, request.target, request.body) == ("POST", "/FHIR/R4/$process-message", body)
    assert request.headers["authorization"] == "Bearer token-1"
    assert request.headers["content-type"] == "application/fhir+json;version=1.0.0"
    assert request.headers["accept"] == "application/fhir+json; version=1.1.0"


def test_the_caller_may_name_other_media_types(server: Server, client: BarsClient) -> None:
    server.script(reply())
    types = {"content-type": "application/fhir+xml", "ACCEPT": "application/fhir+xml"}
    client.post("/$process-message", body=b"<a/>", headers={**HEADERS, **types})
    sent = server.received[0].headers
    assert (sent["content-type"], sent["accept"]) == ("application/fhir+xml", "application/fhir+xml")


def test_one_renewal_on_401_repeats_the_same_request(
    server: Server, client: BarsClient, tokens: Tokens
) -> None:
    server.script(reply(401), reply(200))
    answer = client.post("/$process-message", body=b"{}", headers=HEADERS)
    assert (answer.status, tokens.discarded) == (200, ["token-1"])
    first, second = server.received
    assert first.headers.pop("authorization") == "Bearer token-1"
    assert second.headers.pop("authorization") == "Bearer token-2"
    assert (first.headers, first.body) == (second.headers, second.body)


@pytest.mark.parametrize(
    ("code", "calls"),
    [("REC_UNAUTHORIZED", 1), ("rec_unauthorized", 1), ("SEND_UNAUTHORIZED", 2), ("UNAUTHORIZED", 2)],
)
def test_a_receiver_that_lets_nobody_in_is_not_asked_again(
    server: Server, client: BarsClient, tokens: Tokens, code: str, calls: int
) -> None:
    """Its 401 is about the organisation; only the API's own is about our token."""
    issue = {"severity": "error", "code": "forbidden", "details": {"coding": [{"code": code}]}}
    body = json.dumps({"resourceType": "OperationOutcome", "issue": [issue]}).encode()
    server.script(reply(401, body))
    assert client.post("/$process-message", body=b"{}", headers=HEADERS).status == 401
    assert (len(server.received), len(tokens.discarded)) == (calls, calls - 1)


@pytest.mark.parametrize(("code", "calls"), [("SEND_FORBIDDEN", 2), ("REC_FORBIDDEN", 1)])
def test_a_refusal_of_the_api_itself_renews_the_token(
    server: Server, client: BarsClient, tokens: Tokens, code: str, calls: int
) -> None:
    issue = {"severity": "error", "code": "forbidden", "details": {"coding": [{"code": code}]}}
    body = json.dumps({"resourceType": "OperationOutcome", "issue": [issue]}).encode()
    server.script(reply(403, body))
    assert client.post("/$process-message", body=b"{}", headers=HEADERS).status == 403
    assert (len(server.received), len(tokens.discarded)) == (calls, calls - 1)


def test_a_second_401_is_the_answer(server: Server, client: BarsClient, tokens: Tokens) -> None:
    server.script(reply(401))
    assert client.get("/Slot", context=CONTEXT).status == 401
    assert (len(server.received), tokens.discarded) == (2, ["token-1"])


def test_without_a_token_there_is_no_header_and_no_renewal(
    server: Server, client: BarsClient, tokens: Tokens
) -> None:
    tokens.number = 0
    server.script(reply(401))
    assert client.get("/metadata", context=CONTEXT).status == 401
    assert len(server.received) == 1
    assert "authorization" not in server.received[0].headers


def test_a_callers_own_token_is_never_passed_on(server: Server, client: BarsClient, tokens: Tokens) -> None:
    tokens.number = 0
    server.script(reply())
    client.post("/$process-message", body=b"{}", headers={**HEADERS, "AUTHORIZATION": "Bearer stored"})
    assert "authorization" not in server.received[0].headers


@pytest.mark.parametrize("status", [400, 409, 429, 500, 503])
def test_nothing_else_is_sent_twice(server: Server, client: BarsClient, status: int) -> None:
    server.script(reply(status))
    assert client.post("/$process-message", body=b"{}", headers=HEADERS).status == status
    assert len(server.received) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_are_answers(server: Server, client: BarsClient, status: int) -> None:
    server.script(reply(status, b"", {"Location": "/elsewhere"}))
    assert client.post("/$process-message", body=b"{}", headers=HEADERS).status == status
    assert len(server.received) == 1


def test_cookies_are_not_kept(server: Server, client: BarsClient) -> None:
    server.script(reply(200, b"{}", {"Set-Cookie": "a=b; Path=/"}))
    client.get("/Slot", context=CONTEXT)
    client.get("/Slot", context=CONTEXT)
    assert "cookie" not in server.received[1].headers


def test_the_environments_proxies_are_not_trusted(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    server.script(reply())
    with build_http(timeout_seconds=1, verify=False) as http:
        client = BarsClient(base_url=server.url, tokens_of=lambda _: Tokens(), http=http, clock=lambda: NOW)
        assert client.get("/metadata", context=CONTEXT).status == 200


def test_connections_are_kept_alive(server: Server, client: BarsClient) -> None:
    server.script(reply())
    for _ in range(3):
        client.get("/Slot", context=CONTEXT)
    assert len(server.connections) == 1


def test_every_wait_has_a_limit() -> None:
    with build_http(verify=False) as http:
        timeout = http.timeout
    assert (timeout.connect, timeout.read, timeout.write, timeout.pool) == (5.0, 35.0, 10.0, 5.0)


OK = b"HTTP/1.1 200 OK\r\n"


def trickle(release: threading.Event) -> Step:
    """A few bytes now and then: no single wait is too long, all together are."""

    def step(handler: object) -> None:
        write = handler.wfile.write  # type: ignore[attr-defined]  # a request handler
        write(OK + b"Content-Length: 1000\r\n\r\n")
        while not release.wait(0.05):
            write(b"x")

    return step


@pytest.fixture
def release() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "cut"),
        (OK + b"Content-Le", "cut"),
        (OK + b"Content-Length: 10\r\n\r\nabc", "cut"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab", "cut"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "garbled"),
        (OK + b"Content-Length: -1\r\n\r\n", "garbled"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", "garbled"),
        (OK + b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", "garbled"),
        (OK + b"\r\n" + b"x" * (LIMIT_BYTES + 1), "garbled"),
    ],
    ids=["nothing", "head", "body", "chunk", "no-http", "length", "chunk-size", "gzip", "huge"],
)
def test_replies_that_are_lost(server: Server, client: BarsClient, content: bytes, kind: str) -> None:
    server.script(raw(content))
    with pytest.raises(LostReply) as raised:
        client.post("/$process-message", body=b"{}", headers=HEADERS)
    assert (raised.value.kind, raised.value.sent) == (kind, True)
    assert len(server.received) == 1


@pytest.mark.parametrize("slow", [silence, trickle])
def test_replies_that_come_too_late(
    server: Server, client: BarsClient, slow: Callable[[threading.Event], Step], release: threading.Event
) -> None:
    server.script(slow(release))
    with pytest.raises(LostReply) as raised:
        client.get("/Slot", context=CONTEXT)
    assert (raised.value.kind, raised.value.sent) == ("timeout", True)


def test_after_a_lost_reply_the_client_still_works(server: Server, client: BarsClient) -> None:
    server.script(raw(b""), reply())
    with pytest.raises(LostReply):
        client.get("/Slot", context=CONTEXT)
    assert client.get("/Slot", context=CONTEXT).status == 200


def closed_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


@pytest.mark.parametrize(
    ("base_url", "kind"),
    [
        pytest.param(closed_port(), "connect", id="closed-port"),
        ("ftp://127.0.0.1", "request"),
        ("http://[::bad", "request"),
    ],
)
def test_what_cannot_be_sent(http: httpx.Client, base_url: str, kind: str) -> None:
    client = BarsClient(base_url=base_url, tokens_of=lambda _: Tokens(), http=http, clock=lambda: NOW)
    with pytest.raises(NotSent) as raised:
        client.get("/Slot", context=CONTEXT)
    assert (raised.value.kind, raised.value.sent) == (kind, False)


def test_a_full_pool_sends_nothing(server: Server, release: threading.Event) -> None:
    server.script(silence(release))
    limits = httpx.Limits(max_connections=1)
    with httpx.Client(timeout=httpx.Timeout(2, pool=0.1), limits=limits, trust_env=False) as http:
        client = BarsClient(base_url=server.url, tokens_of=lambda _: Tokens(), http=http, clock=lambda: NOW)
        busy = threading.Thread(target=_ignoring_loss, args=(client,))
        busy.start()
        while not server.received:
            pass
        with pytest.raises(NotSent, match="pool"):
            client.get("/Slot", context=CONTEXT)
        release.set()
        busy.join()


def _ignoring_loss(client: BarsClient) -> None:
    with pytest.raises(LostReply):
        client.get("/Slot", context=CONTEXT)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "Slot",
        "/",
        "//evil",
        "/Slot?x=1",
        "/a/../b",
        "/a/./b",
        "/a b",
        "/a#b",
        "/%2e%2e",
        "/a/",
        "/é",
        "/a\n",
    ],
)
def test_paths_cannot_be_bent(server: Server, client: BarsClient, path: str) -> None:
    with pytest.raises(NotSent, match="request"):
        client.get(path, context=CONTEXT)
    assert not server.received


@pytest.mark.parametrize(
    "headers", [{"X-Name": "caf\u00e9 \u20ac"}, {"X-Name": "a\r\nX-Evil: b"}, {"bad name": "x"}]
)
def test_headers_that_no_request_can_carry(
    server: Server, client: BarsClient, headers: dict[str, str]
) -> None:
    with pytest.raises(NotSent, match="request"):
        client.post("/$process-message", body=b"{}", headers=headers)
    assert not server.received


def test_no_token_no_request(server: Server, http: httpx.Client) -> None:
    class Refusing(Tokens):
        def get(self, *, now: datetime) -> str:
            raise TokenRefused("invalid_client")

    client = BarsClient(base_url=server.url, tokens_of=lambda _: Refusing(), http=http, clock=lambda: NOW)
    with pytest.raises(TransportError) as raised:
        client.post("/$process-message", body=b"{}", headers=HEADERS)
    assert not raised.value.sent
    assert not server.received


def test_the_log_has_one_line_a_call_without_ids_of_patients(
    server: Server, client: BarsClient, caplog: pytest.LogCaptureFixture
) -> None:
    server.script(reply(200, b'{"family": "Zebedee"}'), raw(b""))
    caplog.set_level(logging.DEBUG, logger="bars_portal")
    params = [("patient:identifier", "https://fhir.nhs.uk/Id/nhs-number|9999999468")]
    client.get("/Appointment/5b1e5b1e-9999-4000-8000-000000000000", params=params, context=CONTEXT)
    with pytest.raises(LostReply):
        client.post("/$process-message", body=b'{"family": "Zebedee"}', headers=HEADERS)
    first, second = (
        record.getMessage() for record in caplog.records if record.name.startswith("bars_portal")
    )
    assert first.startswith("BaRS GET /Appointment/{id}: 200 in ")
    assert second.startswith("BaRS POST /$process-message: cut in ")
    assert first.endswith(f"request {CONTEXT.request_id}")
    assert not any(word in first + second for word in ("Zebedee", "9999", "token-1", "nhs-number", "?"))


@pytest.mark.parametrize("error", [LostReply("timeout"), NotSent("tls"), TokenRefused("e", "secret", "m")])
def test_errors_hold_no_secrets_in_their_text(error: TransportError) -> None:
    assert str(error) == f"{type(error).__name__}: {error.kind}"
    assert "secret" not in repr(error)

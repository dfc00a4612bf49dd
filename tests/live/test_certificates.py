"""Who gets in: only the proxy's certificate; the others leave no trace in the application.

At its own server, and through a real nginx before it.
"""

import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from urllib.parse import quote

import httpx
import orjson
import pytest

from tests.integration.receiver_server.fronts import Front, fronted, needs_nginx
from tests.live.conftest import Query, TakeSlot
from tests.live.messages import own_booking
from tests.live.partner import Partner, assert_ids_echoed, direct_client, mutual_tls, new_ids, outcome_of
from tests.stack import Stack

UNDELAYED_SECONDS, ROUNDS = 2.0, 3
TRACES = "SELECT (SELECT count(*) FROM audit_auditevent), (SELECT count(*) FROM exchange_inboundmessage)"


@pytest.mark.alone
@pytest.mark.parametrize("certificate", ["stranger-client", None])
def test_a_stranger_never_reaches_the_application(
    certificate: str | None, stack: Stack, take_slot: TakeSlot, query: Query
) -> None:
    message, ids, before = own_booking(take_slot()), new_ids(), query(TRACES)

    with direct_client(stack, mutual_tls(stack, certificate)) as http:
        # Under TLS 1.3 the client learns of the refusal when it reads.
        with pytest.raises(httpx.TransportError):
            Partner(http).post(message, ids=ids)
        with pytest.raises(httpx.TransportError):
            Partner(http).get("/metadata")

    assert query(TRACES) == before
    assert ids[0] not in stack.log


@pytest.mark.alone
def test_the_right_chain_with_a_wrong_name(stack: Stack, take_slot: TakeSlot, query: Query) -> None:
    message = own_booking(take_slot())
    stored = "SELECT count(*) FROM exchange_inboundmessage"
    before = query(stored)

    with direct_client(stack, mutual_tls(stack, "wrong-name-client")) as http:
        answers = [Partner(http).post(message), Partner(http).get("/metadata")]

    for answer in answers:
        assert outcome_of(answer) == (403, "REC_FORBIDDEN", "forbidden")
        assert_ids_echoed(answer)
    assert query(stored) == before


FROM_ELSEWHERE = "192.0.2.7"


@pytest.fixture(params=["", FROM_ELSEWHERE], ids=["from anywhere", "from one address"])
def front(stack: Stack, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Front]:
    """The receiver itself behind nginx, in the stack's own database."""
    ours = {**stack.environment, "BARS_PROCESS": "receiver", "BARS_PEER_SOURCES": request.param}
    with fronted(
        "nginx.conf",
        "gunicorn_receiver_behind_nginx.py",
        stack.pki,
        tmp_path,
        {},
        application="bars_portal.wsgi:application",
        environment=ours,
    ) as running:
        yield running


@needs_nginx
@pytest.mark.alone
def test_a_wrong_name_and_a_wrong_address_through_nginx(
    front: Front, request: pytest.FixtureRequest, query: Query
) -> None:
    """What a client says of itself in the headers that nginx passes on is nobody's word."""
    forged = {
        **dict(zip(("X-Request-ID", "X-Correlation-ID"), new_ids(), strict=True)),
        "X-SSL-Client-Verify": "SUCCESS",
        "X-SSL-Client-Cert": quote(front.pki.certificate("proxy-client").read_text()),
        "X-Real-IP": FROM_ELSEWHERE,
        "X-Forwarded-For": FROM_ELSEWHERE,
    }
    from_anywhere = "anywhere" in request.node.name
    last = "SELECT coalesce(max(id), 0) FROM audit_auditevent"
    for who, is_let_in in (("proxy-client", from_anywhere), ("wrong-name-client", False)):
        ((before,),) = query(last)
        with closing(front.connect(who)) as connection:
            connection.request("GET", "/FHIR/R4/metadata", headers=forged)
            answer = connection.getresponse()
            body = orjson.loads(answer.read())
        assert (answer.status == 200) is is_let_in, who
        events = query(
            "SELECT outcome, detail ->> 'address', length(detail ->> 'fingerprint') FROM audit_auditevent "
            "WHERE id > %s AND outcome = 'refused' AND detail ? 'fingerprint'",
            before,
        )
        if not is_let_in:
            assert answer.status == 403
            assert body["issue"][0]["details"]["coding"][0]["code"] == "REC_FORBIDDEN"
            assert events == [("refused", "127.0.0.1", 64)]


def test_plain_http_gets_nothing(stack: Stack) -> None:
    with socket.create_connection(("127.0.0.1", stack.ports.receiver), timeout=20) as plain:
        plain.sendall(b"GET /FHIR/R4/metadata HTTP/1.1\r\nHost: localhost\r\n\r\n")
        try:
            told = plain.recv(4096)
        except ConnectionResetError:
            told = b""

    # At most a TLS alert: no status line, no body.
    assert b"HTTP" not in told
    assert len(told) < 16


def test_an_old_protocol_is_refused(stack: Stack) -> None:
    context = mutual_tls(stack)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with direct_client(stack, context) as http, pytest.raises(httpx.TransportError):
        Partner(http).get("/metadata")


def test_forty_silent_sockets_do_not_delay_a_booking(stack: Stack, take_slot: TakeSlot) -> None:
    # It is taken in every round; the time is that of a round without busy neighbours.
    for _ in range(ROUNDS):
        message = own_booking(take_slot())
        with ExitStack() as silent, direct_client(stack, mutual_tls(stack)) as http:
            for _ in range(40):
                silent.enter_context(
                    socket.create_connection(("127.0.0.1", stack.ports.receiver), timeout=20)
                )
            answer = Partner(http).post(message)
        assert answer.status_code == 200
        if answer.elapsed.total_seconds() < UNDELAYED_SECONDS:
            return
    pytest.fail(f"the booking took {answer.elapsed.total_seconds():.1f} s")

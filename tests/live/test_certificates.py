"""Who gets in: only the proxy's certificate; the others leave no trace in the application."""

import socket
import ssl
from contextlib import ExitStack

import httpx
import pytest

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

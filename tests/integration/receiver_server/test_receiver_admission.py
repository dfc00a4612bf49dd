"""Who is of the right chain and still not let in: answered beside the request threads, logged, and closed."""

import contextlib
from collections.abc import Iterator

import pytest

from bars_portal.credentials.local_pki import PkiFiles
from bars_portal.exchange.receiver.server.environment import peer_sources
from bars_portal.exchange.receiver.server.peer import Admission
from bars_portal.settings.environment import Environment
from tests.integration.receiver_server.running import Receiver, exchange, running

HEAD = b"POST / HTTP/1.1\r\nHost: x\r\n"


@pytest.fixture
def elsewhere(pki: PkiFiles, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    """Takes calls from the published addresses only, of which the tests have none."""
    extra = {"BARS_PEER_SOURCES": "int, 192.0.2.0/24"}
    with running(pki, tmp_path_factory.mktemp("elsewhere"), extra) as server:
        yield server


def test_a_wrong_name_takes_no_request_thread_and_is_closed_after_its_answer(receiver: Receiver) -> None:
    assert receiver.ask()["thread"].startswith("ThreadPoolExecutor")
    with contextlib.closing(receiver.connect("wrong-name-client")) as connection:
        answer = exchange(connection, body=b"x" * 100_000)
        assert answer["thread"].startswith("refused")
        assert answer["received"] == 0, "its body is thrown away"
        assert connection.sock is None, "closed by the server"
    assert receiver.logs("refused: no name in the certificate is allowed, certificate ")


def test_a_wrong_address_is_refused_as_a_wrong_name_is(elsewhere: Receiver) -> None:
    answer = elsewhere.ask()
    assert answer["thread"].startswith("refused")
    assert elsewhere.logs(f"refused: the address is not allowed, certificate {answer['peer']['fingerprint']}")


def test_a_crowd_of_wrong_names_delays_nobody(receiver: Receiver) -> None:
    context = receiver.context("wrong-name-client")
    with contextlib.ExitStack() as stack:
        for _ in range(60):
            sock = context.wrap_socket(stack.enter_context(receiver.plain()), server_hostname="localhost")
            stack.enter_context(sock)
            with contextlib.suppress(OSError):
                sock.sendall(HEAD)
        assert receiver.ask()["thread"].startswith("ThreadPoolExecutor")
        assert receiver.logs("too many are refused at once")


def test_the_published_addresses_have_names() -> None:
    sources = peer_sources(Environment({"BARS_PEER_SOURCES": "INT, prod,10.0.0.0/8"}))
    assert sources == ["35.197.254.55", "35.246.55.143", "34.89.0.111", "34.89.69.6", "10.0.0.0/8"]
    assert Admission.of([], sources).networks[-1].num_addresses == 2**24
    assert peer_sources(Environment({})) == []

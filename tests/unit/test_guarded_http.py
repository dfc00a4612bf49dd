"""HTTP to addresses that strangers typed: real servers on loopback, down, slow, lying or elsewhere."""

import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from ipaddress import ip_address
from time import perf_counter, sleep
from urllib.parse import urlsplit

import pytest
import trustme

from bars_portal.guarded_http import IPAddress, look_up, post
from bars_portal.http import Answer, LostReply, NotSent
from tests.unit.exchange_transport.servers import Server, Step, raw, reply, serving, silence

HERE = ip_address("127.0.0.1")
AUTHORITY = trustme.CA()


def client_context() -> ssl.SSLContext:
    context = ssl.create_default_context()
    AUTHORITY.configure_trust(context)
    return context


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


def send(
    url: str,
    *,
    allows: Callable[[IPAddress], bool] = lambda _address: True,
    within_seconds: float = 5.0,
    found: tuple[str, ...] = ("127.0.0.1",),
) -> Answer:
    return post(
        url,
        headers={"content-type": "application/json"},
        body=b'{"a": 1}',
        allows=allows,
        verify=client_context(),
        within_seconds=within_seconds,
        resolve=lambda _host, _port: [ip_address(each) for each in found],
    )


def test_it_posts_and_reads_the_head_of_the_answer(server: Server) -> None:
    server.script(reply(202, b"taken", {"Retry-After": "7"}))
    answer = send(f"{server.url}/hook")
    assert (answer.status, answer.header("retry-after"), answer.body) == (202, "7", b"")
    assert [(each.method, each.target, each.body) for each in server.received] == [
        ("POST", "/hook", b'{"a": 1}')
    ]


def test_certificate_sni_and_host_are_those_of_the_name_while_the_judged_address_is_connected_to() -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    AUTHORITY.issue_cert("receiver.test").configure_cert(context)
    asked: list[object] = []
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    with serving(context) as server:
        server.script(reply(204, b""))
        port = urlsplit(server.url).port
        assert send(f"https://receiver.test:{port}/").status == 204
        assert server.received[0].headers["host"] == f"receiver.test:{port}"
        assert asked == ["receiver.test"]
        with pytest.raises(NotSent) as refused:
            send(f"https://somebody-else.test:{port}/")
        assert (refused.value.kind, len(server.received)) == ("tls", 1)


@pytest.mark.parametrize("found", [("127.0.0.1",), ("192.0.2.7", "127.0.0.1")], ids=["one", "mixed in"])
def test_an_address_that_may_not_be_is_not_connected_to(server: Server, found: tuple[str, ...]) -> None:
    port = urlsplit(server.url).port
    with pytest.raises(NotSent) as refused:
        send(f"http://receiver.test:{port}/", allows=lambda each: each != HERE, found=found)
    assert (refused.value.kind, server.connections) == ("address", set())


def test_a_name_is_looked_up_once_so_that_it_cannot_change_in_between(server: Server) -> None:
    server.script(reply())
    answers = iter([[HERE], [ip_address("192.0.2.7")]])
    answer = post(
        f"http://rebinding.test:{urlsplit(server.url).port}/",
        headers={},
        body=b"",
        allows=lambda each: each == HERE,
        verify=client_context(),
        within_seconds=5,
        resolve=lambda _host, _port: next(answers),
    )
    assert answer.status == 200


def test_a_redirect_is_an_answer_like_any_other(server: Server) -> None:
    server.script(reply(307, b"", {"Location": f"{server.url}/elsewhere"}))
    assert send(server.url).status == 307
    assert len(server.received) == 1


def test_a_name_without_an_address_and_one_where_nobody_listens(server: Server) -> None:
    with pytest.raises(NotSent, match="name"):
        send("http://nowhere.test/", found=())
    with serving() as gone:
        url = gone.url
    with pytest.raises(NotSent, match="connect"):
        send(url)


def dripping(chunk: bytes, release: threading.Event) -> Step:
    """One more piece whenever a client might have given up, and never the end."""

    def step(handler: BaseHTTPRequestHandler) -> None:
        try:
            while not release.is_set():
                handler.wfile.write(chunk)
                sleep(0.02)
        except OSError:
            handler.close_connection = True

    return step


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\n"], ids=["status line", "headers"])
def test_an_answer_that_trickles_is_bounded_as_a_whole(server: Server, start: bytes) -> None:
    release = threading.Event()
    drip = dripping(b"X" if not start else b"X-More: of it\r\n", release)

    def step(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(start)
        drip(handler)

    server.script(step)
    began = perf_counter()
    with pytest.raises(LostReply, match="timeout"):
        send(server.url, within_seconds=0.3)
    release.set()
    assert perf_counter() - began < 2


def test_silence_is_bounded(server: Server) -> None:
    release = threading.Event()
    server.script(silence(release))
    with pytest.raises(LostReply, match="timeout"):
        send(server.url, within_seconds=0.2)
    release.set()


def test_a_body_without_an_end_is_not_read(server: Server) -> None:
    release = threading.Event()
    drip = dripping(b"x" * 60_000, release)

    def step(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n")
        drip(handler)

    server.script(step)
    assert send(server.url).status == 200
    release.set()


@pytest.mark.parametrize(
    ("said", "kind"),
    [(b"", "cut"), (b"HTTP/1.1 200", "cut"), (b"220 mail.test ESMTP\r\n\r\n", "garbled")],
)
def test_what_is_no_answer_is_none(server: Server, said: bytes, kind: str) -> None:
    server.script(raw(said))
    with pytest.raises(LostReply) as lost:
        send(server.url)
    assert lost.value.kind == kind


def test_names_are_looked_up_as_the_machine_does() -> None:
    assert HERE in look_up("localhost", 80)

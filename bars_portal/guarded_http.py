"""HTTP to addresses that strangers typed in: who resolves them is who connects, and judges in between.

A name is looked up once, all that it stands for is judged, and the connection goes to one of the very
addresses that were judged; certificate, SNI and Host stay those of the name. So no answer of a name server
can change between judgement and connection. One deadline bounds the whole exchange, however slowly it
trickles, and of the answer only status and headers are read.

Built on httpcore, the layer beneath httpx that lets one bring a network of one's own.
"""

import socket
import ssl
from collections.abc import Callable, Iterable, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from time import perf_counter
from typing import Any

import httpcore

from bars_portal.http import Answer, LostReply, NotSent, broken_off, is_tls, milliseconds_since

IPAddress = IPv4Address | IPv6Address
# A host and a port to all addresses that the name stands for. Raises OSError.
Resolve = Callable[[str, int], Sequence[IPAddress]]
# Of many addresses so many are tried.
_MOST_TRIED = 3


def look_up(host: str, port: int) -> list[IPAddress]:
    """As the machine resolves names. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(ip_address(str(each[4][0]).partition("%")[0]) for each in found))


def post(
    url: str,
    *,
    headers: Mapping[str, str],
    body: bytes,
    allows: Callable[[IPAddress], bool],
    verify: ssl.SSLContext,
    within_seconds: float,
    resolve: Resolve = look_up,
) -> Answer:
    """POST once and read the answer's head; no redirect is followed, nothing kept alive, no proxy asked.

    The answer's body is left empty. Raises NotSent ("address": `allows` refuses one of the addresses; "name":
    there is none) or LostReply.
    """
    network = _Guarded(allows, resolve, deadline=perf_counter() + within_seconds)
    waits = dict.fromkeys(("connect", "read", "write", "pool"), within_seconds)
    started = perf_counter()
    try:
        with (
            httpcore.ConnectionPool(ssl_context=verify, max_connections=1, network_backend=network) as pool,
            pool.stream(
                "POST", url, headers=list(headers.items()), content=body, extensions={"timeout": waits}
            ) as response,
        ):
            named = {name.decode("ascii"): value.decode("latin-1") for name, value in response.headers}
            return Answer(response.status, named, b"", milliseconds_since(started))
    except httpcore.ConnectTimeout:
        raise NotSent("timeout") from None
    except httpcore.ConnectError as error:
        raise NotSent("tls" if is_tls(error) else "connect") from None
    except (httpcore.LocalProtocolError, httpcore.UnsupportedProtocol, ValueError):
        raise NotSent("request") from None
    except httpcore.TimeoutException:
        raise LostReply("timeout") from None
    except httpcore.NetworkError:
        raise LostReply("cut") from None
    except httpcore.RemoteProtocolError as error:
        raise broken_off(error) from None


class _Guarded(httpcore.SyncBackend):
    """A network that goes only where `allows` lets it, for one exchange."""

    def __init__(self, allows: Callable[[IPAddress], bool], resolve: Resolve, *, deadline: float) -> None:
        self._allows, self._resolve, self._deadline = allows, resolve, deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """One address that may not be is enough: whoever mixes them in means no good."""
        try:
            found = self._resolve(host.strip("[]"), port)
        except (OSError, UnicodeError):
            found = []
        if not found:
            raise NotSent("name")
        if not all(map(self._allows, found)):
            raise NotSent("address")
        for address in found[:_MOST_TRIED]:
            try:
                stream = super().connect_tcp(
                    str(address), port, _left(self._deadline, httpcore.ConnectTimeout), None, socket_options
                )
            except httpcore.ConnectError:
                continue
            return _Hurried(stream, self._deadline)
        raise httpcore.ConnectError("None of the addresses answers.")


class _Hurried(httpcore.NetworkStream):
    """A connection on which nothing waits beyond the deadline: each single wait is what is left of it."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream, self._deadline = stream, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(self._deadline, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(self._deadline, httpcore.WriteTimeout))

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        left = _left(self._deadline, httpcore.ConnectTimeout)
        return _Hurried(self._stream.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)

    def close(self) -> None:
        self._stream.close()


def _left(deadline: float, late: type[httpcore.TimeoutException]) -> float:
    left = deadline - perf_counter()
    if left <= 0:
        raise late("The time for the whole exchange is over.")
    return left

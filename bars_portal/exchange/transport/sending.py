"""One HTTP exchange: bounded in time and size, every httpx exception turned into one of ours."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

import httpx

from bars_portal.exchange.transport.answer import Answer
from bars_portal.exchange.transport.errors import LostReply, NotSent

# Far above any BaRS answer; a larger one is a fault over there that must not fill our memory.
LIMIT_BYTES = 10_000_000
# h11's words for a connection that ended early; every other protocol error is nonsense on the wire.
_CUT_WORDS = ("disconnected", "peer closed", "connection closed")


def send(http: httpx.Client, request: httpx.Request, *, within_seconds: float) -> Answer:
    """Send once and read the whole answer; nothing is retried and no redirect followed.

    `within_seconds` bounds an answer that trickles in; each single wait has the client's own timeout.
    Raises NotSent or LostReply.
    """
    started = perf_counter()
    with _our_errors():
        response = http.send(request, stream=True, follow_redirects=False)
        try:
            body = _read(response, deadline=started + within_seconds)
        finally:
            response.close()
    return Answer(response.status_code, dict(response.headers), body, milliseconds_since(started))


def milliseconds_since(started: float) -> int:
    return round((perf_counter() - started) * 1000)


def _read(response: httpx.Response, *, deadline: float) -> bytes:
    body = bytearray()
    for chunk in response.iter_bytes():
        body += chunk
        if len(body) > LIMIT_BYTES:
            raise LostReply("garbled")
        if perf_counter() > deadline:
            raise LostReply("timeout")
    return bytes(body)


@contextmanager
def _our_errors() -> Iterator[None]:
    try:
        yield
    except httpx.PoolTimeout:
        raise NotSent("pool") from None
    except httpx.ConnectTimeout:
        raise NotSent("timeout") from None
    except httpx.ConnectError as error:
        raise NotSent("tls" if _is_tls(error) else "connect") from None
    except (httpx.LocalProtocolError, httpx.UnsupportedProtocol, httpx.InvalidURL):
        raise NotSent("request") from None
    except httpx.TimeoutException:
        raise LostReply("timeout") from None
    except httpx.NetworkError:
        raise LostReply("cut") from None
    except httpx.RemoteProtocolError as error:
        raise LostReply("cut" if any(word in str(error) for word in _CUT_WORDS) else "garbled") from None
    except httpx.HTTPError:
        raise LostReply("garbled") from None


def _is_tls(error: BaseException | None) -> bool:
    """Whether TLS is somewhere below this error: httpx reports a bad certificate as a failed connection."""
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False

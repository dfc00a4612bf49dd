"""HTTP as a client: one bounded exchange at a time, its answer as plain data, its errors as our own.

The one importer of httpx, which is frozen upstream: what replaces it some day replaces this module.
"""

import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from time import perf_counter
from typing import ClassVar, Literal

import httpx

# The names by which other rooms speak of a pool of connections and of what bounds it.
Client = httpx.Client
Limits = httpx.Limits
Timeout = httpx.Timeout

NotSentKind = Literal["connect", "tls", "timeout", "pool", "request", "busy", "circuit", "name", "address"]
LostKind = Literal["timeout", "cut", "garbled"]
# Far above any honest answer; a larger one is a fault over there that must not fill our memory.
LIMIT_BYTES = 10_000_000
# h11's words for a connection that ended early; every other protocol error is nonsense on the wire.
_CUT_WORDS = ("disconnected", "peer closed", "connection closed")


class TransportError(Exception):
    """Base of all. `sent`: the other side may have seen the request, so only the same ids may be sent again.

    Texts are fixed words: never a URL, a header, a body or a secret.
    """

    sent: ClassVar[bool]
    kind: str

    def __init__(self, kind: str) -> None:
        super().__init__(f"{type(self).__name__}: {kind}")
        self.kind = kind


class NotSent(TransportError):
    """Certainly nothing was sent: no connection, a TLS failure, no free connection, unusable request.

    Or it was not tried: as many requests as may be are under way to that partner ("busy"), it has not been
    answering ("circuit"), or its name has no address ("name") or one that is refused ("address").
    """

    sent = False

    def __init__(self, kind: NotSentKind) -> None:
        super().__init__(kind)


class LostReply(TransportError):
    """Sending began and no usable answer came: too late, cut off, or no HTTP we can read (or too large)."""

    sent = True

    def __init__(self, kind: LostKind) -> None:
        super().__init__(kind)


@dataclass(frozen=True)
class Answer:
    """One HTTP answer: status, headers, the body's bytes (inflated), and the time it took in milliseconds."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    elapsed_ms: int

    def header(self, name: str) -> str | None:
        """The header's value; names are compared without regard to case."""
        wanted = name.lower()
        return next((value for key, value in self.headers.items() if key.lower() == wanted), None)

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


def client_context(
    *,
    ca_file: str | Path | None,
    cert_file: str | Path | None = None,
    key_file: str | Path | None = None,
) -> ssl.SSLContext:
    """A verifying context, TLS 1.2 or later; `ca_file` None trusts the public authorities.

    With `cert_file` (and `key_file`, unless the key is in the same file) it presents that client certificate:
    httpx's own `cert=` beside a CA path silently sends none. Raises OSError or ssl.SSLError when a file is
    missing or unusable.
    """
    if ca_file is None:
        context = httpx.create_ssl_context(verify=True, trust_env=False)
    else:
        context = ssl.create_default_context(cafile=str(ca_file))
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if cert_file:
        context.load_cert_chain(cert_file, key_file)
    return context


def pool(*, verify: ssl.SSLContext | bool, timeout: Timeout, limits: Limits) -> Client:
    """Kept-alive connections, for all threads of a process. No redirects, cookies or proxies from outside."""
    return Client(
        verify=verify,
        timeout=timeout,
        limits=limits,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        follow_redirects=False,
        trust_env=False,
    )


def send(
    http: Client,
    method: str,
    url: str,
    *,
    within_seconds: float,
    headers: Mapping[str, str] | None = None,
    params: Sequence[tuple[str, str]] = (),
    body: bytes | None = None,
    form: Mapping[str, str] | None = None,
    timeout: Timeout | None = None,
) -> Answer:
    """Send once and read the whole answer; nothing is retried and no redirect followed.

    `within_seconds` bounds an answer that trickles in; each single wait has the pool's `timeout`, or this.
    Raises NotSent or LostReply.
    """
    try:
        request = http.build_request(
            method,
            url,
            headers=headers,
            # None where there are none: else the URL is parsed twice.
            params=list(params) or None,
            content=body,
            data=form,
            timeout=timeout or http.timeout,
        )
    except (ValueError, httpx.InvalidURL):
        raise NotSent("request") from None
    started = perf_counter()
    with _our_errors():
        response = http.send(request, stream=True, follow_redirects=False)
        try:
            content = _read(response, deadline=started + within_seconds)
        finally:
            response.close()
    return Answer(response.status_code, dict(response.headers.items()), content, milliseconds_since(started))


def http_date(text: str) -> datetime | None:
    """The instant (aware) in a header such as Date (RFC 9110 section 5.6.7); None when it is none."""
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def broken_off(error: Exception) -> LostReply:
    """A protocol error of h11: the connection ended early, or it spoke no HTTP."""
    return LostReply("cut" if any(word in str(error) for word in _CUT_WORDS) else "garbled")


def milliseconds_since(started: float) -> int:
    return round((perf_counter() - started) * 1000)


def _read(response: httpx.Response, *, deadline: float) -> bytes:
    content = bytearray()
    for chunk in response.iter_bytes():
        content += chunk
        if len(content) > LIMIT_BYTES:
            raise LostReply("garbled")
        if perf_counter() > deadline:
            raise LostReply("timeout")
    return bytes(content)


@contextmanager
def _our_errors() -> Iterator[None]:
    try:
        yield
    except httpx.PoolTimeout:
        raise NotSent("pool") from None
    except httpx.ConnectTimeout:
        raise NotSent("timeout") from None
    except httpx.ConnectError as error:
        raise NotSent("tls" if is_tls(error) else "connect") from None
    except (httpx.LocalProtocolError, httpx.UnsupportedProtocol, httpx.InvalidURL):
        raise NotSent("request") from None
    except httpx.TimeoutException:
        raise LostReply("timeout") from None
    except httpx.NetworkError:
        raise LostReply("cut") from None
    except httpx.RemoteProtocolError as error:
        raise broken_off(error) from None
    except httpx.HTTPError:
        raise LostReply("garbled") from None


def is_tls(error: BaseException | None) -> bool:
    """Whether TLS is somewhere below this error: httpx reports a bad certificate as a failed connection."""
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False

"""JSON from the issuer over HTTP: no redirects, no proxies from outside, bounded in time and size.

The standard library, because httpx belongs to exchange.transport, a room above this one (ADR 0023).
"""

import json
from collections.abc import Mapping
from time import monotonic
from typing import IO, Any
from urllib.error import URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

# Of each wait on the socket, and of the whole answer.
_WAIT_SECONDS, _WHOLE_SECONDS = 5.0, 10.0
_MAX_BYTES = 256 * 1024
_CHUNK = 16 * 1024


class FetchFailed(Exception):
    """No usable answer. The text is a fixed word: never an address, a token or a body."""


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, *_: object, **__: object) -> None:
        return None


_opener = build_opener(ProxyHandler({}), _NoRedirects())


def fetch(url: str, *, form: Mapping[str, str] | None = None, token: str = "") -> dict[str, Any]:
    """GET, or POST with a form; the JSON object of a 200. Raises FetchFailed."""
    if urlsplit(url).scheme not in ("http", "https"):
        raise FetchFailed("scheme")
    data = urlencode(form).encode() if form is not None else None
    request = Request(url, data=data, headers={"Accept": "application/json"})  # noqa: S310 - looked at above
    if token:
        request.add_unredirected_header("Authorization", f"Bearer {token}")
    try:
        with _opener.open(request, timeout=_WAIT_SECONDS) as answer:
            body = _read(answer)
    except (URLError, OSError, ValueError) as error:
        raise FetchFailed(type(error).__name__) from None
    return _object(body)


def _read(answer: IO[bytes]) -> bytes:
    until, body = monotonic() + _WHOLE_SECONDS, b""
    while chunk := answer.read(_CHUNK):
        body += chunk
        if len(body) > _MAX_BYTES or monotonic() > until:
            raise FetchFailed("too-large-or-slow")
    return body


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise FetchFailed("not-json") from None
    if not isinstance(found, dict):
        raise FetchFailed("not-json")
    return found

"""HTTP as the simulator sees it: one request in, one answer out, both immutable."""

import errno
import io
import ipaddress
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlsplit

import orjson

JSON_MEDIA, FORM_MEDIA = "application/json", "application/x-www-form-urlencoded"
MAX_BODY_BYTES = 10 * 1024 * 1024
ECHOED_IDS = ("X-Request-Id", "X-Correlation-Id")

StartResponse = Callable[[str, list[tuple[str, str]]], object]


class BodyTooLarge(Exception):
    """The request body is longer than MAX_BODY_BYTES."""


@dataclass(frozen=True)
class Request:
    """One request. Header names are lower-case; `raw_path` and `query` are the bytes that came, undecoded."""

    method: str
    raw_path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    peer: str

    def header(self, name: str) -> str:
        """The header's value without surrounding blanks; empty when absent."""
        return self.headers.get(name.lower(), "").strip()

    @property
    def media(self) -> str:
        """The media type of the body, without its parameters, lower case."""
        return media_of(self.header("Content-Type"))

    @property
    def is_local(self) -> bool:
        """Whether it comes from this computer."""
        try:
            return ipaddress.ip_address(self.peer).is_loopback
        except ValueError:
            return False

    @property
    def is_own_form(self) -> bool:
        """Whether a page of ours posts it: browsers name the page."""
        host = self.header("Host")
        return bool(host) and urlsplit(self.header("Origin")).netloc == host

    def sent_ids(self) -> tuple[tuple[str, str], ...]:
        """X-Request-Id and X-Correlation-Id as sent, for the echo; those that were not sent are left out."""
        return tuple((name, self.header(name)) for name in ECHOED_IDS if self.header(name))


@dataclass(frozen=True)
class Answer:
    """One answer. `body` is what goes over the wire, still encoded when content-encoding says so.

    `scenario` names the row or drill that decided it: for the journal, never sent. `cut_after`: so many bytes
    of the body, then the connection ends (a drill).
    """

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    scenario: str = ""
    cut_after: int | None = None

    def header(self, name: str) -> str:
        """The first value under that name, whatever its case; empty when absent."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


def media_of(value: str) -> str:
    """A media type without its parameters, lower case."""
    return value.partition(";")[0].strip().lower()


def json_answer(status: int, content: object, *headers: tuple[str, str], media: str = JSON_MEDIA) -> Answer:
    """An answer with a JSON body; `headers` come after Content-Type."""
    return Answer(status, (("Content-Type", media), *headers), orjson.dumps(content))


def request_from_environ(environ: Mapping[str, Any]) -> Request:
    """Reads a WSGI environ. Raises BodyTooLarge."""
    raw_path, query = _raw_target(environ)
    return Request(
        method=environ["REQUEST_METHOD"],
        raw_path=raw_path,
        query=query,
        headers=_headers(environ),
        body=_body(environ),
        peer=environ.get("REMOTE_ADDR", ""),
    )


def send(answer: Answer, start_response: StartResponse, *, head_only: bool = False) -> Iterable[bytes]:
    """Hands an answer to the WSGI server, with its Content-Length."""
    headers = list(answer.headers)
    if not (head_only and answer.header("Content-Length")):
        headers.append(("Content-Length", str(len(answer.body))))
    start_response(f"{answer.status} {_phrase(answer.status)}", headers)
    if answer.cut_after is not None:
        return _cut(answer.body[: answer.cut_after])
    return [] if head_only else [answer.body]


def _cut(half: bytes) -> Iterable[bytes]:
    """The server takes it for a broken socket and closes quietly."""
    yield half
    raise ConnectionResetError(errno.ECONNRESET, "connection cut by a fault drill")


def _raw_target(environ: Mapping[str, Any]) -> tuple[str, str]:
    # PATH_INFO is already decoded, which loses the difference between %2F and /: gunicorn keeps the original.
    raw = environ.get("RAW_URI")
    if raw is None:
        path = environ.get("PATH_INFO", "").encode("latin-1")
        return quote(path, safe="/$:@!&'()*+,;=~"), environ.get("QUERY_STRING", "")
    path = raw.partition("?")[0].partition("#")[0]
    return (path if path.startswith("/") else urlsplit(path).path), environ.get("QUERY_STRING", "")


def _headers(environ: Mapping[str, Any]) -> dict[str, str]:
    headers = {
        key.removeprefix("HTTP_").replace("_", "-").lower(): value
        for key, value in environ.items()
        if key.startswith("HTTP_")
    }
    for key in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(key):
            headers[key.replace("_", "-").lower()] = environ[key]
    return headers


def _body(environ: Mapping[str, Any]) -> bytes:
    declared = environ.get("CONTENT_LENGTH") or ""
    stream: io.BufferedIOBase = environ["wsgi.input"]
    if declared.isdigit():
        body = stream.read(min(int(declared), MAX_BODY_BYTES + 1))
    elif environ.get("wsgi.input_terminated"):
        body = stream.read(MAX_BODY_BYTES + 1)
    else:
        body = b""
    if len(body) > MAX_BODY_BYTES:
        raise BodyTooLarge
    return body


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"

"""DRF's parsers of both FHIR formats: the body whole or not at all, and inflated within a limit."""

from dataclasses import dataclass
from typing import Any, ClassVar

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, UnreadablePostError
from gunicorn.http.errors import ParseException
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from bars_portal.exchange.fhir.formats import Format
from bars_portal.exchange.fhir.outcomes import OutcomeCode, OutcomeError, fault
from bars_portal.exchange.message_bytes import MAX_CONTENT, Corrupt, TooLarge, inflate

_GZIP = {"gzip", "x-gzip"}
_PIECE = 65_536
# Read and thrown away of a body that is too large, so that its sender hears the answer and may go on.
_MOST_DRAINED = 20_000_000
_BODY = "bars.body"


@dataclass(frozen=True)
class Body:
    """`raw` is what arrived and is stored as the record; `content` is the same without its compression."""

    raw: bytes
    content: bytes
    format: Format


class FhirRequest(Request):
    """DRF takes a body of no length or none announced for no data; here it is parsed like any other."""

    @property
    def stream(self) -> HttpRequest:
        return self._request


class FhirParser(BaseParser):
    """Gives the Body: the exchange reads the resource in it, and keeps also what it cannot read."""

    format: ClassVar[Format]
    # FHIR is UTF-8; what a reader finds beyond that, it tells by itself from mark or declaration.
    charsets: ClassVar[frozenset[str]] = frozenset({"utf-8", "utf8", "us-ascii"})

    def parse(self, stream: HttpRequest, media_type: Any = None, parser_context: Any = None) -> Body:  # type: ignore[override]  # FhirRequest.stream
        """Raises OutcomeError: 415 for another coding, 413 inflated too far, 400 no gzip; see read_body()."""
        coding = stream.headers.get("Content-Encoding", "").strip().lower()
        if coding and coding not in {"identity", *_GZIP}:
            raise fault(
                OutcomeCode.UNSUPPORTED_MEDIA_TYPE,
                "Content-Encoding must be gzip or absent.",
                "http.Content-Encoding",
            )
        raw = read_body(stream)
        return Body(raw, _inflated(raw) if coding in _GZIP else raw, self.format)


class FhirJsonParser(FhirParser):
    media_type = Format.JSON.value
    format = Format.JSON


class FhirXmlParser(FhirParser):
    media_type = Format.XML.value
    format = Format.XML
    charsets = FhirParser.charsets | {"utf-16"}


PARSERS = (FhirJsonParser, FhirXmlParser)


def read_body(request: HttpRequest) -> bytes:
    """Raises UnreadablePostError when it did not arrive completely and in time, RequestDataTooBig.

    OutcomeError (400) when its chunks break their framing, which the server sees only as they are read.
    """
    if _BODY not in request.META:
        try:
            request.META[_BODY] = _read_within_limit(request)
        except ParseException:
            raise fault(
                OutcomeCode.INVALID, "The body's chunks are malformed.", "http.Transfer-Encoding"
            ) from None
    body: bytes = request.META[_BODY]
    return body


def readable_body(request: HttpRequest) -> bytes:
    """What a refused request carried, as far as it can be had."""
    try:
        return read_body(request)
    except (OutcomeError, RequestDataTooBig, UnreadablePostError):
        return b""


def _read_within_limit(request: HttpRequest) -> bytes:
    try:
        return _read_chunks(request) if _is_chunked(request) else _read_sized(request)
    except RequestDataTooBig:
        _drain(request)
        raise


def _read_sized(request: HttpRequest) -> bytes:
    body = request.body
    if len(body) < int(request.META.get("CONTENT_LENGTH") or 0):
        raise UnreadablePostError("The connection ended within the body.")
    return body


def _is_chunked(request: HttpRequest) -> bool:
    """Django takes a body without Content-Length for none; a server that finds its end by itself says so."""
    return not request.META.get("CONTENT_LENGTH") and bool(request.META.get("wsgi.input_terminated"))


def _read_chunks(request: HttpRequest) -> bytes:
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    try:
        body: bytes = request.META["wsgi.input"].read(limit + 1)
    except OSError as error:
        raise UnreadablePostError(*error.args) from error
    if len(body) > limit:
        raise RequestDataTooBig("The body is larger than this service takes.")
    return body


def _drain(request: HttpRequest) -> None:
    """With a rest unread the server would close, and a sender that is still writing would hear nothing."""
    # Django has read nothing of a body whose announced length is too much; beyond that length nothing comes.
    announced = int(request.META.get("CONTENT_LENGTH") or _MOST_DRAINED)
    left = min(announced, _MOST_DRAINED)
    try:
        while left > 0 and (piece := request.META["wsgi.input"].read(min(left, _PIECE))):
            left -= len(piece)
    except OSError as error:
        raise UnreadablePostError(*error.args) from error


def _inflated(raw: bytes) -> bytes:
    try:
        return inflate(raw, limit=MAX_CONTENT)
    except TooLarge:
        raise fault(
            OutcomeCode.PAYLOAD_TOO_LARGE, f"The body inflates to more than {MAX_CONTENT} bytes."
        ) from None
    except Corrupt:
        raise fault(
            OutcomeCode.INVALID, "Content-Encoding says gzip, but the body is no complete gzip stream."
        ) from None

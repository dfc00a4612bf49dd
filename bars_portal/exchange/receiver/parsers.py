"""The body of a request: all of it or nothing, of which format, and inflated within a limit."""

from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, UnreadablePostError
from django.utils.http import parse_header_parameters
from gunicorn.http.errors import ParseException

from bars_portal.exchange.fhir.formats import Format, by_media_type
from bars_portal.exchange.fhir.outcomes import OutcomeCode, OutcomeError, fault
from bars_portal.exchange.message_bytes import MAX_CONTENT, Corrupt, TooLarge, inflate

# The bytes of a request, all of them or nothing: what was cut off on its way is no message.


_PIECE = 65_536
# Read and thrown away of a body that is too large, so that its sender hears the answer and may go on.
_MOST_DRAINED = 20_000_000


def read_raw(request: HttpRequest) -> bytes:
    """Raises UnreadablePostError when it did not arrive completely and in time, RequestDataTooBig.

    OutcomeError (400) when its chunks break their framing, which the server sees only as they are read.
    """
    try:
        return _read_within_limit(request)
    except ParseException:
        raise _malformed() from None


def _read_within_limit(request: HttpRequest) -> bytes:
    try:
        return _read_chunks(request) if _is_chunked(request) else _read_sized(request)
    except RequestDataTooBig:
        _drain(request)
        raise


def read_again(request: HttpRequest) -> bytes:
    """What a refused request carried, as far as it can be had."""
    try:
        return read_raw(request)
    except (OutcomeError, RequestDataTooBig, UnreadablePostError):
        return b""


def _malformed() -> OutcomeError:
    return fault(OutcomeCode.INVALID, "The body's chunks are malformed.", "http.Transfer-Encoding")


def _read_sized(request: HttpRequest) -> bytes:
    body = request.body
    if len(body) < int(request.META.get("CONTENT_LENGTH") or 0):
        raise UnreadablePostError("The connection ended within the body.")
    return body


def _is_chunked(request: HttpRequest) -> bool:
    """Django takes a body without Content-Length for none; a server that finds its end by itself says so."""
    length = request.META.get("CONTENT_LENGTH")
    return not hasattr(request, "_body") and not length and bool(request.META.get("wsgi.input_terminated"))


def _read_chunks(request: HttpRequest) -> bytes:
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    try:
        body: bytes = request.META["wsgi.input"].read(limit + 1)
    except OSError as error:
        raise UnreadablePostError(*error.args) from error
    if len(body) > limit:
        raise RequestDataTooBig("The body is larger than this service takes.")
    # Where Django keeps what it has read: the stream has it no more.
    request._body = body
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


# The body of a request: of which format, and inflated within a limit (standard section 4).


# FHIR is UTF-8; what the parser reads beyond that, it tells by itself from mark or declaration.
_CHARSETS = {
    Format.JSON: {"utf-8", "utf8", "us-ascii"},
    Format.XML: {"utf-8", "utf8", "us-ascii", "utf-16"},
}
_GZIP = {"gzip", "x-gzip"}


@dataclass(frozen=True)
class Body:
    """`raw` is what arrived and is stored as the record; `content` is the same without its compression."""

    raw: bytes
    content: bytes
    format: Format


def read_body(request: HttpRequest) -> Body:
    """Raises OutcomeError: 415 for another type or coding, 413 inflated too far, 400 no gzip at all."""
    found = body_format(request.headers.get("Content-Type", ""))
    coding = request.headers.get("Content-Encoding", "").strip().lower()
    if coding and coding not in {"identity", *_GZIP}:
        raise fault(
            OutcomeCode.UNSUPPORTED_MEDIA_TYPE,
            "Content-Encoding must be gzip or absent.",
            "http.Content-Encoding",
        )
    raw = read_raw(request)
    return Body(raw, _inflated(raw) if coding in _GZIP else raw, found)


def body_format(content_type: str) -> Format:
    """The format that Content-Type names. Raises OutcomeError (415) for one that is not taken."""
    media_type, parameters = parse_header_parameters(content_type)
    found = by_media_type(media_type)
    if found is None or parameters.get("charset", "utf-8").strip().lower() not in _CHARSETS[found]:
        raise _unsupported()
    return found


def _unsupported() -> OutcomeError:
    return fault(
        OutcomeCode.UNSUPPORTED_MEDIA_TYPE,
        "Content-Type must be application/fhir+json or application/fhir+xml, in UTF-8.",
        "http.Content-Type",
    )


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

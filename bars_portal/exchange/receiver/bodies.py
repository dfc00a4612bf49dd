"""The body of a request: of which format, and inflated within a limit (standard section 4)."""

from dataclasses import dataclass

from django.http import HttpRequest
from django.utils.http import parse_header_parameters

from bars_portal.exchange.compression import Corrupt, TooLarge, inflate
from bars_portal.exchange.decoding import MAX_CONTENT
from bars_portal.exchange.fhir.formats import Format, by_media_type
from bars_portal.exchange.fhir.outcomes import OutcomeCode, OutcomeError, fault
from bars_portal.exchange.receiver.raw_bodies import read_raw

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

"""Which format and coding an answer gets (standard section 4): `_format` beats Accept, neither means JSON."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Self
from urllib.parse import parse_qsl

from django.utils.http import parse_header_parameters
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from bars_portal.exchange.fhir.formats import Format, by_media_type, by_name, of_body
from bars_portal.exchange.fhir.outcomes import OutcomeCode, fault
from bars_portal.exchange.receiver.parsers import FhirParser

FORMAT_PARAMETER = "_format"
_PAIRS = "bars.query_pairs"
SUPPORTED_MAJOR = "1"
_VERSION = re.compile(r"(\d{1,4})(?:\.\d{1,6}){0,2}(?:-[\w.]{1,20})?")
_FHIR_VERSIONS = {"4.0", "4.0.1"}
# Also as people write it by hand: .8, 0.8000.
_QUALITY = re.compile(r"\d{0,3}\.?\d{0,9}", re.ASCII)
_DECIMAL_COMMA = re.compile(r"(;\s*q\s*=\s*[01]?),(?=\d)")
_ANY = {"*/*", "application/*"}
# Few callers, many calls: what a header means is worked out once.
_HEADERS_KEPT = 256


class FhirNegotiation(BaseContentNegotiation):
    """The parser that Content-Type names, and the renderer that the caller likes best."""

    def select_parser(self, request: Request, parsers: Iterable[FhirParser]) -> FhirParser | None:  # type: ignore[override]  # our own parsers
        media_type, parameters = parse_header_parameters(request.content_type)
        charset = parameters.get("charset", "utf-8").strip().lower()
        named = of_body(media_type)
        return next((each for each in parsers if each.format is named and charset in each.charsets), None)

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """Raises OutcomeError (406) when nothing that is asked for is served."""
        wanted = _answer_format(request)
        return next((each, wanted.value) for each in renderers if each.media_type == wanted)


def _answer_format(request: Request) -> Format:
    names = [value for name, value in query_pairs(request) if name == FORMAT_PARAMETER]
    if names:
        return _named(names[-1])
    best = _best(request.META.get("HTTP_ACCEPT", ""))
    if best is None:
        raise fault(
            OutcomeCode.NOT_ACCEPTABLE,
            "Accept asks for a type or version that is not served: use application/fhir+json; version=1.1.0.",
            "http.Accept",
        )
    return best


def takes_gzip(request: Request) -> bool:
    """Whether Accept-Encoding names gzip; a bare `*` does not ask for it."""
    return _names_gzip(request.META.get("HTTP_ACCEPT_ENCODING", ""))


def query_pairs(request: Request) -> Sequence[tuple[str, str]]:
    """The query in its own order, repeated names kept. Unlike request.GET it never raises."""
    # Asked twice a request, and a slot search has a long query.
    meta = request.META
    if _PAIRS not in meta:
        meta[_PAIRS] = tuple(parse_qsl(meta.get("QUERY_STRING", ""), keep_blank_values=True))
    pairs: Sequence[tuple[str, str]] = meta[_PAIRS]
    return pairs


@dataclass(frozen=True)
class _Range:
    """One member of Accept or Accept-Encoding; what is asked for in an unknown version is never served."""

    name: str
    quality: float
    served: bool

    @classmethod
    def parse(cls, member: str) -> Self:
        name, parameters = parse_header_parameters(member)
        return cls(name.strip().lower(), _quality(parameters.get("q", "")), _is_served(parameters))


def _quality(text: str) -> float:
    """What cannot be read is no reason to refuse: it counts as not said (standard section 12)."""
    plain = text.strip()
    readable = _QUALITY.fullmatch(plain) and any(map(str.isdigit, plain))
    return min(float(plain), 1.0) if readable else 1.0


@lru_cache(_HEADERS_KEPT)
def _best(accept: str) -> Format | None:
    ranges = list(_ranges(accept))
    if not ranges:
        return Format.JSON
    best = max(Format, key=lambda each: _preference(each, ranges))
    return best if _preference(best, ranges)[0] > 0 else None


@lru_cache(_HEADERS_KEPT)
def _names_gzip(accept_encoding: str) -> bool:
    return any(each.name in {"gzip", "x-gzip"} and each.quality > 0 for each in _ranges(accept_encoding))


def _named(name: str) -> Format:
    media_type, parameters = parse_header_parameters(name)
    found = by_name(media_type)
    if found is None or not _is_served(parameters):
        raise fault(
            OutcomeCode.NOT_ACCEPTABLE,
            "_format names a format that is not served: use json or xml.",
            FORMAT_PARAMETER,
        )
    return found


def _ranges(header: str) -> Iterator[_Range]:
    readable = _DECIMAL_COMMA.sub(r"\1.", header)
    return (_Range.parse(member) for member in readable.split(",") if member.strip())


def _preference(candidate: Format, ranges: list[_Range]) -> tuple[float, int]:
    """Quality by the most specific range that fits, then the earlier one; JSON wins what is still equal."""
    fitting = [
        (_specificity(candidate, each), each.quality, -place)
        for place, each in enumerate(ranges)
        if each.served and _specificity(candidate, each) > 0
    ]
    if not fitting:
        return (0.0, 0)
    # Of the same type in several versions, the best that is served.
    _, quality, place = max(fitting)
    return (quality, place)


def _specificity(candidate: Format, asked: _Range) -> int:
    if asked.name in _ANY:
        return 1 + (asked.name != "*/*")
    return 3 if by_media_type(asked.name) is candidate else 0


def _is_served(parameters: dict[str, str]) -> bool:
    version = parameters.get("version")
    if version is not None:
        found = _VERSION.fullmatch(version.strip())
        if found is None or found[1] != SUPPORTED_MAJOR:
            return False
    return parameters.get("fhirversion", "4.0").strip() in _FHIR_VERSIONS

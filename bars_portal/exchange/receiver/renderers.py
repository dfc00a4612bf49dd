"""What an answer looks like: format and coding (standard section 4), the renderers, and what faults become.

`_format` beats Accept, neither means JSON. Answers are never cached, gzip when asked, and echo both ids.
Whatever went wrong, the answer is an OperationOutcome.
"""

import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self, cast
from urllib.parse import parse_qsl
from uuid import uuid4

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import Error as DatabaseError
from django.http import UnreadablePostError
from django.utils.http import parse_header_parameters
from rest_framework.exceptions import AuthenticationFailed, MethodNotAllowed, Throttled, UnsupportedMediaType
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from bars_portal.exchange.arrival import issue_of, log_failure
from bars_portal.exchange.fhir import json, xml
from bars_portal.exchange.fhir.bundle import Rendered
from bars_portal.exchange.fhir.formats import Format, by_media_type, by_name, of_body
from bars_portal.exchange.fhir.outcomes import Issue, OutcomeCode, OutcomeError, fault, operation_outcome
from bars_portal.exchange.message_bytes import deflate
from bars_portal.exchange.receiver.parsers import FhirParser
from bars_portal.exchange.transport.headers import echo_headers

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


logger = logging.getLogger(__name__)

Resource = dict[str, Any] | Rendered
_SENT = "bars.headers"


class FhirJsonRenderer(BaseRenderer):
    media_type = Format.JSON.value
    format = "json"
    charset = None

    def render(self, data: Resource, accepted_media_type: Any = None, renderer_context: Any = None) -> bytes:
        return data.body if isinstance(data, Rendered) else json.dumps(data)


class FhirXmlRenderer(BaseRenderer):
    media_type = Format.XML.value
    format = "xml"
    charset = None

    def render(self, data: Resource, accepted_media_type: Any = None, renderer_context: Any = None) -> bytes:
        """Raises OutcomeError when XML has no place for something in it."""
        return xml.dumps(data.read() if isinstance(data, Rendered) else data)


RENDERERS = (FhirJsonRenderer, FhirXmlRenderer)


class FhirResponse(Response):
    """One resource in the negotiated format."""

    accepted_renderer: BaseRenderer
    renderer_context: dict[str, Any]
    # Of the first issue, where there is one.
    code = ""

    @property
    def rendered_content(self) -> bytes:  # type: ignore[override]  # DRF's own gives bytes, whatever the stubs say
        request: Request = self.renderer_context["request"]
        body = self._written()
        self["Cache-Control"] = "no-store"
        self["Vary"] = "Accept, Accept-Encoding"
        if takes_gzip(request):
            body = deflate(body)
            self["Content-Encoding"] = "gzip"
        self["Content-Length"] = str(len(body))
        for name, value in echo_headers(headers_of(request)).items():
            self[name] = value
        return body

    def _written(self) -> bytes:
        try:
            return cast(bytes, super().rendered_content)
        except OutcomeError:
            # What was done is done: an answer in the other format tells more than a failure.
            # No traceback: it could quote the resource.
            kind = self.data.read() if isinstance(self.data, Rendered) else self.data
            logger.warning("A %s cannot be written as %s", kind.get("resourceType"), Format.XML)
            self.accepted_renderer = FhirJsonRenderer()
            return cast(bytes, super().rendered_content)


class OutcomeResponse(FhirResponse):
    """An OperationOutcome; the first issue gives the status."""

    def __init__(self, *issues: Issue) -> None:
        self.issues = issues
        outcome = operation_outcome(issues, outcome_id=str(uuid4()), receiver=settings.BARS["ODS_CODE"])
        super().__init__(outcome, status=issues[0].code.status)
        self.code = issues[0].code.code


def headers_of(request: Request) -> Mapping[str, str]:
    """What was sent, by names in small letters: but for the length and type of the body."""
    # Asked twice a request; Django's own mapping works out the usual spelling of each name.
    meta = request.META
    if _SENT not in meta:
        sent = ((name[5:], value) for name, value in meta.items() if name.startswith("HTTP_"))
        meta[_SENT] = {name.replace("_", "-").lower(): value for name, value in sent}
    found: Mapping[str, str] = meta[_SENT]
    return found


_REFUSALS: dict[type[Exception], Issue] = {
    AuthenticationFailed: Issue(OutcomeCode.FORBIDDEN, "The client certificate may not use this service."),
    Throttled: Issue(
        OutcomeCode.TOO_MANY_REQUESTS, "Too many requests; try again after the time in Retry-After."
    ),
    MethodNotAllowed: Issue(OutcomeCode.METHOD_NOT_ALLOWED, "This verb is not served here."),
    UnsupportedMediaType: Issue(
        OutcomeCode.UNSUPPORTED_MEDIA_TYPE,
        "Content-Type must be application/fhir+json or application/fhir+xml, in UTF-8.",
        ("http.Content-Type",),
    ),
    RequestDataTooBig: Issue(OutcomeCode.PAYLOAD_TOO_LARGE, "The body is larger than this service takes."),
    UnreadablePostError: Issue(OutcomeCode.TIMEOUT, "The body did not arrive completely and in time."),
}


def outcome_response(exc: Exception, context: dict[str, Any]) -> OutcomeResponse:
    """What is nobody's fault but ours is logged."""
    if isinstance(exc, OutcomeError):
        return OutcomeResponse(*exc.issues)
    if isinstance(exc, DatabaseError):
        return OutcomeResponse(issue_of(exc))
    for kind, issue in _REFUSALS.items():
        if isinstance(exc, kind):
            response = OutcomeResponse(issue)
            if isinstance(exc, Throttled):
                response["Retry-After"] = str(exc.wait)  # type: ignore[attr-defined]  # the stubs have no attributes
            return response
    log_failure(exc)
    return OutcomeResponse(Issue(OutcomeCode.SERVER_ERROR, "The request could not be processed."))

"""FHIR in and out, JSON and XML. The XML is the model library's own: a second reading to check the portal's.

A message is a plain dictionary in here, as FHIR JSON spells it.
"""

import re
import zlib
from typing import Any
from urllib.parse import parse_qs

import orjson
from fhir.resources.R4B import get_fhir_model_class
from fhir.resources.R4B.bundle import Bundle
from lxml import etree
from lxml.etree import XMLSyntaxError

from bars_portal.simulator.selftest.model import Json
from bars_portal.simulator.wire import MAX_BODY_BYTES, Answer, Request

# FHIR in and out, JSON and XML. The XML is the model library's own: a second reading to check the portal's.
#
# A message is a plain dictionary in here, as FHIR JSON spells it.


FHIR_JSON, FHIR_XML = "application/fhir+json", "application/fhir+xml"
JSON_MEDIA = frozenset({FHIR_JSON, "application/json", "text/json"})
XML_MEDIA = frozenset({FHIR_XML, "application/xml", "text/xml"})
Resource = dict[str, Any]
# What the library raises for XML that is no FHIR: its own errors are ValueErrors, the rest its stumbling.
_NO_FHIR = (ValueError, LookupError, TypeError, AttributeError, etree.XMLSyntaxError)


class NotReadable(Exception):
    """The body is no FHIR Bundle in the format that its Content-Type names."""


class UnknownMedia(NotReadable):
    """The Content-Type is neither FHIR JSON nor FHIR XML."""


def media_of(value: str) -> str:
    """A media type without its parameters, lower case."""
    return value.partition(";")[0].strip().lower()


def read_bundle(request: Request) -> Resource:
    """The Bundle in the request's body. Raises NotReadable."""
    media, body = media_of(request.header("Content-Type")), _inflated(request)
    if media in JSON_MEDIA:
        bundle = _from_json(body)
    elif media in XML_MEDIA:
        bundle = from_xml(body)
    else:
        raise UnknownMedia
    if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle":
        raise NotReadable
    return bundle


def from_xml(body: bytes) -> Resource:
    """The Bundle as the library reads it. Raises NotReadable; document types are refused."""
    try:
        root = etree.fromstring(body, parser=_parser())
        if root.getroottree().docinfo.internalDTD is not None:
            raise NotReadable
        loaded: Resource = orjson.loads(
            Bundle.model_validate_xml(body, xmlparser=_parser()).model_dump_json()
        )
    except _NO_FHIR as problem:
        raise NotReadable from problem
    return loaded


def to_xml(content: Resource) -> bytes:
    """The resource as the library writes it. Raises ValueError when it is no FHIR R4."""
    model = get_fhir_model_class(content["resourceType"])
    written = model.model_validate(content).model_dump_xml()
    return written.encode() if isinstance(written, str) else written


def is_fhir(content: Resource) -> bool:
    """Whether the library takes the resource for FHIR R4."""
    try:
        get_fhir_model_class(content["resourceType"]).model_validate(content)
    except _NO_FHIR:
        return False
    return True


def _parser() -> etree.XMLParser:
    # One for each use: libxml2's parsers are not shared between threads.
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)


def _from_json(body: bytes) -> object:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as problem:
        raise NotReadable from problem


def _inflated(request: Request) -> bytes:
    """The body without its gzip coding, at most MAX_BODY_BYTES of it. Raises NotReadable."""
    if request.header("Content-Encoding").lower() != "gzip":
        return request.body
    inflater = zlib.decompressobj(wbits=31)
    try:
        body = inflater.decompress(request.body, MAX_BODY_BYTES)
    except zlib.error as problem:
        raise NotReadable from problem
    if not inflater.eof:
        raise NotReadable
    return body


# Answers in the format that the sender asks for: `_format` beats Accept, JSON where neither says.
#
# Source: standard.md section 4.


def fhir_answer(status: int, content: Resource, request: Request, *, scenario: str = "") -> Answer:
    """An answer with a resource, both ids echoed; JSON after all where the library cannot write it as XML."""
    media, body = FHIR_JSON, b""
    if wants_xml(request):
        media, body = _as_xml(content)
    headers = (("Content-Type", media), *request.sent_ids())
    return Answer(status, headers, body or orjson.dumps(content), scenario)


def wants_xml(request: Request) -> bool:
    """Whether the answer should be XML: the first format named that is known."""
    named = parse_qs(request.query).get("_format", []) or request.header("Accept").split(",")
    for each in named:
        # A plus sign that was not percent-encoded arrives as a blank.
        media = media_of(each).replace(" ", "+")
        if media in XML_MEDIA or media == "xml":
            return True
        if "json" in media:
            return False
    return False


def _as_xml(content: Resource) -> tuple[str, bytes]:
    try:
        return FHIR_XML, to_xml(content)
    except ValueError:
        # The sender's own message, echoed, may be no FHIR at all.
        return FHIR_JSON, b""


# FHIR as JSON and XML. XML is the model library's own: an independent reading, not the receiver's.


JSON, XML = "application/fhir+json", "application/fhir+xml"
_ROOT = re.compile(rb"<([A-Za-z]+)[\s/>]")


class NotFhir(Exception):
    """Bytes that are no FHIR resource of their type; the text says why."""


def sound_xml(resource: Json) -> bytes:
    """A sound resource as XML. Raises NotFhir for what the library does not take."""
    try:
        model = _model(str(resource.get("resourceType"))).model_validate(resource)
    except (ValueError, KeyError, TypeError) as problem:
        raise NotFhir("it cannot be written as XML") from problem
    written: bytes = model.model_dump_xml()
    return written


def decoded(body: bytes, content_type: str) -> Json:
    """The resource in an answer of either type. Raises NotFhir."""
    return _from_xml(body) if "xml" in content_type else _resource_from_json(body)


def as_the_library_reads(resource: Json) -> Json:
    """The resource in the library's own JSON, so that both formats can be compared. Raises NotFhir."""
    try:
        model = _model(str(resource.get("resourceType"))).model_validate(resource)
    except (ValueError, KeyError, TypeError) as problem:
        raise NotFhir("the model library does not take it") from problem
    read: Json = orjson.loads(model.model_dump_json())
    return read


def _resource_from_json(body: bytes) -> Json:
    try:
        read = orjson.loads(body)
    except orjson.JSONDecodeError as problem:
        raise NotFhir("the body is not JSON") from problem
    if not isinstance(read, dict):
        raise NotFhir("the body is not a JSON object")
    return read


def _from_xml(body: bytes) -> Json:
    kind = _ROOT.search(body)
    try:
        model = _model(kind[1].decode() if kind else "").model_validate_xml(body)
    except (ValueError, KeyError, TypeError, XMLSyntaxError) as problem:
        raise NotFhir("the body is not FHIR XML") from problem
    read: Json = orjson.loads(model.model_dump_json())
    return read


def _model(kind: str) -> Any:
    return get_fhir_model_class(kind)

"""FHIR in and out, JSON and XML. The XML is the model library's own: a second reading to check the portal's.

A message is a plain dictionary in here, as FHIR JSON spells it.
"""

import zlib
from typing import Any

import orjson
from fhir.resources.R4B import get_fhir_model_class
from fhir.resources.R4B.bundle import Bundle
from lxml import etree

from bars_portal.simulator.wire import MAX_BODY_BYTES, Request

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

"""FHIR in and out, JSON and XML. The XML is the model library's own: a second reading to check the portal's.

A message is a plain dictionary in here, as FHIR JSON spells it; nothing in it is trusted to have its shape.
"""

import uuid
import zlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

import orjson
from fhir.resources.R4B import get_fhir_model_class
from lxml import etree

from bars_portal.simulator.wire import MAX_BODY_BYTES, Answer, Request, media_of

FHIR_JSON, FHIR_XML = "application/fhir+json", "application/fhir+xml"
JSON_MEDIA = frozenset({FHIR_JSON, "application/json", "text/json"})
XML_MEDIA = frozenset({FHIR_XML, "application/xml", "text/xml"})
OUTCOME_PROFILE = "https://fhir.hl7.org.uk/StructureDefinition/UKCore-OperationOutcome"
Resource = dict[str, Any]
# What the library raises for what is no FHIR: its own errors are ValueErrors, the rest its stumbling.
_NO_FHIR = (ValueError, LookupError, TypeError, AttributeError, etree.XMLSyntaxError)


class NotFhir(Exception):
    """What is no FHIR resource in the format that it says; the text says why."""


class UnknownMedia(NotFhir):
    """The Content-Type is neither FHIR JSON nor FHIR XML."""


def read_bundle(request: Request) -> Resource:
    """The Bundle in the request's body. Raises NotFhir."""
    if request.media not in JSON_MEDIA | XML_MEDIA:
        raise UnknownMedia
    bundle = decoded(_inflated(request), request.media)
    if bundle.get("resourceType") != "Bundle":
        raise NotFhir("the resource is no Bundle")
    return bundle


def decoded(body: bytes, content_type: str) -> Resource:
    """The resource in a body of either type. Raises NotFhir; document types are refused."""
    if "xml" in content_type:
        return _from_xml(body)
    try:
        read = orjson.loads(body)
    except orjson.JSONDecodeError as problem:
        raise NotFhir("the body is not JSON") from problem
    if not isinstance(read, dict):
        raise NotFhir("the body is not a JSON object")
    return read


def to_xml(content: Resource) -> bytes:
    """The resource as the library writes it. Raises NotFhir."""
    written: bytes = _model(content).model_dump_xml()
    return written


def as_the_library_reads(content: Resource) -> Resource:
    """The resource in the library's own JSON, so that both formats can be compared. Raises NotFhir."""
    read: Resource = orjson.loads(_model(content).model_dump_json())
    return read


def is_fhir(content: Resource) -> bool:
    """Whether the library takes the resource for FHIR R4."""
    try:
        _model(content)
    except NotFhir:
        return False
    return True


def fhir_answer(status: int, content: Resource, request: Request, *, scenario: str = "") -> Answer:
    """An answer with a resource, both ids echoed; JSON after all where the library cannot write it as XML."""
    media, body = FHIR_JSON, b""
    if wants_xml(request):
        try:
            media, body = FHIR_XML, to_xml(content)
        except NotFhir:
            # The sender's own message, echoed, may be no FHIR at all.
            media = FHIR_JSON
    headers = (("Content-Type", media), *request.sent_ids())
    return Answer(status, headers, body or orjson.dumps(content), scenario)


def wants_xml(request: Request) -> bool:
    """Whether the answer should be XML (standard.md section 4).

    `_format` beats Accept, the first format named that is known counts, JSON where neither names one.
    """
    named = parse_qs(request.query).get("_format", []) or request.header("Accept").split(",")
    for each in named:
        # A plus sign that was not percent-encoded arrives as a blank.
        media = media_of(each).replace(" ", "+")
        if media in XML_MEDIA or media == "xml":
            return True
        if "json" in media:
            return False
    return False


def operation_outcome(
    issue: str, coding: Mapping[str, str], diagnostics: str, *, severity: str = "error"
) -> Resource:
    """An OperationOutcome with one issue."""
    return {
        "resourceType": "OperationOutcome",
        "id": str(uuid.uuid4()),
        "meta": {"profile": [OUTCOME_PROFILE]},
        "issue": [
            {
                "severity": severity,
                "code": issue,
                "details": {"coding": [coding]},
                "diagnostics": diagnostics,
            }
        ],
    }


def child(value: object) -> Resource:
    """The value when it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def dicts(value: object) -> list[Resource]:
    """The objects in a list; none when it is no list."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def first(value: object) -> Resource:
    """The first object of a list, else an empty one."""
    return next(iter(dicts(value)), {})


def resources(bundle: Resource) -> list[Resource]:
    """The resources of a Bundle's entries; what is none is left out."""
    return [each["resource"] for each in dicts(bundle.get("entry")) if isinstance(each.get("resource"), dict)]


def _from_xml(body: bytes) -> Resource:
    try:
        root = etree.fromstring(body, parser=_parser())
        if root.getroottree().docinfo.internalDTD is not None:
            raise NotFhir("the body has a document type")
        model = get_fhir_model_class(etree.QName(root).localname)
        read: Resource = orjson.loads(model.model_validate_xml(body, xmlparser=_parser()).model_dump_json())
    except _NO_FHIR as problem:
        raise NotFhir("the body is not FHIR XML") from problem
    return read


def _parser() -> etree.XMLParser:
    # One for each use: libxml2's parsers are not shared between threads.
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True)


def _model(content: Resource) -> Any:
    try:
        return get_fhir_model_class(str(content.get("resourceType"))).model_validate(content)
    except _NO_FHIR as problem:
        raise NotFhir("the model library does not take it as FHIR R4") from problem


def _inflated(request: Request) -> bytes:
    """The body without its gzip coding, at most MAX_BODY_BYTES of it. Raises NotFhir."""
    if request.header("Content-Encoding").lower() != "gzip":
        return request.body
    inflater = zlib.decompressobj(wbits=31)
    try:
        body = inflater.decompress(request.body, MAX_BODY_BYTES)
    except zlib.error as problem:
        raise NotFhir("the body is not gzip") from problem
    if not inflater.eof:
        raise NotFhir("the body is too long")
    return body

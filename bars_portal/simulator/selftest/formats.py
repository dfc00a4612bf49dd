"""FHIR as JSON and XML. XML is the model library's own: an independent reading, not the receiver's."""

import re
from typing import Any

import orjson
from fhir.resources.R4B import get_fhir_model_class
from lxml.etree import XMLSyntaxError

from bars_portal.simulator.selftest.model import Json

JSON, XML = "application/fhir+json", "application/fhir+xml"
_ROOT = re.compile(rb"<([A-Za-z]+)[\s/>]")


class NotFhir(Exception):
    """Bytes that are no FHIR resource of their type; the text says why."""


def to_xml(resource: Json) -> bytes:
    """A sound resource as XML. Raises NotFhir for what the library does not take."""
    try:
        model = _model(str(resource.get("resourceType"))).model_validate(resource)
    except (ValueError, KeyError, TypeError) as problem:
        raise NotFhir("it cannot be written as XML") from problem
    written: bytes = model.model_dump_xml()
    return written


def decoded(body: bytes, content_type: str) -> Json:
    """The resource in an answer of either type. Raises NotFhir."""
    return _from_xml(body) if "xml" in content_type else _from_json(body)


def as_the_library_reads(resource: Json) -> Json:
    """The resource in the library's own JSON, so that both formats can be compared. Raises NotFhir."""
    try:
        model = _model(str(resource.get("resourceType"))).model_validate(resource)
    except (ValueError, KeyError, TypeError) as problem:
        raise NotFhir("the model library does not take it") from problem
    read: Json = orjson.loads(model.model_dump_json())
    return read


def _from_json(body: bytes) -> Json:
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

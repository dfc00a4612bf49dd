"""FHIR in and out, JSON and XML. The XML is the model library's own: a second reading to check the portal's.

A message is a plain dictionary in here, as FHIR JSON spells it; nothing in it is trusted to have its shape.
"""

import json
import re
import uuid
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

import orjson
from fhir.resources.R4B import get_fhir_model_class
from lxml import etree

from bars_portal.simulator.wire import MAX_BODY_BYTES, Answer, Request, media_of

FHIR_JSON, FHIR_XML = "application/fhir+json", "application/fhir+xml"
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
    if request.media not in (FHIR_JSON, FHIR_XML):
        raise UnknownMedia
    body = _inflated(request)
    bundle = decoded(body, request.media)
    if request.media == FHIR_JSON:
        _check_names(body)
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


def _check_names(body: bytes) -> None:
    """Raises NotFhir when an object has the same name twice: of such members parsers keep one."""

    def check(members: list[tuple[str, Any]]) -> None:
        if len({name for name, _ in members}) < len(members):
            raise NotFhir("an object has the same name twice")

    try:
        json.loads(body, object_pairs_hook=check)
    except RecursionError as problem:
        raise NotFhir("the body is nested too deep") from problem


def to_xml(content: Resource) -> bytes:
    """The resource as the library writes it, with its ids as they are. Raises NotFhir."""
    plain, odd = _with_plain_ids(content)
    written: bytes = _model(plain).model_dump_xml()
    for token, ident in odd.items():
        written = written.replace(token.encode(), escape(ident, _QUOTES).encode())
    return written


def as_the_library_reads(content: Resource) -> Resource:
    """The resource in the library's own JSON, so that both formats can be compared. Raises NotFhir."""
    read: Resource = orjson.loads(_model(content).model_dump_json())
    return read


def is_fhir(content: Resource) -> bool:
    """Whether the library takes the resource for FHIR R4; ids may be any text (standard section 12)."""
    try:
        _model(_with_plain_ids(content)[0])
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


def read_instant(text: str) -> datetime:
    """A date and time. Raises ValueError or OverflowError; a leap second is the second that follows."""
    if text[16:19] == ":60":
        return datetime.fromisoformat(f"{text[:16]}:59{text[19:]}") + timedelta(seconds=1)
    return datetime.fromisoformat(text)


def stamp(moment: datetime, zone: tzinfo = UTC) -> str:
    """The instant as the standard's messages spell it: seven digits of a second, and an offset."""
    text = moment.astimezone(zone).isoformat(timespec="microseconds")
    return f"{text[:26]}0{text[26:]}"


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
        odd = _put_ids_right(root)
        model = get_fhir_model_class(etree.QName(root).localname)
        text = etree.tostring(root)
        written: str = model.model_validate_xml(text, xmlparser=_parser()).model_dump_json()
        for token, ident in odd.items():
            written = written.replace(f'"{token}"', orjson.dumps(ident).decode())
        read: Resource = orjson.loads(written)
    except _NO_FHIR as problem:
        raise NotFhir("the body is not FHIR XML") from problem
    return read


# -- ids that the library does not take are kept apart while it has the resource

_PLAIN_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_QUOTES = {'"': "&quot;"}
_FHIR_ID = "{http://hl7.org/fhir}id"


def is_usable_id(value: object) -> bool:
    """Whether it has the form that FHIR gives an id; any other text is no fault, and no id."""
    return isinstance(value, str) and _PLAIN_ID.fullmatch(value) is not None


def _with_plain_ids(content: Resource) -> tuple[Resource, dict[str, str]]:
    """A copy with a token for each such id of the resource and its entries, and what they stand for."""
    odd: dict[str, str] = {}

    def plain(resource: Resource, name: str = "id") -> Resource:
        if answered := child(resource.get("response")):
            resource = {**resource, "response": plain(answered, "identifier")}
        ident = resource.get(name)
        if not isinstance(ident, str) or is_usable_id(ident):
            return resource
        token = _token()
        odd[token] = ident
        return {**resource, name: token}

    copy = plain(content)
    if isinstance(entries := copy.get("entry"), list):
        held = [{**each, "resource": plain(each["resource"])} if _holds(each) else each for each in entries]
        copy = {**copy, "entry": held}
    return copy, odd


def _holds(entry: object) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("resource"), dict)


def _put_ids_right(root: etree._Element) -> dict[str, str]:
    """The same in XML; an id element where an attribute belongs is dropped. Types have capitals."""
    odd: dict[str, str] = {}
    for element in list(root.iter(_FHIR_ID)):
        parent, ident = element.getparent(), element.get("value", "")
        if parent is None or etree.QName(parent).localname[0].islower():
            if parent is not None:
                parent.remove(element)
        elif not is_usable_id(ident):
            token = _token()
            odd[token] = ident
            element.set("value", token)
    return odd


def _token() -> str:
    return f"odd-{uuid.uuid4().hex}"


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

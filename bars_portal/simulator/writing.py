"""Answers in the format that the sender asks for: `_format` beats Accept, JSON where neither says.

Source: standard.md section 4.
"""

from urllib.parse import parse_qs

import orjson

from bars_portal.simulator.reading import FHIR_JSON, FHIR_XML, XML_MEDIA, Resource, media_of, to_xml
from bars_portal.simulator.wire import Answer, Request


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

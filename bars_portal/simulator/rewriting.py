"""What the proxy makes of a receiver's error before the sender sees it. Source: api.md section 7, step 9."""

import zlib
from dataclasses import replace
from xml.etree import ElementTree

import orjson

from bars_portal.simulator.outcomes import ProxyError, error_answer
from bars_portal.simulator.wire import Answer, Request

# Whatever the receiver wrote under these statuses never reaches the sender.
ALWAYS_REPLACED = {
    403: ProxyError.TLS_REFUSED,
    503: ProxyError.RECEIVER_UNAVAILABLE,
    504: ProxyError.RECEIVER_TIMEOUT,
}
LONGEST_INSPECTED = 1024 * 1024
FHIR_XML = "{http://hl7.org/fhir}"


def rewrite(answer: Answer, request: Request) -> Answer:
    """The answer as the sender gets it: most pass through untouched."""
    replacement = ALWAYS_REPLACED.get(answer.status)
    if answer.status == 500 and first_issue_code(answer) in {None, "no-store"}:
        replacement = ProxyError.RECEIVER_ERROR
    if not replacement:
        return answer
    # The row that made the receiver fail says more than what the proxy makes of it.
    replaced = error_answer(replacement, request)
    return replace(replaced, scenario=answer.scenario or replaced.scenario)


def first_issue_code(answer: Answer) -> str | None:
    """issue[0].code of the OperationOutcome in the body ("" without one); None when it is no such body."""
    body = _inflated(answer)
    return _xml_issue(body) if body.lstrip().startswith(b"<") else _json_issue(body)


def _json_issue(body: bytes) -> str | None:
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(content, dict) or content.get("resourceType") != "OperationOutcome":
        return None
    issues = content.get("issue")
    first = issues[0] if isinstance(issues, list) and issues else None
    return str(first.get("code", "")) if isinstance(first, dict) else ""


def _xml_issue(body: bytes) -> str | None:
    # No entities, which the standard parser would expand; no NUL either, which would hide them (UTF-16).
    if b"\x00" in body or b"<!" in body.replace(b"<!--", b""):
        return None
    try:
        root = ElementTree.fromstring(body)  # noqa: S314 - document types and entities are refused above
    except ElementTree.ParseError:
        return None
    if root.tag != f"{FHIR_XML}OperationOutcome":
        return None
    code = root.find(f"{FHIR_XML}issue/{FHIR_XML}code")
    return "" if code is None else code.get("value", "")


def _inflated(answer: Answer) -> bytes:
    if answer.header("Content-Encoding").lower() != "gzip":
        return answer.body[:LONGEST_INSPECTED]
    try:
        return zlib.decompressobj(wbits=zlib.MAX_WBITS | 16).decompress(answer.body, LONGEST_INSPECTED)
    except zlib.error:
        return b""

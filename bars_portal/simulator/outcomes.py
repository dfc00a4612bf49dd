"""The BaRS proxy's own errors, and what it makes of a receiver's.

Source: api.md section 4 (origin P) and section 7.
"""

import zlib
from dataclasses import replace
from enum import Enum
from xml.etree import ElementTree

import orjson

from bars_portal.simulator.fhir import first, operation_outcome
from bars_portal.simulator.wire import Answer, Request, json_answer

# The live proxy writes a small "s" here, and the value set below for a few: senders must cope with both.
ERROR_CODES = "https://fhir.nhs.uk/Codesystem/http-error-codes"
OUTCOME_VALUE_SET = "http://hl7.org/fhir/ValueSet/operation-outcome"
LONGEST_INSPECTED = 1024 * 1024
FHIR_XML = "{http://hl7.org/fhir}"


class ProxyError(Enum):
    """HTTP status, details code, issue code, system, diagnostics."""

    NO_TOKEN = (401, "SEND_UNAUTHORIZED", "unknown", ERROR_CODES, "No access token was provided.")
    BAD_TOKEN = (401, "SEND_UNAUTHORIZED", "security", ERROR_CODES, "The access token is not valid.")
    NOT_ENABLED = (
        403,
        "SEND_FORBIDDEN",
        "forbidden",
        ERROR_CODES,
        "The application is not enabled for BaRS.",
    )
    NO_IDS = (
        400,
        "BAD_REQUEST",
        "invalid",
        ERROR_CODES,
        "X-Request-Id, X-Correlation-Id and NHSD-Target-Identifier must be included.",
    )
    VERSION_TOO_LOW = (
        406,
        "SEND_NOT_ACCEPTABLE",
        "processing",
        ERROR_CODES,
        "DocumentReference needs an Accept header with version 1.1.0 or higher.",
    )
    NOT_BUILT = (
        501,
        "PROXY_NOT_IMPLEMENTED",
        "not-supported",
        ERROR_CODES,
        "The simulator has no record locator.",
    )
    TARGET_NOT_BASE64 = (
        400,
        "PROXY_BAD_REQUEST",
        "400",
        OUTCOME_VALUE_SET,
        "NHSD-Target-Identifier could not be decoded from base64.",
    )
    TARGET_INCOMPLETE = (
        400,
        "PROXY_BAD_REQUEST",
        "structure",
        OUTCOME_VALUE_SET,
        "NHSD-Target-Identifier must hold system and value.",
    )
    TARGET_UNKNOWN = (
        404,
        "PROXY_NOT_FOUND",
        "not-found",
        ERROR_CODES,
        "The target is not in the Endpoint Catalogue.",
    )
    PATH_UNKNOWN = (404, "NOT_FOUND", "not-found", ERROR_CODES, "The API path does not exist.")
    TOO_LARGE = (413, "BAD_REQUEST", "too-long", ERROR_CODES, "The request body is larger than 10 MiB.")
    TOO_MANY = (429, "PROXY_TOO_MANY_REQUESTS", "throttled", ERROR_CODES, "Too many requests.")
    TLS_REFUSED = (403, "REC_FORBIDDEN", "forbidden", ERROR_CODES, "TLS-MA failure.")
    RECEIVER_TIMEOUT = (408, "REC_TIMEOUT", "timeout", ERROR_CODES, "The receiver did not answer in time.")
    RECEIVER_ERROR = (500, "REC_SERVER_ERROR", "exception", ERROR_CODES, "The receiver failed.")
    RECEIVER_REFUSES = (
        422,
        "REC_UNPROCESSABLE_ENTITY",
        "processing",
        ERROR_CODES,
        "The receiver refuses it.",
    )
    RECEIVER_UNAVAILABLE = (
        503,
        "REC_SERVICE_UNAVAILABLE",
        "transient",
        ERROR_CODES,
        "The receiver is not available.",
    )

    @property
    def status(self) -> int:
        """HTTP status."""
        return self.value[0]


# Whatever the receiver wrote under these statuses never reaches the sender.
ALWAYS_REPLACED = {
    403: ProxyError.TLS_REFUSED,
    503: ProxyError.RECEIVER_UNAVAILABLE,
    504: ProxyError.RECEIVER_TIMEOUT,
}


class Refused(Exception):
    """The proxy answers this request itself."""

    def __init__(self, error: ProxyError) -> None:
        super().__init__(error.name)
        self.error = error

    def answer(self, request: Request) -> Answer:
        """The error, told to the sender."""
        return error_answer(self.error, request)


def error_answer(error: ProxyError, request: Request | None = None) -> Answer:
    """The OperationOutcome as the live proxy sends it: application/json, no display, ids echoed as sent."""
    status, code, issue, system, diagnostics = error.value
    content = operation_outcome(issue, {"system": system, "code": code}, diagnostics)
    answer = json_answer(status, content, *(request.sent_ids() if request else ()))
    return replace(answer, scenario=f"proxy: {error.name.lower().replace('_', ' ')}")


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
    return str(first(content.get("issue")).get("code", ""))


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

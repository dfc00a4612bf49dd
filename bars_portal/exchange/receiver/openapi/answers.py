"""What an endpoint may answer: statuses from the catalogue of outcomes, both formats, both ids echoed."""

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from bars_portal.exchange.fhir.formats import Format
from bars_portal.exchange.fhir.outcomes import OutcomeCode
from bars_portal.exchange.transport.headers import CORRELATION_ID, REQUEST_ID

Json = dict[str, Any]

TOO_COSTLY = OutcomeCode.TOO_COSTLY.status


def _statuses(*codes: OutcomeCode) -> frozenset[int]:
    return frozenset(code.status for code in codes)


# At every path: ids and headers, the certificate's name, the format asked for, and our own database.
COMMON = _statuses(
    OutcomeCode.REQUIRED,
    OutcomeCode.FORBIDDEN,
    OutcomeCode.NOT_ACCEPTABLE,
    OutcomeCode.TIMEOUT,
    OutcomeCode.SERVER_ERROR,
    OutcomeCode.UNAVAILABLE,
)
READ = _statuses(OutcomeCode.NOT_PERMITTED, OutcomeCode.NOT_FOUND)
MESSAGE = _statuses(
    OutcomeCode.NOT_PERMITTED,
    OutcomeCode.NOT_FOUND,
    OutcomeCode.CONFLICT,
    OutcomeCode.PAYLOAD_TOO_LARGE,
    OutcomeCode.UNSUPPORTED_MEDIA_TYPE,
    OutcomeCode.UNPROCESSABLE,
    OutcomeCode.TOO_EARLY,
)
# From the server, to what never becomes a request: no FHIR, no ids (receiver/server/faults.py).
_BARE = (HTTPStatus.REQUEST_URI_TOO_LONG, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
_ECHOED = (REQUEST_ID, CORRELATION_ID)


def responses(schema: str, refusals: frozenset[int]) -> Json:
    """By status: 200 with `schema`, each refusal with an OperationOutcome that names its codes."""
    told: Json = {"200": _response("Done.", schema, complete=True)}
    told |= {str(status): _response(_meaning(status), _outcome(status)) for status in sorted(refusals)}
    return told | {str(int(each)): {"description": f"{each.phrase}; not FHIR."} for each in _BARE}


def outcome_schemas() -> Json:
    """One OperationOutcome schema a status, with the codes that the catalogue gives it."""
    return {_outcome(status): _outcome_schema(status) for status in _known_statuses()}


def _known_statuses() -> Iterable[int]:
    return sorted({code.status for code in OutcomeCode})


def _of_status(status: int) -> list[OutcomeCode]:
    return [code for code in OutcomeCode if code.status == status]


def _meaning(status: int) -> str:
    return ", ".join(f"{code.code} {code.issue}" for code in _of_status(status))


def _outcome(status: int) -> str:
    return f"OperationOutcome{status}"


def _outcome_schema(status: int) -> Json:
    """Other issues of the list may have other codes; only the first decides, which JSON Schema can say."""
    codes = _of_status(status)
    coding = {
        "properties": {
            "code": {"enum": sorted({code.code for code in codes})},
            "display": {"enum": sorted({f"{status} - {code.code}" for code in codes})},
        }
    }
    first = {
        "properties": {
            "code": {"enum": sorted({code.issue for code in codes})},
            "details": {"properties": {"coding": {"prefixItems": [coding]}}},
        }
    }
    return {
        "allOf": [
            {"$ref": "#/components/schemas/OperationOutcome"},
            {"properties": {"issue": {"prefixItems": [first]}}},
        ]
    }


def _response(description: str, schema: str, *, complete: bool = False) -> Json:
    """`complete`: the request was well-formed, so both ids came with it and are echoed."""
    return {
        "description": description,
        "headers": {
            name: {"description": "As it was sent.", "required": complete, "schema": {"type": "string"}}
            for name in _ECHOED
        },
        "content": {
            Format.JSON.value: {"schema": {"$ref": f"#/components/schemas/{schema}"}},
            Format.XML.value: {},
        },
    }

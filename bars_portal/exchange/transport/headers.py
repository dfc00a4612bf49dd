"""The BaRS request headers: ids, and the NHSD access-control headers (standard section 3, api.md section 2).

This is their public face; `nhsd.py` knows the JSON shapes behind the base64.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from bars_portal.exchange.fhir.identifiers import ServiceID, is_uuid
from bars_portal.exchange.fhir.outcomes import Issue, OutcomeCode, OutcomeError
from bars_portal.exchange.transport import nhsd
from bars_portal.exchange.transport.nhsd import Party as Party
from bars_portal.exchange.transport.nhsd import Practitioner as Practitioner
from bars_portal.exchange.transport.nhsd import Software as Software

REQUEST_ID = "X-Request-ID"
CORRELATION_ID = "X-Correlation-ID"
TARGET = "NHSD-Target-Identifier"
ORGANISATION = "NHSD-End-User-Organisation"
PRACTITIONER = "NHSD-Requesting-Practitioner"
SOFTWARE = "NHSD-Requesting-Software"
USE_CONTEXT = "use-context"

_ECHOED = {name.lower(): name for name in (REQUEST_ID, CORRELATION_ID)}
_SECRET = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})


@dataclass(frozen=True)
class OutgoingContext:
    """Who asks whom, in which conversation.

    `use_context` is "<use case>|<category>|<event>|<reason>", on writes only (statistics).
    `version` of the standard is what both sides know best; "": not known, so the client says its own.
    """

    request_id: UUID
    correlation_id: UUID
    target: ServiceID
    organisation: Party
    software: Software
    practitioner: Practitioner | None = None
    use_context: str | None = None
    version: str = ""


@dataclass(frozen=True)
class IncomingHeaders:
    """The headers of a request that reached our receiver; what was not sent is None."""

    request_id: UUID
    correlation_id: UUID
    target: ServiceID | None
    organisation: Party | None
    practitioner: Practitioner | None
    software: Software | None
    use_context: str | None
    accept: str | None


def encode_headers(context: OutgoingContext) -> dict[str, str]:
    """The context as request headers; Authorization and Content-Type are the client's, and so is Accept
    unless a version was agreed on.
    """
    headers = {
        REQUEST_ID: str(context.request_id),
        CORRELATION_ID: str(context.correlation_id),
        TARGET: nhsd.encode(nhsd.target_json(context.target)),
        ORGANISATION: nhsd.encode(nhsd.organisation_json(context.organisation)),
        SOFTWARE: nhsd.encode(nhsd.software_json(context.software)),
    }
    if context.practitioner:
        headers[PRACTITIONER] = nhsd.encode(nhsd.practitioner_json(context.practitioner))
    if context.use_context:
        headers[USE_CONTEXT] = context.use_context
    if context.version:
        headers["Accept"] = accept_of(context.version)
    return headers


def accept_of(version: str) -> str:
    """What Accept says of a version of the standard (its section 4)."""
    return f"application/fhir+json; version={version}"


def decode_headers(headers: Mapping[str, str]) -> IncomingHeaders:
    """Read a request's headers, names in any case.

    Raises OutcomeError: `required` for a missing or blank id, `value` for an id that is no UUID or an NHSD
    header that does not decode. Values are never repeated in the diagnostics.
    """
    sent = _by_lower_name(headers)
    request_id, correlation_id = _ids(sent)
    return IncomingHeaders(
        request_id=request_id,
        correlation_id=correlation_id,
        target=nhsd.decode(TARGET, sent.get(TARGET.lower()), nhsd.read_target),
        organisation=nhsd.decode(ORGANISATION, sent.get(ORGANISATION.lower()), nhsd.read_organisation),
        practitioner=nhsd.decode(PRACTITIONER, sent.get(PRACTITIONER.lower()), nhsd.read_practitioner),
        software=nhsd.decode(SOFTWARE, sent.get(SOFTWARE.lower()), nhsd.read_software),
        use_context=sent.get(USE_CONTEXT) or None,
        accept=sent.get("accept") or None,
    )


def echo_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Both ids exactly as they were sent, each only when sent: they belong on every answer, errors too."""
    sent = ((_ECHOED.get(name.lower()), value) for name, value in headers.items())
    return {name: value for name, value in sent if name is not None and _is_one_line(value)}


def storable_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers as they may be kept with a message: all but credentials and cookies."""
    return {name: value for name, value in headers.items() if name.lower() not in _SECRET}


def _ids(sent: Mapping[str, str]) -> tuple[UUID, UUID]:
    values = {name: sent.get(name.lower(), "") for name in (REQUEST_ID, CORRELATION_ID)}
    missing = [_missing(name) for name, value in values.items() if not value]
    malformed = [_malformed(name) for name, value in values.items() if value and not is_uuid(value)]
    if missing or malformed:
        raise OutcomeError(*missing, *malformed)
    return UUID(values[REQUEST_ID]), UUID(values[CORRELATION_ID])


def _missing(name: str) -> Issue:
    return Issue(OutcomeCode.REQUIRED, f"The header {name} is missing", (f"http.{name}",))


def _malformed(name: str) -> Issue:
    return Issue(OutcomeCode.VALUE, f"The header {name} is not a UUID", (f"http.{name}",))


def _by_lower_name(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value.strip() for name, value in headers.items()}


def _is_one_line(value: str) -> bool:
    # A value with a line break could forge a header of the answer.
    return "\r" not in value and "\n" not in value

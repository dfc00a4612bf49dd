"""The BaRS request headers: ids, and NHSD access control (standard section 3, api.md section 2)."""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar, cast
from uuid import UUID

from bars_portal.exchange.fhir import formats, json
from bars_portal.exchange.fhir.access import Caller
from bars_portal.exchange.fhir.codes import MessageCategory
from bars_portal.exchange.fhir.identifiers import (
    ODS_SYSTEM,
    SDS_ROLE_PROFILE_SYSTEM,
    SERVICE_ID_SYSTEM,
    InvalidIdentifier,
    ODSCode,
    ServiceID,
    UnknownTarget,
    is_uuid,
    same_system,
)
from bars_portal.exchange.fhir.outcomes import Issue, OutcomeCode, OutcomeError, fault

REQUEST_ID = "X-Request-ID"
CORRELATION_ID = "X-Correlation-ID"
TARGET = "NHSD-Target-Identifier"
ORGANISATION = "NHSD-End-User-Organisation"
PRACTITIONER = "NHSD-Requesting-Practitioner"
SOFTWARE = "NHSD-Requesting-Software"
USE_CONTEXT = "use-context"

_ECHOED = {name.lower(): name for name in (REQUEST_ID, CORRELATION_ID)}
_VALIDATION = MessageCategory.VALIDATION.value
_SECRET = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})


@dataclass(frozen=True)
class Party:
    """The organisation that asks: ODS code in upper case, and its readable name (may be "")."""

    ods_code: str
    name: str


@dataclass(frozen=True)
class Practitioner:
    """The person's SDS role profile id, and the SNOMED code and display of the role; each may be ""."""

    role_id: str
    code: str = ""
    display: str = ""


@dataclass(frozen=True)
class Software:
    """The sending application: instance identifier, product name, version; each may be "" when received."""

    identifier: str
    name: str
    version: str


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
    target: ServiceID | UnknownTarget | None
    organisation: Party | None
    practitioner: Practitioner | None
    software: Software | None
    use_context: str | None
    accept: str | None

    @property
    def caller(self) -> Caller:
        return Caller(
            ods_code=self.organisation.ods_code if self.organisation else "",
            role=self.practitioner.code if self.practitioner else "",
            software=self.software.name if self.software else "",
            version=self.software.version if self.software else "",
        )


def encode_headers(context: OutgoingContext) -> dict[str, str]:
    """The context as request headers; Authorization and Content-Type are the client's, and so is Accept
    unless a version was agreed on.
    """
    headers = {
        REQUEST_ID: str(context.request_id),
        CORRELATION_ID: str(context.correlation_id),
        TARGET: encode_json(target_json(context.target)),
        ORGANISATION: encode_json(organisation_json(context.organisation)),
        SOFTWARE: encode_json(software_json(context.software)),
    }
    if context.practitioner:
        headers[PRACTITIONER] = encode_json(practitioner_json(context.practitioner))
    if context.use_context:
        headers[USE_CONTEXT] = context.use_context
    if context.version:
        headers["Accept"] = accept_of(context.version)
    return headers


def accept_of(version: str) -> str:
    """What Accept says of a version of the standard (its section 4)."""
    return f"application/fhir+json; version={version}"


def decode_headers(headers: Mapping[str, str], *, judge_nhsd: bool = True) -> IncomingHeaders:
    """Read a request's headers, names in any case.

    Raises OutcomeError: `required` for a missing or blank id, `value` or `invariant` for an id that is no
    UUID, `value` for an NHSD header that does not decode, `invalid` for one whose JSON repeats a name. Values
    are never repeated in the diagnostics. Where NHSD headers are not judged, what does not decode is None.
    """
    sent = _by_lower_name(headers)
    request_id, correlation_id = _ids(sent)

    def decode(name: str, read: Callable[[Json], T]) -> T | None:
        try:
            return decode_json(name, sent.get(name.lower()), read)
        except OutcomeError:
            if judge_nhsd:
                raise
            return None

    return IncomingHeaders(
        request_id=request_id,
        correlation_id=correlation_id,
        target=decode(TARGET, read_target),
        organisation=decode(ORGANISATION, read_organisation),
        practitioner=decode(PRACTITIONER, read_practitioner),
        software=decode(SOFTWARE, read_software),
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
    malformed = [_malformed(name, sent) for name, value in values.items() if value and not is_uuid(value)]
    if missing or malformed:
        raise OutcomeError(*missing, *malformed)
    return UUID(values[REQUEST_ID]), UUID(values[CORRELATION_ID])


def _missing(name: str) -> Issue:
    return Issue(OutcomeCode.REQUIRED, f"The header {name} is missing", (f"http.{name}",))


def _malformed(name: str, sent: Mapping[str, str]) -> Issue:
    """For validations the standard has another code: the one use that is made of use-context (section 12)."""
    category = sent.get(USE_CONTEXT, "").split("|")[1:2]
    of_validation = name == REQUEST_ID and [each.strip().lower() for each in category] == [_VALIDATION]
    code = OutcomeCode.INVARIANT if of_validation else OutcomeCode.VALUE
    return Issue(code, f"The header {name} is not a UUID", (f"http.{name}",))


def _by_lower_name(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value.strip() for name, value in headers.items()}


def _is_one_line(value: str) -> bool:
    # A value with a line break could forge a header of the answer.
    return "\r" not in value and "\n" not in value


# -- the JSON behind the NHSD headers (api.md section 2, "Shapes"): base64 of a small FHIR-like object
# Written as the API specification shapes them (deviceName and version are objects); read leniently:
# pretty-printed, without padding, in FHIR R4's arrays, with members we do not know.

SNOMED = "http://snomed.info/sct"
DEVICE_SYSTEM = "https://consumersupplier.com/Id/device-identifier"

Json = dict[str, Any]
T = TypeVar("T")


def encode_json(value: Json) -> str:
    return base64.b64encode(json.dumps(value)).decode("ascii")


def decode_json(header: str, text: str | None, read: Callable[[Json], T]) -> T | None:
    """The header as read by `read`; None when it is absent or blank.

    Raises OutcomeError: `value` when it does not decode to what `read` expects, `invalid` for JSON with a
    name twice in an object.
    """
    if not text:
        return None
    try:
        return cast(T | None, _decoded(text, read))
    except formats.RepeatedName as repeated:
        diagnostics = f"The header {header}: {repeated}"
        raise fault(OutcomeCode.INVALID, diagnostics, f"http.{header}") from None
    except (ValueError, OutcomeError):
        # Not chained: the cause holds the header's content.
        diagnostics = f"The header {header} is not the base64 of the JSON object that is expected there."
        raise fault(OutcomeCode.VALUE, diagnostics, f"http.{header}") from None


# Every message of a partner's system carries the same few texts.
@lru_cache(maxsize=256)
def _decoded(text: str, read: Callable[[Json], object]) -> object:
    return read(_json_object(text))


def target_json(target: ServiceID) -> Json:
    return {"system": SERVICE_ID_SYSTEM, "value": str(target)}


def read_target(value: Json) -> ServiceID | UnknownTarget:
    """Any system with any value is well formed (standard section 12). Raises ValueError without either."""
    system, target = value.get("system"), value.get("value")
    if not (isinstance(system, str) and system.strip() and isinstance(target, str) and target.strip()):
        raise ValueError("not a system with a value")
    try:
        return ServiceID.parse(target) if same_system(system, SERVICE_ID_SYSTEM) else UnknownTarget()
    except InvalidIdentifier:
        return UnknownTarget()


def organisation_json(party: Party) -> Json:
    identifier = [{"system": ODS_SYSTEM, "value": party.ods_code}]
    return {"resourceType": "Organization", "identifier": identifier, "name": party.name}


def read_organisation(value: Json) -> Party:
    code = _identifier(value, ODS_SYSTEM)
    return Party(ods_code=str(ODSCode.parse(code)), name=_text(value.get("name")))


def practitioner_json(practitioner: Practitioner) -> Json:
    value: Json = {
        "resourceType": "PractitionerRole",
        "identifier": [{"system": SDS_ROLE_PROFILE_SYSTEM, "value": practitioner.role_id}],
    }
    if practitioner.code:
        coding = {"system": SNOMED, "code": practitioner.code, "display": practitioner.display}
        value["code"] = [{"coding": [coding]}]
    return value


def read_practitioner(value: Json) -> Practitioner:
    coding = _first(_first(value.get("code")).get("coding"))
    return Practitioner(
        role_id=_identifier(value, SDS_ROLE_PROFILE_SYSTEM),
        code=_text(coding.get("code")),
        display=_text(coding.get("display")),
    )


def software_json(software: Software) -> Json:
    return {
        "resourceType": "Device",
        "identifier": [{"system": DEVICE_SYSTEM, "value": software.identifier}],
        "deviceName": {"name": software.name, "type": "manufacturer-name"},
        "version": {"value": software.version},
    }


def read_software(value: Json) -> Software:
    return Software(
        identifier=_identifier(value, DEVICE_SYSTEM),
        name=_text(_first(value.get("deviceName")).get("name")),
        version=_text(_first(value.get("version")).get("value")),
    )


def _json_object(text: str) -> Json:
    compact = "".join(text.split())
    padded = compact + "=" * (-len(compact) % 4)
    return formats.loads_with_unique_names(base64.b64decode(padded.encode("ascii"), validate=True))


def _identifier(value: Json, system: str) -> str:
    """The identifier in the wanted system, else the first one: senders name the system loosely."""
    found = _objects(value.get("identifier"))
    matching = [item for item in found if same_system(_text(item.get("system")), system)]
    return _text(_first(matching or found).get("value"))


def _objects(value: object) -> list[Json]:
    """The objects of an array, or the one object that stands in its place."""
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, dict)]


def _first(value: object) -> Json:
    return next(iter(_objects(value)), {})


def _text(value: object) -> str:
    """A JSON string, trimmed; "" when absent.

    Raises ValueError for other types, and for control characters: PostgreSQL stores no NUL.
    """
    if value is None:
        return ""
    if not isinstance(value, str) or any(character < " " for character in value.strip()):
        raise ValueError("not a plain text")
    return value.strip()

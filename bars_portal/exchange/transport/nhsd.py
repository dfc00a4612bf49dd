"""The JSON behind the NHSD headers (api.md section 2, "Shapes"): standard base64 of a small FHIR-like object.

Written as the API specification shapes them (deviceName and version are objects); read leniently:
pretty-printed, without padding, in FHIR R4's arrays, with members we do not know.
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar, cast

from bars_portal.exchange.fhir import json
from bars_portal.exchange.fhir.identifiers import (
    ODS_SYSTEM,
    SDS_ROLE_PROFILE_SYSTEM,
    SERVICE_ID_SYSTEM,
    ODSCode,
    ServiceID,
    same_system,
)
from bars_portal.exchange.fhir.outcomes import OutcomeCode, OutcomeError, fault

SNOMED = "http://snomed.info/sct"
DEVICE_SYSTEM = "https://consumersupplier.com/Id/device-identifier"

Json = dict[str, Any]
T = TypeVar("T")


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


def encode(value: Json) -> str:
    return base64.b64encode(json.dumps(value)).decode("ascii")


def decode(header: str, text: str | None, read: Callable[[Json], T]) -> T | None:
    """The header as read by `read`; None when it is absent or blank.

    Raises OutcomeError `value` when it does not decode to what `read` expects.
    """
    if not text:
        return None
    try:
        return cast(T | None, _decoded(text, read))
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


def read_target(value: Json) -> ServiceID:
    if not same_system(_text(value.get("system")), SERVICE_ID_SYSTEM):
        raise ValueError("not a service id")
    return ServiceID.parse(_text(value.get("value")))


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
    return json.loads(base64.b64decode(padded.encode("ascii"), validate=True))


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

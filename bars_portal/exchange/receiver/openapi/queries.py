"""The query parameters of every read (standard section 7), named as exchange.fhir.queries reads them."""

from django.core.exceptions import ImproperlyConfigured

from bars_portal.exchange.fhir.codes import USE_CASE_SYSTEM, UseCase
from bars_portal.exchange.fhir.formats import Format
from bars_portal.exchange.fhir.identifiers import NHS_NUMBER_SYSTEM, SERVICE_ID_SYSTEM, ServiceID
from bars_portal.exchange.fhir.queries import patients, services
from bars_portal.exchange.fhir.queries.params import MAX_VALUE_LENGTH
from bars_portal.exchange.receiver.negotiation import FORMAT_PARAMETER
from bars_portal.exchange.receiver.openapi.answers import Json

_INSTANT = (
    r"20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])"
    r"T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](Z|[+-](0[0-9]|1[0-3]):00)"
)
_TEXT: Json = {"type": "string", "minLength": 1, "maxLength": MAX_VALUE_LENGTH}
_TOKEN: Json = {"type": "string", "pattern": r"^([^|\x00-\x1f\x7f]+\|)?[^|\s\x00-\x1f\x7f]+$"}
_SERVICE: Json = {"type": "string", "pattern": rf"^({SERVICE_ID_SYSTEM}\|)?[0-9]{{1,20}}$"}


def _parameter(name: str, schema: Json, *, required: bool = False, example: object = None) -> Json:
    built: Json = {"name": name, "in": "query", "required": required, "schema": schema}
    return built if example is None else built | {"example": example}


def _several(items: Json, *, fewest: int = 1) -> Json:
    """A parameter that is repeated."""
    return {"type": "array", "items": items, "minItems": fewest}


FORMAT = _parameter(FORMAT_PARAMETER, {"enum": ["json", "xml", *(each.value for each in Format)]})


def definitions_search(service_id: ServiceID) -> list[Json]:
    """GET /MessageDefinition."""
    use_case = {"type": "string", "enum": [f"{USE_CASE_SYSTEM}|{each}" for each in UseCase]}
    schema = _several({"anyOf": [_SERVICE, use_case]})
    return [_parameter(services.CONTEXT, schema, required=True, example=[service_id.token])]


def search(resource_type: str, service_id: ServiceID) -> list[Json]:
    """GET of a registered reader. Raises ImproperlyConfigured for one whose search is not described here."""
    if resource_type == "Slot":
        return _slots(service_id)
    if resource_type == "Appointment":
        return _of_one_patient()
    if resource_type == "ServiceRequest":
        return [_parameter(patients.REQUEST_IDENTIFIER, _TOKEN), *_of_one_patient()]
    raise ImproperlyConfigured(f"The search of {resource_type} has no description.")


def _slots(service_id: ServiceID) -> list[Json]:
    bounds = {
        "type": "array",
        "items": {"type": "string", "pattern": f"^(ge|le){_INSTANT}$"},
        "minItems": 2,
        "maxItems": 2,
    }
    hours = ["ge2030-01-07T08:00:00Z", "le2030-01-07T20:00:00Z"]
    includes = [each.value for each in services.SlotInclude]
    needed = [each.value for each in services.REQUIRED_INCLUDES]
    several = _several({"type": "string", "enum": includes}, fewest=len(needed))
    return [
        _parameter(services.SERVICE, _SERVICE, required=True, example=service_id.token),
        _parameter(services.STATUS, {"enum": ["free", "busy", "free,busy"]}, required=True, example="free"),
        _parameter(services.START, bounds, required=True, example=hours),
        _parameter(services.INCLUDE, several, required=True, example=needed),
    ]


def _of_one_patient() -> list[Json]:
    """No examples: they would name a patient. The first alone, or the other three together."""
    postcode = {"type": "string", "pattern": "^[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2}$"}
    return [
        _parameter(
            patients.IDENTIFIER,
            {"type": "string", "pattern": rf"^{NHS_NUMBER_SYSTEM}\|[0-9]{{10}}$"},
        ),
        _parameter(patients.NAME, _TEXT),
        _parameter(patients.BIRTH_DATE, {"type": "string", "format": "date"}),
        _parameter(patients.POSTCODE, postcode),
    ]

"""Content types in and out (standard section 4). JSON only for now: XML comes with the complete receiver."""

import re

from django.http import HttpRequest

from bars_portal.exchange.fhir.outcomes import OutcomeCode, fault

_JSON_TYPES = {"application/fhir+json", "application/json"}
_ANY = {"*/*", "application/*"}
_FORMATS = {"json", "application/fhir+json", "application/fhir json", "application/json"}
_MAJOR = re.compile(r"(\d+)\.\d+\.\d+")
SUPPORTED_MAJOR = "1"


def check_answer_type(request: HttpRequest) -> None:
    """`_format` beats Accept; neither means JSON. Raises OutcomeError 406."""
    wanted = request.GET.get("_format")
    if wanted is not None:
        if wanted.split(";")[0].strip().lower() not in _FORMATS:
            raise fault(OutcomeCode.NOT_ACCEPTABLE, "_format names a format that is not served: use json.")
        return
    members = [member for member in request.headers.get("Accept", "").split(",") if member.strip()]
    if members and not any(map(_is_served, members)):
        raise fault(
            OutcomeCode.NOT_ACCEPTABLE,
            "Accept asks for a type or version that is not served: use application/fhir+json; version=1.1.0.",
            "http.Accept",
        )


def check_body_type(request: HttpRequest) -> None:
    """Raises OutcomeError 415 for a body that does not say that it is FHIR JSON."""
    media_type = request.headers.get("Content-Type", "").split(";")[0].strip().lower()
    if media_type not in _JSON_TYPES:
        raise fault(
            OutcomeCode.UNSUPPORTED_MEDIA_TYPE,
            "Content-Type must be application/fhir+json.",
            "http.Content-Type",
        )


def _is_served(member: str) -> bool:
    media_type, *parameters = (part.strip().lower() for part in member.split(";"))
    return media_type in _JSON_TYPES | _ANY and all(map(_is_known, parameters))


def _is_known(parameter: str) -> bool:
    name, _, value = parameter.partition("=")
    if name.strip() != "version":
        return True
    found = _MAJOR.fullmatch(value.strip().strip('"'))
    return found is not None and found[1] == SUPPORTED_MAJOR

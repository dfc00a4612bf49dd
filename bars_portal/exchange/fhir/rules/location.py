"""Where to go: the incident of a validation, and of a case between ambulance controls."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.codes import LocationType, MessageCategory
from bars_portal.exchange.fhir.identifiers import same_system
from bars_portal.exchange.fhir.outcomes import Issue, OutcomeCode
from bars_portal.exchange.fhir.profiles import EXTENSION_LOCATION
from bars_portal.exchange.fhir.reading import as_dict, as_list, as_text, codings, dicts
from bars_portal.exchange.fhir.rules.model import Facts, Rule, Severity

# An address with nothing but a country or a county sends nobody anywhere.
_ADDRESS_PARTS = ("text", "postalCode", "city")
# Any of these together is a place.
_GRIDS = (("UPRN",), ("eastings", "northings"), ("what3words",))


def _says_where(bundle: MessageBundle, facts: Facts) -> Iterator[Issue]:
    if facts.row is None or facts.row.is_stripped:
        return
    # A validation has one Location, which is the incident whether it says so or not.
    validates = MessageCategory.VALIDATION in facts.row.categories
    for location in bundle.of_type("Location"):
        if (validates or _is_incident(location)) and not says_where(location):
            words = (
                "An incident Location says where by UPRN, address, eastings with northings, what3words or "
                "position; this one does not"
            )
            yield Issue(OutcomeCode.INVARIANT, words, (bundle.path_of(location),), warning=not validates)


def _is_incident(location: Resource) -> bool:
    return any(each.get("code") == LocationType.INCIDENT for each in codings(location.get("type")))


def says_where(location: Resource) -> bool:
    """Whether somebody could be sent there: UPRN, address, eastings/northings, what3words or position."""
    given = _extension_values(location)
    return any(given.issuperset(grid) for grid in _GRIDS) or _has_address(location) or _has_position(location)


def _extension_values(location: Resource) -> frozenset[str]:
    """Names of the parts of LocationExtension that hold a text."""
    return frozenset(
        as_text(part.get("url"))
        for each in dicts(location.get("extension"))
        if same_system(as_text(each.get("url")), EXTENSION_LOCATION)
        for part in dicts(each.get("extension"))
        if as_text(part.get("valueString")).strip()
    )


def _has_address(location: Resource) -> bool:
    address = as_dict(location.get("address"))
    lines = (as_text(line).strip() for line in as_list(address.get("line")))
    return any(lines) or any(as_text(address.get(part)).strip() for part in _ADDRESS_PARTS)


def _has_position(location: Resource) -> bool:
    position = as_dict(location.get("position"))
    return all(
        isinstance(position.get(name), (int, float, Decimal)) and not isinstance(position.get(name), bool)
        for name in ("latitude", "longitude")
    )


RULES = (
    Rule(
        "incident-location",
        "6",
        "The Location of a validation says where: UPRN, address, eastings and northings, what3words or "
        "position; an incident Location of a referral should.",
        _says_where,
        Severity.EITHER,
    ),
)

"""Observation, with the household and an estimated age; birth sex is read from the Patient."""

from bars_portal.exchange.fhir.bundle import Resource
from bars_portal.exchange.fhir.codes import HouseholdComposition
from bars_portal.exchange.fhir.identifiers import same_system
from bars_portal.exchange.fhir.reading import as_text, codings
from referrals.presenters.message.items import make_item, rows_of
from referrals.presenters.message.message import Message, Placed
from referrals.presenters.message.names import concept_name
from referrals.presenters.message.reader import Part

_FIELDS = {
    "value[x]": "Value",
    "dataAbsentReason": "Why there is no value",
    "interpretation": "Interpretation",
    "status": "Status",
    "category": "Category",
    "effective[x]": "Observed",
    "issued": "Made known",
    "performer": "Observed by",
    "bodySite": "Where on the body",
    "method": "Method",
    "focus": "Concerns",
    "identifier": "Number",
    "note": "Note",
}
_COMPONENT = {"code": "Part", "value[x]": "Value of the part", "interpretation": "Interpretation of the part"}
_HOUSEHOLD = HouseholdComposition.LIVES_ALONE.system


def present_observation(part: Part, message: Message) -> list[Placed]:
    label = "Household" if _is_household(part.value) else "Observation"
    title = concept_name(part.value.get("code")) or "Observation"
    components = [row for each in part.parts("component") for row in rows_of(each, _COMPONENT)]
    rows = [*rows_of(part, {"code": label} | _FIELDS), *components]
    item = make_item(part, title, [*rows, *message.about(part), *message.case(part)])
    return [("observations", item)]


def _is_household(observation: Resource) -> bool:
    systems = (as_text(each.get("system")) for each in codings(observation.get("code")))
    return any(same_system(each, _HOUSEHOLD) or "LivingArrangement" in each for each in systems)

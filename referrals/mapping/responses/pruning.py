"""A response is smaller than its request: references to what it leaves out go with it."""

import re
from collections.abc import Callable, Sequence

from bars_portal.correspondence.entries import Entry, with_references
from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.reading import as_dict, dicts

Rename = Callable[[str], str | None]
# What lives in other messages or elsewhere is named, not carried (rule "references").
_ELSEWHERE = re.compile(r"#|https?://|urn:oid:|(?:EpisodeOfCare|Appointment|ServiceRequest|Encounter)/")
# Members of which every row needs its reference: without it the row goes.
_ROWS = {"Encounter": {"location": "location", "diagnosis": "condition"}, "Patient": {"link": "other"}}
# Resources that are about somebody by rule of FHIR: the patient, when what was named is left out.
_ABOUT = {
    "ServiceRequest": "subject",
    "CarePlan": "subject",
    "Flag": "subject",
    "MedicationStatement": "subject",
    "Condition": "subject",
    "AllergyIntolerance": "patient",
}


def resolving(entries: Sequence[Entry], *, patient_url: str) -> list[Entry]:
    """Copies of the entries in which every reference points at something in the message, or elsewhere."""
    index = MessageBundle({"entry": [{"fullUrl": url, "resource": each} for url, each in entries]})

    def rename(text: str) -> str | None:
        return text if _ELSEWHERE.match(text) or index.resolve(text) is not None else None

    return [(url, _pruned(each, rename, patient_url)) for url, each in entries]


def _pruned(resource: Resource, rename: Rename, patient_url: str) -> Resource:
    kind = str(resource.get("resourceType"))
    pruned: Resource = with_references(_without_hollow_rows(resource, _ROWS.get(kind, {}), rename), rename)
    about = _ABOUT.get(kind)
    if about is not None and not as_dict(pruned.get(about)).get("reference"):
        pruned[about] = {"reference": patient_url}
    return pruned


def _without_hollow_rows(resource: Resource, rows: dict[str, str], rename: Rename) -> Resource:
    kept = {member: _filled(resource.get(member), name, rename) for member, name in rows.items()}
    return {**resource, **{member: found for member, found in kept.items() if member in resource}}


def _filled(rows: object, name: str, rename: Rename) -> list[Resource]:
    def stays(row: Resource) -> bool:
        reference = as_dict(row.get(name)).get("reference")
        return not isinstance(reference, str) or rename(reference) is not None

    return [row for row in dicts(rows) if stays(row)]

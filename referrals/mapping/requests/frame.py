"""What every resource of one request shares: whose it is, when it was written, and how others name it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from bars_portal.correspondence.entries import Entry, derived_url, full_url
from bars_portal.exchange.fhir import profiles
from bars_portal.exchange.fhir.bundle import Resource
from bars_portal.exchange.fhir.timestamps import format_instant
from referrals.content import Concept

__all__ = ["SNOMED", "Entry", "Frame", "Resource", "concept_to_fhir", "filled"]

SNOMED = "http://snomed.info/sct"


@dataclass(frozen=True)
class Frame:
    """`case_id` gives every fullUrl, so that a later message of the case names the same things."""

    case_id: UUID
    journey_id: UUID
    now: datetime

    @property
    def request_url(self) -> str:
        return full_url(self.case_id)

    @property
    def stamp(self) -> str:
        return format_instant(self.now)

    def url(self, part: str) -> str:
        return derived_url(self.case_id, part)

    def ref(self, part: str) -> Resource:
        return {"reference": self.url(part)}

    def head(self, resource_type: str, profile: str = "") -> Resource:
        meta = {"lastUpdated": self.stamp, "profile": [profile or profiles.uk_core(resource_type)]}
        return {"resourceType": resource_type, "meta": meta}


def concept_to_fhir(concept: Concept) -> Resource:
    """CodeableConcept."""
    coding = filled({"system": concept.system, "code": concept.code, "display": concept.display})
    return filled({"coding": [coding] if coding else [], "text": concept.text})


def filled(resource: Resource) -> Resource:
    """FHIR has no empty values: what was not stated is left out."""
    return {name: value for name, value in resource.items() if value not in ("", None, [], {})}

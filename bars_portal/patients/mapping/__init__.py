"""Patients between FHIR and the portal: pure, both directions."""

from bars_portal.patients.mapping.reading import patient_from_fhir
from bars_portal.patients.mapping.writing import patient_to_fhir

__all__ = ["patient_from_fhir", "patient_to_fhir"]

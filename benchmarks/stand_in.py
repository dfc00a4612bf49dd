"""A referral of the shape and size of REFREQ01, for machines without the published examples.

`stage` imports it, and has put the project on the path.
"""

from typing import Any

from tests.unit.exchange_fhir.factory import coded, message, ref
from tests.unit.exchange_fhir.samples import ENCOUNTER, PATIENT, referral_new

Json = dict[str, Any]
# As many observations as make it about 23 kB.
_OBSERVATIONS = 24
# What FHIR R4 itself asks for, and the rules do not.
_REQUIRED = {
    "CarePlan": {"intent": "plan"},
    "Consent": {"status": "active", "scope": {"text": "Direct care"}},
}
_STAMP = {"lastUpdated": "2030-03-01T09:00:00.000+00:00"}


def referral() -> Json:
    """Without fault; Bundle.id is always the same."""
    sound = referral_new()
    resources = [
        each["resource"] | _REQUIRED.get(each["resource"]["resourceType"], {}) for each in sound["entry"]
    ]
    clinical = [_observation(number) for number in range(_OBSERVATIONS)]
    return {**sound, "entry": message(*resources, *clinical)["entry"]}


def _observation(number: int) -> Json:
    return {
        "resourceType": "Observation",
        "meta": dict(_STAMP),
        "status": "final",
        "code": {**coded("example", f"observed-{number}"), "text": f"Question {number} of the assessment"},
        "subject": ref(PATIENT),
        "encounter": ref(ENCOUNTER),
        "effectiveDateTime": "2030-03-01T09:00:00+00:00",
        "valueQuantity": {
            "value": 37 + number / 10,
            "unit": "degrees",
            "system": "http://unitsofmeasure.org",
        },
        "note": [{"text": "Words that a clinician wrote down while the patient was on the telephone. " * 4}],
    }

"""Consent to share for direct care (consent-categories-bars DRC; standard section 6)."""

from bars_portal.exchange.fhir.codes import ConsentCategory
from referrals.content import Consent
from referrals.mapping.requests.frame import Entry, Frame

_SCOPE = {"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}
_ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"


def consent_entry(frame: Frame, consent: Consent) -> Entry:
    return frame.url("consent"), {
        **frame.head("Consent"),
        "status": "active",
        "scope": {"coding": [_SCOPE]},
        "category": [{"coding": [ConsentCategory.DIRECT_CARE.coding]}],
        "patient": frame.ref("patient"),
        "dateTime": frame.stamp,
        "organization": [frame.ref("sender")],
        "policyRule": {"coding": [{"system": _ACT_CODE, "code": consent.value}]},
    }

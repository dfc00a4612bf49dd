"""The ServiceRequest itself: what is asked, of whom, for when (profiles BARSServiceRequest-request-*)."""

from collections.abc import Sequence

from bars_portal.exchange.fhir import profiles
from bars_portal.exchange.fhir.bundle import Resource
from bars_portal.exchange.fhir.codes import LocationType, MessageCategory, ServiceRequestStatus
from bars_portal.exchange.fhir.timestamps import format_instant
from referrals.content import RequestContent, TimeFrame
from referrals.mapping.requests.frame import Frame, filled
from referrals.mapping.requests.places import place_part

_PROFILES = {
    MessageCategory.REFERRAL: profiles.SERVICEREQUEST_REFERRAL,
    MessageCategory.VALIDATION: profiles.SERVICEREQUEST_VALIDATION,
}


def request_resource(
    frame: Frame, content: RequestContent, *, authored_on: str, supporting: Sequence[tuple[str, str]]
) -> Resource:
    """`supporting`: fullUrl and words of what explains the choice of the service."""
    incidents = [n for n, place in enumerate(content.places) if place.type is LocationType.INCIDENT]
    bookings = [{"reference": f"Appointment/{each}", "display": "Booking"} for each in content.booking_ids]
    return filled(
        {
            **frame.head("ServiceRequest", _PROFILES[content.category]),
            "basedOn": [frame.ref("plan")],
            "status": ServiceRequestStatus.ACTIVE.value,
            "intent": "plan",
            "category": [{"coding": [content.category.coding, content.use_case.coding]}],
            "subject": frame.ref("patient"),
            "encounter": frame.ref("encounter"),
            "occurrencePeriod": period(content.time_frame),
            "authoredOn": authored_on,
            "requester": frame.ref("practitioner"),
            "performer": [frame.ref("service")],
            "locationReference": [frame.ref(place_part(n)) for n in incidents],
            "supportingInfo": [
                *({"reference": url, "display": words} for url, words in supporting),
                *bookings,
            ],
            "patientInstruction": content.expectations.told,
        }
    )


def period(frame: TimeFrame | None) -> Resource:
    """Period; {} when nothing was stated."""
    if frame is None:
        return {}
    end = format_instant(frame.end) if frame.end else ""
    return filled({"start": format_instant(frame.start), "end": end})

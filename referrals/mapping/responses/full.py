"""The outcome of a validation: everything that was asked, with our plan, place and warnings."""

from typing import Any

from bars_portal.correspondence.entries import Entry
from bars_portal.exchange.fhir.codes import EncounterStatus, ServiceRequestStatus
from bars_portal.exchange.fhir.profiles import Definition
from referrals.content_answers import Outcome
from referrals.mapping.responses.encounters import cad_encounter, own_encounter_entry
from referrals.mapping.responses.envelope import Envelope, respond, taken_part
from referrals.mapping.responses.flags import flag_entries
from referrals.mapping.responses.held import HeldRequest
from referrals.mapping.responses.people import answerer_url
from referrals.mapping.responses.places import location_entry
from referrals.mapping.responses.plans import plan_entry

_CARRIED = ("HealthcareService", "Observation", "MedicationStatement", "AllergyIntolerance", "Consent")


def validation_full(held: HeldRequest, envelope: Envelope, said: Outcome) -> dict[str, Any]:
    """Our Encounter is the focus, finished; a third one is the ambulance control's new case."""
    now = envelope.now
    ours = own_encounter_entry(held, status=EncounterStatus.FINISHED, now=now)
    author = answerer_url(held, envelope.answerer)
    entries: list[Entry] = [
        taken_part(held, envelope, ours),
        held.requester_encounter,
        *([cad_encounter(held, said.cad_id, now)] if said.cad_id else []),
        plan_entry(held, said, encounter_url=ours[0], author_url=author, now=now),
        *location_entry(held, said.place, now=now),
        *flag_entries(held, said, encounter_url=ours[0], now=now),
        *held.of_types(_CARRIED),
    ]
    return respond(
        held,
        envelope,
        definition=Definition.VALIDATION_RESPONSE_FULL,
        request_status=ServiceRequestStatus.ACTIVE,
        focus_url=ours[0],
        entries=entries,
    )

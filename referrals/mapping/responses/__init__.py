"""Our responses to what we received, what their MessageDefinitions ask for: pure, one module a kind."""

from referrals.mapping.responses.building import build_response as build_response
from referrals.mapping.responses.encounters import own_encounter_entry as own_encounter_entry
from referrals.mapping.responses.encounters import with_own_encounter as with_own_encounter
from referrals.mapping.responses.envelope import Envelope as Envelope
from referrals.mapping.responses.held import HeldRequest as HeldRequest
from referrals.mapping.responses.people import Answerer as Answerer
from referrals.mapping.responses.people import Organisations as Organisations

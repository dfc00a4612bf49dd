"""Referrals and validations between FHIR and the portal: pure, one module a theme."""

from referrals.mapping.answers import REFERENCE_SYSTEM as REFERENCE_SYSTEM
from referrals.mapping.answers import accepted_request as accepted_request
from referrals.mapping.answers import ended_request as ended_request
from referrals.mapping.answers import own_encounter as own_encounter
from referrals.mapping.answers import own_encounter_id as own_encounter_id
from referrals.mapping.answers import own_encounter_url as own_encounter_url
from referrals.mapping.answers import read_back as read_back
from referrals.mapping.answers import whole_answer as whole_answer
from referrals.mapping.reading import url_uuid as url_uuid
from referrals.mapping.received import Facts as Facts
from referrals.mapping.received import ReceivedCase as ReceivedCase
from referrals.mapping.received import parse_case as parse_case
from referrals.mapping.replies import ReceivedReply as ReceivedReply
from referrals.mapping.replies import parse_reply as parse_reply
from referrals.mapping.updates import merged_case as merged_case
from referrals.mapping.updates import merged_entries as merged_entries
from referrals.mapping.updates import merged_request as merged_request
from referrals.mapping.updates import stale_entries as stale_entries
from referrals.mapping.updates import stamps_of as stamps_of

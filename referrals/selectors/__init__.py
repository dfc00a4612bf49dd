"""Reads of referrals and validations, scoped to what the person, or the caller, may see."""

from referrals.selectors.answered import lock_answered_case as lock_answered_case
from referrals.selectors.answers import answers_of as answers_of
from referrals.selectors.answers import notes_of as notes_of
from referrals.selectors.answers import troubled_answers as troubled_answers
from referrals.selectors.history import changes_of as changes_of
from referrals.selectors.history import open_unmatched_replies as open_unmatched_replies
from referrals.selectors.history import replies_of as replies_of
from referrals.selectors.history import versions_of as versions_of
from referrals.selectors.links import Link as Link
from referrals.selectors.links import bookings_of as bookings_of
from referrals.selectors.links import referrals_of as referrals_of
from referrals.selectors.received import cases_found as cases_found
from referrals.selectors.received import lock_received_case as lock_received_case
from referrals.selectors.received import locked as locked
from referrals.selectors.received import received_case as received_case
from referrals.selectors.sent import case_of_draft as case_of_draft
from referrals.selectors.sent import request_draft_for as request_draft_for
from referrals.selectors.sent import rereferral_of as rereferral_of
from referrals.selectors.sent import standing_booking as standing_booking
from referrals.selectors.sent import standing_referral_id as standing_referral_id
from referrals.selectors.timeline import timeline_of as timeline_of
from referrals.selectors.worklist import worklist as worklist
from referrals.selectors.worklist import worklist_counts as worklist_counts

"""What our people do with a received case: decide, tell the requester, share the work."""

from referrals.services.answering.attending import record_non_attendance as record_non_attendance
from referrals.services.answering.completing import complete_referral as complete_referral
from referrals.services.answering.completing import complete_validation as complete_validation
from referrals.services.answering.completing import revise_validation as revise_validation
from referrals.services.answering.deciding import Decided as Decided
from referrals.services.answering.rejecting import reject_case as reject_case
from referrals.services.answering.resending import check_answer_again as check_answer_again
from referrals.services.answering.resending import send_answer_again as send_answer_again
from referrals.services.answering.seen import ChangedMeanwhile as ChangedMeanwhile
from referrals.services.answering.seen import decide_as_seen as decide_as_seen
from referrals.services.answering.settling import settle_answer as settle_answer
from referrals.services.answering.settling import withdraw_overtaken as withdraw_overtaken
from referrals.services.answering.starting import accept_referral as accept_referral
from referrals.services.answering.starting import send_cad_status as send_cad_status
from referrals.services.answering.starting import start_case as start_case
from referrals.services.answering.working import add_note as add_note
from referrals.services.answering.working import assign_case as assign_case
from referrals.services.answering.working import unassign_case as unassign_case

"""The only writers of referrals and validations; one module a theme."""

from referrals.services.capabilities import clear_capability as clear_capability
from referrals.services.capabilities import keep_capability as keep_capability
from referrals.services.checking import check_again as check_again
from referrals.services.drafts import create_request_draft as create_request_draft
from referrals.services.drafts import discard_request_draft as discard_request_draft
from referrals.services.drafts import purge_request_drafts as purge_request_drafts
from referrals.services.drafts import save_request_draft as save_request_draft
from referrals.services.drafts import save_request_step as save_request_step
from referrals.services.ending import receive_end as receive_end
from referrals.services.receiving import receive_case as receive_case
from referrals.services.replying import receive_reply as receive_reply
from referrals.services.requesting import request_referral as request_referral
from referrals.services.requesting import request_validation as request_validation
from referrals.services.rereferring import refer_again as refer_again
from referrals.services.revoking import mark_entered_in_error as mark_entered_in_error
from referrals.services.revoking import revoke_request as revoke_request
from referrals.services.sending import register_sent_request as register_sent_request
from referrals.services.sending_drafts import send_draft as send_draft
from referrals.services.status import change_case as change_case
from referrals.services.updating import receive_update as receive_update
from referrals.services.updating_sent import update_request as update_request
from referrals.services.viewing import mark_reply_handled as mark_reply_handled
from referrals.services.viewing import record_case_view as record_case_view
from referrals.services.viewing import record_journey_view as record_journey_view
from referrals.services.viewing import record_reply_view as record_reply_view
from referrals.services.viewing import record_sent_message_view as record_sent_message_view

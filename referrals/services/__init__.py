"""The only writers of referrals and validations; one module a theme."""

from referrals.services.ending import receive_end as receive_end
from referrals.services.receiving import receive_case as receive_case
from referrals.services.replying import receive_reply as receive_reply
from referrals.services.sending import register_sent_request as register_sent_request
from referrals.services.status import change_case as change_case
from referrals.services.updating import receive_update as receive_update

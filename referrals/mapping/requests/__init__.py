"""Our referral and validation messages: what was stated as Bundles, one module a family of resources."""

from referrals.mapping.requests.changed import answered_entries as answered_entries
from referrals.mapping.requests.changed import updated_entries as updated_entries
from referrals.mapping.requests.changed import updated_resource as updated_resource
from referrals.mapping.requests.entries import request_entries as request_entries
from referrals.mapping.requests.frame import Frame as Frame
from referrals.mapping.requests.messages import Envelope as Envelope
from referrals.mapping.requests.messages import end_message as end_message
from referrals.mapping.requests.messages import ended_request as ended_request
from referrals.mapping.requests.messages import request_message as request_message
from referrals.mapping.requests.people import Requester as Requester

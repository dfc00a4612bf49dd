"""Referrals, validation requests, their history and the replies to them."""

from referrals.models.answer import CaseAnswer as CaseAnswer
from referrals.models.answer import CaseNote as CaseNote
from referrals.models.case import MODELS as MODELS
from referrals.models.case import Case as Case
from referrals.models.case import Referral as Referral
from referrals.models.case import ValidationCase as ValidationCase
from referrals.models.draft import SENT as SENT
from referrals.models.draft import RequestDraft as RequestDraft
from referrals.models.draft import Rereferral as Rereferral
from referrals.models.history import CaseStatusChange as CaseStatusChange
from referrals.models.history import CaseVersion as CaseVersion
from referrals.models.history import owned_by as owned_by
from referrals.models.link import BookingLink as BookingLink
from referrals.models.reply import CaseReply as CaseReply
from referrals.models.reply import ReplyFacts as ReplyFacts
from referrals.models.reply import UnmatchedReply as UnmatchedReply
from referrals.models.rules import BreachRule as BreachRule
from referrals.models.rules import ListedCode as ListedCode
from referrals.models.saved_filter import SavedFilter as SavedFilter

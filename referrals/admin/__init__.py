"""Staff pages of referrals and validations: shown, never changed."""

from referrals.admin.cases import ReferralAdmin as ReferralAdmin
from referrals.admin.cases import ValidationCaseAdmin as ValidationCaseAdmin
from referrals.admin.settings import BreachRuleAdmin as BreachRuleAdmin
from referrals.admin.settings import ListedCodeAdmin as ListedCodeAdmin
from referrals.admin.unmatched import UnmatchedReplyAdmin as UnmatchedReplyAdmin

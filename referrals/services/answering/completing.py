"""A received case is done: a validation with its outcome, a referral for our own books."""

from datetime import datetime

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.refusals import PolicyRefused
from bars_portal.exchange.fhir.codes import EncounterStatus
from referrals.answer_policies import Decision
from referrals.content_answers import CadStatus, Outcome
from referrals.models import Case
from referrals.services.answering.deciding import Decided, decide
from referrals.states import Category


def complete_validation(*, case: Case, outcome: Outcome, acting: Acting, now: datetime) -> Decided:
    """Tell the requester what was found, as a full response. Raises PolicyRefused."""
    return _outcome(case, outcome, Decision.COMPLETE, acting, now)


def revise_validation(*, case: Case, outcome: Outcome, acting: Acting, now: datetime) -> Decided:
    """Correct an outcome that was told: the requester acts on the last one. Raises PolicyRefused."""
    return _outcome(case, outcome, Decision.REVISE, acting, now)


def complete_referral(*, case: Case, acting: Acting, now: datetime, words: str = "") -> Decided:
    """The patient was seen. Ambulance controls are told; the standard has no message for other referrals.

    Raises PolicyRefused.
    """
    if case.category is not Category.REFERRAL:
        raise PolicyRefused("A validation is completed with its outcome.")
    content = CadStatus(EncounterStatus.FINISHED, words)
    return decide(case=case, decision=Decision.COMPLETE, content=content, acting=acting, now=now, note=words)


def _outcome(case: Case, outcome: Outcome, decision: Decision, acting: Acting, now: datetime) -> Decided:
    if case.category is not Category.VALIDATION:
        raise PolicyRefused("Only a validation has an outcome.")
    note = outcome.disposition.label
    return decide(case=case, decision=decision, content=outcome, acting=acting, now=now, note=note)

"""A received case is accepted, or somebody starts on it."""

from datetime import datetime

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.refusals import PolicyRefused
from bars_portal.exchange.fhir.codes import EncounterStatus
from referrals.answer_policies import Decision
from referrals.answering import is_ambulance
from referrals.content_answers import AnswerContent, CadStatus, Started
from referrals.models import Case
from referrals.services.answering.deciding import Decided, decide

_CAD_DECISIONS = {
    EncounterStatus.PLANNED: Decision.ACCEPT,
    EncounterStatus.IN_PROGRESS: Decision.START,
    EncounterStatus.FINISHED: Decision.COMPLETE,
}


def accept_referral(*, case: Case, acting: Acting, now: datetime, words: str = "") -> Decided:
    """Ours to look after. Ambulance controls are told; the standard has no message for other referrals.

    Raises PolicyRefused.
    """
    content = CadStatus(EncounterStatus.PLANNED, words)
    return decide(case=case, decision=Decision.ACCEPT, content=content, acting=acting, now=now, note=words)


def start_case(*, case: Case, acting: Acting, now: datetime, words: str = "") -> Decided:
    """Somebody works on it: told as an interim response (validation) or a status (ambulance control).

    Raises PolicyRefused.
    """
    content: AnswerContent = Started()
    if is_ambulance(case):
        content = CadStatus(EncounterStatus.IN_PROGRESS, words)
    return decide(case=case, decision=Decision.START, content=content, acting=acting, now=now, note=words)


def send_cad_status(*, case: Case, status: CadStatus, acting: Acting, now: datetime) -> Decided:
    """How far an ambulance control is, which moves the case with it.

    Raises PolicyRefused, also for what is no case between ambulance controls.
    """
    if not is_ambulance(case):
        raise PolicyRefused("Only ambulance controls tell each other how far they are.")
    decision = _CAD_DECISIONS[status.status]
    return decide(case=case, decision=decision, content=status, acting=acting, now=now, note=status.words)

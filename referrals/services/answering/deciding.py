"""One decision about a received case: status, history, audit and the message that tells it, together."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from bars_portal.accounts.acting import Acting
from bars_portal.exchange.fhir.codes import EncounterStatus
from referrals import answer_policies
from referrals.answer_policies import Decision
from referrals.answer_states import reply_told
from referrals.answering import held_request, is_ambulance
from referrals.content_answers import AnswerContent
from referrals.included import included_in
from referrals.mapping import responses
from referrals.models import MODELS, Case, CaseAnswer
from referrals.selectors.received import locked
from referrals.services.answering.queueing import queue_answer
from referrals.services.status import change_case
from referrals.states import Category

# Our Encounter after each decision, as reads give it back; a revised outcome leaves it finished.
_ENCOUNTERS = {
    Decision.ACCEPT: EncounterStatus.PLANNED,
    Decision.START: EncounterStatus.IN_PROGRESS,
    Decision.REJECT: EncounterStatus.CANCELLED,
    Decision.COMPLETE: EncounterStatus.FINISHED,
    Decision.REVISE: EncounterStatus.FINISHED,
    Decision.RECORD_NON_ATTENDANCE: EncounterStatus.CANCELLED,
}


@dataclass(frozen=True)
class Decided:
    """The case as it now is; `answer` is None where the standard has no message for the decision."""

    case: Case
    answer: CaseAnswer | None


@transaction.atomic
def decide(
    *,
    case: Case,
    decision: Decision,
    content: AnswerContent,
    acting: Acting,
    now: datetime,
    note: str = "",
    changes: Mapping[str, Any] | None = None,
) -> Decided:
    """Decide on the case as it stands in the database, whatever the caller saw of it.

    The row is locked: of two people, or two presses, the second finds what the first did. Raises
    PolicyRefused.
    """
    held = locked_case(case.category, case.pk)
    answer_policies.check_can_decide(acting, held, decision)
    encounter = responses.own_encounter_entry(held_request(held), status=_ENCOUNTERS[decision], now=now)
    change_case(
        case=held,
        event=decision.event,
        actor=acting.actor,
        now=now,
        note=note,
        changes={"included": responses.with_own_encounter(included_in(held), encounter), **(changes or {})},
    )
    kind = reply_told(held.category, is_ambulance(held), decision.event)
    if kind is None:
        return Decided(held, None)
    return Decided(held, queue_answer(case=held, kind=kind, content=content, acting=acting, now=now))


def locked_case(category: Category, case_id: UUID) -> Case:
    """The case, its row locked until the end of the caller's transaction."""
    return locked(MODELS[category], case_id)

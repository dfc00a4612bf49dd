"""What the pages of a request begin with: the draft of their address, read, or the 404 page."""

from datetime import UTC, datetime
from uuid import UUID

from django.http import Http404, HttpRequest

from bars_portal.accounts.acting import acting_of
from bars_portal.exchange.fhir.codes import UseCase
from bars_portal.nhsuk.dates import in_london
from bars_portal.patients.details import PatientDetails
from bars_portal.patients.forms import PatientForm
from referrals import selectors
from referrals.forms.base import Asked
from referrals.forms.code_lists import lists_from
from referrals.forms.reading import ReadStep, read_step
from referrals.forms.steps import steps_of
from referrals.models import Case, RequestDraft

PATIENT = "patient"


def clock() -> datetime:
    return datetime.now(UTC)


def draft_of(request: HttpRequest, draft_id: UUID) -> RequestDraft:
    draft = selectors.request_draft_for(acting_of(request), draft_id)
    if draft is None:
        raise Http404
    return draft


def sent_case_of(request: HttpRequest, case_id: UUID) -> Case:
    case = selectors.sent_case_for(acting_of(request), case_id)
    if case is None:
        raise Http404
    return case


def asked_of(draft: RequestDraft) -> Asked:
    return Asked(UseCase(draft.use_case), draft.created_at, lists_from(selectors.offered_codes()))


def read_draft(draft: RequestDraft) -> list[ReadStep]:
    asked = asked_of(draft)
    return [read_step(step, draft.typed.get(step.slug), asked) for step in steps_of(asked)]


def patient_form(draft: RequestDraft) -> PatientForm:
    """The draft's answers as a form; nothing typed yet: an empty, unbound one."""
    return PatientForm(draft.typed.get(PATIENT) or None, today=in_london(clock()).date())


def patient_of(draft: RequestDraft) -> PatientDetails | None:
    """For the banner: once enough is typed to say who it is."""
    form = patient_form(draft)
    return form.to_details() if form.is_bound and form.is_valid() else None

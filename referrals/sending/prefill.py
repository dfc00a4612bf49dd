"""Steps that need not be typed again: of the patient, an earlier request, or a case that goes onward."""

from collections.abc import Mapping
from dataclasses import replace

from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.codes import UseCase
from bars_portal.exchange.fhir.outcomes import OutcomeError
from bars_portal.exchange.message_bytes import decode
from bars_portal.patients.typed import answers_from
from referrals.cases.models import Case
from referrals.cases.selectors import telling_message
from referrals.forms.base import FormContext
from referrals.forms.steps import DONE, ROWS, typed_of
from referrals.parts.content import ContentInvalid, RequestContent, content_from_json
from referrals.parts.request import carried_content
from referrals.sending.start import PATIENT, RequestStart

# On what ground data is shared is asked anew.
STATED_ANEW = {"consent"}
# Neither says anything by itself. No step is done: a person here has to read it first.
_ABOUT_THE_FORM = {DONE, ROWS}


def carried(case: Case, use_case: UseCase) -> RequestContent | None:
    """What of a received case goes onward; None when its message cannot be read any more.

    Our own number of the call is the reference that the requester knows.
    """
    message = telling_message(case)
    try:
        bundle = MessageBundle(decode(message.body)) if message else None
    except OutcomeError:
        bundle = None
    if bundle is None:
        return None
    content = carried_content(bundle, use_case)
    return replace(content, assessment=replace(content.assessment, case_number=case.reference))


def carried_steps(case: Case, asked: FormContext) -> dict[str, Mapping[str, str]]:
    """The same step by step, for a person to check and change."""
    content = carried(case, asked.use_case)
    if content is None:
        return {}
    return {
        slug: _not_done(typed)
        for slug, typed in typed_of(content, asked).items()
        if slug not in STATED_ANEW and set(typed) - _ABOUT_THE_FORM
    }


def _not_done(typed: Mapping[str, str]) -> Mapping[str, str]:
    return {name: text for name, text in typed.items() if name != DONE}


def known_steps(beginning: RequestStart, asked: FormContext) -> dict[str, Mapping[str, str]]:
    """Answers that need not be typed again: the patient of the case, and what an earlier request stated."""
    details = beginning.known_details()
    patient = {PATIENT: {**answers_from(details), DONE: "1"}} if details else {}
    if beginning.onward is not None:
        return {**patient, **carried_steps(beginning.onward, asked)}
    return {**patient, **(_stated_before(beginning.case, asked) if beginning.case else {})}


def _stated_before(case: Case, asked: FormContext) -> dict[str, Mapping[str, str]]:
    try:
        content = replace(content_from_json(case.content), use_case=asked.use_case)
    except ContentInvalid:
        # Its message was not written by these forms.
        return {}
    return dict(typed_of(content, asked))

"""An onward referral begins with what we received: the newest whole message, as answers of the forms."""

from collections.abc import Mapping
from dataclasses import replace

from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.outcomes import OutcomeError
from bars_portal.exchange.message_bytes import decode
from referrals.forms.base import Asked
from referrals.forms.reading import answers_of
from referrals.forms.typing_in import DONE, ROWS
from referrals.mapping.carried import carried_content
from referrals.models import Case
from referrals.selectors import telling_message

# On what ground data is shared is asked anew.
_STATED_ANEW = {"consent"}
# Neither says anything by itself. No step is done: a person here has to read it first.
_ABOUT_THE_FORM = {DONE, ROWS}


def carried_answers(case: Case, asked: Asked) -> dict[str, Mapping[str, str]]:
    """Step by step, for a person to check and change; {} when the message cannot be read any more.

    Our own number of the call is the reference that the requester knows.
    """
    message = telling_message(case)
    try:
        bundle = MessageBundle(decode(message.body)) if message else None
    except OutcomeError:
        bundle = None
    if bundle is None:
        return {}
    content = carried_content(bundle, asked.use_case)
    ours = replace(content.assessment, case_number=case.reference)
    carried = answers_of(replace(content, assessment=ours), asked)
    return {
        slug: _not_done(typed)
        for slug, typed in carried.items()
        if slug not in _STATED_ANEW and set(typed) - _ABOUT_THE_FORM
    }


def _not_done(typed: Mapping[str, str]) -> Mapping[str, str]:
    return {name: text for name, text in typed.items() if name != DONE}

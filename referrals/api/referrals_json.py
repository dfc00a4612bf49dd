"""A request that we sent and its responses, as plain JSON in the words of their pages."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from rest_framework.request import Request
from rest_framework.reverse import reverse

from bars_portal.accounts.acting import Acting
from bars_portal.api.callers import Caller
from bars_portal.api.headers import etag_of
from bars_portal.api.operations import Component, Json, component, moment, object_of, optional, text
from bars_portal.api.paging import page_schema
from bars_portal.correspondence.explanations import ReasonCode, trying_words
from bars_portal.exchange import outbox
from bars_portal.exchange.fhir.codes import UseCase
from bars_portal.nhsuk.dates import in_london
from bookings.api.representation import KNOWN_PATIENT, patient_json
from directory.api.services import USE_CASE
from referrals.api.cases_schema import CONTENT, list_of, named
from referrals.api.content import content_json, content_schema, context_of
from referrals.cases.links import bookings_of
from referrals.cases.models import Case, CaseReply, Referral
from referrals.cases.selectors import replies_of
from referrals.cases.states import CaseStatus, Category, ReplyKind
from referrals.cases.words import lines_of, use_case_words
from referrals.pages.messages import heard_line
from referrals.parts.applications import APPLICATIONS, Application
from referrals.parts.content import ContentInvalid, content_from_json
from referrals.sending import policies
from referrals.sending.models import Rereferral

SENT_STATES = tuple(each for each in CaseStatus if each is not CaseStatus.RECEIVED)
# The outcome of what was sent is not there yet, or not clear.
OPEN_STATES = frozenset(
    {CaseStatus.REQUESTED, CaseStatus.UNKNOWN, CaseStatus.REVOKING, CaseStatus.REVOKE_UNKNOWN}
)
PLURALS: Mapping[Category, str] = {Category.REFERRAL: "referrals", Category.VALIDATION: "validations"}
UPDATING, UPDATE_UNKNOWN = "updating", "update-unknown"
_UPDATES = {UPDATING: "The update is on its way", UPDATE_UNKNOWN: "Not known whether the update arrived"}
_CAN = ("update", "revoke", "refer-again", "check-again")
# What depends on who asks, and on the minute: it is no change of the request.
_PASSING = ("can", "trying")


def name_of(application: Application) -> str:
    """A1 to A6, and A6T2 where an Application asks for different things."""
    first = min(application.use_cases).value
    alike = [each for each in APPLICATIONS if min(each.use_cases).value.startswith(first[:2])]
    return (first[:2] if len(alike) == 1 else first).upper()


CONTENTS: Mapping[str, Component] = {
    name_of(each): component(f"Content{name_of(each)}", content_schema(min(each.use_cases)))
    for each in APPLICATIONS
}


def contents_of(category: Category) -> list[Json]:
    return [CONTENTS[name_of(each)].ref for each in APPLICATIONS if each.category is category]


_HEARD = {
    "id": text(),
    "url": text("With all that it says.", format="uri"),
    "kind": named([*ReplyKind]),
    "received_at": moment(),
    "from": text("Who answered."),
    "is_from_a_stranger": {
        "type": "boolean",
        "description": "It came from somebody who was not asked: call the service.",
    },
    "safeguarding": {"type": "boolean", "description": "A concern that the request did not state."},
    "verdict": text('Of a validation\'s outcome, whether an ambulance is needed; "" otherwise.'),
    "action_needed": optional({"type": "boolean"}),
    "priority": text('A code of arp-priority-codes, or ""; of an outcome.'),
    "clock_start": optional(moment()),
    "outcomes": list_of(
        object_of({each: text() for each in ("system", "code", "display", "text")}),
        "Of an outcome: the codes and words of its plan.",
    ),
    "reason": object_of({"code": text(), "text": text()}),
    "reference": text("Theirs, to be read out."),
    "new_case": text("The number of the ambulance control's own new case."),
    "rows": list_of(object_of({"name": text(), "value": text()}), "As the portal's own page shows it."),
}
RESPONSE = component("ReceivedResponse", object_of(_HEARD))
WHOLE_RESPONSE = component(
    "WholeResponse",
    object_of(
        {
            **_HEARD,
            "content": {
                **optional(CONTENT.ref),
                "description": "The message whole. Null without the scope patients:read, and where it is "
                "not kept.",
            },
        }
    ),
)
_SUMMARY = {
    "id": text(format="uuid"),
    "url": text(format="uri"),
    "state": object_of(
        {
            "code": text(enum=[each.value for each in SENT_STATES]),
            "name": text("For people."),
            "is_open": {
                "type": "boolean",
                "description": "What became of it is not there or not clear yet: read it again.",
            },
        }
    ),
    "service": object_of({"id": text(), "name": text()}),
    "use_case": USE_CASE,
    "due_by": optional(moment("When the patient is to be seen, or the answer is due.")),
    "case_number": text("Ours, to be read out."),
    "reference": text('The service\'s, to be read out; "" until it gave one.'),
    "reason": text('Why it was refused, or is not known, in a sentence for the user; "" otherwise.'),
    "reason_code": text(
        'The same for programs; "" otherwise.', enum=["", *(each.value for each in ReasonCode)]
    ),
    "journey": text("The case that it belongs to.", format="uuid"),
    "created_at": moment(),
    "updated_at": moment(),
}
_OF_REFERRALS = {
    "bookings": list_of(
        object_of(
            {
                "id": text(format="uuid"),
                "stands": {"type": "boolean", "description": "Both the booking and the referral do."},
                "is_late": {
                    "type": "boolean",
                    "description": "It is after the time by which the patient is to be seen.",
                },
            }
        ),
        "Those that go with it.",
    ),
    "replaced_by": optional(
        object_of(
            {
                "referral": optional(text("Null until this one is taken back.", format="uuid")),
                "started_at": moment(),
            }
        )
    ),
    "replaces": optional(text("The referral whose place this one took.", format="uuid")),
}


def _request(category: Category) -> Component:
    name = category.value.capitalize()
    return component(
        name,
        object_of(
            {
                **_SUMMARY,
                "trying": text('How the portal goes on by itself, in a sentence; "" when it does not.'),
                "update": {
                    **optional(named(_UPDATES)),
                    "description": "Null: none is on its way. Until it is taken, content stays.",
                },
                "end_reason": text("Why it was taken back."),
                "onward_from": optional(text("The case of the worklist that it carries on.", format="uuid")),
                "responses": list_of(RESPONSE.ref, "The last one counts, so it comes first."),
                **(_OF_REFERRALS if category is Category.REFERRAL else {}),
                "can": list_of(text(enum=list(_CAN)), "What this person may do next."),
                "content": {
                    "anyOf": [*contents_of(category), {"type": "null"}],
                    "description": "By its use_case. Null without the scope patients:read, and when it "
                    "was not written in this portal.",
                },
                "patient": {
                    **optional(KNOWN_PATIENT.ref),
                    "description": "Null without the scope patients:read.",
                },
            }
        ),
    )


REQUEST: Mapping[Category, Component] = {each: _request(each) for each in Category}
SUMMARY = component("RequestSummary", object_of(_SUMMARY))
PAGE = component("RequestPage", page_schema(SUMMARY.ref))


def summary_json(request: Request, case: Case) -> Json:
    state = CaseStatus(case.status)
    return {
        "id": str(case.pk),
        "url": address_of(request, case),
        "state": {"code": state.value, "name": state.label, "is_open": state in OPEN_STATES},
        "service": {"id": case.service.service_id, "name": case.service.name},
        "use_case": {"code": case.use_case, "name": use_case_words(case.use_case)},
        "due_by": _told(case.breach_at),
        "case_number": "" if case.case_number == str(case.pk) else case.case_number,
        "reference": case.reference,
        "reason": case.explanation,
        "reason_code": case.explanation_code,
        "journey": str(case.journey_id),
        "created_at": in_london(case.created_at).isoformat(),
        "updated_at": in_london(case.updated_at).isoformat(),
    }


def case_json(request: Request, case: Case, caller: Caller, *, now: datetime) -> Json:
    return {
        **summary_json(request, case),
        "trying": trying_words(outbox.trying(case), now=now),
        "update": _update_json(case),
        "end_reason": case.end_reason,
        "onward_from": _id(case.onward_from),
        "responses": [response_json(request, case, each) for each in replies_of(case)][::-1],
        **(_of_referral(case) if isinstance(case, Referral) else {}),
        "can": _possible(case, caller.acting),
        "content": _content_json(case) if caller.sees_patients else None,
        "patient": patient_json(case.patient) if caller.sees_patients else None,
    }


def response_json(request: Request, case: Case, reply: CaseReply) -> Json:
    line = heard_line(case, reply)
    # Only an outcome has a plan of its own: every other response repeats that of the request.
    is_outcome = reply.kind == ReplyKind.FULL
    started = in_london(reply.clock_start).isoformat() if is_outcome and reply.clock_start else None
    return {
        "id": str(reply.pk),
        "url": str(reverse(f"api-{case.category.value}-response", args=[case.pk, reply.pk], request=request)),
        "kind": {"code": reply.kind, "name": line.kind},
        "received_at": in_london(reply.received_at).isoformat(),
        "from": line.sender,
        "is_from_a_stranger": line.stranger,
        "safeguarding": line.safeguarding,
        "verdict": line.verdict,
        "action_needed": reply.action_needed if is_outcome else None,
        "priority": reply.priority if is_outcome else "",
        "clock_start": started,
        "outcomes": [
            {name: str(each.get(name) or "") for name in ("system", "code", "display", "text")}
            for each in (reply.outcomes if is_outcome else ())
        ],
        "reason": {"code": reply.reason_code, "text": reply.reason_text},
        "reference": reply.responder_reference,
        "new_case": reply.cad_id,
        "rows": [{"name": each["key"], "value": "\n".join(lines_of(each))} for each in line.rows],
    }


def tag_of(body: Json) -> str:
    """The same for everybody who may read as much, as long as nothing of the request changes."""
    return etag_of({name: value for name, value in body.items() if name not in _PASSING})


def address_of(request: Request, case: Case) -> str:
    return str(reverse(f"api-{case.category.value}", args=[case.pk], request=request))


def _content_json(case: Case) -> Json | None:
    try:
        content = content_from_json(case.content)
    except ContentInvalid:
        return None
    return content_json(content, context_of(UseCase(content.use_case), case.created_at))


def _update_json(case: Case) -> Json | None:
    if not case.has_update_pending:
        return None
    message = outbox.unsettled(case)
    code = UPDATE_UNKNOWN if message is None or message.is_unclear else UPDATING
    return {"code": code, "name": _UPDATES[code]}


def _of_referral(referral: Referral) -> Json:
    plans = {"replaced_by": {"revoked": referral}, "replaces": {"made": referral}}
    found = {name: Rereferral.objects.filter(**known).first() for name, known in plans.items()}
    gone, origin = found["replaced_by"], found["replaces"]
    made = {"referral": _id(gone.made_id), "started_at": _told(gone.started_at)} if gone else None
    return {
        "bookings": [
            {"id": str(each.booking.pk), "stands": each.live, "is_late": each.is_late}
            for each in bookings_of(referral)
        ],
        "replaced_by": made,
        "replaces": _id(origin.revoked_id) if origin else None,
    }


def _possible(case: Case, acting: Acting) -> list[str]:
    may = (
        policies.can_update(acting, case),
        policies.can_take_back(acting, case),
        isinstance(case, Referral) and policies.can_refer_again(acting, case),
        policies.can_check_again(acting, case),
    )
    return [name for name, allowed in zip(_CAN, may, strict=True) if allowed]


def _id(found: Any) -> str | None:
    return str(found) if found else None


def _told(at: datetime | None) -> str | None:
    return in_london(at).isoformat() if at else None

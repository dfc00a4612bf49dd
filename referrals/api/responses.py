"""What the other side answered to a request of ours, as plain JSON in the words of its page."""

from rest_framework.request import Request
from rest_framework.reverse import reverse

from bars_portal.api.operations import Json, component, moment, object_of, optional, text
from bars_portal.nhsuk.dates import in_london
from referrals.api.cases_schema import CONTENT, list_of, named
from referrals.cases.models import Case, CaseReply
from referrals.cases.states import ReplyKind
from referrals.cases.words import lines_of
from referrals.pages.messages import heard_line

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

"""What the API says of received cases, as schemas: each name is that of the page's part."""

from collections.abc import Iterable

from bars_portal.api.operations import Json, component, moment, object_of, optional, text
from bars_portal.api.paging import page_schema
from bookings.api.representation import KNOWN_PATIENT
from bookings.states import BookingStatus
from directory.api.services import USE_CASE
from referrals.cases.states import CaseStatus, ReplyKind, ResponseState
from referrals.worklist.query import Kind

_TEXTS: Json = {"type": "array", "items": {"type": "string"}}


def list_of(schema: Json, description: str = "") -> Json:
    return {"type": "array", "items": schema, **({"description": description} if description else {})}


def named(values: Iterable[str], description: str = "") -> Json:
    return object_of({"code": text(description, enum=list(values)), "name": text("For people.")})


_ROWS = list_of(object_of({"label": text(), "value": text()}))
_LINES = list_of(object_of({"label": text(), "lines": _TEXTS}), "No lines: not stated.")
_SERVICE = object_of({"id": text("Its DoS service id."), "name": text()})
_PRIORITY = object_of({"code": text('"" when it is not stated.'), "name": text()})
_HOLDER = object_of(
    {"name": text('Who has taken it; "" for nobody.'), "is_caller": {"type": "boolean"}},
)
_COMMON = {
    "id": text(format="uuid"),
    "kind": named([*Kind]),
    "state": named(dict.fromkeys([*CaseStatus, *BookingStatus])),
    "reference": text("Ours, to be read out."),
    "use_case": USE_CASE,
    "priority": _PRIORITY,
    "due_at": optional(moment("By when it is to be answered, or the appointment starts; null: never.")),
    "is_breached": {"type": "boolean"},
    "received_at": moment(),
    "warnings": {**_TEXTS, "description": "What must strike the eye."},
    "flags": _TEXTS,
    "service": _SERVICE,
    "requester": text(),
    "holder": _HOLDER,
}
WORKLIST_PATIENT = component(
    "WorklistPatient",
    object_of(
        {
            "family_name": text(),
            "given_names": text(),
            "birth_date": optional(text(format="date")),
            "nhs_number": text(),
            "died": text('When, as far as it is known; "" for who lives.'),
        }
    ),
)
WORKLIST_ROW = component(
    "WorklistRow",
    object_of(
        {
            **_COMMON,
            "url": optional(text("Null for a booking.", format="uri")),
            "answer_troubled": {
                "type": "boolean",
                "description": "The requester may not have our answer: look at the case.",
            },
            "patient": {
                **optional(WORKLIST_PATIENT.ref),
                "description": "Null without the scope patients:read.",
            },
        }
    ),
)
COUNTED = ("open", "breached", "unassigned", "mine", "safeguarding", "answers_troubled", "bookings")
_COUNTS = object_of({name: {"type": "integer"} for name in COUNTED})
WORKLIST = component(
    "Worklist",
    object_of(
        {
            **page_schema(WORKLIST_ROW.ref)["properties"],
            "counts": {**_COUNTS, "description": "Of what is open, whatever the filters say."},
        }
    ),
)
_CODES = object_of({"label": text(), "code": text(), "system": text(), "meaning": text()})
component(
    "MessageItem",
    object_of(
        {
            "title": text(),
            "rows": _LINES,
            "parts": list_of({"$ref": "#/components/schemas/MessageItem"}),
            "codes": list_of(_CODES, "What stands behind the words."),
        }
    ),
)
_ITEM: Json = {"$ref": "#/components/schemas/MessageItem"}
CONTENT = component(
    "CaseContent",
    object_of(
        {
            "facts": _LINES,
            "warnings": list_of(object_of({"says": _TEXTS, "is_alarm": {"type": "boolean"}, "item": _ITEM})),
            "groups": list_of(
                object_of(
                    {
                        "key": text(),
                        "title": text(),
                        "silence": text("What it means that items is empty."),
                        "items": list_of(_ITEM),
                    }
                )
            ),
        }
    ),
)
ANSWER = component(
    "CaseAnswer",
    object_of(
        {
            "id": text(format="uuid"),
            "kind": named([*ReplyKind]),
            "state": object_of(
                {
                    "code": text(enum=[*ResponseState]),
                    "name": text("For people."),
                    "is_open": {"type": "boolean", "description": "It may still change by itself."},
                }
            ),
            "explanation": text('Why it was refused, or is not known; "" otherwise.'),
            "said": _ROWS,
            "by": text(),
            "at": moment(),
            "can": list_of(text(enum=["check-again", "send-again"])),
        }
    ),
)
_WRITTEN = {"by": text(), "at": moment()}
# What may be done next, by the last part of its address.
CHANGES = (
    *("accept", "start", "reject", "complete", "outcome", "did-not-attend", "cad-status"),
    *("assign", "notes", "attempts", "place", "link-booking", "unlink-booking"),
)
REFER_ONWARD = "refer-onward"
_LINKED = {
    "id": text(format="uuid"),
    "start": moment(),
    "service": text(),
    "state": named([*BookingStatus]),
    "is_late": {
        "type": "boolean",
        "description": "After the time by which the patient is to be seen.",
    },
}
CASE = component(
    "Case",
    object_of(
        {
            **_COMMON,
            "url": text(format="uri"),
            "journey": text(format="uuid"),
            "version": {"type": "integer", "description": "How often the requester has told it, and we."},
            "updated_at": moment(),
            "asked": _ROWS,
            "can": list_of(
                text(enum=[*CHANGES, REFER_ONWARD]),
                "What this caller may do next, by the end of its address. refer-onward: create a referral "
                "or a validation with onward_from.",
            ),
            "why_not": text('Why nothing can be decided, in a sentence; "" otherwise.'),
            "standing_warnings": list_of(
                object_of({"id": text("For ended of an outcome."), "name": text()}),
                "Of a validation: what an outcome may end. Empty without the scope patients:read.",
            ),
            "answers": list_of(ANSWER.ref, "What the requester was told, oldest first."),
            "notes": list_of(object_of({"text": text(), **_WRITTEN}), "Colleagues alone read them."),
            "attempts": list_of(
                object_of(
                    {
                        "number": {"type": "integer"},
                        "reached": {"type": "boolean"},
                        "text": text(),
                        **_WRITTEN,
                    }
                ),
                "Calls to the patient, of pharmacies.",
            ),
            "bookings": list_of(
                object_of(
                    {
                        **_LINKED,
                        "by_hand": {
                            "type": "boolean",
                            "description": "Linked here, not by a message: it can be unlinked.",
                        },
                    }
                ),
                "Appointments that go with it.",
            ),
            "linkable_bookings": list_of(
                object_of(_LINKED), "Appointments of the same patient that link-booking may name."
            ),
            "onward": list_of(object_of({"id": text(format="uuid"), "service": text(), "state": text()})),
            "place": optional(
                object_of(
                    {"sent": _ROWS, "plotted": _ROWS, "differences": _TEXTS},
                )
            ),
            "versions": list_of(
                object_of({"number": {"type": "integer"}, "words": text(), "at": moment()}),
            ),
            "history": list_of(
                object_of({"what": text(), "note": text(), **_WRITTEN}), "What happened, oldest first."
            ),
            "patient": {
                **optional(KNOWN_PATIENT.ref),
                "description": "Null without the scope patients:read.",
            },
            "content": {
                **optional(CONTENT.ref),
                "description": "The message whole. Null without the scope patients:read, and where it is not "
                "kept.",
            },
        }
    ),
)

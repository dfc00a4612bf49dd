"""From a message to its page: each resource by its own presenter, and the rest as other information.

Neither what no presenter read nor a GUID within what somebody wrote is dropped silently.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import groupby

from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.json import as_dict, as_list, as_text
from bars_portal.exchange.fhir.outcomes import OutcomeError
from bars_portal.exchange.message_bytes import decode
from bars_portal.exchange.models import InboundMessage
from referrals.cases.models import Case
from referrals.cases.selectors import telling_message
from referrals.cases.states import OPEN, CaseStatus
from referrals.cases.words import UUID
from referrals.message_page.clinical import (
    present_allergy,
    present_answers,
    present_communication,
    present_condition,
    present_medication,
    present_observation,
    present_procedure,
    present_questionnaire,
)
from referrals.message_page.items import Message, Placed, Presenter
from referrals.message_page.people import (
    present_consent,
    present_organisation,
    present_patient,
    present_place,
    present_practitioner,
    present_related,
    present_role,
    present_service,
)
from referrals.message_page.reader import (
    Alert,
    Code,
    Group,
    Item,
    MessageView,
    Notes,
    Part,
    Path,
    Row,
    Scalar,
    leaves,
    reason_not_shown,
    scalar_text,
)
from referrals.message_page.top import asks_for_care, present_flag, top_facts
from referrals.message_page.words import line_ends, name_in, sentence
from referrals.message_page.workflow import (
    present_appointment,
    present_bundle,
    present_encounter,
    present_header,
    present_plan,
    present_request,
    present_schedule,
    present_slot,
    present_task,
)

OTHER = "other"
_TITLES = {
    "request": "What is asked",
    "assessment": "Assessment",
    "plan": "Plan",
    "treatment": "Treatment given and notes on the way",
    "appointment": "Appointment",
    "medication": "Medication",
    "allergies": "Allergies",
    "observations": "Observations",
    "questionnaires": "Questionnaires",
    "sources": "Additional sources",
    "rejected": "Rejected services",
    "people": "People and organisations",
    "places": "Places",
    "consent": "Consent",
    "message": "Journey and message",
    OTHER: "Other information received",
}
# In a request that stands it matters that nothing was said of these; none known would have been said.
_MATTERS = {
    "assessment": "Not stated: the sender gave no assessment.",
    "medication": "Not stated: the sender neither listed medication nor said that there is none.",
    "allergies": "Not stated: the sender neither listed allergies nor said that none are known.",
    "observations": "Not stated: the sender gave no observations.",
    "consent": "Not stated: the sender gave no consent.",
}


def grouped(bundle: MessageBundle, placed: Sequence[Placed], others: Sequence[Item]) -> tuple[Group, ...]:
    """Groups that hold something, and those whose silence matters."""
    found: dict[str, list[Item]] = {key: [] for key in _TITLES}
    for key, item in placed:
        found[key].append(item)
    found[OTHER] += others
    named = _MATTERS if asks_for_care(bundle) else {}
    return tuple(
        Group(key, _TITLES[key], tuple(items), named.get(key, "Not stated"))
        for key, items in found.items()
        if items or key in named
    )


# In the order in which a group lists them.
PRESENTERS: Mapping[str, Presenter] = {
    "MessageHeader": present_header,
    "ServiceRequest": present_request,
    "Task": present_task,
    "CarePlan": present_plan,
    "Condition": present_condition,
    "Encounter": present_encounter,
    "Procedure": present_procedure,
    "Communication": present_communication,
    "Appointment": present_appointment,
    "Slot": present_slot,
    "Schedule": present_schedule,
    "MedicationStatement": present_medication,
    "AllergyIntolerance": present_allergy,
    "Observation": present_observation,
    "QuestionnaireResponse": present_answers,
    "Questionnaire": present_questionnaire,
    "Patient": present_patient,
    "RelatedPerson": present_related,
    "Practitioner": present_practitioner,
    "PractitionerRole": present_role,
    "HealthcareService": present_service,
    "Organization": present_organisation,
    "Location": present_place,
    "Consent": present_consent,
}


def present_message(bundle: MessageBundle, now: datetime, *, is_over: bool = False) -> MessageView:
    """Everything that the message holds, in words; what has no place of its own comes last.

    No GUID is in the words, only among the codes of an item. Raises nothing for odd shapes: what a presenter
    cannot read is listed as it was sent.
    """
    message = Message.of(bundle, now)
    notes = Notes(set(), partial(name_in, bundle, now), now)
    placed: list[Placed] = present_bundle(Part(bundle.raw, (), notes.fresh()), message)
    warnings: list[Alert] = []
    for part in _resources(bundle, notes):
        kind = part.value.get("resourceType")
        if kind == "Flag":
            warnings.append(present_flag(part, message))
        elif isinstance(kind, str) and kind in PRESENTERS:
            placed += PRESENTERS[kind](part, message)
    warnings.sort(key=lambda each: (each.order, not each.is_alarm))
    groups = grouped(bundle, placed, other_items(message, notes))
    return without_ids(MessageView(top_facts(bundle, now, is_over=is_over), tuple(warnings), groups))


def _resources(bundle: MessageBundle, notes: Notes) -> list[Part]:
    """Each with codes of its own; what was read is noted for all."""
    order = {kind: place for place, kind in enumerate(PRESENTERS)}
    found = [
        Part(resource, ("entry", number, "resource"), notes.fresh())
        for number, entry in enumerate(as_list(bundle.raw.get("entry")))
        if (resource := as_dict(as_dict(entry).get("resource")))
    ]
    return sorted(found, key=lambda each: order.get(each.peek("resourceType"), len(order)))


def message_of(case: Case, now: datetime) -> MessageView | None:
    """The newest message that tells the whole case, in words."""
    return shown_message(telling_message(case), now, is_over=CaseStatus(case.status) not in OPEN)


def shown_message(
    message: InboundMessage | None, now: datetime, *, is_over: bool = False
) -> MessageView | None:
    """A kept message in words; None when it is not kept, or cannot be read.

    `is_over`: what it asked for is over since, so nothing of it is due.
    """
    if message is None:
        return None
    try:
        return present_message(MessageBundle(decode(message.body)), now, is_over=is_over)
    except OutcomeError:
        return None


_RESOURCE = 3  # ("entry", 3, "resource"): what follows is the place within the resource
_EXTENSIONS = ("extension", "modifierExtension")


def other_items(message: Message, notes: Notes) -> list[Item]:
    """An item for each resource that holds leaves which nobody has read."""
    unread = _unread(message, notes)
    grouped = groupby(unread, key=lambda found: _owner(found[0]))
    return [
        Item(_title(owner, message), tuple(_unread_row(message, path, value) for path, value in found))
        for owner, found in grouped
    ]


def _unread(message: Message, notes: Notes) -> Iterator[tuple[Path, Scalar]]:
    for path, value in leaves(message.bundle.raw):
        if path not in notes.seen and scalar_text(value) and not reason_not_shown(path, value):
            yield path, value


def _owner(path: Path) -> Path:
    """The entry of a leaf, () for the Bundle's own."""
    return path[:2] if path[0] == "entry" else ()


def _title(owner: Path, message: Message) -> str:
    value = _at(message.bundle.raw, (*owner, "resource")) if owner else None
    resource = as_dict(value)
    if not resource:
        return "The message itself"
    kind, name = sentence(as_text(resource.get("resourceType"))) or "Unnamed", message.name_of(resource)
    return kind if name.casefold() in (kind.casefold(), "") else f"{kind}: {name}"


def _unread_row(message: Message, path: Path, value: Scalar) -> Row:
    within = path[_RESOURCE:] if path[0] == "entry" else path
    text = scalar_text(value)
    return Row(_label(message, path, within), (line_ends(text),))


def _label(message: Message, path: Path, within: Path) -> str:
    """Name, family; an extension is named by the end of its address."""
    words: list[str] = []
    for place, step in enumerate(within):
        if isinstance(step, str) and step not in _EXTENSIONS:
            words.append(sentence(step.lstrip("_")))
        elif isinstance(step, int) and place and within[place - 1] in _EXTENSIONS:
            whole = path[: len(path) - len(within) + place + 1]
            url = as_text(as_dict(_at(message.bundle.raw, whole)).get("url"))
            words.append(sentence(url.rsplit("/", 1)[-1]) or "Extension")
    return ", ".join(word if not number else word.lower() for number, word in enumerate(words)) or "Value"


def _at(value: object, path: Path) -> object:
    for step in path:
        if isinstance(value, dict) and isinstance(step, str):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        else:
            return None
    return value


_WRITTEN = re.compile(rf"(?:urn:uuid:)?{UUID}")
# What stands in place of each GUID.
_Names = dict[str, str]


def without_ids(view: MessageView) -> MessageView:
    """The same page with no GUID in its words; each is listed with the codes of its item."""
    facts = tuple(_rows_without_ids(view.facts, _names(_texts_of_rows(view.facts))))
    warnings = tuple(map(_alert_without_ids, view.warnings))
    return MessageView(facts, warnings, tuple(map(_group_without_ids, view.groups)))


def _group_without_ids(group: Group) -> Group:
    return replace(group, items=tuple(_item_without_ids(each, _names(_texts(each))) for each in group.items))


def _alert_without_ids(alert: Alert) -> Alert:
    names = _names([*alert.says, *_texts(alert.item)])
    says = tuple(_hidden(each, names) for each in alert.says)
    return replace(alert, item=_item_without_ids(alert.item, names, Row("Warning", alert.says)), says=says)


def _item_without_ids(item: Item, names: _Names, *others: Row) -> Item:
    """Codes of its parts, and of what else is said with it, stand with the item: only it has a list."""
    if not names:
        return item
    found = _codes([*others, *_all_rows(item)], names)
    return replace(_parts_without_ids(item, names), codes=tuple(dict.fromkeys((*item.codes, *found))))


def _parts_without_ids(item: Item, names: _Names) -> Item:
    parts = tuple(_parts_without_ids(each, names) for each in item.parts)
    rows = tuple(_rows_without_ids(item.rows, names))
    return replace(item, title=_hidden(item.title, names), rows=rows, parts=parts)


def _rows_without_ids(rows: Iterable[Row], names: _Names) -> Iterator[Row]:
    for each in rows:
        lines = tuple(_hidden(line, names) for line in each.lines)
        yield Row(_hidden(each.label, names), lines)


def _hidden(text: str, names: _Names) -> str:
    return _WRITTEN.sub(lambda found: names[found[0]], text)


def _codes(rows: Iterable[Row], names: _Names) -> Iterator[Code]:
    """[technical ID] in Assessment narrative: the GUID."""
    for each in rows:
        for written in _written((each.label, *each.lines)):
            yield Code(f"{names[written]} in {_hidden(each.label, names)}", written)


def _names(texts: Iterable[str]) -> _Names:
    """Numbered only where several have to be told apart."""
    found = list(dict.fromkeys(_written(texts)))
    if len(found) == 1:
        return {found[0]: "[technical ID]"}
    return {written: f"[technical ID {number}]" for number, written in enumerate(found, 1)}


def _written(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        yield from _WRITTEN.findall(text)


def _texts(item: Item) -> Iterator[str]:
    return (text for row in _all_rows(item) for text in (row.label, *row.lines))


def _texts_of_rows(rows: Iterable[Row]) -> Iterator[str]:
    return (text for row in rows for text in (row.label, *row.lines))


def _all_rows(item: Item) -> Iterator[Row]:
    """Its title, its rows and those of its parts."""
    yield Row(item.title, ())
    yield from item.rows
    for part in item.parts:
        yield from _all_rows(part)

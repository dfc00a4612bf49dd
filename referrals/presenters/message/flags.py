"""Flags: the warnings that stand on top, safeguarding and scene safety before all others."""

from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.codes import FlagCategory
from bars_portal.exchange.fhir.reading import as_text, codings
from referrals.mapping.clinical import has_safeguarding, scene_is_unsafe
from referrals.presenters.message.items import make_item, rows_of
from referrals.presenters.message.message import Message
from referrals.presenters.message.model import Alert
from referrals.presenters.message.reader import Part
from referrals.presenters.message.values import lines_of

_ORDER = (FlagCategory.SAFEGUARDING, FlagCategory.SCENE_SAFETY)
_FIELDS = {
    "status": "Status",
    "period": "In force",
    "author": "Raised by",
    "identifier": "Number",
}


def present_flag(part: Part, message: Message) -> Alert:
    titles, says = lines_of(part, "category", "Category"), lines_of(part, "code", "Warning")
    # A display that says something else than its code may cost a life.
    says += [f"Our code list says: {each.meaning}" for each in part.notes.codes if each.meaning]
    rows = [*rows_of(part, _FIELDS), *message.about(part), *message.case(part)]
    item = make_item(part, ": ".join(titles) or "Warning", rows)
    # The worklist's own rule, asked about this flag alone.
    alone = MessageBundle({"entry": [{"resource": part.value}]})
    return Alert(item, tuple(says), has_safeguarding(alone) or scene_is_unsafe(alone), _order(part))


def _order(part: Part) -> int:
    codes = {as_text(each.get("code")) for each in codings(part.value.get("category"))}
    return next((place for place, each in enumerate(_ORDER) if each.value in codes), len(_ORDER))

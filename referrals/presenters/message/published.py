"""Questionnaire: the questions as published, with the answers that could be given; only looked up."""

from referrals.presenters.message.concepts import distinct
from referrals.presenters.message.items import make_item, row, rows_of
from referrals.presenters.message.message import Message, Placed
from referrals.presenters.message.model import Item
from referrals.presenters.message.reader import Part
from referrals.presenters.message.values import lines_of

_FIELDS = {
    "description": "Description",
    "name": "Name",
    "version": "Version",
    "status": "Status",
    "experimental": "Experimental",
    "date": "Dated",
    "publisher": "Publisher",
    "identifier": "Number",
    "purpose": "Purpose",
    "url": "Address",
}
_QUESTION = {"type": "Kind of answer", "required": "Must be answered", "repeats": "More than one answer"}


def present_questionnaire(part: Part, message: Message) -> list[Placed]:
    title = part.text("title") or message.title(part)
    questions = [_question(each) for each in part.parts("item")]
    item = make_item(part, f"{title}: as published", rows_of(part, _FIELDS), parts=questions, is_folded=True)
    return [("questionnaires", item)]


def _question(part: Part) -> Item:
    options = part.parts("answerOption")
    answers = distinct([line for each in options for line in lines_of(each, "value[x]", "Possible answer")])
    rows = row("Possible answers", answers)
    for condition in part.parts("enableWhen"):
        condition.notes.code("Asked when", condition.text("operator"))
        rows += rows_of(condition, {"answer[x]": "Asked when the answer before is"})
    nested = tuple(_question(each) for each in part.parts("item"))
    return Item(part.text("text") or "Question", (*rows, *rows_of(part, _QUESTION)), nested)

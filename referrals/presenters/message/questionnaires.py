"""QuestionnaireResponse: each question with its answer; rejected services and sources stand apart."""

from collections.abc import Iterator

from referrals.presenters.message.extensions import extension_lines
from referrals.presenters.message.items import make_item, row, rows_of
from referrals.presenters.message.message import Message, Placed
from referrals.presenters.message.model import Item, Row
from referrals.presenters.message.reader import Part
from referrals.presenters.message.values import lines_of
from referrals.presenters.message.words import sentence

_REASON = "questionnaireresponse-reason"
# The first question's linkId, or how the reason begins, decides where the answers stand.
_GROUPS = {"rejectedservices": "rejected", "additionalsources": "sources"}
_REASONS = {"rejected services": "rejected", "additional information sources": "sources"}
_FIELDS = {
    "status": "Status",
    "authored": "Answered",
    "author": "Written by",
    "source": "Told by",
    "identifier": "Number",
    "basedOn": "Based on",
}


def present_answers(part: Part, message: Message) -> list[Placed]:
    reason = extension_lines(part, _REASON, "About")
    canonical = part.text("questionnaire")
    if canonical:
        part.notes.code("Questionnaire", canonical)
    questions = part.parts("item")
    rows = [*_answers(questions), *rows_of(part, _FIELDS), *message.about(part), *message.case(part)]
    title = next(iter(reason), "") or sentence(canonical.rsplit("/", 1)[-1]) or "Questionnaire"
    item = make_item(part, title, [*rows, *row("About", reason[1:])], parts=list(_sections(questions)))
    return [(_group(questions, title), item)]


def _group(questions: list[Part], title: str) -> str:
    first = questions[0].peek("linkId").casefold() if questions else ""
    named = (group for start, group in _REASONS.items() if title.casefold().startswith(start))
    return _GROUPS.get(first) or next(named, "questionnaires")


def _answers(questions: list[Part]) -> list[Row]:
    """A row for each question that was answered, or left open."""
    rows: list[Row] = []
    for question in questions:
        nested = question.parts("item")
        answers = question.parts("answer")
        if answers or not nested:
            label = _label(question)
            lines = [line for each in answers for line in lines_of(each, "value[x]", label)]
            rows.append(Row(label, tuple(lines)))
            rows += _answers([inner for each in answers for inner in each.parts("item")])
    return rows


def _sections(questions: list[Part]) -> Iterator[Item]:
    """Questions that hold others: Service1 becomes a part of its own, "Service 1"."""
    for question in questions:
        nested = question.parts("item")
        if nested:
            yield Item(_label(question), tuple(_answers(nested)), tuple(_sections(nested)))


def _label(question: Part) -> str:
    link = question.text("linkId")
    words = sentence(link)
    numbered = words.rstrip("0123456789")
    if numbered and numbered != words:
        words = f"{numbered} {words[len(numbered) :]}"
    return question.text("text") or words or "Question"

"""CodeableConcept and Coding: the words on the page, the codes one click away."""

from referrals.presenters.message.reader import Part
from referrals.presenters.message.words import code_words, is_published, known_display, line_ends, system_name


def concept_lines(concept: Part, label: str) -> list[str]:
    """Its displays, then its text where that says more."""
    shown = [coding_line(each, label) for each in concept.parts("coding")]
    return distinct([*shown, line_ends(concept.text("text"))])


def coding_line(coding: Part, label: str) -> str:
    """The display as sent, else ours, else the code; never silent about a display of another meaning."""
    code, system, sent = coding.text("code"), coding.text("system"), coding.text("display")
    known = known_display(system, code)
    meaning = known if sent and known.casefold() != sent.casefold() and is_published(system) else ""
    if code or system:
        coding.notes.code(label, code, system_name(system), meaning)
    shown = sent or known or code
    return shown[:1].upper() + shown[1:] if shown[1:2].islower() else shown


def code_line(code: str, part: Part, label: str) -> str:
    """A bare code of FHIR in words; the code itself is kept where the words differ."""
    words = code_words(code)
    if words.casefold() != code.casefold():
        part.notes.code(label, code)
    return words


def distinct(lines: list[str]) -> list[str]:
    """Without empty lines, and without saying the same twice."""
    kept: dict[str, str] = {}
    for line in lines:
        if line:
            kept.setdefault(line.casefold(), line)
    return list(kept.values())

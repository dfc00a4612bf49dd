"""A code or words in one field: typed words that stand in a list become its code.

A code that no list has is written "Amoxicillin [SNOMED 372687004]".
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from django.core.exceptions import ValidationError

from bars_portal.nhsuk.forms import TextField
from referrals.cases.codes import LINE, NOTHING, CodeList, Concept
from referrals.forms.base import FormContext, PartForm, Typed, area, filled

SNOMED = "http://snomed.info/sct"
_NHS = "https://fhir.nhs.uk/CodeSystem/"
# Short names of code systems, as people may type them.
SYSTEMS: Mapping[str, str] = {
    "SNOMED": SNOMED,
    "dm+d": "https://dmd.nhs.uk/",
    "DX": f"{_NHS}pathways-dx-codes",
    "SD": f"{_NHS}pathways-sd-codes",
    "SG": f"{_NHS}pathways-sg-codes",
    "AMPDS": f"{_NHS}ampds-dispatch-codes",
    "Adjustment": f"{_NHS}reasonable-adjustment-codes-bars",
}
_SHORT = {system: short for short, system in SYSTEMS.items()}
_CODED = re.compile(r"(?:(?P<display>.*) )?\[(?P<system>[!-~]+) (?P<code>[!-~]+(?: [!-~]+)*)\]", re.DOTALL)
_LONGEST = 2 * LINE + 70


class ConceptField(TextField):
    """One line with a list to choose from (an HTML datalist: it needs no script)."""

    def __init__(
        self,
        label: str,
        *,
        codes: CodeList = NOTHING,
        hint: str = "",
        missing: str = "",
        width: int | None = None,
    ) -> None:
        super().__init__(
            label=label,
            hint=hint,
            missing=missing,
            required=False,
            max_length=_LONGEST,
            autocomplete="off",
            width=width,
        )
        self.codes = codes
        if codes.codes:
            self.options["attributes"] = {"list": f"list-{codes.key}"}

    def normalise(self, text: str) -> str:
        coded = _CODED.fullmatch(text)
        if coded is not None and not coded["display"] and _system(coded["system"]):
            words = "Put what the code means before it, like Amoxicillin [SNOMED 372687004]"
            raise ValidationError(words, code="display")
        return text


class ConceptForm(PartForm):
    """A part that is a code or words: `what`, and `words` for more. One of them must be there."""

    def __init__(self, *args: Any, asked: FormContext, **kwargs: Any) -> None:
        super().__init__(*args, asked=asked, **kwargs)
        for field in self.fields.values():
            if isinstance(field, ConceptField):
                field.codes = asked.codes.get(field.codes.key, field.codes)

    def clean(self) -> dict[str, Any]:
        self.need_concept()
        return self.cleaned_data

    def concept(self) -> Concept:
        """Of a form that has one."""
        return self.read_concept() or Concept()

    def read_concept(self) -> Concept | None:
        return read_concept(self.text("what"), self.text("words"), codes_of(self))

    def need_concept(self) -> None:
        """For clean(): one of the two is there."""
        if not any(self.text(name) or name in self.errors for name in ("what", "words")):
            self.add_error("what", str(self.fields["what"].error_messages["required"]))


def more_words(label: str = "More about it, in your own words") -> Any:
    return area(label, rows=2)


def codes_of(form: PartForm, name: str = "what") -> CodeList:
    field = form.fields[name]
    return field.codes if isinstance(field, ConceptField) else NOTHING


def read_concept(what: str, more: str, codes: CodeList = NOTHING) -> Concept | None:
    """None when both are empty. May raise pydantic's ValidationError."""
    known = codes.by_words.get(what.casefold()) if what else None
    if known is not None:
        return Concept(known.system, known.code, known.display, more)
    coded = _CODED.fullmatch(what)
    if coded is not None and (system := _system(coded["system"])):
        return Concept(system, coded["code"], coded["display"] or "", more)
    text = "\n".join(each for each in (what, more) if each)
    return Concept(text=text) if text else None


def write_concept(concept: Concept, codes: CodeList = NOTHING) -> Typed:
    """The two fields that are read as this concept."""
    if not concept.code:
        fits = len(concept.text) <= LINE and "\n" not in concept.text
        plain = fits and read_concept(concept.text, "", codes) == concept
        return filled({"what" if plain else "words": concept.text})
    listed = f"{concept.display} ({concept.code})"
    same = codes.by_words.get(listed.casefold())
    if same is None or (same.system, same.code, same.display) != (
        concept.system,
        concept.code,
        concept.display,
    ):
        code = f"[{_SHORT.get(concept.system, concept.system)} {concept.code}]"
        listed = f"{concept.display} {code}" if concept.display else code
    return filled({"what": listed, "words": concept.text})


def in_words(typed: str, codes: CodeList) -> str:
    """What stands in the list for it, so that a mistyped code is seen before it is sent."""
    known = codes.by_words.get(typed.casefold())
    return f"{known.display} ({known.code})" if known else typed


def lists_of(forms: Iterable[PartForm]) -> dict[str, list[str]]:
    """What the page's datalists hold, by key."""
    fields = (field for form in forms for field in form.fields.values())
    lists = (field.codes for field in fields if isinstance(field, ConceptField))
    return {each.key: each.options for each in lists if each.codes}


def _system(name: str) -> str:
    """Only what can be a system: words in brackets are words."""
    return SYSTEMS.get(name, name if ":" in name else "")

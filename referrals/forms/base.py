"""What the pages of a request share: fields that the use case decides, a list below, what they come to.

Many are a code or words in one field: typed words that stand in a list become its code, and a code that no
list has is written "Amoxicillin [SNOMED 372687004]".
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

import pydantic
from django.core.exceptions import ValidationError
from django.forms.utils import ErrorDict

from bars_portal.exchange.fhir.codes import UseCase
from bars_portal.nhsuk.forms import NHSForm, SelectField, TextareaField, TextField
from referrals.cases.codes import LINE, NOTHING, WORDS, CodeList, Concept
from referrals.parts.applications import Need, Part, needs_of
from referrals.parts.content import RequestContent

Typed = dict[str, str]
_CANNOT_BE_USED = "cannot be used as it is typed"


@dataclass(frozen=True)
class FormContext:
    """What a form must know of its request. `opened` is when somebody began to write it."""

    use_case: UseCase
    opened: datetime
    # The lists of this installation, by name; those that it does not have are the published ones.
    codes: Mapping[str, CodeList] = field(default_factory=dict, compare=False, repr=False)

    def need(self, part: Part) -> Need:
        return needs_of(self.use_case)[part]

    def has(self, part: Part) -> bool:
        return self.need(part) is not Need.ABSENT

    def requires(self, part: Part) -> bool:
        return self.need(part) is Need.REQUIRED


class PartForm(NHSForm):
    """Fields of one step, or of one row of its list.

    `part_of`: fields that are there only where the use case has the part, and required where it asks for it.
    `preset`: fields that say nothing alone, so that a row with no others is empty.
    """

    part_of: ClassVar[Mapping[str, Part]] = {}
    preset: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, *args: Any, asked: FormContext, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asked = asked
        for name, part in self.part_of.items():
            self.fields[name].required = asked.requires(part)
            if not asked.has(part):
                del self.fields[name]
        self.adapt()

    def adapt(self) -> None:
        """Changes to the fields that are not told by `part_of`."""

    def stated(self) -> Any:
        """What a valid form says, in terms of referrals.parts; may raise pydantic's ValidationError."""
        raise NotImplementedError

    def read(self) -> Any:
        """What it says; None when it is not valid: then the errors are at the fields."""
        if not self.is_valid():
            return None
        try:
            return self.stated()
        except pydantic.ValidationError as error:
            for fault in error.errors():
                self._blame(str(fault["loc"][0]) if fault["loc"] else "", fault["msg"])
            return None

    def _blame(self, place: str, message: str) -> None:
        if place in self.fields:
            self.add_error(place, f"{self.fields[place].label} {_CANNOT_BE_USED}")
        elif message.startswith("Value error, "):
            self.add_error(None, message.removeprefix("Value error, "))
        else:
            self.add_error(None, f"An answer {_CANNOT_BE_USED}")

    def quiet(self) -> None:
        """Nobody has said that this is finished: what is missing so far is no error."""
        self._errors = ErrorDict()

    def answer(self, name: str) -> Any:
        """A cleaned value; None when the field is not there or not valid."""
        return self.cleaned_data.get(name)

    def text(self, name: str) -> str:
        return str(self.answer(name) or "")


def offer(
    form: PartForm, name: str, options: Sequence[tuple[str, str]], *, empty: str = "Select one"
) -> None:
    """Entries of a list that depend on the use case."""
    field = form.fields[name]
    if isinstance(field, SelectField):
        field.choices = field.offer([("", empty), *options])


def line(label: str, *, hint: str = "", required: bool = False, **options: Any) -> TextField:
    """One line, as long as the content allows."""
    given = {"max_length": LINE, "autocomplete": "off", **options}
    return TextField(label=label, hint=hint, required=required, **given)


def area(label: str, *, hint: str = "", required: bool = False, rows: int = 3) -> TextareaField:
    """Several lines, as long as the content allows."""
    return TextareaField(label=label, hint=hint, required=required, rows=rows, max_length=WORDS)


def select(
    label: str, options: Sequence[tuple[str, str]] | Callable[[], Any], *, hint: str = "", missing: str = ""
) -> SelectField:
    return SelectField(
        label=label, options=options, hint=hint, missing=missing, required=False, empty_text="Select one"
    )


def filled(answers: Mapping[str, object]) -> Typed:
    """As a form posts them; nothing for what is not stated."""
    return {name: str(value) for name, value in answers.items() if value not in (None, "")}


@dataclass(frozen=True)
class StepValues:
    """What was stated elsewhere, as the answers of a step."""

    fields: Typed = field(default_factory=dict)
    rows: tuple[Typed, ...] = ()


class Nothing(PartForm):
    """Steps that are only a list."""

    def stated(self) -> dict[str, Any]:
        return {}


class Step:
    """`slug`: in addresses; `section`: its heading in the task list; `row_name`: one of its list.

    `rows_name`: all of them, beside other fields; a step without fields is its list.
    """

    slug: ClassVar[str]
    title: ClassVar[str]
    section: ClassVar[str]
    parts: ClassVar[tuple[Part, ...]] = ()
    lead: ClassVar[str] = ""
    form: ClassVar[type[PartForm]] = Nothing
    row: ClassVar[type[PartForm] | None] = None
    row_name: ClassVar[str] = ""
    rows_name: ClassVar[str] = ""
    # To be answered although the use case has no such part.
    always: ClassVar[bool] = False

    def is_needed(self, asked: FormContext) -> bool:
        return self.always or any(asked.has(part) for part in self.parts)

    def is_required(self, asked: FormContext) -> bool:
        return self.always or any(asked.requires(part) for part in self.parts)

    def most(self, asked: FormContext) -> int:
        """How many rows the list may have."""
        return 20

    def state(self, form: PartForm, rows: tuple[Any, ...]) -> Mapping[str, Any]:
        """Fields of RequestContent; `rows` is what each row states. Adds errors to `form`."""
        raise NotImplementedError

    def given(self, content: RequestContent) -> StepValues:
        """The reverse of `state`."""
        raise NotImplementedError


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
        for each in self.fields.values():
            if isinstance(each, ConceptField):
                each.codes = asked.codes.get(each.codes.key, each.codes)

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
    found = form.fields[name]
    return found.codes if isinstance(found, ConceptField) else NOTHING


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
    fields = (each for form in forms for each in form.fields.values())
    lists = (each.codes for each in fields if isinstance(each, ConceptField))
    return {each.key: each.options for each in lists if each.codes}


def _system(name: str) -> str:
    """Only what can be a system: words in brackets are words."""
    return SYSTEMS.get(name, name if ":" in name else "")

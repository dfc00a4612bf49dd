"""The steps of a request: which there are, what was typed, and what it comes to.

A step is kept as one flat mapping {field: text}: fields of its list are "row-<n>-<field>", "rows" is how many
rows the page shows, "done" says that somebody pressed Continue.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from bars_portal.exchange.fhir.codes import UseCase
from bars_portal.nhsuk.forms import DateField
from bars_portal.nhsuk.forms.base import SummaryItem
from bars_portal.nhsuk.forms.dates import PARTS
from referrals.forms.assessment import AssessmentStep, ConditionStep, ExpectationsStep, TaskStep
from referrals.forms.base import FormContext, PartForm, Step, StepValues, Typed
from referrals.forms.patient import AllergiesStep, ConsentStep, MedicationStep, ObservationsStep
from referrals.forms.records import NotesStep, ProceduresStep, QuestionsStep, RejectedStep, SourcesStep
from referrals.forms.safety import FlagsStep, PlacesStep
from referrals.forms.times import TimesStep
from referrals.parts.content import RequestContent

STEPS: tuple[Step, ...] = (
    AssessmentStep(),
    ConditionStep(),
    TaskStep(),
    TimesStep(),
    FlagsStep(),
    PlacesStep(),
    QuestionsStep(),
    ProceduresStep(),
    NotesStep(),
    MedicationStep(),
    AllergiesStep(),
    ObservationsStep(),
    RejectedStep(),
    SourcesStep(),
    ExpectationsStep(),
    ConsentStep(),
)
BY_SLUG: Mapping[str, Step] = {each.slug: each for each in STEPS}


def steps_of(asked: FormContext) -> list[Step]:
    return [each for each in STEPS if each.is_needed(asked)]


def steps_not_needed(asked: FormContext) -> list[Step]:
    return [each for each in STEPS if not each.is_needed(asked)]


def step_of_part(part: str) -> str:
    """The slug of the step that asks for a part, as ContentInvalid names it; "" for none."""
    name = part.partition(".")[0]
    return next((each.slug for each in STEPS if name in {one.value for one in each.parts}), "")


ROWS, DONE = "rows", "done"
# PostgreSQL keeps no null bytes: the substitute is refused by every field, in words, just as they are.
_NULL, _SUBSTITUTE = "\x00", "\x1a"


def row_prefix(number: int) -> str:
    return f"row-{number}"


def rows_of(step: Step, typed: Mapping[str, str], asked: FormContext) -> int:
    """How many rows the page shows: at least one, at most what the step allows."""
    if step.row is None:
        return 0
    text = typed.get(ROWS, "1")
    said = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 1
    return max(1, min(said, step.most(asked)))


def typed_of_post(step: Step, posted: Mapping[str, str], asked: FormContext) -> Typed:
    """What the step's fields were given, valid or not; anything else is left out."""
    rows = rows_of(step, posted, asked)
    names = [*_names(step.form), *(name for n in range(rows) for name in row_names(step, n))]
    kept = {name: posted[name].replace(_NULL, _SUBSTITUTE) for name in names if name in posted}
    return kept | ({ROWS: str(rows)} if step.row else {})


def row_names(step: Step, number: int) -> Iterator[str]:
    if step.row is not None:
        yield from (f"{row_prefix(number)}-{name}" for name in _names(step.row))


def with_row(step: Step, typed: Typed, asked: FormContext) -> Typed:
    """One more empty row, if the list may have it."""
    return {**typed, ROWS: str(min(rows_of(step, typed, asked) + 1, step.most(asked)))}


def without_row(step: Step, typed: Typed, asked: FormContext, gone: str) -> Typed:
    """The rows below move up; a number that is none changes nothing."""
    rows = rows_of(step, typed, asked)
    numbers = [n for n in range(rows) if str(n) != gone]
    kept = {name: text for name, text in typed.items() if not name.startswith("row-")}
    for new, old in enumerate(numbers):
        pairs = zip(row_names(step, new), row_names(step, old), strict=True)
        kept |= {name: typed[before] for name, before in pairs if before in typed}
    return {**kept, ROWS: str(max(1, len(numbers)))}


def flat(step: Step, given: StepValues) -> Typed:
    """Answers of a step as they are kept, as if somebody had typed them and pressed Continue."""
    kept = dict(given.fields)
    for number, row in enumerate(given.rows):
        kept |= {f"{row_prefix(number)}-{name}": text for name, text in row.items()}
    return kept | ({ROWS: str(max(1, len(given.rows)))} if step.row else {}) | {DONE: "1"}


def _names(form: type[PartForm]) -> Iterator[str]:
    for name, shown in form.base_fields.items():
        if isinstance(shown, DateField):
            yield from (f"{name}-{part}" for part in PARTS)
        else:
            yield name


@dataclass(frozen=True)
class ReadStep:
    """`stated` is what it adds to the content; {} when something in it is wrong. `used`: rows not empty."""

    step: Step
    form: PartForm
    rows: tuple[PartForm, ...]
    used: tuple[bool, ...]
    done: bool
    stated: Mapping[str, Any] = field(default_factory=dict)

    @property
    def problems(self) -> list[SummaryItem]:
        """The first error of each field, in the order of the page."""
        return [item for form in self.said if form.is_bound for item in form.summary()]

    @property
    def is_valid(self) -> bool:
        return not self.problems

    @property
    def is_required(self) -> bool:
        return self.step.is_required(self.form.asked)

    @property
    def can_grow(self) -> bool:
        """Whether its list may have one more row."""
        return self.step.row is not None and len(self.rows) < self.step.most(self.form.asked)

    @property
    def said(self) -> list[PartForm]:
        """Forms in which something stands."""
        return [self.form, *self.used_rows]

    @property
    def used_rows(self) -> list[PartForm]:
        return [row for row, is_used in zip(self.rows, self.used, strict=True) if is_used]


def read_step(step: Step, typed: Typed | None, asked: FormContext) -> ReadStep:
    """`typed` is None for a step that nobody has opened."""
    form = step.form(typed, asked=asked)
    given = typed or {}
    numbers = range(rows_of(step, given, asked))
    rows = tuple(step.row(typed, asked=asked, prefix=row_prefix(n)) for n in numbers) if step.row else ()
    used = tuple(_is_used(step, given, number) for number in numbers)
    for row, is_used in zip(rows, used, strict=True):
        if not is_used:
            row.quiet()
    read = ReadStep(step, form, rows, used, DONE in given)
    return replace(read, stated=_stated(read)) if typed is not None else read


def content_of(use_case: UseCase, steps: Iterable[ReadStep]) -> RequestContent:
    """What valid steps say together."""
    stated: dict[str, Any] = {}
    for each in steps:
        stated |= each.stated
    return replace(RequestContent(use_case=use_case), **stated)


def typed_of(content: RequestContent, asked: FormContext) -> dict[str, Typed]:
    """The steps of a request that is written again, as if somebody had typed them."""
    return {step.slug: flat(step, step.given(content)) for step in steps_of(asked)}


def _is_used(step: Step, typed: Typed, number: int) -> bool:
    preset = {f"{row_prefix(number)}-{name}" for name in step.row.preset} if step.row else set()
    return any(typed.get(name, "").strip() for name in row_names(step, number) if name not in preset)


def _stated(read: ReadStep) -> Mapping[str, Any]:
    rows = tuple(row.read() for row in read.used_rows)
    read.form.read()
    if read.form.errors or any(row.errors for row in read.used_rows):
        return {}
    try:
        stated = read.step.state(read.form, rows)
    except ValidationError:
        read.form.add_error(None, "These answers cannot be used together")
        return {}
    return {} if read.form.errors else stated

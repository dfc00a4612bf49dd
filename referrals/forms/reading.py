"""A draft's answers read: step by step, and all of them together as the content of the request."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from bars_portal.exchange.fhir.codes import UseCase
from bars_portal.nhsuk.forms.base import SummaryItem
from referrals.content import RequestContent
from referrals.forms.base import Answers, Asked, PartForm
from referrals.forms.step import Step
from referrals.forms.steps import steps_of
from referrals.forms.typing_in import DONE, flat, row_names, row_prefix, rows_of

Typed = Mapping[str, Answers]


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
        used = (form for form, is_used in zip(self.rows, self.used, strict=True) if is_used)
        return [item for form in (self.form, *used) if form.is_bound for item in form.summary()]

    @property
    def is_valid(self) -> bool:
        return not self.problems

    @property
    def said(self) -> list[PartForm]:
        """Forms in which something stands."""
        return [self.form, *(row for row, used in zip(self.rows, self.used, strict=True) if used)]


def read_step(step: Step, typed: Answers | None, asked: Asked) -> ReadStep:
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


def answers_of(content: RequestContent, asked: Asked) -> dict[str, Answers]:
    """The steps of a request that is written again, as if somebody had typed them."""
    return {step.slug: flat(step, step.given(content)) for step in steps_of(asked)}


def _is_used(step: Step, typed: Answers, number: int) -> bool:
    preset = {f"{row_prefix(number)}-{name}" for name in step.row.preset} if step.row else set()
    return any(typed.get(name, "").strip() for name in row_names(step, number) if name not in preset)


def _stated(read: ReadStep) -> Mapping[str, Any]:
    used = [row for row, is_used in zip(read.rows, read.used, strict=True) if is_used]
    rows = tuple(row.read() for row in used)
    read.form.read()
    if read.form.errors or any(row.errors for row in used):
        return {}
    try:
        stated = read.step.state(read.form, rows)
    except ValidationError:
        read.form.add_error(None, "These answers cannot be used together")
        return {}
    return {} if read.form.errors else stated

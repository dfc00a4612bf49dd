"""What a request states, as JSON: a section for each step of the pages; as a schema, and both ways.

The forms of the pages are all that is read here: a field that they gain is a field of the API. A section is
an object with the fields of its step, and with its list by name; where a step is a list alone, so is the
section. Moments have an offset, a code is {"system", "code", "display"} or the words that a page takes.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.forms import Field

from bars_portal.api.forms import as_posted, escaped, property_of, wrong_type
from bars_portal.api.operations import Json, component, moment, object_of, text
from bars_portal.api.problems import FieldFault, faults_of
from bars_portal.exchange.fhir.codes import UseCase
from bars_portal.nhsuk.dates import in_london
from bars_portal.nhsuk.forms import ConfirmField, DateField
from referrals.cases import settings
from referrals.cases.codes import LINE, Concept, lists_from
from referrals.forms import base, times
from referrals.forms.base import ConceptField, FormContext, Nothing, PartForm, Step, Typed
from referrals.forms.steps import (
    BY_SLUG,
    ROWS,
    ReadStep,
    content_of,
    read_step,
    row_prefix,
    step_of_part,
    steps_of,
)
from referrals.parts.content import ContentInvalid, RequestContent, check_parts

AT = "/content"
_MOMENT = "This must be a time with its offset, like 2026-12-01T09:00:00+00:00."
_NO_SUCH_FIELD = "There is no such field."
_NO_SUCH_PART = "A request of this kind has no such part."
_SYSTEM = re.compile(r"[!-~]{1,200}")
_CODE = re.compile(r"[!-~]+(?: [!-~]+)*")
_LONGEST_CODE = 100
CODE = component(
    "Code",
    object_of(
        {
            "system": text(f"Its address, or one of {', '.join(base.SYSTEMS)}.", maxLength=LINE),
            "code": text(maxLength=_LONGEST_CODE),
            "display": text("What it means; not needed for a code of a list that the pages offer."),
        },
        required=("system", "code"),
    ),
)


def context_of(use_case: UseCase, opened: datetime) -> FormContext:
    """With the lists of codes of this installation. `opened`: now, or when the case was made."""
    return FormContext(use_case, opened, lists_from(settings.offered_codes()))


def section_of(step: Step) -> str:
    return step.slug.replace("-", "_")


# -- as a schema


def content_schema(use_case: UseCase) -> Json:
    """Of all that `read_content` takes for the use case; the same for every one of its Application."""
    asked = FormContext(use_case, datetime(2026, 1, 1, tzinfo=UTC))
    steps = steps_of(asked)
    required = tuple(section_of(each) for each in steps if each.is_required(asked))
    return object_of({section_of(each): _section_schema(each, asked) for each in steps}, required=required)


def _section_schema(step: Step, asked: FormContext) -> Json:
    described = " ".join(filter(None, (f"{step.title}.", step.lead)))
    form = step.form(asked=asked)
    if step.row is None:
        return {**_form_schema(form), "description": described}
    rows: Json = {
        "type": "array",
        "items": _form_schema(step.row(asked=asked)),
        "maxItems": step.most(asked),
    }
    if _is_list(step):
        return {**rows, "description": described}
    own = _form_schema(form)
    own["properties"][step.rows_name] = {**rows, "description": f"Each {step.row_name}."}
    return {**own, "description": described}


def _form_schema(form: PartForm) -> Json:
    required = tuple(name for name in _names(form) if form.fields[name].required)
    return object_of({name: _property(form, name) for name in _names(form)}, required=required)


def _property(form: PartForm, name: str) -> Json:
    known = form.fields[name]
    if _is_moment(form, name):
        return moment(str(known.label))
    if isinstance(known, ConceptField):
        plain: Json = {"type": "string", "maxLength": known.max_length}
        return {"anyOf": [plain, CODE.ref], "description": str(known.label)}
    described = property_of(known)
    if "enum" in described:
        options = ((value, label) for value, label in _choices(known) if value)
        words = "; ".join(
            label if label.startswith(value) else f"{value}: {label}" for value, label in options
        )
        described["description"] = f"{described['description']} ({words})"
    return described


def _choices(known: Field) -> list[tuple[str, str]]:
    choices = getattr(known, "choices", ())
    return [(str(value), str(label)) for value, label in (choices() if callable(choices) else choices)]


def _is_list(step: Step) -> bool:
    return step.row is not None and step.form is Nothing


def _names(form: PartForm) -> list[str]:
    """A day and its time of day are one moment here."""
    return [name for name in form.fields if name == _day(name) or _day(name) not in form.fields]


def _day(name: str) -> str:
    return name.removesuffix("_time")


def _is_moment(form: PartForm, name: str) -> bool:
    known = form.fields[name]
    return isinstance(known, times.ClockField | times.KeptMomentField) or _has_time(form, name)


def _has_time(form: PartForm, name: str) -> bool:
    return isinstance(form.fields[name], DateField) and f"{name}_time" in form.fields


# -- from JSON


@dataclass
class _Section:
    """What of a section a page would post, and what is wrong with it before any form is asked."""

    typed: Typed = field(default_factory=dict)
    faults: list[FieldFault] = field(default_factory=list)


def read_content(
    given: Mapping[str, Any], asked: FormContext, *, at: str = AT
) -> tuple[RequestContent | None, list[FieldFault]]:
    """What is stated, or every fault of it in the words of the pages; one of the two is empty."""
    faults = list(_strangers(given, asked, at))
    reads: list[ReadStep] = []
    for step in steps_of(asked):
        where, stated = f"{at}/{section_of(step)}", given.get(section_of(step))
        if stated is None:
            read = read_step(step, None, asked)
            if read.is_required:
                faults.append(FieldFault(f"{step.title}: answer this step", pointer=where))
        else:
            section = _posted(step, stated, asked, where)
            read = read_step(step, section.typed, asked)
            faults += _all_faults(read, section.faults, where)
        reads.append(read)
    if faults:
        return None, faults
    content = content_of(asked.use_case, reads)
    try:
        check_parts(content)
    except ContentInvalid as invalid:
        return None, list(faults_of_parts(invalid, at=at))
    return content, []


def faults_of_parts(invalid: ContentInvalid, *, at: str = AT) -> Iterator[FieldFault]:
    """The content's own rules, should the forms have overlooked one."""
    for part in dict.fromkeys(invalid.fields):
        if part.startswith("patient."):
            yield FieldFault("Enter a call-back phone number", pointer="/patient/phone")
        elif slug := step_of_part(part):
            yield FieldFault(
                f"{BY_SLUG[slug].title}: answer this step", pointer=f"{at}/{section_of(BY_SLUG[slug])}"
            )
        else:
            yield FieldFault(
                "Something that this kind of request needs is missing or cannot be used.", pointer=at
            )


def _strangers(given: Mapping[str, Any], asked: FormContext, at: str) -> Iterator[FieldFault]:
    wanted = {section_of(each) for each in steps_of(asked)}
    known = {section_of(each) for each in BY_SLUG.values()}
    for name in given:
        if name not in wanted:
            words = _NO_SUCH_PART if name in known else _NO_SUCH_FIELD
            yield FieldFault(words, pointer=f"{at}/{escaped(name)}")


def _posted(step: Step, given: object, asked: FormContext, at: str) -> _Section:
    section = _Section()
    fields: object = {} if _is_list(step) else given
    if not isinstance(fields, dict):
        section.faults.append(FieldFault("This must be an object.", pointer=at))
        return section
    _post_fields(
        step.form(asked=asked), {k: v for k, v in fields.items() if k != step.rows_name}, section, at
    )
    rows = given if _is_list(step) else fields.get(step.rows_name)
    if step.row is not None and rows is not None:
        _post_rows(step, step.row, rows, asked, section, _rows_at(step, at))
    return section


def _rows_at(step: Step, at: str) -> str:
    return at if _is_list(step) else f"{at}/{step.rows_name}"


def _post_rows(
    step: Step, row: type[PartForm], given: object, asked: FormContext, section: _Section, at: str
) -> None:
    if not isinstance(given, list):
        section.faults.append(FieldFault("This must be a list.", pointer=at))
        return
    if len(given) > step.most(asked):
        section.faults.append(FieldFault(f"There may be {step.most(asked)} at most.", pointer=at))
        return
    section.typed[ROWS] = str(len(given))
    for number, each in enumerate(given):
        if isinstance(each, dict):
            _post_fields(row(asked=asked, prefix=row_prefix(number)), each, section, f"{at}/{number}")
        else:
            section.faults.append(FieldFault("This must be an object.", pointer=f"{at}/{number}"))


def _post_fields(form: PartForm, given: Mapping[str, Any], section: _Section, at: str) -> None:
    known = _names(form)
    for name, value in given.items():
        where = f"{at}/{escaped(name)}"
        if name not in known:
            section.faults.append(FieldFault(_NO_SUCH_FIELD, pointer=where))
        elif value is not None:
            posted = _field(form, name, value, where)
            if isinstance(posted, FieldFault):
                section.faults.append(posted)
            else:
                section.typed |= {form.add_prefix(key): words for key, words in posted.items()}


def _field(form: PartForm, name: str, value: object, at: str) -> Typed | FieldFault:
    """As a page posts it."""
    known = form.fields[name]
    if _is_moment(form, name):
        read = _moment(value)
        return FieldFault(_MOMENT, pointer=at) if read is None else _write_moment(form, name, read)
    if isinstance(known, ConceptField) and isinstance(value, dict):
        return _coded(form, name, value, at)
    wrong = wrong_type(known, value)
    return FieldFault(wrong, pointer=at) if wrong else as_posted(name, known, value)


def _moment(value: object) -> datetime | None:
    """To the second, as a request keeps it."""
    if not isinstance(value, str) or "T" not in value:
        return None
    try:
        read = datetime.fromisoformat(value)
        return None if read.tzinfo is None else read.astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError):
        return None


def _write_moment(form: PartForm, name: str, read: datetime) -> Typed:
    if _has_time(form, name):
        return times.write_moment(name, read)
    return {
        name: read.isoformat()
        if isinstance(form.fields[name], times.KeptMomentField)
        else times.write_clock(read)
    }


def _coded(form: PartForm, name: str, value: Mapping[str, Any], at: str) -> Typed | FieldFault:
    """Written so that the page's field reads this code: one that it took for words would be lost."""
    for each in value:
        if each not in CODE.schema["properties"]:
            return FieldFault("A code has system, code and display.", pointer=f"{at}/{escaped(each)}")
    system, code, display = (value.get(each, "") for each in ("system", "code", "display"))
    if not isinstance(system, str) or not _SYSTEM.fullmatch(system):
        return FieldFault("Enter the address of the code's system", pointer=f"{at}/system")
    system = base.SYSTEMS.get(system, system)
    if ":" not in system:
        return FieldFault("Enter the address of the code's system", pointer=f"{at}/system")
    if not isinstance(code, str) or len(code) > _LONGEST_CODE or not _CODE.fullmatch(code):
        return FieldFault("Enter the code", pointer=f"{at}/code")
    if display is None:
        display = ""
    if not isinstance(display, str) or len(display) > LINE or not display.isprintable():
        return FieldFault(f"This must be a text of {LINE} characters or fewer.", pointer=f"{at}/display")
    codes = base.codes_of(form, name)
    listed = codes.by_words.get(code.casefold())
    if not display and listed is not None and (listed.system, listed.code) == (system, code):
        display = listed.display
    concept = Concept(system, code, display)
    return {name: base.write_concept(concept, codes)["what"]}


def _all_faults(read: ReadStep, before: list[FieldFault], at: str) -> list[FieldFault]:
    """Of the JSON, then of the forms; what the JSON spoilt is not blamed twice."""
    spoilt = [each.pointer or "" for each in before if each.detail != _NO_SUCH_FIELD]
    found = list(_in_form(read.form, at))
    posted = int((read.form.data or {}).get(ROWS, "0"))
    for number, (row, is_used) in enumerate(zip(read.rows, read.used, strict=True)):
        where = f"{_rows_at(read.step, at)}/{number}"
        if is_used:
            found += _in_form(row, where)
        elif number < posted:
            found.append(FieldFault("Fill this in, or leave it out.", pointer=where))
    return [
        *before,
        *(each for each in found if not any(_are_one(each.pointer or "", one) for one in spoilt)),
    ]


def _are_one(first: str, second: str) -> bool:
    """One of the two is in the other, or they are the same place."""
    return f"{first}/".startswith(f"{second}/") or f"{second}/".startswith(f"{first}/")


def _in_form(form: PartForm, at: str) -> Iterator[FieldFault]:
    """A time of day is part of its moment."""
    names = _names(form)
    for each in faults_of(form, at=at):
        path, _, name = (each.pointer or "").rpartition("/")
        plain = name in form.fields and name not in names
        yield FieldFault(each.detail, pointer=f"{path}/{_day(name)}") if plain else each


# -- to JSON


def content_json(content: RequestContent, asked: FormContext) -> Json:
    """What `read_content` reads as this content; bookings apart, which are no part of what is typed.

    Whether the forms would take it today is not asked.
    """
    found: Json = {}
    for step in steps_of(asked):
        given = step.given(content)
        rows = [_stated(step.row(asked=asked), each) for each in given.rows] if step.row else []
        if _is_list(step):
            section: Any = rows
        else:
            own = _stated(step.form(asked=asked), given.fields)
            section = {**own, **({step.rows_name: rows} if rows else {})}
        if section:
            found[section_of(step)] = section
    return found


def _stated(form: PartForm, typed: Typed) -> Json:
    values = ((name, _value(form, name, typed)) for name in _names(form))
    return {name: value for name, value in values if value not in (None, "")}


def _value(form: PartForm, name: str, typed: Typed) -> Any:
    known, words = form.fields[name], typed.get(name, "")
    if _is_moment(form, name):
        at = _written(form, name, typed)
        return in_london(at).isoformat() if at else None
    if isinstance(known, ConfirmField):
        return bool(words) or None
    if isinstance(known, DateField):
        return times.part_day_written(name, typed)
    published = form.base_fields[name]
    if isinstance(published, ConceptField):
        # By the list that it was written with: this installation may have another.
        concept = base.read_concept(words, "", published.codes)
        coded = concept is not None and concept.code
        return {each: getattr(concept, each) for each in CODE.schema["properties"]} if coded else words
    return words


def _written(form: PartForm, name: str, typed: Typed) -> datetime | None:
    if _has_time(form, name):
        return times.moment_written(name, typed)
    words = typed.get(name, "")
    return (
        _moment(words) if isinstance(form.fields[name], times.KeptMomentField) else times.clock_written(words)
    )

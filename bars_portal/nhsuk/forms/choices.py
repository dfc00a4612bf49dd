"""One or several of a list."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Unpack

from django import forms
from django.core.exceptions import ValidationError

from bars_portal.nhsuk.forms.text import Given, Worded
from bars_portal.nhsuk.words import lower_first


@dataclass(frozen=True)
class Option:
    """One answer. `divider` is a word shown before it, as in "or"."""

    value: str
    text: str
    hint: str = ""
    divider: str = ""


Options = Iterable[Option | tuple[str, str]] | Callable[[], Iterable[Option | tuple[str, str]]]


def _resolve(options: Options) -> tuple[Option, ...]:
    given = options() if callable(options) else options
    return tuple(option if isinstance(option, Option) else Option(*option) for option in given)


class _Chosen(Worded):
    """Options with hints. They are read afresh for each form when they come from a function."""

    conditional: Mapping[str, str] = {}

    def sentence_for_nothing(self, label: str) -> str:
        return "Select an answer" if label.endswith("?") else f"Select {lower_first(label)}"

    def offer(self, offered: Options) -> Callable[[], list[tuple[str, str]]]:
        self.offered = offered
        return lambda: [(option.value, option.text) for option in self.items]

    @property
    def items(self) -> tuple[Option, ...]:
        return _resolve(self.offered)


class RadiosField(_Chosen, forms.ChoiceField):
    """One of a few. `conditional` maps an answer to the name of the field shown under it."""

    component = "radios"
    widget = forms.RadioSelect

    def __init__(
        self,
        *,
        label: str,
        options: Options,
        conditional: Mapping[str, str] = MappingProxyType({}),
        **given: Unpack[Given],
    ) -> None:
        self.conditional = conditional
        super().__init__(label=label, django={"choices": self.offer(options)}, **given)


class SelectField(_Chosen, forms.ChoiceField):
    """One of many. `empty_text` adds a first, empty entry."""

    component = "select"
    widget = forms.Select

    def __init__(
        self, *, label: str, options: Options, empty_text: str | None = None, **given: Unpack[Given]
    ) -> None:
        first = () if empty_text is None else (Option("", empty_text),)
        choices = self.offer(lambda: (*first, *_resolve(options)))
        super().__init__(label=label, django={"choices": choices}, **given)


class CheckboxesField(_Chosen, forms.MultipleChoiceField):
    """Any number of a few: cleans to a list of values."""

    component = "checkboxes"
    widget = forms.CheckboxSelectMultiple

    def __init__(self, *, label: str, options: Options, **given: Unpack[Given]) -> None:
        super().__init__(label=label, django={"choices": self.offer(options)}, **given)


class ConfirmField(Worded, forms.BooleanField):
    """A single box to tick."""

    component = "confirm"

    def sentence_for_nothing(self, label: str) -> str:
        return "Tick the box to go on"

    def validate(self, value: Any) -> None:
        if self.required and not value:
            raise ValidationError(self.error_messages["required"], code="required")

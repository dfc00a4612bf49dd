"""One or several of a list."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from bars_portal.nhsuk.forms.text import Worded
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


def _select(label: str) -> str:
    return "Select an answer" if label.endswith("?") else f"Select {lower_first(label)}"


class _Chosen(Worded):
    """Options with hints. They are read afresh for each form when they come from a function."""

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
        hint: str = "",
        missing: str = "",
        required: bool = True,
        initial: str | None = None,
        label_size: str = "s",
        inline: bool = False,
        small: bool = False,
        conditional: Mapping[str, str] | None = None,
    ) -> None:
        messages = self.word(
            label=label,
            hint=hint,
            missing=missing or _select(label),
            label_size=label_size,
            inline=inline,
            small=small,
        )
        self.conditional = dict(conditional or {})
        messages["invalid_choice"] = messages["required"]
        choices = self.offer(options)
        super().__init__(
            label=label, required=required, initial=initial, choices=choices, error_messages=messages
        )
        self.template_name = self.drawn_by


class SelectField(_Chosen, forms.ChoiceField):
    """One of many. `empty_text` adds a first, empty entry."""

    component = "select"
    widget = forms.Select

    def __init__(
        self,
        *,
        label: str,
        options: Options,
        hint: str = "",
        missing: str = "",
        required: bool = True,
        initial: str | None = None,
        label_size: str = "s",
        empty_text: str | None = None,
    ) -> None:
        messages = self.word(label=label, hint=hint, missing=missing or _select(label), label_size=label_size)
        messages["invalid_choice"] = messages["required"]
        first = () if empty_text is None else (Option("", empty_text),)
        choices = self.offer(lambda: (*first, *_resolve(options)))
        super().__init__(
            label=label, required=required, initial=initial, choices=choices, error_messages=messages
        )
        self.template_name = self.drawn_by


class CheckboxesField(_Chosen, forms.MultipleChoiceField):
    """Any number of a few: cleans to a list of values."""

    component = "checkboxes"
    widget = forms.CheckboxSelectMultiple

    def __init__(
        self,
        *,
        label: str,
        options: Options,
        hint: str = "",
        missing: str = "",
        required: bool = True,
        initial: Sequence[str] | None = None,
        label_size: str = "s",
        small: bool = False,
    ) -> None:
        messages = self.word(
            label=label,
            hint=hint,
            missing=missing or _select(label),
            label_size=label_size,
            small=small,
        )
        self.conditional: dict[str, str] = {}
        messages["invalid_choice"] = messages["required"]
        choices = self.offer(options)
        super().__init__(
            label=label, required=required, initial=initial, choices=choices, error_messages=messages
        )
        self.template_name = self.drawn_by


class ConfirmField(Worded, forms.BooleanField):
    """A single box to tick."""

    component = "confirm"

    def __init__(self, *, label: str, hint: str = "", missing: str = "", required: bool = True) -> None:
        messages = self.word(label=label, hint=hint, missing=missing or "Tick the box to go on")
        super().__init__(label=label, required=required, error_messages=messages)
        self.template_name = self.drawn_by

    def validate(self, value: Any) -> None:
        if self.required and not value:
            raise ValidationError(self.error_messages["required"], code="required")

"""What people choose and type about messages: never a value of a patient's."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError

from bars_portal.exchange.fhir.identifiers import is_uuid
from bars_portal.exchange.message_log.conversations import Waits, Wanted
from bars_portal.exchange.models import DeliveryState
from bars_portal.exchange.registry import message_types
from bars_portal.nhsuk.forms import NHSForm, SelectField, TextareaField, TextField

_REASON_LENGTH = 300


def _kinds() -> list[tuple[str, str]]:
    return sorted(((each.key, each.label) for each in message_types()), key=lambda pair: pair[1])


class LogForm(NHSForm):
    """The filters of the log; an answer that makes no sense is left out."""

    partner = SelectField(label="Partner", options=[], empty_text="All partners", required=False)
    kind = SelectField(label="Kind of message", options=_kinds, empty_text="All kinds", required=False)
    # Every state of a received message is one of a sent one too.
    state = SelectField(
        label="State", options=list(DeliveryState.choices), empty_text="Any state", required=False
    )
    waits = SelectField(
        label="What waits",
        options=[(each.value, each.label) for each in Waits],
        empty_text="Waiting or not",
        required=False,
    )

    def __init__(self, *args: Any, partners: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["partner"]
        if isinstance(field, SelectField):
            field.choices = field.offer([("", "All partners"), *partners])

    def chosen(self) -> dict[str, str]:
        """By field, of those that are chosen and make sense."""
        self.is_valid()
        cleaned = getattr(self, "cleaned_data", {})
        return {name: cleaned[name] for name in self.fields if cleaned.get(name)}

    def wanted(self) -> Wanted:
        chosen = self.chosen()
        waits = Waits(chosen.pop("waits")) if "waits" in chosen else None
        return Wanted(**chosen, waits=waits)


class FindForm(NHSForm):
    """One conversation, by an id. It is sent, not put into an address: somebody may type something else."""

    called = TextField(
        label="Find by id",
        hint="A correlation id, a request id, a Bundle.id or the id of a message, "
        "as a log line or a partner tells it",
        missing="Enter an id",
        max_length=200,
        autocomplete="off",
        spellcheck=False,
        width=20,
    )

    def clean_called(self) -> UUID:
        text = str(self.cleaned_data["called"]).strip().removeprefix("urn:uuid:")
        if not is_uuid(text):
            raise ValidationError("Enter an id as it is in a message: 36 letters, digits and hyphens")
        return UUID(text)


class UnmaskForm(NHSForm):
    reason = TextareaField(
        label="Why do you need to see it?",
        hint="For example the number of the incident that you work on. Do not name the patient",
        missing="Enter why you need to see it",
        min_length=10,
        max_length=_REASON_LENGTH,
        rows=3,
    )


class SetAsideForm(NHSForm):
    note = TextareaField(
        label="Why are they set aside?",
        hint="For example: made by a test of ours. Do not name a patient",
        missing="Enter why they are set aside",
        min_length=5,
        max_length=_REASON_LENGTH,
        rows=3,
    )


class ResendForm(NHSForm):
    note = TextareaField(
        label="Why is it sent as a new message?",
        hint="For example: rang the service, they have not got it and take no repeat. Do not name a patient",
        missing="Enter why it is sent as a new message",
        min_length=5,
        max_length=_REASON_LENGTH,
        rows=3,
    )


class SettledForm(NHSForm):
    note = TextareaField(
        label="What is settled, and with whom?",
        hint="For example: rang the service, they have it. Do not name a patient",
        missing="Enter what is settled, and with whom",
        min_length=5,
        max_length=_REASON_LENGTH,
        rows=3,
    )

"""Answers of a few words: reject, complete, ambulance control's status, take back, note."""

from collections.abc import Sequence
from typing import Any

from bars_portal.exchange.fhir.codes import EncounterStatus, RejectedReason
from bars_portal.nhsuk.forms import NHSForm, RadiosField, TextareaField
from referrals.answer_forms.base import AnswerForm
from referrals.content_answers import CadStatus, Rejection

_REJECTED = [
    (RejectedReason.NOT_AVAILABLE.value, "Nobody is available in the time that was asked for"),
    (RejectedReason.OTHER.value, "Another reason"),
]
_CAD = {
    EncounterStatus.PLANNED: "Accepted",
    EncounterStatus.IN_PROGRESS: "In progress",
    EncounterStatus.FINISHED: "Finished",
}
REVOKED, IN_ERROR = "revoked", "entered-in-error"


class RejectForm(AnswerForm):
    reason = RadiosField(
        label="Why is this case rejected?", options=_REJECTED, missing="Select why this case is rejected"
    )
    words = TextareaField(
        label="In your own words",
        hint="The requester reads this. For another reason it is needed.",
        max_length=300,
        rows=3,
        required=False,
    )

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        if cleaned.get("reason") == RejectedReason.OTHER and not cleaned.get("words", "").strip():
            self.add_error("words", "Say in your own words why the case is rejected")
        return super().clean()

    def say(self, cleaned: dict[str, Any]) -> Rejection:
        return Rejection(RejectedReason(cleaned["reason"]), cleaned["words"].strip())


class CompleteForm(NHSForm):
    """For our own books: the standard has no message for a referral that is done."""

    words = TextareaField(
        label="What was done (optional)",
        hint="Kept here with the case. The requester is not told.",
        max_length=300,
        rows=3,
        required=False,
    )


class CadStatusForm(AnswerForm):
    status = RadiosField(label="How far are you?", options=[], missing="Select how far you are")
    words = TextareaField(label="In your own words (optional)", max_length=300, rows=3, required=False)

    def __init__(self, *args: Any, possible: Sequence[EncounterStatus], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["status"]
        if isinstance(field, RadiosField):
            field.choices = field.offer([(each.value, _CAD[each]) for each in possible])

    def say(self, cleaned: dict[str, Any]) -> CadStatus:
        return CadStatus(EncounterStatus(cleaned["status"]), cleaned["words"].strip())


class TakeBackForm(NHSForm):
    how = RadiosField(
        label="Why is it taken back?",
        options=[
            (REVOKED, "Circumstances changed: it is no longer needed"),
            (IN_ERROR, "It was sent by mistake: it never should have been"),
        ],
        missing="Select why it is taken back",
    )
    reason = TextareaField(
        label="The reason in a few words",
        missing="Enter the reason in a few words",
        max_length=300,
        rows=3,
    )


class NoteForm(NHSForm):
    text = TextareaField(
        label="New note",
        hint="For colleagues here only: nobody outside is told.",
        missing="Write something first",
        max_length=2000,
        rows=3,
    )

"""The two questionnaires of ambulance controls: nature of call, and the pre-triage sieve."""

from typing import Any

from bars_portal.nhsuk.forms import RadiosField
from referrals.content import NatureOfCall, Part, PreTriage, RequestContent, YesNo
from referrals.forms.base import PartForm, filled, select
from referrals.forms.step import Given, Step

_YES_NO = [(YesNo.YES.value, "Yes"), (YesNo.NO.value, "No")]


def _question(label: str) -> RadiosField:
    return RadiosField(label=label, options=_YES_NO, required=False, inline=True)


class QuestionsForm(PartForm):
    part_of = {
        "nature": Part.NATURE_OF_CALL,
        "breathing": Part.PRE_TRIAGE,
        "conscious": Part.PRE_TRIAGE,
        "noisy": Part.PRE_TRIAGE,
    }

    nature = select("Nature of call", [(each.value, each.label) for each in NatureOfCall])
    breathing = _question("Is the patient breathing?")
    conscious = _question("Is the patient conscious?")
    noisy = _question("Is the breathing noisy?")

    def clean(self) -> dict[str, Any]:
        others = self.text("conscious") or self.text("noisy")
        if others and not self.text("breathing") and "breathing" not in self.errors:
            self.add_error("breathing", "Select whether the patient is breathing: it is asked first")
        return self.cleaned_data

    def stated(self) -> dict[str, Any]:
        nature, breathing = self.text("nature"), self.text("breathing")
        sieve = (
            PreTriage(YesNo(breathing), self._yes_no("conscious"), self._yes_no("noisy"))
            if breathing
            else None
        )
        return {"nature_of_call": NatureOfCall(nature) if nature else None, "pre_triage": sieve}

    def _yes_no(self, name: str) -> YesNo | None:
        said = self.text(name)
        return YesNo(said) if said else None


class QuestionsStep(Step):
    slug, title, section = "questions", "Ambulance questions", "Ambulance"
    parts = (Part.NATURE_OF_CALL, Part.PRE_TRIAGE)
    form = QuestionsForm

    def state(self, form: PartForm, rows: tuple[Any, ...]) -> dict[str, Any]:
        read: dict[str, Any] = form.stated()
        return read

    def given(self, content: RequestContent) -> Given:
        sieve = content.pre_triage
        answers = (
            {name: getattr(sieve, name) for name in ("breathing", "conscious", "noisy")} if sieve else {}
        )
        return Given(filled({"nature": content.nature_of_call, **answers}))

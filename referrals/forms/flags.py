"""Warnings: a category with a code of its list, or in words."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from bars_portal.exchange.fhir.codes import FlagCategory
from bars_portal.nhsuk.forms import HiddenField
from referrals.cases.codes import ADJUSTMENTS, Concept
from referrals.forms.base import PartForm, Step, StepValues, Typed, filled, offer, select
from referrals.forms.concepts import ConceptField, ConceptForm, more_words, write_concept
from referrals.parts.applications import Part
from referrals.parts.content import RequestContent
from referrals.parts.flags import CODES, Flag

_SCENE = FlagCategory.SCENE_SAFETY


class FlagForm(ConceptForm):
    """`kind` is "<category>" or "<category>|<code>"; `since` is kept from an earlier message."""

    preset = frozenset({"since"})

    kind = select("Kind of warning", [], missing="Select the warning")
    what = ConceptField(
        "What it is about",
        codes=ADJUSTMENTS,
        hint="For warnings without a list, such as what to adjust or which infection",
        missing="Enter what the warning is about",
    )
    words = more_words()
    since = HiddenField(required=False, max_length=40)

    def adapt(self) -> None:
        self.fields["kind"].required = True
        offer(self, "kind", list(_kinds(scene=self.asked.has(Part.SCENE_SAFETY))))

    def clean(self) -> dict[str, Any]:
        if "|" not in self.text("kind"):
            self.need_concept()
        try:
            since = self.text("since")
            self.cleaned_data["since"] = datetime.fromisoformat(since) if since else None
        except ValueError:
            self.cleaned_data["since"] = None
        return self.cleaned_data

    def stated(self) -> Flag:
        category, _, code = self.text("kind").partition("|")
        if not code:
            return Flag(FlagCategory(category), self.concept(), self.answer("since"))
        system, codes = CODES[FlagCategory(category)]
        text = "\n".join(each for each in (self.text("what"), self.text("words")) if each)
        return Flag(FlagCategory(category), Concept(system, code, codes[code], text), self.answer("since"))


class FlagsStep(Step):
    slug, title, section = "flags", "Warnings", "Safety"
    lead = "Safeguarding concerns must be sent, and are shown to the service before everything else."
    parts = (Part.FLAGS, Part.SCENE_SAFETY)
    row, row_name = FlagForm, "warning"

    def state(self, form: PartForm, rows: tuple[Flag, ...]) -> dict[str, Any]:
        return {"flags": rows}

    def given(self, content: RequestContent) -> StepValues:
        return StepValues(rows=tuple(map(_row, content.flags)))


def _kinds(*, scene: bool) -> Iterator[tuple[str, str]]:
    """The commonest first: safeguarding, then the scene, then what is told in words."""
    for category in FlagCategory:
        if category is _SCENE and not scene:
            continue
        _, codes = CODES.get(category, ("", {}))
        for code, display in codes.items():
            yield f"{category.value}|{code}", f"{category.display}: {_plain(display)}"
        yield category.value, f"{category.display}: in words" if codes else category.display


def _plain(display: str) -> str:
    """Without SNOMED's kind of term."""
    for kind in (" (finding)", " (situation)"):
        display = display.removesuffix(kind)
    return display


def _row(flag: Flag) -> Typed:
    since = filled({"since": flag.since.isoformat() if flag.since else ""})
    if flag.category in CODES and flag.concept.code:
        return (
            filled({"kind": f"{flag.category.value}|{flag.concept.code}", "words": flag.concept.text}) | since
        )
    return {"kind": flag.category.value, **write_concept(flag.concept, ADJUSTMENTS), **since}

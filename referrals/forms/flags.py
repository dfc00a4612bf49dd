"""Warnings: a category with a code of its list, or in words."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from bars_portal.exchange.fhir.codes import FlagCategory, SceneSafety
from bars_portal.nhsuk.forms import RadiosField
from referrals.cases.codes import ADJUSTMENTS, Concept
from referrals.forms import times
from referrals.forms.base import (
    ConceptField,
    ConceptForm,
    PartForm,
    Step,
    StepValues,
    Typed,
    area,
    filled,
    more_words,
    offer,
    select,
    write_concept,
)
from referrals.parts.applications import Part
from referrals.parts.content import RequestContent
from referrals.parts.flags import CODES, Flag, scene_of

_SCENE = FlagCategory.SCENE_SAFETY


class SceneForm(PartForm):
    """Whether the scene is safe: asked wherever somebody may be sent there, and told also when not known."""

    part_of = dict.fromkeys(("scene", "scene_words", "scene_since"), Part.SCENE_SAFETY)

    scene = RadiosField(
        label="Is the scene safe?",
        options=[
            (SceneSafety.SAFE.value, "Yes, the scene is safe"),
            (SceneSafety.UNSAFE.value, "No, the scene is unsafe"),
            (SceneSafety.UNKNOWN.value, "Not known, or not asked"),
        ],
        missing="Select whether the scene is safe",
    )
    scene_words = area("What to know about the scene", hint="Needed if the scene is unsafe")
    scene_since = times.kept_moment("Since when that is known of the scene")

    def adapt(self) -> None:
        for name in ("scene_words", "scene_since"):
            if name in self.fields:
                self.fields[name].required = False

    def clean(self) -> dict[str, Any]:
        silent = not self.text("scene_words") and "scene_words" not in self.errors
        if self.text("scene") == SceneSafety.UNSAFE and silent:
            self.add_error("scene_words", "Enter why the scene is unsafe")
        return self.cleaned_data

    def stated(self) -> tuple[Flag, ...]:
        told = SceneSafety.lookup(self.text("scene"))
        if told is None:
            return ()
        concept = Concept(told.system, told.value, told.display, self.text("scene_words"))
        return (Flag(_SCENE, concept, _moment(self.text("scene_since"))),)


def _moment(kept: str) -> datetime | None:
    """What a hidden field kept; nothing, where somebody has changed it."""
    try:
        return datetime.fromisoformat(kept) if kept else None
    except ValueError:
        return None


class FlagForm(ConceptForm):
    """`kind` is "<category>" or "<category>|<code>"."""

    kind = select("Kind of warning", [], missing="Select the warning")
    what = ConceptField(
        "What it is about",
        codes=ADJUSTMENTS,
        hint="For warnings without a list, such as what to adjust or which infection",
        missing="Enter what the warning is about",
    )
    words = more_words()
    since = times.clock("Since when (optional)", hint="Of an agency, when it was told.")

    def adapt(self) -> None:
        self.fields["kind"].required = True
        offer(self, "kind", list(_kinds()))

    def clean(self) -> dict[str, Any]:
        if "|" not in self.text("kind"):
            self.need_concept()
        self.cleaned_data["since"] = times.read_clock(self, "since")
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
    form, row, row_name, rows_name = SceneForm, FlagForm, "warning", "warnings"

    def state(self, form: PartForm, rows: tuple[Flag, ...]) -> dict[str, Any]:
        scene: tuple[Flag, ...] = form.stated()
        return {"flags": (*rows, *scene)}

    def given(self, content: RequestContent) -> StepValues:
        scene = scene_of(content.flags)
        others = (each for each in content.flags if each.category is not _SCENE)
        return StepValues(_scene_answers(scene) if scene else {}, tuple(map(_row, others)))


def _scene_answers(scene: Flag) -> Typed:
    since = scene.since.isoformat() if scene.since else ""
    told = {"scene": scene.concept.code, "scene_words": scene.concept.text, "scene_since": since}
    return filled(told)


def _kinds() -> Iterator[tuple[str, str]]:
    """The commonest first: safeguarding, then what is told in words. The scene is asked about apart."""
    for category in FlagCategory:
        if category is _SCENE:
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
    since = filled({"since": times.write_clock(flag.since)})
    if flag.category in CODES and flag.concept.code:
        return (
            filled({"kind": f"{flag.category.value}|{flag.concept.code}", "words": flag.concept.text}) | since
        )
    return {"kind": flag.category.value, **write_concept(flag.concept, ADJUSTMENTS), **since}

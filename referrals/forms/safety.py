"""Safety: warnings, by a code of their list or in words; and where it is, told in one way and in words."""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from bars_portal.exchange.fhir.codes import FlagCategory, LocationType, SceneSafety
from bars_portal.exchange.fhir.rules.case import Where, is_told_once
from bars_portal.nhsuk.forms import RadiosField, TextareaField
from referrals.cases.codes import ADJUSTMENTS, Concept
from referrals.cases.states import Category
from referrals.forms import times
from referrals.forms.base import (
    ConceptField,
    ConceptForm,
    FormContext,
    PartForm,
    Step,
    StepValues,
    Typed,
    area,
    filled,
    line,
    more_words,
    offer,
    select,
    write_concept,
)
from referrals.parts.applications import Part, application_of
from referrals.parts.content import RequestContent
from referrals.parts.flags import CODES, Flag, scene_of
from referrals.parts.places import Place, Position

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
        return StepValues(_scene_answers(scene) if scene else {}, tuple(map(_warning_row, others)))


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


def _warning_row(flag: Flag) -> Typed:
    since = filled({"since": times.write_clock(flag.since)})
    if flag.category in CODES and flag.concept.code:
        return (
            filled({"kind": f"{flag.category.value}|{flag.concept.code}", "words": flag.concept.text}) | since
        )
    return {"kind": flag.category.value, **write_concept(flag.concept, ADJUSTMENTS), **since}


_INCIDENT = LocationType.INCIDENT
_WAYS = {
    Where.ADDRESS: ("address", "town", "postcode"),
    Where.UPRN: ("uprn",),
    Where.GRID: ("eastings",),
    Where.WHAT3WORDS: ("what3words",),
    Where.POSITION: ("latitude",),
}
TOO_MANY = (
    "Say where it is in one way only: an address, UPRN, grid reference, what3words or position. "
    "To give more than one, enter both the address and the UPRN"
)
_ONE_WAY = "Say where it is in one way only, or enter both the address and the UPRN"
_PAIRS = (("eastings", "northings"), ("latitude", "longitude"))


class PlaceForm(PartForm):
    part_of = {"type": Part.OTHER_PLACES}
    preset = frozenset({"type"})

    type = select("What kind of place", [(each.value, each.display) for each in LocationType])
    name = line("Name of the place", hint="For example, a building or a business")
    address = area("Address", hint="One part on each line")
    town = line("Town or city", width=20)
    postcode = line("Postcode", width=10)
    directions = area("How to find it", hint="In words, as the caller tells it")
    uprn = line("UPRN", hint="Unique property reference number, digits only", width=20, inputmode="numeric")
    what3words = line("what3words", hint="Three words with dots between them, such as filled.count.soap")
    eastings = line("Easting in metres", hint="National grid", width=10, inputmode="decimal")
    northings = line("Northing in metres", width=10, inputmode="decimal")
    latitude = line("Latitude in degrees", hint="For example, 53.7996", width=10, inputmode="decimal")
    longitude = line("Longitude in degrees", hint="For example, -1.54175", width=10, inputmode="decimal")
    accuracy_percent = line(
        "Accuracy in per cent", hint="How surely it is there, from 0 to 100", width=5, inputmode="numeric"
    )
    confirmed = times.clock("When the place was confirmed (T2)", hint="Empty while it is provisional.")

    def adapt(self) -> None:
        if "type" in self.fields:
            self.fields["type"].required = False
        if not application_of(self.asked.use_case).is_ambulance:
            # Told between ambulance controls only (Encounter.location).
            del self.fields["confirmed"]
        address = self.fields["address"]
        if self._validates and isinstance(address, TextareaField):
            address.hint = f"{address.hint}. {_ONE_WAY}"

    def clean_what3words(self) -> str:
        return self.text("what3words").lstrip("/")

    def clean_accuracy_percent(self) -> str:
        return self.text("accuracy_percent").removesuffix("%").strip()

    def clean_latitude(self) -> Decimal | None:
        return self._degrees("latitude", 90)

    def clean_longitude(self) -> Decimal | None:
        return self._degrees("longitude", 180)

    def clean(self) -> dict[str, Any]:
        if "confirmed" in self.fields:
            self.cleaned_data["confirmed"] = times.read_clock(self, "confirmed")
        for one, other in _PAIRS:
            for missing, there in ((one, other), (other, one)):
                if self._has(there) and not self._has(missing):
                    self.add_error(missing, f"{self.fields[missing].label} is missing")
        if self.errors:
            return self.cleaned_data
        ways = {way for way, names in _WAYS.items() if any(self._has(name) for name in names)}
        if self._is_incident and ways == {Where.ADDRESS} and not self._has("postcode"):
            self.add_error("postcode", "Enter the postcode of the address")
        if not ways:
            self.add_error("address", "Enter an address, UPRN, grid reference, what3words or position")
        elif self._validates and not is_told_once(ways):
            self.add_error("uprn" if Where.ADDRESS in ways else "address", TOO_MANY)
        return self.cleaned_data

    @property
    def _is_incident(self) -> bool:
        return self.text("type") in ("", _INCIDENT)

    @property
    def _validates(self) -> bool:
        return application_of(self.asked.use_case).category is Category.VALIDATION

    def stated(self) -> Place:
        texts = {
            name: self.text(name)
            for name in (
                "name",
                "town",
                "postcode",
                "uprn",
                "eastings",
                "northings",
                "accuracy_percent",
                "directions",
            )
        }
        latitude, longitude = self.answer("latitude"), self.answer("longitude")
        return Place(
            type=LocationType.lookup(self.text("type")) or _INCIDENT,
            address_lines=tuple(each.strip() for each in self.text("address").split("\n") if each.strip()),
            what3words=self.text("what3words"),
            confirmed_at=self.answer("confirmed") if self._is_incident else None,
            position=None if latitude is None else Position(latitude, longitude),
            **texts,
        )

    def _has(self, name: str) -> bool:
        return name in self.errors or self.answer(name) not in (None, "")

    def _degrees(self, name: str, most: int) -> Decimal | None:
        typed = self.text(name)
        if not typed:
            return None
        try:
            degrees = Decimal(typed)
        except InvalidOperation:
            degrees = Decimal("NaN")
        exponent = degrees.as_tuple().exponent
        if not isinstance(exponent, int) or not -8 <= exponent <= 0 or abs(degrees) > most:
            self.add_error(name, f"{self.fields[name].label} must be a number from -{most} to {most}")
            return None
        return degrees


class PlacesStep(Step):
    slug, title, section = "places", "Where it is", "Safety"
    parts = (Part.INCIDENT, Part.OTHER_PLACES)
    row, row_name = PlaceForm, "place"

    def most(self, asked: FormContext) -> int:
        return 20 if asked.has(Part.OTHER_PLACES) else 1

    def state(self, form: PartForm, rows: tuple[Place, ...]) -> dict[str, Any]:
        incidents = [each for each in rows if each.type is _INCIDENT]
        if not incidents and form.asked.requires(Part.INCIDENT):
            form.add_error(None, "Enter where the incident is")
        elif len(incidents) > 1:
            form.add_error(None, "Only one place can be the incident. Change the kind of the others")
        return {"places": rows}

    def given(self, content: RequestContent) -> StepValues:
        return StepValues(rows=tuple(map(_place_row, content.places)))


def _place_row(place: Place) -> Typed:
    position = place.position
    return filled(
        {
            "type": place.type,
            "name": place.name,
            "address": "\n".join(place.address_lines),
            "town": place.town,
            "postcode": place.postcode,
            "uprn": place.uprn,
            "eastings": place.eastings,
            "northings": place.northings,
            "what3words": place.what3words,
            "latitude": format(position.latitude, "f") if position else "",
            "longitude": format(position.longitude, "f") if position else "",
            "accuracy_percent": place.accuracy_percent,
            "confirmed": times.write_clock(place.confirmed_at),
            "directions": place.directions,
        }
    )

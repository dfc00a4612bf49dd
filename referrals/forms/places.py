"""Where it is: by address, UPRN, grid, what3words or position, and in words."""

from decimal import Decimal, InvalidOperation
from typing import Any

from bars_portal.exchange.fhir.codes import LocationType
from bars_portal.exchange.fhir.rules.case import Where, is_told_once
from bars_portal.nhsuk.forms import TextareaField
from referrals.cases.states import Category
from referrals.forms import times
from referrals.forms.base import FormContext, PartForm, Step, StepValues, Typed, area, filled, line, select
from referrals.parts.applications import Part, application_of
from referrals.parts.content import RequestContent
from referrals.parts.places import Place, Position

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
        return StepValues(rows=tuple(map(_row, content.places)))


def _row(place: Place) -> Typed:
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

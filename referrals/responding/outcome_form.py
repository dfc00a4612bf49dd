"""The outcome of a validation: how urgent it is now, what it leads to, and what changed."""

from dataclasses import replace
from typing import Any

from bars_portal.exchange.fhir.codes import KNOWN_CODES, SAFEGUARDING, ARPPriority, FlagCategory, SceneSafety
from bars_portal.exchange.fhir.json import as_text, codings
from bars_portal.nhsuk.forms import (
    CheckboxesField,
    ConfirmField,
    Option,
    PostcodeField,
    RadiosField,
    SelectField,
    TextareaField,
    TextField,
)
from referrals.cases.codes import PRIORITIES, TRIAGE_OUTCOMES, CategoryChange, ListName, compare, lists_from
from referrals.cases.models import Case
from referrals.cases.settings import offered_codes
from referrals.cases.wire import included_in, index_of
from referrals.cases.words import FLAGS
from referrals.forms.base import ConceptField, read_concept, write_concept
from referrals.parts.assessment import OutcomeKind, carried_assessment, kind_of_system
from referrals.parts.flags import RaisedFlag
from referrals.parts.places import CurrentPlace
from referrals.responding.content import Disposition, Outcome, TriageCode
from referrals.responding.forms import METRES, UPRN, NumberField, ResponseForm, bare
from referrals.responding.policies import clock_start_of

_ARP = ARPPriority
_AMBULANCE = (_ARP.C1, _ARP.C2, _ARP.C3, _ARP.C4, _ARP.C4T, _ARP.C5)
_CHANGES = {
    CategoryChange.RAISED: "Raised: more urgent than now",
    CategoryChange.SAME: "As it is now",
    CategoryChange.LOWERED: "Lowered: less urgent than now",
    CategoryChange.NOT_STATED: "",
}
# A warning without a code of its own says what it is about in words.
_CODES = {
    FlagCategory.SAFEGUARDING: ("U", SAFEGUARDING["U"]),
    FlagCategory.SCENE_SAFETY: (SceneSafety.UNSAFE.value, SceneSafety.UNSAFE.display),
}
_LONG = 2000
_HOW_URGENT = "Select how urgent it is: category 5 where no ambulance is needed"
_TRIAGE = ("triage_1", "triage_2", "triage_3")


def priority_options(case: Case) -> list[Option]:
    """Each with what it would change; others than ambulance categories only where the case has one."""
    current = _ARP.lookup(case.priority)
    offered = _AMBULANCE if current is None or current in _AMBULANCE else (*_AMBULANCE, current)
    return [
        Option(each.value, PRIORITIES[each], hint=_CHANGES[compare(case.priority, each)]) for each in offered
    ]


def standing_warnings(case: Case) -> list[tuple[str, str]]:
    """(fullUrl, words) of the warnings that came with the request and still stand."""
    flags = [(url, each) for url, each in included_in(case) if each.get("resourceType") == "Flag"]
    over = ("inactive", "entered-in-error")
    return [(url, warning_words(flag)) for url, flag in flags if flag.get("status") not in over]


def warning_words(flag: dict[str, Any]) -> str:
    category = next(
        (FLAGS[code] for each in codings(flag.get("category")) if (code := _code(each)) in FLAGS), ""
    )
    named = next((_meaning(each) for each in codings(flag.get("code"))), "")
    text = as_text((flag.get("code") or {}).get("text"))
    return ": ".join(dict.fromkeys(filter(None, (category, named, text)))) or "Warning"


def _meaning(coding: dict[str, Any]) -> str:
    """As it was sent, else as the code list says; without the kind of concept that follows in brackets."""
    known = KNOWN_CODES.get(as_text(coding.get("system")), {})
    words = as_text(coding.get("display")) or known.get(_code(coding), "")
    return words.removesuffix(" (finding)").removesuffix(" (situation)")


def _code(coding: dict[str, Any]) -> str:
    return as_text(coding.get("code"))


def _triage(label: str, *, hint: str, missing: str = "") -> ConceptField:
    field = ConceptField(label, codes=TRIAGE_OUTCOMES, hint=hint, missing=missing)
    field.required = bool(missing)
    return field


def symptoms_asked(case: Case) -> dict[str, str]:
    """Symptom group and discriminator of the request: they stay, whatever else it comes to."""
    asked = carried_assessment(index_of(included_in(case)), request_priority=False)
    coded = (each.concept for each in asked.outcomes if each.concept.code)
    by_kind = {kind_of_system(each.system): each for each in coded}
    kinds = {"triage_2": OutcomeKind.SYMPTOM_GROUP, "triage_3": OutcomeKind.SYMPTOM_DISCRIMINATOR}
    return {
        name: write_concept(replace(by_kind[kind], text=""), TRIAGE_OUTCOMES)["what"]
        for name, kind in kinds.items()
        if kind in by_kind
    }


_DEGREES = r"-?[0-9]{1,3}(\.[0-9]{1,8})?"
_PAIRS = (("eastings", "northings"), ("latitude", "longitude"))
_MOST_DEGREES = {"latitude": 90, "longitude": 180}
_ITK_TOO = "Ask for the ambulance over ITK too, then tick this box: the category is raised to 1 or 2"


class OutcomeForm(ResponseForm):
    own_words = "narrative"
    disposition = RadiosField(
        label="What does it lead to?",
        options=[(each.value, each.label) for each in Disposition],
        missing="Select what it leads to",
    )
    priority = RadiosField(label="How urgent is it?", options=[], missing=_HOW_URGENT)
    narrative = TextareaField(
        label="What was found and advised", missing="Enter what was found and advised", max_length=_LONG
    )
    triage_1 = _triage(
        "Triage code",
        hint="What it came to: type a code or words to search the list",
        missing="Enter the triage code of what it came to",
    )
    triage_2 = _triage("Second triage code (optional)", hint="Symptom group")
    triage_3 = _triage("Third triage code (optional)", hint="Symptom discriminator")
    itk_asked = ConfirmField(
        label="The ambulance is also asked for over ITK",
        hint="A category that is raised to 1 or 2 goes to the 999 service over ITK too. Do that first.",
        required=False,
    )
    cad_id = TextField(
        label="New ambulance case number (optional)",
        hint="Of the case that was opened over ITK, for category 1 or 2, so that both can be put together.",
        max_length=100,
        required=False,
        width=20,
    )
    place_name = TextField(
        label="Name of the place (optional)",
        hint="For example, a building or a business",
        max_length=100,
        required=False,
    )
    address = TextField(label="Address (optional)", max_length=200, required=False)
    town = TextField(label="Town or city (optional)", max_length=100, required=False, width=20)
    postcode = PostcodeField(required=False)
    uprn = NumberField("UPRN (optional)", "Unique property reference number, digits only", UPRN)
    what3words = TextField(
        label="what3words (optional)",
        hint="For example, ///filled.count.soap",
        max_length=100,
        required=False,
        width=20,
    )
    eastings = NumberField("Easting in metres (optional)", "National grid", METRES)
    northings = NumberField("Northing in metres (optional)", "", METRES)
    latitude = NumberField("Latitude in degrees (optional)", "For example, 53.7996", _DEGREES)
    longitude = NumberField("Longitude in degrees (optional)", "For example, -1.54175", _DEGREES)
    ended = CheckboxesField(label="Warnings that no longer apply", options=[], required=False)
    raised = SelectField(
        label="New warning (optional)",
        options=list(FLAGS.items()),
        empty_text="No new warning",
        required=False,
    )
    raised_words = TextareaField(
        label="What the new warning is about", max_length=300, rows=3, required=False
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        case = kwargs["case"]
        super().__init__(*args, **kwargs)
        priority, ended = self.fields["priority"], self.fields["ended"]
        if isinstance(priority, RadiosField) and isinstance(ended, CheckboxesField):
            priority.choices = priority.offer(priority_options(case))
            ended.choices = ended.offer(standing_warnings(case))
            if not list(ended.items):
                del self.fields["ended"]
        self.codes = lists_from(offered_codes(ListName.OUTCOMES)).get(ListName.OUTCOMES, TRIAGE_OUTCOMES)

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        if cleaned.get("cad_id") and cleaned.get("priority") not in (_ARP.C1, _ARP.C2):
            self.add_error("cad_id", "Only category 1 and 2 have a new ambulance case")
        self._check_itk(cleaned)
        self._check_pairs(cleaned)
        if cleaned.get("raised") and not cleaned.get("raised_words", "").strip():
            self.add_error("raised_words", "Say what the new warning is about")
        ways = ("postcode", "what3words", "uprn", "eastings", "latitude")
        placed = any(cleaned.get(each) or each in self.errors for each in ways)
        if any(cleaned.get(each) for each in ("address", "town", "place_name")) and not placed:
            self.add_error("postcode", "Enter the postcode of the address")
        for name in _TRIAGE:
            if cleaned.get(name) and not self._triage_code(cleaned[name]):
                self.add_error(name, "Choose a triage code from the list, or put it in your own words above")
        return super().clean()

    def _check_itk(self, cleaned: dict[str, Any]) -> None:
        """Guide, Application 4: what is raised to category 1 or 2 is asked for over ITK as well."""
        priority = _ARP.lookup(cleaned.get("priority") or "")
        dispatch = cleaned.get("disposition") == Disposition.DISPATCH
        if not dispatch or priority is None or priority not in (_ARP.C1, _ARP.C2):
            return
        raised = compare(self.case.priority, priority) in (CategoryChange.RAISED, CategoryChange.NOT_STATED)
        if raised and not cleaned.get("itk_asked"):
            self.add_error("itk_asked", _ITK_TOO)

    def _check_pairs(self, cleaned: dict[str, Any]) -> None:
        for one, other in _PAIRS:
            for missing, there in ((one, other), (other, one)):
                if cleaned.get(there) and not cleaned.get(missing) and missing not in self.errors:
                    self.add_error(missing, f"{bare(self.fields[missing].label)} is missing")
        for name, most in _MOST_DEGREES.items():
            if cleaned.get(name) and abs(float(cleaned[name])) > most:
                self.add_error(name, f"{name.capitalize()} must be from -{most} to {most}")

    def _triage_code(self, typed: str) -> TriageCode | None:
        concept = read_concept(typed, "", self.codes)
        known = concept is not None and concept.code
        return TriageCode(concept.system, concept.code, concept.display) if concept and known else None

    def say(self, cleaned: dict[str, Any]) -> Outcome:
        priority = _ARP(cleaned["priority"])
        return Outcome(
            disposition=Disposition(cleaned["disposition"]),
            clock_start=clock_start_of(self.case, priority, self.now),
            narrative=cleaned["narrative"].strip(),
            priority=priority,
            codes=tuple(dict.fromkeys(filter(None, (self._triage_code(cleaned[each]) for each in _TRIAGE)))),
            place=_place(cleaned),
            flags_raised=_raised(cleaned),
            flags_ended=tuple(cleaned.get("ended", ())),
            cad_id=cleaned["cad_id"].strip(),
            itk_asked=cleaned["itk_asked"],
        )


def _place(cleaned: dict[str, Any]) -> CurrentPlace | None:
    """None where nothing is said: the patient is where the request says."""
    line, words = cleaned["address"].strip(), cleaned["what3words"].strip().removeprefix("///")
    numbers = {name: cleaned[name] for name in ("uprn", *(each for pair in _PAIRS for each in pair))}
    if not (line or cleaned["postcode"] or words or any(numbers.values())):
        return None
    return CurrentPlace(
        name=cleaned["place_name"].strip(),
        address_lines=(line,) if line else (),
        city=cleaned["town"].strip(),
        postcode=cleaned["postcode"],
        what3words=words,
        **numbers,
    )


def _raised(cleaned: dict[str, Any]) -> tuple[RaisedFlag, ...]:
    if not cleaned["raised"]:
        return ()
    category = FlagCategory(cleaned["raised"])
    code, display = _CODES.get(category, ("", ""))
    return (RaisedFlag(category, code, display, cleaned["raised_words"].strip()),)

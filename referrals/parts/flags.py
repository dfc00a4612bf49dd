"""Warnings that travel with a request and come back (FHIR Flag): a category and a code, words, or both."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from pydantic import dataclasses as checked
from pydantic import model_validator

from bars_portal.correspondence.entries import Entry
from bars_portal.exchange.fhir import profiles
from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.codes import (
    SAFEGUARDING,
    SAFEGUARDING_SYSTEM,
    DosRejectedReason,
    FlagCategory,
    SceneSafety,
)
from bars_portal.exchange.fhir.json import as_dict, as_text, codings
from bars_portal.exchange.fhir.timestamps import format_instant
from referrals.cases.codes import STRICT, Concept, Moment
from referrals.cases.wire import CODE, HeldRequest, instant
from referrals.parts.base import (
    Frame,
    code_in,
    coding,
    concept_of,
    concept_to_fhir,
    each_tried,
    named_concept,
    require,
    standing,
    tried,
    words_of,
)
from referrals.parts.places import Place, incident_parts, place_part

_SCENE_SYSTEM = SceneSafety.SAFE.system
# Categories whose codes are all known; another code would say something else than was meant.
CODES: Mapping[FlagCategory, tuple[str, Mapping[str, str]]] = {
    FlagCategory.SAFEGUARDING: (SAFEGUARDING_SYSTEM, SAFEGUARDING),
    FlagCategory.SCENE_SAFETY: (_SCENE_SYSTEM, {each.value: each.display for each in SceneSafety}),
}


@checked.dataclass(frozen=True, config=STRICT)
class Flag:
    """An active flag. Scene safety is about a place, every other category about the patient."""

    category: FlagCategory
    concept: Concept
    since: Moment | None = None

    @model_validator(mode="after")
    def _code_of_its_category(self) -> Self:
        if self.category not in CODES or not self.concept.code:
            return self
        system, codes = CODES[self.category]
        if self.concept.system != system or self.concept.code not in codes:
            raise ValueError("The code is not one of this category.")
        return self


def scene_of(flags: Iterable[Flag]) -> Flag | None:
    """The one answer to whether the scene is safe: of several the gravest, with the words of them all."""
    told = sorted((each for each in flags if each.category is FlagCategory.SCENE_SAFETY), key=_gravity)
    if not told:
        return None
    words = dict.fromkeys(each.concept.text for each in told if each.concept.text)
    return Flag(FlagCategory.SCENE_SAFETY, _scene(told[0].concept, "\n".join(words)), told[0].since)


_GRAVEST_FIRST = (SceneSafety.UNSAFE, SceneSafety.UNKNOWN, SceneSafety.SAFE)


def _gravity(flag: Flag) -> int:
    return _GRAVEST_FIRST.index(SceneSafety.lookup(flag.concept.code) or SceneSafety.UNKNOWN)


def _scene(concept: Concept, words: str) -> Concept:
    """Always coded: words alone leave it unknown whether the scene is safe."""
    told = SceneSafety.lookup(concept.code) or SceneSafety.UNKNOWN
    return Concept(told.system, told.value, told.display, words)


def flag_entries(
    frame: Frame, flags: Sequence[Flag], *, places: Sequence[Place], began: datetime
) -> list[Entry]:
    """`began`: since when a flag counts that does not say it itself."""
    return [
        (frame.url(f"flag {number}"), _flag(frame, flag, places, began)) for number, flag in enumerate(flags)
    ]


def rejected_flag(frame: Frame, reason: DosRejectedReason) -> Entry:
    """What the answers about rejected services hang on; `reason`: of the first of them."""
    return frame.url("rejected flag"), {
        **_head(frame, FlagCategory.REJECTED_SERVICES),
        "code": {"coding": [reason.coding], "text": "Services that were offered and not taken"},
        "subject": frame.ref("patient"),
        "encounter": frame.ref("encounter"),
        "author": frame.ref("practitioner"),
    }


def _flag(frame: Frame, flag: Flag, places: Sequence[Place], began: datetime) -> Resource:
    scene = next(iter(incident_parts(places)), place_part(0))
    about = scene if flag.category is FlagCategory.SCENE_SAFETY else "patient"
    return {
        **_head(frame, flag.category),
        "code": _code(flag),
        "subject": frame.ref(about),
        "period": {"start": format_instant(flag.since or began)},
        "encounter": frame.ref("encounter"),
        "author": frame.ref("practitioner"),
    }


# Category and code must fit each other, and each warning has a code: of words alone the one that says no more
# than that there is something.
_IN_WORDS = {FlagCategory.SAFEGUARDING: coding(SAFEGUARDING_SYSTEM, "U", SAFEGUARDING["U"])}


def _in_words(category: FlagCategory) -> Resource:
    """No list that is published has a code for other categories."""
    return _IN_WORDS.get(category, category.coding)


def _code(flag: Flag) -> Resource:
    if flag.category is not FlagCategory.SCENE_SAFETY:
        coded = concept_to_fhir(flag.concept)
        return coded if "coding" in coded else {"coding": [_in_words(flag.category)], **coded}
    scene = _scene(flag.concept, flag.concept.text)
    # An unsafe scene has words, if only those of its code.
    return named_concept(scene) if scene.code == SceneSafety.UNSAFE else concept_to_fhir(scene)


def _head(frame: Frame, category: FlagCategory) -> Resource:
    return {
        **frame.head("Flag", *_profiles(category)),
        "status": "active",
        "category": [{"coding": [category.coding]}],
    }


def _profiles(category: FlagCategory) -> tuple[str, ...]:
    return profiles.SCENE_SAFETY if category is FlagCategory.SCENE_SAFETY else (profiles.FLAG,)


def carried_flags(bundle: MessageBundle) -> tuple[Flag, ...]:
    """Warnings that stand; of a category whose codes are all known, another code becomes words."""
    found = (
        (each, category)
        for each in standing(bundle.of_type("Flag"))
        for category in FlagCategory
        if category not in _NOT_CARRIED and code_in(each.get("category"), category.system) == category.value
    )
    return each_tried(_read_flag, found)


def _read_flag(found: tuple[Resource, FlagCategory]) -> Flag:
    flag, category = found
    since = instant(as_dict(flag.get("period")).get("start"))
    code = as_dict(flag.get("code"))
    if code_in(code, category.system) and code.get("text"):
        # The category once more, as the code of words.
        code = {"text": code["text"]}
    made = tried(lambda: Flag(category, concept_of(code), since))
    if made is not None or category not in CODES:
        return made or Flag(category, Concept(text=category.display), since)
    return Flag(category, Concept(text=words_of(flag.get("code")) or category.display), since)


# Belongs to the services that were offered then.
_NOT_CARRIED = (FlagCategory.REJECTED_SERVICES,)


def flag_categories(bundle: MessageBundle) -> tuple[str, ...]:
    """Codes of Flag.category of the active flags, sorted."""
    codes = {code for flag in _active_flags(bundle) for code in _codes(flag, "category")}
    return tuple(sorted(code[:CODE] for code in codes))


def has_safeguarding(bundle: MessageBundle) -> bool:
    """An active safeguarding flag that does not say "none identified"."""
    flags = _flags_of(bundle, FlagCategory.SAFEGUARDING)
    return any(_NO_CONCERN not in _codes(flag, "code") for flag in flags)


def scene_is_unsafe(bundle: MessageBundle) -> bool:
    """A scene safety flag that does not say "safe": unknown, and words alone, count as not safe."""
    flags = _flags_of(bundle, FlagCategory.SCENE_SAFETY)
    return any(SceneSafety.SAFE.value not in _codes(flag, "code") for flag in flags)


def scene_found_unsafe(bundle: MessageBundle) -> bool:
    """Somebody says that it is not safe, and not only that nobody knows."""
    flags = _flags_of(bundle, FlagCategory.SCENE_SAFETY)
    return any(SceneSafety.UNSAFE.value in _codes(flag, "code") for flag in flags)


def _active_flags(bundle: MessageBundle) -> Iterator[Resource]:
    return (flag for flag in bundle.of_type("Flag") if as_text(flag.get("status")) not in _OVER)


def _flags_of(bundle: MessageBundle, category: FlagCategory) -> Iterator[Resource]:
    return (flag for flag in _active_flags(bundle) if category.value in _codes(flag, "category"))


def _codes(flag: Resource, member: str) -> frozenset[str]:
    return frozenset(as_text(each.get("code")) for each in codings(flag.get(member))) - {""}


# Flags that are over; one without a status counts, for a warning must not be lost to a slip.
_OVER = frozenset({"inactive", "entered-in-error"})
# safeguarding-codes-bars: said to be looked into, and nothing found.
_NO_CONCERN = "861931000000100"


@dataclass(frozen=True, slots=True)
class RaisedFlag:
    """A warning that goes back with the outcome: a code of its category's list, or words, or both."""

    category: FlagCategory
    code: str = ""
    display: str = ""
    words: str = ""

    def __post_init__(self) -> None:
        require(bool(self.code or self.words.strip()), "Say what the warning is about.")


_SYSTEMS = {
    FlagCategory.SAFEGUARDING: SAFEGUARDING_SYSTEM,
    FlagCategory.SCENE_SAFETY: _SCENE_SYSTEM,
    FlagCategory.REJECTED_SERVICES: DosRejectedReason.OTHER.system,
    FlagCategory.REASONABLE_ADJUSTMENT: "https://fhir.nhs.uk/CodeSystem/reasonable-adjustment-codes-bars",
}


def with_scene_safety(held: HeldRequest, raised: Sequence[RaisedFlag]) -> Sequence[RaisedFlag]:
    """The outcome of a validation always says whether the scene is safe, if only that nobody asked."""
    category, unknown = FlagCategory.SCENE_SAFETY, SceneSafety.UNKNOWN
    told = any(category.value in _codes(flag, "category") for _, flag in held.of_types({"Flag"}))
    if told or any(each.category is category for each in raised):
        return raised
    return (*raised, RaisedFlag(category, unknown.value, unknown.display))


def returned_flags(
    held: HeldRequest,
    *,
    raised: Iterable[RaisedFlag],
    ended: Collection[str] = (),
    encounter_url: str,
    now: datetime,
) -> list[Entry]:
    """Every flag of the request, over where its fullUrl is in `ended`, and those that are new."""
    known = [(url, _ended(flag, now) if url in ended else flag) for url, flag in held.of_types({"Flag"})]
    new = dict(_raised_entry(held, each, encounter_url, now) for each in raised)
    return known + [entry for entry in new.items() if entry[0] not in dict(known)]


def _ended(flag: Resource, now: datetime) -> Resource:
    stamp = format_instant(now)
    return {
        **flag,
        "meta": {**as_dict(flag.get("meta")), "lastUpdated": stamp},
        "status": "inactive",
        "period": {**as_dict(flag.get("period")), "end": stamp},
    }


def _raised_entry(held: HeldRequest, raised: RaisedFlag, encounter_url: str, now: datetime) -> Entry:
    scene = raised.category is FlagCategory.SCENE_SAFETY
    locations = held.of_types({"Location"})
    about = locations[0][0] if scene and locations else held.patient[0]
    return held.part_url(f"flag|{raised.category}|{raised.code}|{raised.words}"), {
        "resourceType": "Flag",
        "meta": {"lastUpdated": format_instant(now), "profile": [*_profiles(raised.category)]},
        "status": "active",
        "category": [{"coding": [raised.category.coding]}],
        "code": _raised_code(raised),
        "subject": {"reference": about},
        "period": {"start": format_instant(now)},
        "encounter": {"reference": encounter_url},
    }


def _raised_code(raised: RaisedFlag) -> Resource:
    said: Resource = {"text": raised.words} if raised.words.strip() else {}
    if not raised.code:
        unknown = SceneSafety.UNKNOWN.coding
        is_scene = raised.category is FlagCategory.SCENE_SAFETY
        return {"coding": [unknown if is_scene else _in_words(raised.category)], **said}
    system = _SYSTEMS.get(raised.category, raised.category.system)
    named = coding(system, raised.code, raised.display)
    is_unsafe = (system, raised.code) == (_SCENE_SYSTEM, SceneSafety.UNSAFE)
    return {"coding": [named], **({"text": named["display"]} if is_unsafe else {}), **said}

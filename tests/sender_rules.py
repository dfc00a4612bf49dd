"""What assurance asks of a sender, as data: each rule is judged over every Bundle that the tests build.

Only what was written together with the Bundle is judged: what is repeated stays as it came.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import phonenumbers
import pytest

from bars_portal.exchange.fhir import bundle

Json = dict[str, Any]
_CODES = "https://fhir.nhs.uk/CodeSystem/"
_SYSTEM = {"scene": f"{_CODES}scene-safety-codes-bars", "arp": f"{_CODES}arp-priority-codes"}
_R4 = "http://hl7.org/fhir/StructureDefinition/"
_SCENE_PROFILES = [f"{_R4}Flag", "https://fhir.nhs.uk/StructureDefinition/BARSFlag-scene-safety"]
_PLACE_PROFILES = [
    f"{_R4}Location",
    "https://fhir.hl7.org.uk/StructureDefinition/BARSLocation-incident-location",
]
_TIMED = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T")
_UTC = re.compile(r"[0-9]{4}(?:-[0-9]{2}){2}T[0-9]{2}(?::[0-9]{2}){2}\.[0-9]{7}\+00:00")
_LOCAL = re.compile(r"[0-9]{4}(?:-[0-9]{2}){2}T[0-9]{2}(?::[0-9]{2}){2}\.[0-9]{7}\+0[01]:00")
_PHONE = re.compile(r"[0-9 ]+(?: ext\. [0-9]+)?")
_KINDS = (
    "Symptom discriminator",
    "Disposition",
    "Symptom group",
    "Presenting complaint",
    "Dispatch code",
    "Triage outcome",
)
# The receiver's own, told back with the booking.
_OFFERED = frozenset(
    {"Slot", "Schedule", "HealthcareService", "Practitioner", "PractitionerRole", "Location"}
)
_ASKED = frozenset({"ServiceRequest", "Patient"})
_SCENE_USE_CASES = ("a3t", "a4t", "a6t")


@dataclass(frozen=True)
class Sent:
    """A message Bundle of ours, or a searchset of slots."""

    bundle: Json

    @cached_property
    def resources(self) -> list[Json]:
        return [each["resource"] for each in self.bundle.get("entry", [])]

    @cached_property
    def header(self) -> Json:
        return next((each for each in self.resources if each["resourceType"] == "MessageHeader"), {})

    @property
    def is_answer(self) -> bool:
        """The synchronous answer repeats the message with its header."""
        return not self._is_new(self.header)

    @property
    def definition(self) -> str:
        return str(self.header.get("definition", ""))

    @cached_property
    def written(self) -> list[Json]:
        """What was written for this Bundle."""
        if self.is_answer:
            return []
        found = [each for each in self.resources if self._is_new(each)]
        return [each for each in found if each["resourceType"] not in self._repeated]

    @property
    def _repeated(self) -> frozenset[str]:
        """What is somebody else's: what a booking was offered with, and whom and what a response is about."""
        return (
            _OFFERED
            if "booking" in self.definition
            else _ASKED
            if "response" in self.definition
            else frozenset()
        )

    def of_type(self, kind: str) -> list[Json]:
        return [each for each in self.written if each["resourceType"] == kind]

    @cached_property
    def request(self) -> Json:
        return next((each for each in self.resources if each["resourceType"] == "ServiceRequest"), {})

    @cached_property
    def use_case(self) -> str:
        codes = (str(each.get("code", "")) for each in codings(self.request.get("category")))
        return next((each for each in codes if re.fullmatch(r"a[1-6]t[1-9]|referraltopharmacy", each)), "")

    @property
    def is_cancel(self) -> bool:
        return self.definition.endswith("-cancelled")

    @property
    def asks(self) -> bool:
        """A request that stands, new or updated."""
        code = self.header.get("eventCoding", {}).get("code")
        return code == "servicerequest-request" and not self.is_cancel and not self.is_answer

    def _is_new(self, resource: Json) -> bool:
        return bool(resource.get("meta", {}).get("lastUpdated") == self.bundle.get("timestamp"))


def codings(concepts: Any) -> Iterator[Json]:
    for concept in concepts if isinstance(concepts, list) else [concepts or {}]:
        yield from concept.get("coding", [])


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, each in value.items():
            yield from leaves(each, f"{path}.{name}")
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from leaves(each, f"{path}[{number}]")
    else:
        yield path, value


def objects(value: Any, name: str = "") -> Iterator[tuple[str, Json]]:
    """Every object with the name under which it stands."""
    if isinstance(value, dict):
        yield name, value
        for inner, each in value.items():
            yield from objects(each, inner)
    elif isinstance(value, list):
        for each in value:
            yield from objects(each, name)


Judge = Callable[[Sent], Iterator[str]]


@dataclass(frozen=True)
class Rule:
    """`judge` names what breaks the rule: element paths, never values."""

    id: str
    sentence: str
    judge: Judge


RULES: list[Rule] = []


def rule(ident: str, sentence: str) -> Callable[[Judge], Judge]:
    def add(judge: Judge) -> Judge:
        RULES.append(Rule(ident, sentence, judge))
        return judge

    return add


def _repeats(resource: Json, sent: Sent) -> bool:
    """What ends something says again what was held of it."""
    over = resource.get("status") in ("inactive", "cancelled", "revoked", "entered-in-error")
    return over and (sent.is_cancel or resource["resourceType"] == "Flag")


@rule("instants", "Every time of day that we write has seven digits of a second, and is UTC as +00:00.")
def _instants(sent: Sent) -> Iterator[str]:
    if sent.bundle.get("type") != "message":
        return
    whole = {name: sent.bundle.get(name) for name in ("timestamp", "meta")}
    told = [("Bundle", whole)]
    for each in sent.written:
        kept = {"meta": each["meta"]} if _repeats(each, sent) else each
        told.append((each["resourceType"], kept))
    for kind, value in told:
        for path, leaf in leaves(value, kind):
            if isinstance(leaf, str) and _TIMED.match(leaf) and not _UTC.fullmatch(leaf):
                yield path


@rule("slot-times", "A slot answer has seven digits of a second, and the offset of London.")
def _slot_times(sent: Sent) -> Iterator[str]:
    if not any(each["resourceType"] == "Slot" for each in sent.resources):
        return
    if sent.bundle.get("type") == "searchset":
        for path, leaf in leaves(sent.bundle, "Bundle"):
            timed = isinstance(leaf, str) and _TIMED.match(leaf) and ".link" not in path
            if timed and not _LOCAL.fullmatch(leaf):
                yield path


@rule("displays", "Every code has its display.")
def _displays(sent: Sent) -> Iterator[str]:
    for resource in sent.written:
        if _repeats(resource, sent):
            continue
        for name, each in objects(resource):
            coded = name in ("coding", "class", "eventCoding", "valueCoding")
            if coded and each.get("code") and not each.get("display"):
                yield f"{resource['resourceType']}: {name} without display"


@rule("birth-sex", "Birth sex is an Observation, not an extension of the Patient.")
def _birth_sex(sent: Sent) -> Iterator[str]:
    for patient in sent.of_type("Patient"):
        if any(each.get("url", "").endswith("BirthSex") for each in patient.get("extension", [])):
            yield "Patient.extension"


@rule("scene-told", "Requests of a 999 call, and the outcome of a validation, say whether the scene is safe.")
def _scene_told(sent: Sent) -> Iterator[str]:
    asked = sent.asks and sent.use_case.startswith(_SCENE_USE_CASES)
    full = sent.definition.endswith("response-validation-full") and not sent.is_answer
    flags = [each for each in sent.resources if each["resourceType"] == "Flag"]
    if (asked or full) and not any(_is_scene(each) for each in flags):
        yield "Flag"


@rule("scene-coded", "Scene safety is a code, and an unsafe scene has words.")
def _scene_coded(sent: Sent) -> Iterator[str]:
    for flag in filter(_is_scene, sent.of_type("Flag")):
        found = [each["code"] for each in codings(flag.get("code")) if each.get("system") == _SYSTEM["scene"]]
        if flag["status"] == "active" and sent.asks and not found:
            yield "Flag.code.coding"
        if flag["status"] == "active" and "U" in found and not flag["code"].get("text"):
            yield "Flag.code.text"


def _is_scene(flag: Json) -> bool:
    return any(each.get("code") == "SS" for each in codings(flag.get("category")))


@rule("two-profiles", "A scene safety Flag and an incident Location name the profile of R4 and that of BaRS.")
def _two_profiles(sent: Sent) -> Iterator[str]:
    for flag in filter(_is_scene, sent.of_type("Flag")):
        if flag["status"] == "active" and flag["meta"].get("profile") != _SCENE_PROFILES:
            yield "Flag.meta.profile"
    for place in filter(_is_incident, sent.of_type("Location")):
        if place["meta"].get("profile") != _PLACE_PROFILES:
            yield "Location.meta.profile"


def _is_incident(location: Json) -> bool:
    return any(each.get("code") == "ILOC" for each in codings(location.get("type")))


@rule("incident-where", "An incident says where: UPRN, grid, what3words, position, or address with postcode.")
def _incident_where(sent: Sent) -> Iterator[str]:
    for place in filter(_is_incident, sent.of_type("Location")):
        parts = {part["url"] for each in place.get("extension", []) for part in each.get("extension", [])}
        grid = {"eastings", "northings"} <= parts
        known = parts & {"UPRN", "what3words"} or grid or "position" in place
        if not known and not place.get("address", {}).get("postalCode"):
            yield "Location"


@rule("phones", "A number is digits and blanks: 0... for a British one, 00 and its country code for another.")
def _phones(sent: Sent) -> Iterator[str]:
    for resource in sent.written:
        for name, each in objects(resource):
            dialled = name == "telecom" and each.get("system") in ("phone", "sms")
            if dialled and _is_certain(each["value"]) and not _PHONE.fullmatch(each["value"]):
                yield f"{resource['resourceType']}.{name}.value"


def _is_certain(value: str) -> bool:
    """A text that is a whole number with its country or its first zero; of others nobody can tell."""
    try:
        number = phonenumbers.parse(value, "GB")
    except phonenumbers.NumberParseException:
        return False
    plain = re.fullmatch(r"[+0][0-9() .\-]*", value) is not None
    result = phonenumbers.is_possible_number_with_reason(number)
    return plain and result == phonenumbers.ValidationResult.IS_POSSIBLE


@rule("named-text", "The complaint and an observation say in text what they are, also when they are coded.")
def _named_text(sent: Sent) -> Iterator[str]:
    for kind in ("Condition", "Observation"):
        for each in sent.of_type(kind):
            if not each.get("code", {}).get("text"):
                yield f"{kind}.code.text"


@rule("pharmacy-task", "What a pharmacy is asked is an order, and a SNOMED code.")
def _pharmacy_task(sent: Sent) -> Iterator[str]:
    if sent.asks and (sent.use_case.startswith("a5t") or sent.use_case == "referraltopharmacy"):
        for task in sent.of_type("Task"):
            if task.get("intent") != "order":
                yield "Task.intent"
            if "http://snomed.info/sct" not in {each.get("system") for each in codings(task.get("code"))}:
                yield "Task.code"


@rule("outcome-kinds", "The code of a triage outcome says in text what kind of outcome it is.")
def _outcome_kinds(sent: Sent) -> Iterator[str]:
    for plan in sent.of_type("CarePlan"):
        for concept in (c for a in plan.get("activity", []) for c in a.get("outcomeCodeableConcept", [])):
            systems = {each.get("system") for each in concept.get("coding", [])}
            coded = systems and _SYSTEM["arp"] not in systems
            if coded and not str(concept.get("text", "")).startswith(_KINDS):
                yield "CarePlan.activity.outcomeCodeableConcept.text"


@rule("help-asked", "Call assist and mutual aid say in ServiceRequest.category.text what is asked.")
def _help_asked(sent: Sent) -> Iterator[str]:
    told = any(each.get("text") for each in sent.request.get("category", []))
    if sent.asks and sent.use_case in ("a6t2", "a6t3") and not told:
        yield "ServiceRequest.category.text"


@rule("cancel-reason", "Why a request is taken back is in its reasonCode.")
def _cancel_reason(sent: Sent) -> Iterator[str]:
    notes = [each.get("text") for each in sent.request.get("note", [])]
    told = [each.get("text") for each in sent.request.get("reasonCode", [])]
    if sent.is_cancel and not sent.is_answer and not set(notes) <= set(told):
        yield "ServiceRequest.reasonCode.text"


def broken(bundle: Json) -> list[str]:
    """Each fault with its rule; nothing for a Bundle that keeps them all."""
    sent = Sent(bundle)
    return [f"{each.id}: {fault}" for each in RULES for fault in each.judge(sent)]


@contextmanager
def judging_messages() -> Iterator[None]:
    """Every message Bundle that is written meanwhile."""
    faults: list[str] = []
    write = bundle._message

    def judged(*args: Any) -> Json:
        written = write(*args)
        faults.extend(broken(written))
        return written

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bundle, "_message", judged)
        yield
    assert not faults, "\n".join(dict.fromkeys(faults))

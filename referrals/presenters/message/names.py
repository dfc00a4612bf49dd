"""What a thing of the message is called, so that no page shows a GUID."""

from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.reading import as_dict, as_list, as_text, codings, dicts
from referrals.presenters.message.words import known_display, sentence

_PLAIN = {
    "CarePlan": "the care plan",
    "Encounter": "the case",
    "EpisodeOfCare": "the journey",
    "ServiceRequest": "the request",
    "Appointment": "the appointment",
    "Slot": "the slot",
    "Schedule": "the diary",
    "QuestionnaireResponse": "the answers to a questionnaire",
}


GENERIC = frozenset(_PLAIN.values())


def name_in(bundle: MessageBundle, reference: str) -> str:
    """The name of what a reference points at; a target outside the message by its kind; else ""."""
    resource = bundle.resolve(reference)
    if resource is not None:
        return name_of(resource, bundle)
    kind = reference.rpartition("/")[0].rpartition("/")[2]
    return f"{sentence(kind)} that is not part of this message" if kind in _PLAIN else ""


def name_of(resource: Resource, bundle: MessageBundle) -> str:
    """Mrs Julie Jones, Sender Organization, Choking: whatever names it best."""
    kind = as_text(resource.get("resourceType"))
    named = _own_name(resource) or _person(resource, bundle) or concept_name(resource.get("code"))
    if kind in _BY_KIND:
        named = _own_name(resource) or _BY_KIND[kind](resource)
    return named or _PLAIN.get(kind) or sentence(kind)


def human_name(name: object) -> str:
    member = as_dict(name)
    given = [as_text(each) for each in as_list(member.get("given"))]
    prefix = [as_text(each) for each in as_list(member.get("prefix"))]
    parts = [*prefix, *given, as_text(member.get("family"))]
    return " ".join(filter(None, parts)) or as_text(member.get("text"))


def concept_name(concept: object) -> str:
    """The first display of a CodeableConcept, else its text, else its code."""
    found = list(codings(concept))
    displays = (as_text(each.get("display")) or _known(each) for each in found)
    codes = (as_text(each.get("code")) for each in found)
    text = as_text(as_dict(concept).get("text"))
    return next(filter(None, displays), "") or text or next(filter(None, codes), "")


def _known(coding: Resource) -> str:
    return known_display(as_text(coding.get("system")), as_text(coding.get("code")))


def _own_name(resource: Resource) -> str:
    name = resource.get("name")
    if isinstance(name, str):
        return name
    return next((human_name(each) for each in dicts(name)), "")


def _person(resource: Resource, bundle: MessageBundle) -> str:
    """A PractitionerRole is called after its practitioner, else its organisation."""
    if resource.get("resourceType") != "PractitionerRole":
        return ""
    for element in ("practitioner", "organization"):
        target = bundle.resolve(resource.get(element))
        if target is not None and target is not resource:
            return _own_name(target)
    return ""


def _case(encounter: Resource) -> str:
    numbers = (as_text(each.get("value")) for each in dicts(encounter.get("identifier")))
    number = next(filter(None, numbers), "")
    return f"case {number}" if number else ""


def _place(location: Resource) -> str:
    """Incident Location, else its first address line."""
    kinds = (concept_name(each) for each in dicts(location.get("type")))
    lines = as_dict(location.get("address")).get("line")
    first = as_text(next(iter(as_list(lines)), ""))
    return next(filter(None, kinds), "") or first


def _answers(response: Resource) -> str:
    """What the questionnaire was about."""
    reasons = (concept_name(each.get("valueCodeableConcept")) for each in dicts(response.get("extension")))
    return next(filter(None, reasons), "")


_BY_KIND = {"Encounter": _case, "Location": _place, "QuestionnaireResponse": _answers}

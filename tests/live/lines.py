"""One breakage for each line that assurance added (standard sections 12 and 13), and what must find it.

Each is a receiver that reads its line the other way: it refuses what it must take, or the other way round.
"""

import base64
import json
import re
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as ET

from tests.live.spoiling import Asked, Breakage, Told, refused
from tests.live.spoilt_messages import (
    Resource,
    all_of,
    codes_of,
    is_answer,
    is_end,
    mends,
    message_in,
    one_of,
    patients_of,
    refuses,
    urls_of,
)

_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_TARGET = "nhsd-target-identifier"
_VALIDATION = "validation"


def _has_an_odd_id(message: Resource) -> bool:
    ids = [message.get("id"), *(each["resource"].get("id") for each in message["entry"])]
    return any(isinstance(each, str) and not _ID.fullmatch(each) for each in ids)


def _odd_ids_of_responses(message: Resource) -> bool:
    return is_answer(message) and _has_an_odd_id(message)


def _unknown_parameter_first(asked: Asked) -> Asked | Told:
    return refused(400, asked, issue="invalid") if "colour=" in asked.target else asked


def _headers_first(asked: Asked) -> Asked | Told:
    return refused(400, asked, issue="value") if "%%%" in asked.headers.values() else asked


def _unknown_targets_are_no_scope(asked: Asked) -> Asked:
    """The address of another service, or of no service, is left out."""
    if asked.method != "GET" or _TARGET not in asked.headers:
        return asked
    try:
        named = json.loads(base64.b64decode(asked.headers[_TARGET]))
    except ValueError:
        return asked
    known = not isinstance(named, dict) or not {"system", "value"} <= named.keys()
    if known or str(named["value"]).startswith("20000"):
        return asked
    return replace(asked, headers={name: each for name, each in asked.headers.items() if name != _TARGET})


def _use_cases_choose_nothing(asked: Asked) -> Asked:
    return replace(asked, target=re.sub(r"&context=[^&]*usecases[^&]*", "", asked.target))


def _definitions_name_what_was_asked(asked: Asked, told: Told) -> Told:
    chosen = re.search(r"usecases-categories-bars(?:\||%7C)(\w+)", asked.target)
    message = message_in(Asked("", "", {}, told.body))
    if chosen is None or message is None:
        return told
    for each in all_of(message, "MessageDefinition"):
        each["useContext"] = [
            use
            for use in each["useContext"]
            if "usecases" not in json.dumps(use) or chosen[1] in json.dumps(use)
        ]
    return replace(told, body=json.dumps(message).encode())


def _ways(location: Resource) -> set[str]:
    parts = {
        str(part.get("url")) for each in location.get("extension", []) for part in each.get("extension", [])
    }
    return parts | ({"address"} & location.keys())


def _one_way_is_enough(message: Resource) -> None:
    for each in all_of(message, "Location"):
        if "address" in each and "UPRN" not in _ways(each):
            each.pop("extension", None)


def _uprn_and_address(message: Resource) -> bool:
    asks = _VALIDATION in codes_of(one_of(message, "ServiceRequest")) and not is_answer(message)
    return asks and any({"UPRN", "address"} <= _ways(each) for each in all_of(message, "Location"))


def _place_in_two_ways(message: Resource) -> bool:
    other = _VALIDATION not in codes_of(one_of(message, "ServiceRequest"))
    return other and any(len(_ways(each)) > 1 for each in all_of(message, "Location"))


def _other_types_are_taken(asked: Asked) -> Asked:
    bare = asked.headers.get("content-type", "")
    if re.fullmatch(r"(?:application|text)/(?:json|xml)", bare) is None:
        return asked
    return replace(asked, headers={**asked.headers, "content-type": "application/fhir+json"})


def _weights_by_the_letter(asked: Asked) -> Asked | Told:
    weight = re.search(r";\s*q=([^,;]*)", asked.headers.get("accept", ""))
    sound = weight is None or re.fullmatch(r"0(?:\.\d{0,3})?|1(?:\.0{0,3})?", weight[1])
    return asked if sound else refused(406, asked)


def _whoever_cancels(message: Resource) -> None:
    if is_end(message):
        _take_part(message)


def _whoever_books(message: Resource) -> None:
    if one_of(message, "Appointment").get("status") == "booked" and not is_answer(message):
        _take_part(message)


def _take_part(message: Resource) -> None:
    """Every participant is the Patient of the message, whoever is named."""
    urls = patients_of(message)
    for each in one_of(message, "Appointment").get("participant", []) if urls else []:
        each["actor"] = {"reference": urls[0]}


def _cancels_where_the_patient_stands(message: Resource) -> bool:
    actors = [
        each["actor"].get("reference") for each in one_of(message, "Appointment").get("participant", [])
    ]
    somebody = is_end(message) and bool(all_of(message, "Patient"))
    return somebody and not {str(each) for each in actors} <= urls_of(message)


class _FirstMessagesAreNew:
    """Of a conversation that did not begin here an update is refused, whatever its Application."""

    def __init__(self) -> None:
        self.begun: set[str] = set()

    def __call__(self, asked: Asked) -> Asked | Told:
        message, conversation = message_in(asked), asked.headers.get("x-correlation-id", "")
        asks = message is not None and not is_answer(message)
        reason = json.dumps(one_of(message, "MessageHeader").get("reason")) if message and asks else ""
        # What came in XML is not looked into.
        if message is None or '"new"' in reason:
            self.begun.add(conversation)
        return refused(404, asked) if '"update"' in reason and conversation not in self.begun else asked


def _unknown_ids_are_none(message: Resource) -> None:
    if '"update"' in json.dumps(one_of(message, "MessageHeader").get("reason")) and not is_answer(message):
        one_of(message, "ServiceRequest").pop("id", None)


def _id_elements_are_faults(asked: Asked) -> Asked | Told:
    try:
        tree = ET.fromstring(asked.body) if b"<Bundle" in asked.body else None
    except ET.ParseError:
        return asked
    found = tree is not None and any(
        each.tag.rpartition("}")[2][0].islower() and each.find("{http://hl7.org/fhir}id") is not None
        for each in tree.iter()
    )
    return refused(400, asked) if found else asked


def _markup_keeps_its_prefix(_: Asked, told: Told) -> Told:
    return replace(told, body=told.body.replace(b"<br/>", b"<h:br/>"))


def _missing(message: Resource, place: str) -> bool:
    """Whether an Encounter names at that place what is not in the message."""
    named = [
        str(each.get("location", each).get("reference"))
        for encounter in all_of(message, "Encounter")
        for each in _listed(encounter.get(place))
    ]
    return any(each.startswith("urn:uuid:") and each not in urls_of(message) for each in named)


def _listed(value: Any) -> list[Resource]:
    return value if isinstance(value, list) else [value] if value else []


def _version_of_subject(message: Resource) -> bool:
    return "/_history/" in json.dumps(one_of(message, "ServiceRequest"))


def _any_version(message: Resource) -> None:
    subject = one_of(message, "ServiceRequest").get("subject", {})
    if "/_history/" in subject.get("reference", ""):
        subject["reference"] = subject["reference"].partition("/_history/")[0]


def _about_the_patient(message: Resource) -> None:
    """A request is about the Patient of the message, whoever is named."""
    urls = patients_of(message)
    request = one_of(message, "ServiceRequest")
    if urls and request and not is_answer(message):
        request["subject"] = {"reference": urls[0]}


def _destination_of_another(message: Resource) -> bool:
    where = json.dumps(one_of(message, "MessageHeader").get("destination"))
    return is_answer(message) and "9999999999" in where


def _one_issue_for_request_ids(asked: Asked, told: Told) -> Told:
    if told.status != 400 or re.fullmatch(r"[0-9A-Fa-f-]{36}", asked.headers.get("x-request-id", "")):
        return told
    return replace(told, body=told.body.replace(b'"invariant"', b'"value"'))


def _last_name_counts(asked: Asked) -> Asked:
    """What comes twice is read as whoever parses JSON carelessly reads it."""
    headers = dict(asked.headers)
    for name in {_TARGET} & headers.keys():
        try:
            read = json.loads(base64.b64decode(headers[name]))
        except ValueError:
            continue
        headers[name] = base64.b64encode(json.dumps(read).encode()).decode()
    try:
        return replace(asked, headers=headers, body=json.dumps(json.loads(asked.body)).encode())
    except ValueError:
        return replace(asked, headers=headers)


def _no_leap_seconds(asked: Asked) -> Asked | Told:
    return refused(400, asked) if b":59:60" in asked.body else asked


def _unread_is_missing(asked: Asked, told: Told) -> Told:
    message = message_in(asked)
    focus = _listed(one_of(message, "MessageHeader").get("focus")) if message else []
    if not focus or "reference" in focus[0]:
        return told
    return replace(told, body=re.sub(rb'"code":\s*"(?:value|invariant)"', b'"code":"required"', told.body))


def _forgets_old_numbers(message: Resource) -> None:
    for each in all_of(message, "Patient"):
        numbers = each.pop("identifier", [])
        if kept := [one for one in numbers if one.get("use") != "old"]:
            each["identifier"] = kept


def _believes_every_number(message: Resource) -> None:
    code = {
        "system": "https://fhir.hl7.org.uk/CodeSystem/UKCore-NHSNumberVerificationStatus",
        "code": "number-present-and-verified",
    }
    url = "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-NHSNumberVerificationStatus"
    for patient in all_of(message, "Patient"):
        for each in patient.get("identifier", []):
            each["extension"] = [{"url": url, "valueCodeableConcept": {"coding": [code]}}]


def _names_by_the_letter(asked: Asked) -> Asked:
    """What is stored in capitals is not found by small letters."""
    return replace(
        asked, target=re.sub(r"patient:name=[^&]*[a-z][^&]*", "patient:name=Ottershaw", asked.target)
    )


def _family(message: Resource) -> str:
    names = _listed(one_of(message, "Patient").get("name"))
    return str(names[0].get("family", "")) if names else ""


def _another_spelling_cancels(message: Resource) -> bool:
    return is_end(message) and any(each.islower() for each in _family(message))


def _any_name_cancels(message: Resource) -> None:
    patient = one_of(message, "Patient")
    if is_end(message) and "identifier" not in patient:
        patient.pop("name", None)


def _birth_in_part(message: Resource) -> bool:
    return 0 < len(str(one_of(message, "Patient").get("birthDate", ""))) < len("1932-10-29")


def _pseudo_postcode(message: Resource) -> bool:
    return "ZZ99" in json.dumps(one_of(message, "Patient").get("address", ""))


def _one_name_alone(message: Resource) -> bool:
    names = _listed(one_of(message, "Patient").get("name"))
    return any(not {"family", "given"} <= each.keys() for each in names)


def _nobody_dies(message: Resource) -> None:
    one_of(message, "Patient").pop("deceasedDateTime", None)


def _any_date(message: Resource) -> None:
    patient = one_of(message, "Patient")
    if str(patient.get("birthDate", "")).endswith("-13"):
        patient["birthDate"] = "1932"


LINES: dict[str, tuple[Breakage, str]] = {
    "odd ids refused": (refuses(_has_an_odd_id), "IDS-27 IDS-28 IDS-29"),
    "odd ids of responses refused": (refuses(_odd_ids_of_responses), "IDS-28"),
    "unknown parameter first": (
        Breakage(way_in=_unknown_parameter_first),
        """READ-30.missing READ-30.value READ-30.request-missing READ-30.request-value
        CAP-23.missing CAP-23.value SLOT-30.missing SLOT-30.value""",
    ),
    "headers before verb and path": (
        Breakage(way_in=_headers_first),
        "PATH-04.verb PATH-04.message PATH-04.path PATH-04.path-software",
    ),
    "unknown target no scope": (
        Breakage(way_in=_unknown_targets_are_no_scope),
        "HDR-09.other-system HDR-09.no-service HDR-09.unknown",
    ),
    "use case chooses nothing": (Breakage(way_in=_use_cases_choose_nothing), "CAP-19"),
    "definitions name what was asked": (Breakage(way_out=_definitions_name_what_was_asked), "CAP-18"),
    "one way is enough": (mends(_one_way_is_enough), "VAL-18.two VAL-18.grid"),
    "UPRN and address refused": (refuses(_uprn_and_address), "VAL-18.uprn VAL-18.added"),
    "place in two ways refused everywhere": (refuses(_place_in_two_ways), "CAD-28"),
    "other media types taken": (
        Breakage(way_in=_other_types_are_taken),
        "FMT-07.json FMT-07.text-json FMT-07.xml FMT-07.text-xml",
    ),
    "weights by the letter": (
        Breakage(way_in=_weights_by_the_letter),
        "FMT-17.short FMT-17.long FMT-17.words FMT-17.nothing",
    ),
    "whoever cancels": (mends(_whoever_cancels), "CANC-13.nobody CANC-13.address CANC-13.number CANC-16"),
    "whoever books": (mends(_whoever_books), "BOOK-23.nobody BOOK-23.address BOOK-23.number"),
    "cancels where the Patient stands": (refuses(_cancels_where_the_patient_stands, 422), "CANC-15"),
    "first messages are new": (Breakage(way_in=_FirstMessagesAreNew()), "CAD-26"),
    "unknown ids are none": (mends(_unknown_ids_are_none), "CAD-27"),
    "id elements are faults": (Breakage(way_in=_id_elements_are_faults), "XML-19.name XML-19.period"),
    "markup keeps its prefix": (Breakage(way_out=_markup_keeps_its_prefix), "XML-17.json XML-17.xml"),
    "places must be there": (
        refuses(lambda message: _missing(message, "location")),
        "REF-39 VAL-19.place",
    ),
    "responses bring their subject": (
        refuses(lambda message: is_answer(message) and _missing(message, "subject")),
        "DNA-07.subject",
    ),
    "responses bring their journey": (
        refuses(lambda message: is_answer(message) and _missing(message, "episodeOfCare")),
        "DNA-07.journey",
    ),
    "versions refused": (refuses(_version_of_subject), "REF-40.held"),
    "any version": (mends(_any_version), "REF-40.other"),
    "about the patient": (
        mends(_about_the_patient),
        "REF-38.address REF-38.number REF-38.missing REF-40.other CHK-11.subject",
    ),
    "responses to ourselves only": (refuses(_destination_of_another), "DNA-09 DNA-10"),
    "one issue for request ids": (Breakage(way_out=_one_issue_for_request_ids), "IDS-26.request"),
    "the last name counts": (Breakage(way_in=_last_name_counts), "FMT-18.bundle FMT-18.within HDR-11"),
    "no leap seconds": (Breakage(way_in=_no_leap_seconds), "FMT-19 XML-16"),
    "unread is missing": (Breakage(way_out=_unread_is_missing), "CHK-14"),
    "old numbers forgotten": (mends(_forgets_old_numbers), "READ-16"),
    "every number believed": (mends(_believes_every_number), "READ-14.appointments READ-14.requests"),
    "names by the letter": (
        Breakage(way_in=_names_by_the_letter),
        "READ-15.appointments READ-15.requests",
    ),
    "another spelling is another person": (
        refuses(_another_spelling_cancels, 422),
        "CANC-17.case CANC-17.apostrophe CANC-17.accent CANC-17.blank",
    ),
    "any name cancels": (mends(_any_name_cancels), "CANC-18"),
    "birth in part refused": (refuses(_birth_in_part), "REF-41.year REF-41.month READ-17"),
    "any date": (mends(_any_date), "REF-42"),
    "pseudo-postcodes refused": (
        refuses(_pseudo_postcode),
        "REF-41.no-home REF-41.england REF-41.unknown READ-17",
    ),
    "one name refused": (refuses(_one_name_alone), "REF-41.family REF-41.given"),
    "nobody dies": (mends(_nobody_dies), "REF-43"),
}

"""Sets of answers (QuestionnaireResponse): of ambulance controls, services not taken, other records."""

from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import Any

from pydantic import dataclasses as checked

from bars_portal.correspondence.entries import Entry
from bars_portal.exchange.fhir.bundle import MessageBundle, Resource
from bars_portal.exchange.fhir.codes import DosRejectedReason
from bars_portal.exchange.fhir.json import as_text, dicts
from referrals.cases.codes import LINE, STRICT, Line, LineOrNone, Uri, WordsOrNone
from referrals.cases.states import Labelled
from referrals.parts.base import SNOMED, Frame, date_of, each_tried, standing


class YesNo(StrEnum):
    YES = "yes"
    NO = "no"


class NatureOfCall(Labelled):
    """Questionnaire NOC: the code; `label` is its display."""

    CHOKING = "CHOM", "Choking"
    HAEMORRHAGE = "DAHM", "Dangerous Haemorrhage"
    DROWNING = "DROM", "Drowning"
    FITTING = "FINM", "Fitting now"
    HANGING = "HANM", "Hanging"
    PROFESSIONAL_C1 = "HI1M", "HCP /IFT C1"
    INEFFECTIVE_BREATHING = "INBM", "Ineffective Breathing"
    MAJOR_TRAUMA = "MATM", "Major Trauma"
    MATERNITY = "MACM", "Maternity Complications"
    MEDICAL_UNCONSCIOUS = "MEUM", "Medical (unconscious)"
    ALLERGIC_REACTION = "SARM", "Severe Allergic Reaction"
    TRAUMA_UNCONSCIOUS = "TRUM", "Trauma (unconscious)"
    ANAPHYLAXIS = "ANAP", "Anaphylaxis (potential)"
    ARREST = "AP1P", "Arrest/ Peri Arrest (Cat1)"
    ASTHMA = "ALTP", "Asthma (life threatening)"
    OBSTETRIC = "OBEP", "Obstetric Emergency"
    HAEMORRHAGE_UNDER_5 = "5SHP", "Under 5 Severe Haemorrhage"
    UNCONSCIOUS_UNDER_16 = "16UP", "Under 16 unconscious"
    UNCONSCIOUS_PREGNANT = "UNPP", "Unconscious pregnant > 20 weeks"


@checked.dataclass(frozen=True, config=STRICT)
class PreTriage:
    """Questionnaire PTS, the pre-triage sieve; None: not answered. Who does not breathe is asked no more."""

    breathing: YesNo
    conscious: YesNo | None = None
    noisy: YesNo | None = None


@checked.dataclass(frozen=True, config=STRICT)
class RejectedService:
    """A service that was offered and not taken; `service_id` is its DoS id."""

    reason: DosRejectedReason
    service_id: LineOrNone = ""
    name: LineOrNone = ""
    comment: WordsOrNone = ""


@checked.dataclass(frozen=True, config=STRICT)
class SpecialNote:
    """A special patient note that is kept here alone: nobody else can look it up, so it is sent whole."""

    title: Line
    detail: WordsOrNone = ""
    active_on: date | None = None
    review_on: date | None = None


@checked.dataclass(frozen=True, config=STRICT)
class Source:
    """Another record that was looked at, at its address; or a special note: `name` says where it is kept."""

    name: Line
    url: Uri = ""
    note: SpecialNote | None = None


_REASON = "http://hl7.org/fhir/StructureDefinition/questionnaireresponse-reason"
_QUESTIONNAIRE = "https://fhir.nhs.uk/Questionnaire/"
_NATURE_QUESTION = "What is the nature of call?"
REJECTED = "Rejected Services"
_SOURCES, _INFORMATION = "AdditionalSources", "Additional Information Sources"
# As the official examples name the source of a note of their own.
OWN_NOTE = "Local SPN"
_UNTITLED = "Special patient note"
_PATIENT_CHOICE = f"{REJECTED} - Patient Choice in Service Selection"
# Questionnaire PTS: (field, question, SNOMED code and display for yes, for no).
_SIEVE = (
    (
        "breathing",
        "Is the patient breathing?",
        ("78064003", "Breathing (observable entity)"),
        ("1023001", "Not Breathing (finding)"),
    ),
    (
        "conscious",
        "Is the patient awake (conscious)?",
        ("428913001", "No loss of consciousness (situation)"),
        ("419045004", "Loss of consciousness (finding)"),
    ),
    (
        "noisy",
        "Is their breathing noisy?",
        ("248573009", "Noisy respiration (finding)"),
        ("48348007", "Normal breath sounds (finding)"),
    ),
)


def questionnaire_entries(
    frame: Frame,
    *,
    nature: NatureOfCall | None,
    sieve: PreTriage | None,
    rejected: Sequence[RejectedService],
    sources: Sequence[Source],
) -> list[Entry]:
    entries: list[Entry] = []
    if nature is not None:
        entries.append((frame.url("nature of call"), _nature(frame, nature)))
    if sieve is not None:
        entries.append((frame.url("pre-triage"), _sieve(frame, sieve)))
    if rejected:
        entries.append((frame.url("rejected services"), _rejected(frame, rejected)))
    if sources:
        entries.append((frame.url("sources"), _sources(frame, sources)))
    return entries


# Of the official examples, which alone publish them.
_VERSION, _DATE, _PUBLISHER = "0.1", "2023-12-26", "NHSE - BaRS"
_TITLES = {"NOC": "Nature of Call Questionnaire", "PTS": "Pre Triage Sieve Questionnaire"}
_NUMBERS = {"NOC": "bf28a7e8-ae92-4e86-8c0f-ac3144f81bf6", "PTS": "76b4622b-2b8b-4f24-aee5-2631c7695594"}


def definition_entries(frame: Frame, *, nature: NatureOfCall | None, sieve: PreTriage | None) -> list[Entry]:
    """The Questionnaires that were answered: who reads the answers sees what could have been answered."""
    entries: list[Entry] = []
    if nature is not None:
        options = [{"code": each.value, "display": each.label} for each in NatureOfCall]
        entries.append(_definition(frame, "NOC", [_question("0", _NATURE_QUESTION, options)]))
    if sieve is not None:
        items = [
            _question(str(number), question, [_snomed(yes), _snomed(no)], after=bool(number))
            for number, (_, question, yes, no) in enumerate(_SIEVE)
        ]
        entries.append(_definition(frame, "PTS", items))
    return entries


def _definition(frame: Frame, name: str, items: list[Resource]) -> Entry:
    return frame.url(f"questionnaire {name}"), {
        **frame.head("Questionnaire"),
        "url": f"{_QUESTIONNAIRE}{name}",
        "identifier": [{"value": _NUMBERS[name]}],
        "version": _VERSION,
        "name": name,
        "title": _TITLES[name],
        "status": "active",
        "date": _DATE,
        "publisher": _PUBLISHER,
        "description": f"{name} Questionnaire for CAD-to-CAD",
        "item": items,
    }


def _question(link_id: str, text: str, options: list[Resource], *, after: bool = False) -> Resource:
    """`after`: asked only of who breathes, so that it need not be answered."""
    breathing = {"question": "0", "operator": "=", "answerCoding": _snomed(_SIEVE[0][2])}
    return {
        "linkId": link_id,
        "text": text,
        "type": "choice",
        **({"enableWhen": [breathing]} if after else {}),
        "required": not after,
        "answerOption": [{"valueCoding": each} for each in options],
    }


def _snomed(answer: tuple[str, str]) -> Resource:
    code, display = answer
    return {"system": SNOMED, "code": code, "display": display}


def _nature(frame: Frame, nature: NatureOfCall) -> Resource:
    answer = {"valueCoding": {"code": nature.value, "display": nature.label}}
    items = [{"linkId": "0", "text": _NATURE_QUESTION, "answer": [answer]}]
    return _response(frame, _TITLES["NOC"], items, subject="patient", name="NOC")


def _sieve(frame: Frame, answers: PreTriage) -> Resource:
    items = []
    for number, (field, question, yes, no) in enumerate(_SIEVE):
        answer = getattr(answers, field)
        if answer is not None:
            coding = _snomed(yes if answer is YesNo.YES else no)
            items.append({"linkId": str(number), "text": question, "answer": [{"valueCoding": coding}]})
    return _response(frame, _TITLES["PTS"], items, subject="patient", name="PTS")


def _rejected(frame: Frame, services: Sequence[RejectedService]) -> Resource:
    listed = [
        {"linkId": f"Service{number}", "item": _service(each)}
        for number, each in enumerate(services, start=1)
    ]
    items = [{"linkId": "RejectedServices", "text": REJECTED, "item": listed}]
    response = _response(frame, _PATIENT_CHOICE, items, subject="rejected flag")
    return {**response, "basedOn": [{"reference": frame.request_url}]}


def _service(service: RejectedService) -> list[Resource]:
    texts = {
        "ServiceId": service.service_id,
        "ServiceName": service.name,
        "RejectionComment": service.comment,
    }
    reason = {"linkId": "RejectionReason", "answer": [{"valueCoding": service.reason.coding}]}
    return [
        *({"linkId": name, "answer": [{"valueString": text}]} for name, text in texts.items() if text),
        reason,
    ]


def _sources(frame: Frame, sources: Sequence[Source]) -> Resource:
    """Told by whoever looked, not by the patient."""
    listed = [
        {"linkId": f"Source{number}", "item": _source(each)} for number, each in enumerate(sources, start=1)
    ]
    items = [{"linkId": _SOURCES, "text": "Additional Lookup Sources", "item": listed}]
    response = _response(frame, _INFORMATION, items, subject="patient")
    return {**response, "basedOn": [frame.ref("plan")], "source": frame.ref("practitioner")}


def _source(source: Source) -> list[Resource]:
    note = source.note
    active, review = (note.active_on, note.review_on) if note else (None, None)
    told = (
        ("SourceName", "valueString", source.name),
        ("SourceURL", "valueUri", source.url),
        ("SPNTitle", "valueString", note.title if note else ""),
        ("SPNDetail", "valueString", note.detail if note else ""),
        ("SPNActiveDate", "valueDateTime", active.isoformat() if active else ""),
        ("SPNReviewDate", "valueDateTime", review.isoformat() if review else ""),
    )
    return [{"linkId": name, "answer": [{value: said}]} for name, value, said in told if said]


def carried_sources(bundle: MessageBundle) -> tuple[Source, ...]:
    """What anybody looked at before, and their special notes: nobody else can look those up."""
    groups = (
        group
        for response in standing(bundle.of_type("QuestionnaireResponse"))
        for group in dicts(response.get("item"))
        if as_text(group.get("linkId")) == _SOURCES
    )
    return each_tried(_read_source, (each for group in groups for each in dicts(group.get("item"))))


def _read_source(source: Resource) -> Source:
    said = {as_text(each.get("linkId")): _said(each) for each in dicts(source.get("item"))}
    title, detail = said.get("SPNTitle", ""), said.get("SPNDetail", "")
    if not (title or detail):
        return Source(said.get("SourceName") or said.get("SourceURL", "")[:LINE], said.get("SourceURL", ""))
    note = SpecialNote(
        title or _UNTITLED, detail, date_of(said.get("SPNActiveDate")), date_of(said.get("SPNReviewDate"))
    )
    return Source(said.get("SourceName") or OWN_NOTE, said.get("SourceURL", ""), note)


def _said(item: Resource) -> str:
    """The first answer, as text."""
    values = (as_text(value) for answer in dicts(item.get("answer")) for value in answer.values())
    return next(filter(None, values), "")


def _response(frame: Frame, reason: str, items: list[Any], *, subject: str, name: str = "") -> Resource:
    canonical = {"questionnaire": f"{_QUESTIONNAIRE}{name}"} if name else {}
    return {
        **frame.head("QuestionnaireResponse"),
        "extension": [{"url": _REASON, "valueCodeableConcept": {"text": reason}}],
        **canonical,
        "status": "completed",
        "subject": frame.ref(subject),
        "encounter": frame.ref("encounter"),
        "authored": frame.stamp,
        "author": frame.ref("practitioner"),
        "source": frame.ref("patient"),
        "item": items,
    }

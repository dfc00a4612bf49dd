"""QuestionnaireResponse: nature of call, pre-triage sieve, and the services that were not taken."""

from typing import Any

from bars_portal.exchange.fhir.bundle import Resource
from referrals.content import NatureOfCall, PreTriage, RejectedService, RequestContent, YesNo
from referrals.mapping.requests.frame import SNOMED, Entry, Frame

_REASON = "http://hl7.org/fhir/StructureDefinition/questionnaireresponse-reason"
_QUESTIONNAIRE = "https://fhir.nhs.uk/Questionnaire/"
_NATURE_QUESTION = "What is the nature of call?"
REJECTED = "Rejected Services"
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


def questionnaire_entries(frame: Frame, content: RequestContent) -> list[Entry]:
    entries: list[Entry] = []
    if content.nature_of_call is not None:
        entries.append((frame.url("nature of call"), _nature(frame, content.nature_of_call)))
    if content.pre_triage is not None:
        entries.append((frame.url("pre-triage"), _sieve(frame, content.pre_triage)))
    if content.rejected_services:
        entries.append((frame.url("rejected services"), _rejected(frame, content.rejected_services)))
    return entries


def _nature(frame: Frame, nature: NatureOfCall) -> Resource:
    answer = {"valueCoding": {"code": nature.value, "display": nature.label}}
    items = [{"linkId": "0", "text": _NATURE_QUESTION, "answer": [answer]}]
    return _response(frame, "Nature of Call Questionnaire", items, subject="patient", name="NOC")


def _sieve(frame: Frame, answers: PreTriage) -> Resource:
    items = []
    for number, (field, question, yes, no) in enumerate(_SIEVE):
        answer = getattr(answers, field)
        if answer is not None:
            code, display = yes if answer is YesNo.YES else no
            coding = {"system": SNOMED, "code": code, "display": display}
            items.append({"linkId": str(number), "text": question, "answer": [{"valueCoding": coding}]})
    return _response(frame, "Pre Triage Sieve Questionnaire", items, subject="patient", name="PTS")


def _rejected(frame: Frame, services: tuple[RejectedService, ...]) -> Resource:
    listed = [
        {"linkId": f"Service{number}", "item": _service(each)}
        for number, each in enumerate(services, start=1)
    ]
    items = [{"linkId": "RejectedServices", "text": REJECTED, "item": listed}]
    return _response(frame, REJECTED, items, subject="rejected flag")


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

"""Every time of a story is another one, and each is on the wire at its own place, through the services."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from bars_portal.exchange.fhir import json
from bars_portal.exchange.fhir.codes import FlagCategory, UseCase
from bars_portal.exchange.fhir.timestamps import parse_instant
from bars_portal.exchange.models import OutboundMessage
from referrals.cases.codes import Concept
from referrals.parts.applications import Part, application_of
from referrals.parts.assessment import CallTimes
from referrals.parts.base import TimeFrame
from referrals.parts.content import RequestContent
from referrals.parts.flags import Flag
from referrals.parts.medication import Medication, Medications, Stated
from referrals.parts.problems import Condition, Note, Procedure
from referrals.parts.questionnaires import OWN_NOTE, Source, SpecialNote
from referrals.sending import requesting
from tests.factories.contents import make_content
from tests.factories.patients import DETAILS
from tests.factories.referrals import NOW
from tests.integration.referrals.sending import Desk

# In the order of a call; none is that of another, nor when it is sent.
BT_START, T0, T1, TRIAGE, CPR, NOTE, TOLD, T2, T5 = (NOW - timedelta(minutes=60 - 5 * n) for n in range(9))
NOT_BEFORE, BREACH, TASK_FROM, TASK_BY = (NOW + timedelta(hours=n) for n in range(1, 5))
ONSET, SINCE, ACTIVE, REVIEW = date(2026, 7, 2), "2026-03", date(2026, 1, 5), date(2027, 1, 6)
_MOMENT = re.compile(r"\d{4}-\d{2}(-\d{2}(T.*)?)?")


def story(use_case: UseCase) -> RequestContent:
    content, application = make_content(use_case), application_of(use_case)
    needs = application.needs
    agency = Flag(FlagCategory.AGENCY_CONTACTED, Concept(text="Fire service"), TOLD)
    taken = Medication(Concept(text="Aspirin"), since=SINCE)
    note = SpecialNote("A dog", "Ring first", ACTIVE, REVIEW)
    call = CallTimes(BT_START if application.is_ambulance else None, T0, T1)
    return replace(
        content,
        booking_ids=(),
        assessment=replace(content.assessment, started_at=TRIAGE, disposition_at=T5),
        call=call if Part.CALL_TIMES in needs else CallTimes(),
        time_frame=TimeFrame(NOT_BEFORE, BREACH) if Part.TIME_FRAME in needs else None,
        flags=(*content.flags, agency),
        medications=Medications(Stated.LISTED, (taken,)),
        sources=(Source(OWN_NOTE, note=note),) if Part.SOURCES in needs else (),
        places=tuple(
            replace(each, confirmed_at=T2 if application.is_ambulance else None)
            for each in content.places[:1]
        ),
        procedures=(Procedure(Concept(text="CPR"), CPR),) if Part.PROCEDURES in needs else (),
        notes=(Note("A knife was seen", NOTE),) if Part.NOTES in needs else (),
        condition=Condition(Concept(text="Cough"), ONSET) if content.condition else None,
        task=content.task and replace(content.task, period=TimeFrame(TASK_FROM, TASK_BY)),
    )


def moments(element: Any, path: str) -> Iterator[tuple[str, str]]:
    """(path, date or time) of all that is one."""
    if isinstance(element, dict):
        for name, value in element.items():
            yield from moments(value, f"{path}.{name}")
    elif isinstance(element, list):
        for each in element:
            yield from moments(each, path)
    elif isinstance(element, str) and _MOMENT.fullmatch(element):
        yield path, element


def on_the_wire(bundle: dict[str, Any]) -> dict[str, set[datetime | str]]:
    """Every time of the message that is not when it is sent, by its place."""
    found: dict[str, set[datetime | str]] = {}
    for entry in bundle["entry"]:
        resource = entry["resource"]
        for path, text in moments(resource, resource["resourceType"]):
            moment = parse_instant(text) if "T" in text else text
            if moment != NOW:
                found.setdefault(path, set()).add(moment)
    del found["Patient.birthDate"]
    found.pop("Questionnaire.date", None)
    return found


_ANYWHERE: dict[str, set[datetime | str]] = {
    "CarePlan.period.start": {T5},
    # Of an agency when it was told; any other counts from when triage began.
    "Flag.period.start": {TOLD, TRIAGE},
    "MedicationStatement.effectiveDateTime": {SINCE},
}
_SPECIAL_NOTE: dict[str, set[datetime | str]] = {
    "QuestionnaireResponse.item.item.item.answer.valueDateTime": {ACTIVE.isoformat(), REVIEW.isoformat()},
}
_FRAME: dict[str, set[datetime | str]] = {
    "ServiceRequest.occurrencePeriod.start": {NOT_BEFORE},
    "ServiceRequest.occurrencePeriod.end": {BREACH},
}
_SPOKEN_TO: dict[str, set[datetime | str]] = {"Encounter.period.start": {TRIAGE}}
# From 999 the time frame begins when it is sent.
_CALL: dict[str, set[datetime | str]] = {
    "Encounter.period.start": {T0},
    "ServiceRequest.occurrencePeriod.end": {BREACH},
}


@pytest.mark.parametrize(
    ("use_case", "others"),
    [
        (UseCase.A1T1, _SPOKEN_TO | _FRAME | _SPECIAL_NOTE),
        (UseCase.A2T1, _SPOKEN_TO | _FRAME | _SPECIAL_NOTE),
        (UseCase.A3T1, _CALL | _SPECIAL_NOTE),
        (UseCase.A4T1, _CALL),
        (
            UseCase.A5T1,
            _SPOKEN_TO
            | _FRAME
            | _SPECIAL_NOTE
            | {
                "Condition.onsetDateTime": {ONSET.isoformat()},
                "Task.restriction.period.start": {TASK_FROM},
                "Task.restriction.period.end": {TASK_BY},
            },
        ),
        (
            UseCase.A6T1,
            _SPECIAL_NOTE
            | {
                "Encounter.period.start": {T0},
                "Encounter.statusHistory.period.start": {BT_START, T0, T1},
                "Encounter.location.period.start": {T2},
                "Condition.onsetDateTime": {ONSET.isoformat()},
                "Task.restriction.period.start": {TASK_FROM},
                "Task.restriction.period.end": {TASK_BY},
                "Procedure.performedPeriod.start": {CPR},
                "Communication.sent": {NOTE},
            },
        ),
    ],
    ids=lambda each: str(each) if isinstance(each, UseCase) else "",
)
def test_each_time_stands_at_its_own_place(
    sender: Desk, use_case: UseCase, others: dict[str, set[datetime | str]]
) -> None:
    content = story(use_case)
    validates = content.category == "validation"
    send: Any = requesting.request_validation if validates else requesting.request_referral
    case = send(
        content=content, details=DETAILS, service=sender.service, acting=sender.acting, now=sender.now
    )
    sent = OutboundMessage.objects.get(subject_id=str(case.pk))
    assert on_the_wire(json.loads(bytes(sent.body))) == _ANYWHERE | others

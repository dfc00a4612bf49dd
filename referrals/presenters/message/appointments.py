"""Appointment, Slot and Schedule."""

from referrals.presenters.message.items import make_item, row, rows_of
from referrals.presenters.message.message import Message, Placed
from referrals.presenters.message.reader import Part
from referrals.presenters.message.values import lines_of

_APPOINTMENT = {
    "status": "Status",
    "start": "Begins",
    "end": "Ends",
    "description": "Reason",
    "serviceCategory": "Use case",
    "serviceType": "Service",
    "specialty": "Specialty",
    "appointmentType": "Kind of appointment",
    "reasonCode": "Reason (coded)",
    "cancelationReason": "Reason of the cancellation",
    "minutesDuration": "Minutes",
    "priority": "Priority",
    "created": "Made",
    "comment": "Comment",
    "patientInstruction": "Instruction to the patient",
    "slot": "Slot",
    "basedOn": "Based on",
    "supportingInformation": "See also",
    "identifier": "Number",
}
_SLOT = {
    "status": "Status",
    "start": "Begins",
    "end": "Ends",
    "serviceCategory": "Category",
    "serviceType": "Service",
    "specialty": "Specialty",
    "appointmentType": "Kind of appointment",
    "schedule": "Diary",
    "comment": "Comment",
    "identifier": "Number",
}
_SCHEDULE = {
    "serviceCategory": "Category",
    "serviceType": "Service",
    "specialty": "Specialty",
    "actor": "Of",
    "planningHorizon": "Period",
    "comment": "Comment",
    "active": "In use",
    "identifier": "Number",
}


def present_appointment(part: Part, message: Message) -> list[Placed]:
    people = part.parts("participant")
    who = [", ".join(line for name in _WHO for line in lines_of(each, name, "Who")) for each in people]
    item = make_item(part, "Appointment", [*rows_of(part, _APPOINTMENT), *row("Who", who)])
    return [("appointment", item)]


_WHO = ("actor", "status", "type", "required", "period")


def present_slot(part: Part, message: Message) -> list[Placed]:
    return [("appointment", make_item(part, "Slot", rows_of(part, _SLOT)))]


def present_schedule(part: Part, message: Message) -> list[Placed]:
    return [("appointment", make_item(part, "Diary", rows_of(part, _SCHEDULE)))]

"""Duties in words: what they are about, what to do, who has them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse

from bars_portal.accounts.acting import Acting, name_of
from bars_portal.nhsuk import dates
from bars_portal.nhsuk.words import listed_name
from bookings.models import Booking
from referrals.cases.codes import priority_words
from referrals.cases.duties import Duty, DutyKind
from referrals.cases.selectors import sent_in
from referrals.duties.policies import can_see_to

_NEXT: Mapping[DutyKind, str] = {
    DutyKind.REJECTED: "Nobody there looks after the patient. Decide what happens now, and do it.",
    DutyKind.AMBULANCE: "Send it within the time of the category that the service gave.",
    DutyKind.UNCLEAR: "Call the service and ask.",
    DutyKind.NON_ATTENDANCE: "Find out how the patient is, and whether they still need to be seen.",
    DutyKind.UPDATE: (
        "Another service has found a danger or a concern that the ambulance control was not told of. Send it "
        "an update."
    ),
    DutyKind.REFERRAL: (
        "The service has the appointment and nothing about the patient’s health. Send the referral that goes "
        "with it."
    ),
}


@dataclass(frozen=True)
class DutyLine:
    """`holder` is "" while nobody has taken it; by `raised` a form tells of which news its page knew."""

    duty: Duty
    what: str
    advice: str
    patient: str
    about: str
    href: str
    holder: str
    is_mine: bool
    is_open: bool
    can_see_to: bool
    raised: str
    closed_by: str
    # Where the referral of an appointment is written: anew in the place of one that stands with another
    # appointment, where there is one.
    refer: str


def lines(duties: Iterable[Duty], *, acting: Acting) -> list[DutyLine]:
    return [line(each, acting=acting) for each in duties]


def line(duty: Duty, *, acting: Acting) -> DutyLine:
    subject, kind = duty.subject, DutyKind(duty.kind)
    patient, closer = subject.patient, duty.closed_by
    return DutyLine(
        duty=duty,
        what=kind.label,
        advice=_NEXT[kind],
        patient=listed_name(patient.family_name, patient.given_names, patient.died),
        about=_about(duty),
        href=_href(subject),
        holder=name_of(duty.taken_by) if duty.taken_by else "",
        is_mine=duty.taken_by_id == acting.user.pk,
        is_open=duty.closed_at is None,
        can_see_to=can_see_to(acting, duty),
        raised=duty.raised_at.isoformat(),
        closed_by=name_of(closer) if closer else "Settled by itself",
        refer=refer_page(subject) if isinstance(subject, Booking) else "",
    )


def refer_page(booking: Booking) -> str:
    old = sent_in(booking.journey).left_behind(booking)
    query = {"again": str(old.pk)} if old else {"booking": str(booking.pk)}
    return reverse("referrals:new", query=query)


def _about(duty: Duty) -> str:
    subject = duty.subject
    if isinstance(subject, Booking):
        return f"{subject.service.name}, appointment on {dates.format_datetime(subject.start)}"
    if duty.kind == DutyKind.AMBULANCE and duty.reply is not None:
        return f"{subject.service.name}: {priority_words(duty.reply.priority).lower()}"
    return subject.service.name


def _href(subject: object) -> str:
    if isinstance(subject, Booking):
        return reverse("bookings:detail", args=[subject.pk])
    return reverse("referrals:sent-case", args=[getattr(subject, "pk", None)])


def moment(text: str) -> datetime | None:
    """`DutyLine.raised` as a form sends it back."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None

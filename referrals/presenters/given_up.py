"""Messages that we stopped sending: what each was, to whom, and the page where a person goes on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.urls import reverse

from bars_portal.accounts.acting import Acting
from bars_portal.exchange.models import OutboundMessage
from bars_portal.exchange.registry import message_type
from bookings.models import Booking
from bookings.states import VIEW_PERMISSION as VIEW_BOOKINGS
from directory.models import HealthcareService
from referrals.models import CaseAnswer, Referral, ValidationCase
from referrals.permissions import VIEW
from referrals.states import Direction


@dataclass(frozen=True)
class GivenUpLine:
    """`href` is "" for who may not open it; instants are aware."""

    what: str
    service: str
    sent_at: datetime
    stopped_at: datetime | None
    sent_by: str
    href: str


# Where the subject of a message is looked after, and who may open that page.
_PAGES: Mapping[str, tuple[str, str]] = {
    Booking._meta.label_lower: ("bookings:detail", VIEW_BOOKINGS[Direction.SENT.value]),
    Referral._meta.label_lower: ("referrals:sent-case", VIEW[Direction.SENT.value]),
    ValidationCase._meta.label_lower: ("referrals:sent-case", VIEW[Direction.SENT.value]),
    CaseAnswer._meta.label_lower: ("referrals:received", VIEW[Direction.RECEIVED.value]),
}


def given_up_lines(acting: Acting, messages: Iterable[OutboundMessage]) -> list[GivenUpLine]:
    """Two more queries, however many lines there are."""
    found = list(messages)
    names = dict(
        HealthcareService.objects.filter(service_id__in={each.service_id for each in found}).values_list(
            "service_id", "name"
        )
    )
    cases = _cases_of_answers(found)
    return [
        GivenUpLine(
            what=message_type(each.message_type).label,
            service=names.get(each.service_id, each.service_id),
            sent_at=each.created_at,
            stopped_at=each.settled_at,
            sent_by=each.actor_label,
            href=_page(acting, each, cases),
        )
        for each in found
    ]


def _cases_of_answers(messages: Iterable[OutboundMessage]) -> dict[str, UUID]:
    ids = [each.subject_id for each in messages if each.subject_type == CaseAnswer._meta.label_lower]
    rows = CaseAnswer.objects.filter(pk__in=ids).values_list("pk", "referral_id", "validation_id")
    return {str(answer): referral or validation for answer, referral, validation in rows}


def _page(acting: Acting, message: OutboundMessage, cases: Mapping[str, UUID]) -> str:
    name, permission = _PAGES.get(message.subject_type, ("", ""))
    if not name or not acting.may(permission):
        return ""
    return reverse(name, args=[cases.get(message.subject_id, message.subject_id)])

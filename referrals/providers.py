"""What other rooms ask of referrals: what waits for a person, and what goes with a booking."""

from collections.abc import Iterator
from datetime import datetime

from django.urls import NoReverseMatch, reverse

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.home import AttentionItem
from bars_portal.correspondence.states import Direction
from bars_portal.exchange.fhir.codes import FlagCategory
from bookings.models import Booking
from bookings.ports import Companion, Companions, WholeMessage
from referrals.cases.links import can_link_booking, referrals_of
from referrals.cases.states import CaseStatus
from referrals.message_page.page import shown_message
from referrals.permissions import SEND, VIEW
from referrals.sending.selectors import request_drafts_of
from referrals.worklist.selectors import breached_validations, worklist_counts
from referrals.worklist.sent import given_up_count, unclear_sent_count


def attention(acting: Acting, now: datetime) -> Iterator[AttentionItem]:
    """What is late or unclear first: somebody may be waiting for an ambulance."""
    counts = worklist_counts(acting, now=now)
    listed, sent = reverse("referrals:worklist"), reverse("referrals:sent")
    received = breached_validations(acting, Direction.RECEIVED, now=now).count()
    asked = breached_validations(acting, Direction.SENT, now=now).count()
    yield AttentionItem("received validations past their time", received, listed, urgent=True)
    yield AttentionItem("sent validations past their time", asked, sent, urgent=True)
    yield AttentionItem("answers that may not have arrived", counts.answers_troubled, listed, urgent=True)
    yield AttentionItem("replies that fit no request of ours", counts.unmatched, sent, urgent=True)
    yield AttentionItem("requests not known to have arrived", unclear_sent_count(acting), sent, urgent=True)
    given_up = given_up_count(acting)
    yield AttentionItem(
        "messages that we stopped sending", given_up, reverse("referrals:given-up"), urgent=True
    )
    warned = f"{listed}?flag={FlagCategory.SAFEGUARDING.value}"
    yield AttentionItem("open cases with a safeguarding concern", counts.safeguarding, warned)
    yield AttentionItem("open cases that nobody has taken", counts.unassigned, f"{listed}?held=nobody")


def unsent_drafts(acting: Acting, _now: datetime) -> Iterator[AttentionItem]:
    """Nothing where the pages are not served, and for people who send nothing."""
    if not acting.may(SEND):
        return
    try:
        listed = reverse("referrals:drafts")
    except NoReverseMatch:
        return
    yield AttentionItem("requests that you have not sent yet", request_drafts_of(acting).count(), listed)


def companions(booking: Booking, acting: Acting) -> Companions:
    """None for who may not see received referrals."""
    if not acting.may(VIEW[Direction.RECEIVED]):
        return Companions([])
    found = [
        Companion(
            words=f"{link.referral.reference or 'Referral'}, {link.referral.service.name}, "
            f"{CaseStatus(link.referral.status).label.lower()}",
            href=reverse("referrals:received", args=[link.referral.pk]),
            live=link.live,
        )
        for link in referrals_of(booking)
    ]
    may_link = can_link_booking(acting, booking)
    return Companions(found, reverse("referrals:link-referral", args=[booking.pk]) if may_link else "")


def whole_booking(booking: Booking, now: datetime) -> WholeMessage | None:
    view = shown_message(booking.message, now)
    return WholeMessage("referrals/message/_message.jinja", view) if view else None

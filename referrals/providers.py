"""What other rooms ask of referrals: what waits for a person, and what goes with a booking."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from uuid import UUID

from django.db.models import Q
from django.urls import NoReverseMatch, reverse

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.home import AttentionItem
from bars_portal.accounts.models import Organisation, User
from bars_portal.accounts.people.selectors import UnfinishedWork
from bars_portal.api.events import Kind
from bars_portal.audit.actor import Actor
from bars_portal.correspondence.history import TASK_STEPS
from bars_portal.correspondence.states import Direction
from bars_portal.exchange.fhir.codes import FlagCategory
from bookings.models import Booking
from bookings.ports import Companion, Companions, Owed, WholeMessage
from referrals.cases.duties import settle_referral_duties
from referrals.cases.links import Link, can_link_booking, referrals_of
from referrals.cases.models import MODELS, CaseAnswer, UnmatchedReply
from referrals.cases.response_states import ResponseState
from referrals.cases.states import UNMATCHED, CaseEvent, CaseStatus, Category
from referrals.duties.presenters import refer_page
from referrals.duties.selectors import duties_about, open_duties
from referrals.message_page.page import shown_message
from referrals.permissions import SEND, VIEW
from referrals.responding.content import NonAttendance
from referrals.responding.decisions import record_non_attendance
from referrals.responding.policies import can_end_by_absence
from referrals.sending.selectors import request_drafts_of, unsent_of
from referrals.worklist.selectors import breached_validations, open_cases_held, worklist_counts
from referrals.worklist.sent import Waiting, given_up_count, unclear_sent_count

# What moves no status and is told all the same. A reply that came too late changes nothing, and is told too.
_STEPS: dict[str, str] = {
    CaseEvent.REQUEST_UPDATE: "updating",
    CaseEvent.CHECK_UPDATE_AGAIN: "updating",
    CaseEvent.CONFIRM_UPDATE: "updated",
    CaseEvent.REFUSE_UPDATE: "update-refused",
    CaseEvent.LOSE_UPDATE: "update-unknown",
    CaseEvent.RECEIVE_UPDATE: "updated",
    CaseEvent.REFUSE_REPLY: "reply-refused",
    **TASK_STEPS,
    **{each: each for each in ("assigned", "released", "note-written", "call-recorded", "place-recorded")},
    **{each: each for each in (f"answer-{state.value}" for state in ResponseState)},
}
EVENT_KINDS = (
    Kind("referral", "referrals.referral", VIEW, tuple(CaseStatus), _STEPS),
    Kind("validation", "referrals.validationcase", VIEW, tuple(CaseStatus), _STEPS),
    Kind("reply", "referrals.unmatchedreply", VIEW, (UNMATCHED,)),
)


def attention(acting: Acting, now: datetime) -> Iterator[AttentionItem]:
    """What is late or unclear first: somebody may be waiting for an ambulance."""
    counts = worklist_counts(acting, now=now)
    received = breached_validations(acting, Direction.RECEIVED, now=now).count()
    asked = breached_validations(acting, Direction.SENT, now=now).count()
    duties = open_duties(acting).count()
    unclear, given_up = unclear_sent_count(acting, now), given_up_count(acting, now)
    late = {"kind": Category.VALIDATION.value}
    for label, count, href in (
        ("tasks from what was sent, that nobody has closed", duties, reverse("referrals:duties")),
        ("received validations past their time", received, _worklist(**late, state="late")),
        ("sent validations past their time", asked, _sent(**late, status=Waiting.LATE.value)),
        (
            "cases with an answer that may not have arrived",
            counts.answers_troubled,
            _worklist(state="troubled"),
        ),
        ("replies that fit no request of ours", counts.unmatched, reverse("referrals:replies")),
        (
            "requests and updates not known to have arrived, or to be taken back",
            unclear,
            _sent(status=Waiting.UNCLEAR.value),
        ),
        ("messages that we stopped sending", given_up, reverse("referrals:given-up")),
    ):
        yield AttentionItem(label, count, href, urgent=True)
    warned = _worklist(flag=FlagCategory.SAFEGUARDING.value)
    yield AttentionItem("open cases with a safeguarding concern", counts.safeguarding, warned)
    yield AttentionItem("open cases that nobody has taken", counts.unassigned, _worklist(held="nobody"))
    if acting.may(VIEW[Direction.RECEIVED]):
        yield AttentionItem("open cases at your services", counts.open, _worklist(), is_figure=True)
    if acting.may("referrals.work_case"):
        yield AttentionItem(
            "open cases that you have taken", counts.mine, _worklist(held="me"), is_figure=True
        )


def _worklist(**chosen: str) -> str:
    return reverse("referrals:worklist", query=chosen)


def _sent(**chosen: str) -> str:
    return reverse("referrals:sent", query=chosen)


def unsent_drafts(acting: Acting, _now: datetime) -> Iterator[AttentionItem]:
    """Nothing where the pages are not served, and for people who send nothing."""
    if not acting.may(SEND):
        return
    try:
        listed = reverse("referrals:drafts")
    except NoReverseMatch:
        return
    yield AttentionItem("requests that you have not sent yet", request_drafts_of(acting).count(), listed)


def unfinished_work(person: User, organisation: Organisation) -> Iterator[UnfinishedWork]:
    """What somebody who leaves leaves behind."""
    held = sum(open_cases_held(person, organisation, category).count() for category in Category)
    yield UnfinishedWork("Open cases that they have taken", held)
    yield UnfinishedWork("Requests that they have not sent", unsent_of(person, organisation).count())


def companions(booking: Booking, acting: Acting) -> Companions:
    """None for who may not see received referrals."""
    if not acting.may(VIEW[Direction.RECEIVED]):
        return Companions([])
    found = [_companion(link) for link in referrals_of(booking)]
    may_link = can_link_booking(acting, booking)
    return Companions(found, reverse("referrals:link-referral", args=[booking.pk]) if may_link else "")


def _companion(link: Link) -> Companion:
    referral = link.referral
    return Companion(
        words=f"{referral.reference or 'Referral'}, {referral.service.name}, "
        f"{CaseStatus(referral.status).label.lower()}",
        href=reverse("referrals:received", args=[referral.pk]),
        live=link.live,
        missed=referral.breach_at if link.is_late else None,
        is_open=referral.is_current,
        ended_by_absence=referral.status == CaseStatus.DID_NOT_ATTEND,
    )


def ended_by_absence(booking: Booking, acting: Acting, now: datetime) -> list[Companion]:
    return [_companion(link) for link in _ending(booking, acting, now)]


def _ending(booking: Booking, acting: Acting, now: datetime) -> list[Link]:
    """Where the patient is expected again, at a later appointment, the referral goes on."""
    return [each for each in referrals_of(booking) if can_end_by_absence(acting, each.referral, now)]


def end_by_absence(booking: Booking, acting: Acting, now: datetime) -> list[Companion]:
    """Each by the same response as when a clinician records it; a concern is theirs to raise."""
    missed = NonAttendance(expected_from=booking.start, expected_until=booking.end)
    ending = _ending(booking, acting, now)
    for link in ending:
        record_non_attendance(case=link.referral, missed=missed, acting=acting, now=now, by_diary=True)
    return [_companion(link) for link in ending]


def booking_settled(booking: Booking, actor: Actor, now: datetime) -> None:
    settle_referral_duties(journey=booking.journey, actor=actor, now=now)


def owed_referral(booking: Booking, acting: Acting) -> Owed | None:
    """None for nothing, and for who may not see it."""
    waiting = [each for each in duties_about(acting, booking) if each.closed_at is None]
    if not waiting:
        return None
    return Owed(reverse("referrals:duty", args=[waiting[0].pk]), refer_page(booking))


def whole_booking(booking: Booking, now: datetime) -> WholeMessage | None:
    view = shown_message(booking.message, now)
    return WholeMessage("referrals/message/_message.jinja", view) if view else None


def trail_subjects(journeys: Sequence[UUID]) -> Iterator[tuple[str, str]]:
    """Cases of these journeys and what belongs to them, as the audit trail names them."""
    for category in Category:
        model = MODELS[category]
        cases = list(model.objects.filter(journey__in=journeys).values_list("pk", flat=True))
        yield from ((model._meta.label_lower, str(pk)) for pk in cases)
        answers = CaseAnswer.objects.filter(**{f"{category.value}__in": cases})
        yield from ((CaseAnswer._meta.label_lower, str(pk)) for pk in answers.values_list("pk", flat=True))
    replies = UnmatchedReply.objects.filter(journey__in=journeys).values_list("pk", flat=True)
    yield from ((UnmatchedReply._meta.label_lower, str(pk)) for pk in replies)


def trail_journeys(organisation: Organisation, text: str) -> Iterator[UUID]:
    """By our reference, the requester's case number, or the id of a case."""
    wanted = Q(reference__iexact=text) | Q(case_number__iexact=text)
    with suppress(ValueError):
        wanted |= Q(pk=UUID(text))
    for category in Category:
        found = MODELS[category].objects.filter(wanted, journey__organisation=organisation)
        yield from found.values_list("journey_id", flat=True)

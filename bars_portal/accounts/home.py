"""Today, where everybody starts: what waits for them, how the day goes in numbers, and what they may do."""

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.break_glass.access import REVIEW, unreviewed
from bars_portal.accounts.decorators import sign_in_required
from bars_portal.nhsuk.pages import address

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class AttentionItem:
    """What waits: "Bookings not known: 2" for AttentionItem("bookings not known", 2, url, True)."""

    label: str
    count: int
    url: str
    urgent: bool = False
    # How the day goes rather than what waits: shown also when it is none.
    is_figure: bool = False


Source = Callable[[Acting, datetime], Iterable[AttentionItem]]


def _break_glass(acting: Acting, _now: datetime) -> Iterator[AttentionItem]:
    """For who looks after privacy."""
    if acting.may(REVIEW):
        waiting = unreviewed(acting.organisation).count()
        listed = f"{address('accounts:break-glass-uses')}?waiting=1"
        yield AttentionItem("break-glass access to review", waiting, listed, True)


_sources: list[Source] = [_break_glass]


def register(source: Source) -> Source:
    """Add a source, from an app's ready(); usable as a decorator. Adding it again changes nothing."""
    if source not in _sources:
        _sources.append(source)
    return source


@dataclass(frozen=True)
class Day:
    """What waits, urgent first, and figures whatever they are; each else in the order of registration.

    `is_whole`: all of it could be read. Where it could not, nobody may take the rest for everything.
    """

    waiting: tuple[AttentionItem, ...]
    figures: tuple[AttentionItem, ...]
    is_whole: bool = True

    def __iter__(self) -> Iterator[AttentionItem]:
        """Every number of the page, in its order."""
        yield from (*self.waiting, *self.figures)


def items_for(acting: Acting, now: datetime) -> Day:
    """Everything that counts for this person. What the database does not answer in time hides no other."""
    found: list[AttentionItem] = []
    is_whole = True
    for source in _sources:
        try:
            found += source(acting, now)
        except DatabaseError:
            logger.exception("A number of Today was not read")
            is_whole = False
    waiting = [item for item in found if item.count > 0 and not item.is_figure]
    figures = [item for item in found if item.is_figure]
    return Day(tuple(sorted(waiting, key=lambda item: not item.urgent)), tuple(figures), is_whole)


@dataclass(frozen=True)
class Task:
    """A big link. Rooms above are named by URL only; a page that does not exist here is left out."""

    title: str
    text: str
    url_name: str
    permission: str


TASKS = (
    Task(
        "Find a service",
        "Search by name, postcode or what it accepts, then book a time.",
        "directory:search",
        "directory.find_service",
    ),
    Task(
        "Bookings sent",
        "Appointments that your organisation booked: check, cancel or rebook.",
        "bookings:list",
        "bookings.view_sent_bookings",
    ),
    Task(
        "Worklist",
        "Referrals and validation requests that others sent to your services.",
        "referrals:worklist",
        "referrals.view_received_referrals",
    ),
    Task(
        "Referrals sent",
        "Referrals and validation requests that your organisation sent, and the replies.",
        "referrals:sent",
        "referrals.view_sent_referrals",
    ),
    Task(
        "Diary",
        "Appointments that others booked with your services.",
        "bookings:diary",
        "bookings.view_diary",
    ),
    Task(
        "Clinics",
        "When your services see patients: plan clinics, change them, switch them off.",
        "bookings:clinics",
        "bookings.run_diary",
    ),
    Task(
        "Audit trail",
        "Who looked at a patient, and what somebody did.",
        "trail:search",
        "audit.view_auditevent",
    ),
    Task(
        "Explain a message",
        "Paste a message and read, rule by rule, what becomes of it here.",
        "explain:paste",
        "exchange.explain_message",
    ),
    Task(
        "Message log",
        "Everything that was sent and received, as conversations.",
        "messages:log",
        "exchange.view_message_log",
    ),
    Task(
        "Messages that need a person",
        "Not delivered: try them again, or say what was settled.",
        "messages:dead-letters",
        "exchange.handle_dead_letters",
    ),
    Task(
        "Onboarding",
        "From nothing to live: keys, certificates, the endpoint catalogue and the self-test.",
        "onboarding:environments",
        "onboarding.run_desk",
    ),
    Task(
        "Partners",
        "How the exchange with each service goes.",
        "messages:partners",
        "exchange.view_partners",
    ),
    Task(
        "Unmasked messages",
        "Who saw what a message says of its patient, and why.",
        "messages:unmaskings",
        "exchange.view_unmaskings",
    ),
    Task(
        "Break-glass access",
        "Read a patient’s record in an emergency, though your role does not open it.",
        "accounts:break-glass",
        "accounts.break_glass",
    ),
    Task(
        "People",
        "Who can do what in your organisation: invite people, and see who has left.",
        "accounts:people",
        "accounts.view_people",
    ),
    Task(
        "Status",
        "What is wrong with the portal now, what that means for patients, and what to do.",
        "status:page",
        "status.view_condition",
    ),
    Task(
        "Reports",
        "What your organisation did, in numbers, charts and files. No report names a patient.",
        "reports:index",
        "reports.view_exchange",
    ),
    Task(
        "Administration",
        "Services, schedules, the message log and the audit trail.",
        "admin:index",
        "portal.open_admin",
    ),
)


@sign_in_required
def home(request: HttpRequest) -> HttpResponse:
    acting: Acting | None = getattr(request, "acting", None)
    if acting is None:
        return render(request, "accounts/no_organisation.jinja")
    context = {"tasks": tasks_for(acting), "day": items_for(acting, timezone.now())}
    return render(request, "home.jinja", context)


def tasks_for(acting: Acting) -> list[dict[str, str]]:
    """Title, text and address of each task that this person may do."""
    allowed = (task for task in TASKS if acting.may(task.permission))
    found = [{"title": task.title, "text": task.text, "href": address(task.url_name)} for task in allowed]
    return [task for task in found if task["href"]]

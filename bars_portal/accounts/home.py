"""Where everybody starts: what they may do, and what waits for them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.decorators import sign_in_required
from bars_portal.nhsuk.pages import address


@dataclass(frozen=True)
class AttentionItem:
    """What waits: "Bookings not known: 2" for AttentionItem("bookings not known", 2, url, True)."""

    label: str
    count: int
    url: str
    urgent: bool = False


Source = Callable[[Acting, datetime], Iterable[AttentionItem]]
_sources: list[Source] = []


def register(source: Source) -> Source:
    """Add a source, from an app's ready(); usable as a decorator. Adding it again changes nothing."""
    if source not in _sources:
        _sources.append(source)
    return source


def items_for(acting: Acting, now: datetime) -> tuple[AttentionItem, ...]:
    """Everything with a count, urgent first, else in the order of registration."""
    found = [item for source in _sources for item in source(acting, now) if item.count > 0]
    return tuple(sorted(found, key=lambda item: not item.urgent))


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
        "Audit trail",
        "Who looked at a patient, and what somebody did.",
        "trail:search",
        "audit.view_auditevent",
    ),
    Task(
        "Status",
        "What is wrong with the portal now, what that means for patients, and what to do.",
        "status:page",
        "status.view_condition",
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
    context = {"tasks": tasks_for(acting), "attention": items_for(acting, timezone.now())}
    return render(request, "home.jinja", context)


def tasks_for(acting: Acting) -> list[dict[str, str]]:
    """Title, text and address of each task that this person may do."""
    allowed = (task for task in TASKS if acting.may(task.permission))
    found = [{"title": task.title, "text": task.text, "href": address(task.url_name)} for task in allowed]
    return [task for task in found if task["href"]]

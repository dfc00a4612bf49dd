"""The figures of the day on the first page: each is a number of a report, and opens its list."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.home import AttentionItem
from bars_portal.nhsuk.dates import in_london
from bars_portal.reports.activity import APPOINTMENTS, REFERRALS, SLOTS, VALIDATIONS
from bars_portal.reports.counting import Period, Question, number_of_rows
from bars_portal.reports.definitions import Report
from bars_portal.reports.exchange import FAILURES, RECEIVED, SENT
from bars_portal.reports.presenters import list_address
from bookings.models import SlotStatus
from bookings.states import BookingStatus

_RECEIVED = {"direction": "received"}
_NOT_RECORDED = {"attendance": BookingStatus.BOOKED.value}
_FIGURES: tuple[tuple[str, Report, dict[str, str], int], ...] = (
    ("appointments today, attendance not recorded yet", APPOINTMENTS, _NOT_RECORDED, 0),
    ("appointments of yesterday, attendance not recorded", APPOINTMENTS, _NOT_RECORDED, 1),
    ("free slots today", SLOTS, {"state": SlotStatus.FREE.value}, 0),
    ("referrals received today", REFERRALS, _RECEIVED, 0),
    ("requests for validation received today", VALIDATIONS, _RECEIVED, 0),
    ("messages sent today", SENT, {}, 0),
    ("messages received today", RECEIVED, {}, 0),
    ("messages of today that failed", FAILURES, {}, 0),
)


def figures(acting: Acting, now: datetime) -> Iterator[AttentionItem]:
    """Only of reports that this person may see."""
    today = in_london(now).date()
    for label, report, chosen, days_ago in _FIGURES:
        if acting.may(report.permission):
            day = today - timedelta(days=days_ago)
            question = Question(Period(day, day), chosen)
            found = number_of_rows(report, acting.organisation, question.period, chosen, now=now)
            yield AttentionItem(label, found, list_address(report, question), is_figure=True)

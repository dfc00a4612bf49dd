"""Services as the pages show them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse

from bars_portal.accounts.acting import Acting
from bars_portal.accounts.home import AttentionItem
from bars_portal.exchange.fhir.access import is_paused
from bars_portal.nhsuk.dates import format_datetime, format_moment, format_relative
from directory import capability
from directory.capability import Difference, Stated, clinician_words, why_no_booking
from directory.hours import (
    DAY_MINUTES,
    DAYS,
    OpeningState,
    Span,
    opening_state,
    pharmacy_note,
    readable_week,
)
from directory.models import HealthcareService, ServiceType
from directory.policies import why_no_bookings, why_no_referrals_now, why_unreachable
from directory.selectors.search import MOST_COUNTED, FoundService, Nearness, Origin
from directory.selectors.services import (
    capability_of,
    changes_of,
    last_stated,
    lately_stopped,
    services_that_may_pause,
)

_NO_CONTACT = "No contact so far"


@dataclass(frozen=True)
class ServiceView:
    """One service, on a card or on its own page. `obstacle` says why it cannot be booked, or is "".

    `unreachable`: why nothing at all can be sent to it, or "".
    """

    service_id: str
    name: str
    kind: str
    provider: str
    address: tuple[str, ...]
    phone: str
    distance: str
    opening: OpeningState
    tags: tuple[str, ...]
    last_contact: str
    # Since when it does not answer, or "".
    failing: str
    # The first free time, where its times are known here.
    next_free: str
    obstacle: str
    unreachable: str
    # What to know before choosing it, in sentences.
    notes: tuple[str, ...]
    # Who may send patients; empty: anyone.
    roles: tuple[str, ...]
    bank_holidays: str
    active: bool
    takes_referrals: bool
    accepts: tuple[str, ...]
    week: tuple[tuple[str, str], ...]


def present(
    service: HealthcareService,
    *,
    now: datetime,
    distance: str = "",
    miles: float | None = None,
    next_free: datetime | None = None,
    not_answering: datetime | None = None,
) -> ServiceView:
    """`not_answering`: since when it is spared because it does not answer (exchange.circuits)."""
    unreachable, failing = why_unreachable(service, now=now), not_answering or service.failing_since
    opening = opening_state(service.opening_hours, now=now, on_bank_holidays=service.bank_holiday_hours)
    return ServiceView(
        service_id=service.service_id,
        name=service.name,
        kind=service.get_service_type_display(),
        provider=service.provider.name,
        address=_address(service),
        phone=service.phone,
        distance=distance,
        opening=opening,
        notes=_notes(service, opening, now, miles, not_answering),
        roles=tuple(service.referral_roles),
        bank_holidays=_bank_holidays(service),
        tags=_tags(service, now),
        last_contact=_last_contact(service, now),
        failing=format_relative(failing, now) if failing else "",
        next_free=format_datetime(next_free) if next_free else "",
        obstacle=why_no_bookings(service) or unreachable,
        unreachable=unreachable,
        active=service.active,
        takes_referrals=service.takes_referrals and not is_paused(service.paused_until, now),
        accepts=tuple(capability.use_cases_in_words(service.accepted_use_cases)),
        week=week_rows(service.opening_hours),
    )


def present_found(
    found: FoundService, origin: Origin | None, *, now: datetime, not_answering: datetime | None = None
) -> ServiceView:
    about = origin is not None and origin.nearness is Nearness.AREA
    distance = "" if found.miles is None else distance_words(found.miles, about=about)
    return present(
        found.service,
        now=now,
        distance=distance,
        miles=found.miles,
        next_free=found.next_free,
        not_answering=not_answering,
    )


def distance_words(miles: float, *, about: bool) -> str:
    """ "0.4 miles", "About 12 miles"; whole miles from 10 on."""
    if miles < 0.1:
        return "Less than 0.1 miles"
    number = f"{miles:.0f}" if miles >= 9.95 else f"{miles:.1f}"
    unit = "mile" if number == "1.0" else "miles"
    return f"{'About ' if about else ''}{number.removesuffix('.0')} {unit}"


def origin_note(origin: Origin | None) -> str:
    """What to know about the distances; "" when they are exact or nobody asked for them."""
    if origin is None or origin.nearness is Nearness.EXACT:
        return ""
    outward = origin.postcode.outward
    if origin.nearness is Nearness.AREA:
        return f"Distances are measured from the middle of {outward}."
    return f"Distances from {origin.postcode} are not known. Only services in {outward} are shown."


def count_words(count: int) -> str:
    """1 service found"""
    if count >= MOST_COUNTED:
        return f"{MOST_COUNTED:,} or more services found"
    return f"{count:,} service{'' if count == 1 else 's'} found"


def closed_note(left_out: int, *, none_left: bool) -> str:
    """What to know of pharmacies that are not shown; "" when all are."""
    if not left_out:
        return ""
    if none_left:
        return (
            "No pharmacy that fits is open in the next 24 hours. Choose another kind of service, or look "
            "further away."
        )
    one = left_out == 1
    return (
        f"{left_out:,} {'pharmacy is' if one else 'pharmacies are'} not shown: closed now or within 30 "
        f"minutes, and not open again within 24 hours. {'Its' if one else 'Their'} own page can be found by "
        "the DoS service ID."
    )


def week_rows(hours: object) -> tuple[tuple[str, str], ...]:
    """(day, hours) Monday first; () when the hours are not known."""
    week = readable_week(hours) or ()
    return tuple((day, _day_words(spans)) for day, spans in zip(DAYS.values(), week, strict=False))


def _day_words(spans: Sequence[Span]) -> str:
    if any(span.whole_day for span in spans):
        return "Open 24 hours"
    return " and ".join(_span_words(span) for span in spans) or "Closed"


def _span_words(span: Span) -> str:
    if span.end == DAY_MINUTES:
        return f"{_clock(span.start)} to midnight"
    suffix = " the next day" if span.end > DAY_MINUTES else ""
    return f"{_clock(span.start)} to {_clock(span.end % DAY_MINUTES)}{suffix}"


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _notes(
    service: HealthcareService,
    opening: OpeningState,
    now: datetime,
    miles: float | None,
    not_answering: datetime | None,
) -> tuple[str, ...]:
    pharmacy = service.service_type == ServiceType.PHARMACY
    said = (
        not_answering_note(not_answering, now),
        why_no_referrals_now(service, now=now),
        opening.note,
        pharmacy_note(opening, now=now) if pharmacy else "",
        catchment_note(service.catchment_miles, miles),
    )
    return tuple(each for each in said if each)


def not_answering_note(since: datetime | None, now: datetime) -> str:
    """To know before it is chosen; "" when it answers, as far as is known."""
    if since is None:
        return ""
    return (
        f"This service has not been answering since {format_moment(since, now)}. Phone it, or choose another "
        "service: nothing that is sent reaches it until it answers again."
    )


def catchment_note(catchment: float | None, miles: float | None) -> str:
    """Whether the place that was searched for is too far away; "" when it is not, or nothing is known."""
    if catchment is None or miles is None or miles <= catchment:
        return ""
    return (
        f"Outside the area of this service, which takes patients from up to {catchment:g} miles away. "
        "Choose another service, or phone first."
    )


def _bank_holidays(service: HealthcareService) -> str:
    """Hours on bank holidays, or "" when they are not known."""
    if service.bank_holiday_hours is None:
        return ""
    week = readable_week({"mon": service.bank_holiday_hours})
    return _day_words(week[0]) if week else ""


def _address(service: HealthcareService) -> tuple[str, ...]:
    return tuple(str(line) for line in (*service.address_lines, service.postcode) if line)


def _tags(service: HealthcareService, now: datetime) -> tuple[str, ...]:
    said = (
        (service.takes_bookings, "Takes bookings"),
        (service.takes_referrals and not is_paused(service.paused_until, now), "Takes referrals"),
        (service.requires_booking, "Requires a booking first"),
    )
    return tuple(words for true, words in said if true)


def _last_contact(service: HealthcareService, now: datetime) -> str:
    moment = service.last_success_at
    return _NO_CONTACT if moment is None else format_relative(moment, now)


def no_longer(service: HealthcareService) -> tuple[str, ...]:
    """ "Stopped accepting requests for Clinical assessment, sent by 999, since 21 November 2026 18:04."

    Only what the directory still names for it, and what it has not taken up again; each once.
    """
    now = last_stated(service)
    told: dict[str, str] = {}
    for noticed_at, found in changes_of(service):
        for words in clinician_words(_still(found, now), service.accepted_use_cases):
            told.setdefault(words, f"{words}, since {format_datetime(noticed_at)}.")
    return tuple(told.values())


def obstacle_to_booking(service: HealthcareService, *, now: datetime) -> str:
    """By its own word, as far as that is known without asking; "" for none."""
    return why_no_booking(service, capability_of(service, now=now))


def _still(found: Difference, now: Stated) -> Difference:
    return Difference(
        {}, {each: list(_missing(codes, now.get(each, []))) for each, codes in found.removed.items()}
    )


def _missing(codes: list[str], now: list[str]) -> Iterator[str]:
    return (each for each in codes if each not in now)


def attention(acting: Acting, now: datetime) -> Iterator[AttentionItem]:
    """Partners that stopped taking something: people who send there have to know of it."""
    if acting.may("directory.view_capabilitychange"):
        listed = reverse("admin:directory_capabilitychange_changelist", query={"stopped": "lately"})
        count = lately_stopped(now=now).count()
        yield AttentionItem("times that a service stopped accepting something this week", count, listed)


def paused_here(acting: Acting, now: datetime) -> Iterator[AttentionItem]:
    """Own services that take no referrals: who stopped them may have gone home."""
    if acting.may("directory.change_healthcareservice"):
        count = services_that_may_pause(acting).filter(paused_until__gt=now).count()
        yield AttentionItem("services not taking referrals for now", count, reverse("directory:pauses"))

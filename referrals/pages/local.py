"""What people here write down about a received case.

Where it was plotted, tries to reach the patient, and which booking goes with it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from bars_portal.accounts.acting import acting_of
from bars_portal.accounts.decorators import permission_required
from bars_portal.accounts.permissions import PolicyRefused
from bars_portal.nhsuk import dates
from bars_portal.nhsuk.forms import NHSForm, Option, RadiosField, TextareaField
from bars_portal.patients.presenters import banner
from bookings.models import Booking
from bookings.services.history import record_view
from directory.capability import use_cases_in_words
from referrals.cases import links, policies
from referrals.cases.history import record_case_view
from referrals.cases.models import Case, Referral
from referrals.cases.policies import WORK
from referrals.cases.views import clock, received_case_of, whole_number
from referrals.cases.words import Row
from referrals.parts.places import Place
from referrals.responding import local
from referrals.responding.forms import METRES, UPRN, NumberField, bare
from referrals.responding.local import PlaceRecord
from referrals.responding.views import told_on_the_case


@dataclass(frozen=True)
class WhereItIs:
    """`sent` and `own` as rows, "" where nothing is said. `map_link` is "" unless a map service is named."""

    sent: list[Row]
    own: list[Row]
    differences: Sequence[str]
    map_link: str


def where_it_is(case: Case) -> WhereItIs | None:
    """None for a case that names no place, and has none here."""
    sent, own = local.place_of(case), local.own_place_of(case)
    if sent is None and own is None:
        return None
    return WhereItIs(
        sent=_rows(_sent_pairs(sent)) if sent else [],
        own=_rows(_own_pairs(own)) if own else [],
        # Compared with the request as it stands now, which may have been updated since.
        differences=local.differences(sent, _own(own)) if own else [],
        map_link=map_link(sent) if sent else "",
    )


def map_link(place: Place) -> str:
    """BARS_MAP_URL with the coordinates: whoever runs that service learns where a patient is, so it is named
    by the installation or not at all.
    """
    template = str(getattr(settings, "BARS_MAP_URL", ""))
    if not template or place.position is None:
        return ""
    at = place.position
    return template.replace("{latitude}", format(at.latitude, "f")).replace(
        "{longitude}", format(at.longitude, "f")
    )


def _sent_pairs(place: Place) -> list[tuple[str, str]]:
    address = (*place.address_lines, place.town, place.postcode)
    at = place.position
    return [
        ("Name of the place", place.name),
        ("Address", ", ".join(filter(None, address))),
        ("UPRN", place.uprn),
        ("National grid", _grid(place.eastings, place.northings)),
        ("Latitude and longitude", f"{at.latitude:f}, {at.longitude:f}" if at else ""),
        ("what3words", place.what3words),
        ("Accuracy", f"{place.accuracy_percent} per cent" if place.accuracy_percent else ""),
        (
            "Confirmed",
            dates.format_datetime(place.confirmed_at) if place.confirmed_at else "No: it is provisional",
        ),
        ("How to find it", place.directions),
    ]


def _own_pairs(own: PlaceRecord) -> list[tuple[str, str]]:
    return [
        ("UPRN", own.uprn),
        ("National grid", _grid(own.eastings, own.northings)),
        ("Written down", f"{dates.format_datetime(own.at)}, {own.author_label}"),
    ]


def _grid(eastings: str, northings: str) -> str:
    return f"Easting {eastings}, northing {northings}" if eastings else ""


def _rows(pairs: list[tuple[str, str]]) -> list[Row]:
    return [{"key": key, "value": value} for key, value in pairs if value]


def _own(kept: PlaceRecord) -> local.OwnPlace:
    return local.OwnPlace(kept.uprn, kept.eastings, kept.northings)


class AttemptForm(NHSForm):
    reached = RadiosField(
        label="Did you reach the patient?",
        options=[("yes", "Yes"), ("no", "No")],
        missing="Select whether you reached the patient",
    )
    text = TextareaField(
        label="What happened (optional)",
        hint="Only colleagues here read it.",
        max_length=300,
        rows=2,
        required=False,
    )


class OwnPlaceForm(NHSForm):
    """Where it was plotted here, on the map of the ambulance control."""

    uprn = NumberField("UPRN (optional)", "As our own record has it, digits only", UPRN)
    eastings = NumberField("Easting in metres (optional)", "National grid", METRES)
    northings = NumberField("Northing in metres (optional)", "", METRES)

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        for missing, there in (("eastings", "northings"), ("northings", "eastings")):
            if cleaned.get(there) and not cleaned.get(missing) and missing not in self.errors:
                self.add_error(missing, f"{bare(self.fields[missing].label)} is missing")
        if not self.errors and not any(cleaned.values()):
            self.add_error("uprn", "Enter the UPRN, or the easting and the northing")
        return cleaned


@require_http_methods(["GET", "POST"])
@permission_required(WORK)
def place(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """Where it was plotted here, beside what was sent."""
    case, acting = received_case_of(request, case_id), acting_of(request)
    try:
        policies.check_can_work(acting, case)
    except PolicyRefused as refusal:
        messages.info(request, refusal.sentence)
        return redirect("referrals:received", case_id)
    form = OwnPlaceForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        own = local.OwnPlace(**form.cleaned_data)
        kept = local.record_place(case=case, own=own, acting=acting, now=clock())
        if kept.differences:
            messages.warning(request, "The place is kept. It differs from what was sent: see below.")
        else:
            messages.success(request, "The place is kept.")
        return redirect("referrals:received", case_id)
    record_case_view(case=case, acting=acting, now=clock())
    context = {"form": form, "case": case, "banner": banner(case.patient), "where": where_it_is(case)}
    return render(request, "referrals/place.jinja", context)


@require_POST
@permission_required(WORK)
def attempt(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """One try to reach the patient."""
    case, form = received_case_of(request, case_id), AttemptForm(request.POST)
    if not form.is_valid():
        record_case_view(case=case, acting=acting_of(request), now=clock())
        context = {"form": form, "case": case, "banner": banner(case.patient), "seen": _seen(request)}
        return render(request, "referrals/attempt.jinja", context)
    return told_on_the_case(
        request,
        case_id,
        "The attempt is written down.",
        lambda: local.record_attempt(
            case=case,
            seen=_seen(request),
            reached=form.cleaned_data["reached"] == "yes",
            text=form.cleaned_data["text"],
            acting=acting_of(request),
            now=clock(),
        ),
    )


def _seen(request: HttpRequest) -> int:
    return whole_number(request.POST.get("attempts", ""), default=0)


class LinkForm(NHSForm):
    chosen = RadiosField(label="Which one goes with it?", options=[], missing="Select one")

    def __init__(self, *args: Any, options: Sequence[Option], label: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["chosen"]
        field.label = label
        if isinstance(field, RadiosField):
            field.choices = field.offer(options)


def booking_options(bookings: Iterable[Booking], referral: Referral) -> list[Option]:
    return [
        Option(
            str(each.pk),
            dates.format_datetime(each.start),
            hint=_hint(each.service.name, each.reference) + _late(each, referral),
        )
        for each in bookings
    ]


def referral_options(referrals: Iterable[Referral], booking: Booking) -> list[Option]:
    return [
        Option(
            str(each.pk),
            next(iter(use_cases_in_words([each.use_case])), "Referral"),
            hint=_hint(
                f"{each.service.name}, received {dates.format_datetime(each.created_at)}", each.reference
            )
            + _late(booking, each),
        )
        for each in referrals
    ]


def _late(booking: Booking, referral: Referral) -> str:
    seen_by = referral.breach_at
    if seen_by is None or not links.is_after(booking, seen_by):
        return ""
    return f". The patient should be seen by {dates.format_datetime(seen_by)}: this appointment is later"


def _hint(words: str, reference: str) -> str:
    return f"{words}, reference {reference}" if reference else words


_LINKED = "They are linked now."
_KNOWN = "They were linked already."


@require_http_methods(["GET", "POST"])
@permission_required(WORK)
def link_booking(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """The appointments of the same patient that stand; one is chosen."""
    referral = _referral(request, case_id)
    options = booking_options(links.linkable_bookings(acting_of(request), referral), referral)
    form = LinkForm(request.POST or None, options=options, label="Which appointment goes with it?")
    if _is_chosen(request, (link.booking.pk for link in links.bookings_of(referral))):
        return redirect("referrals:received", case_id)
    if form.is_bound and form.is_valid():
        booking = _booking(request, UUID(form.cleaned_data["chosen"]))
        _link(request, referral, booking)
        return redirect("referrals:received", case_id)
    record_case_view(case=referral, acting=acting_of(request), now=clock())
    context = {"form": form, "banner": banner(referral.patient), "case": referral, "about": "appointment"}
    return render(request, "referrals/link.jinja", context)


@require_http_methods(["GET", "POST"])
@permission_required(WORK)
def link_referral(request: HttpRequest, booking_id: UUID) -> HttpResponse:
    """The same from the booking's side."""
    booking = _booking(request, booking_id)
    options = referral_options(links.linkable_referrals(acting_of(request), booking), booking)
    form = LinkForm(request.POST or None, options=options, label="Which referral goes with it?")
    if _is_chosen(request, (link.referral.pk for link in links.referrals_of(booking))):
        return redirect("bookings:received", booking_id)
    if form.is_bound and form.is_valid():
        _link(request, _referral(request, UUID(form.cleaned_data["chosen"])), booking)
        return redirect("bookings:received", booking_id)
    record_view(booking=booking, acting=acting_of(request), now=clock())
    context = {"form": form, "banner": banner(booking.patient), "booking": booking, "about": "referral"}
    return render(request, "referrals/link.jinja", context)


@require_POST
@permission_required(WORK)
def unlink_booking(request: HttpRequest, case_id: UUID, booking_id: UUID) -> HttpResponse:
    about = _about(request, _referral(request, case_id), _booking(request, booking_id))
    _told(request, lambda: links.unlink_booking(**about), "The link is undone.", "They are not linked.")
    return redirect("referrals:received", case_id)


def _is_chosen(request: HttpRequest, linked: Iterable[UUID]) -> bool:
    """A second press: what was chosen is linked already, so it is not offered any more."""
    if request.POST.get("chosen") not in {str(each) for each in linked}:
        return False
    messages.info(request, _KNOWN)
    return True


def _link(request: HttpRequest, referral: Referral, booking: Booking) -> None:
    about = _about(request, referral, booking)
    _told(request, lambda: links.link_booking(**about), _LINKED, _KNOWN)


def _about(request: HttpRequest, referral: Referral, booking: Booking) -> dict[str, Any]:
    return {"referral": referral, "booking": booking, "acting": acting_of(request), "now": clock()}


def _told(request: HttpRequest, act: Callable[[], bool], done: str, nothing: str) -> None:
    try:
        changed = act()
    except PolicyRefused as refusal:
        messages.info(request, refusal.sentence)
        return
    (messages.success if changed else messages.info)(request, done if changed else nothing)


def _referral(request: HttpRequest, case_id: UUID) -> Referral:
    """Only referrals have appointments that go with them."""
    case = received_case_of(request, case_id)
    if not isinstance(case, Referral):
        raise Http404
    return case


def _booking(request: HttpRequest, booking_id: UUID) -> Booking:
    booking = links.received_booking(acting_of(request), booking_id)
    if booking is None:
        raise Http404
    return booking

"""A tiny site that shows every component once. Exists in tests only."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import include, path

from bars_portal.nhsuk import pages
from bars_portal.nhsuk.dates import SlotChoice, SlotDay, by_day
from bars_portal.nhsuk.forms import (
    CheckboxesField,
    ConfirmField,
    DateField,
    HiddenField,
    NHSForm,
    NHSNumberField,
    Option,
    PasswordField,
    PhoneField,
    PostcodeField,
    RadiosField,
    SelectField,
    TextareaField,
    TextField,
)

NOW = datetime(2026, 7, 14, 8, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Patient:
    family_name: str = "Testerson-Featherstonehaugh"
    given_names: str = "Julie Anne"
    prefix: str = "Mrs"
    birth_date: date | None = date(1945, 7, 14)
    gender: str = "female"
    nhs_number: str = "9434765919"
    nhs_number_verified: bool = True
    birth_partly: str = ""
    died: str = ""


class EveryField(NHSForm):
    family_name = TextField(label="Family name", hint="As on their record")
    nhs_known = RadiosField(
        label="Do you know their NHS number?",
        options=[("yes", "Yes"), Option("no", "No", hint="You can still book", divider="or")],
        conditional={"yes": "nhs_number"},
    )
    nhs_number = NHSNumberField(required=False)
    birth_date = DateField(label="Date of birth", hint="For example, 15 3 1984")
    phone = PhoneField(label="Call-back number")
    postcode = PostcodeField()
    accepts = SelectField(
        label="What it accepts", options=[("a", "Emergency"), ("b", "Urgent")], empty_text="Any"
    )
    kinds = CheckboxesField(label="Kinds", options=[("x", "Face to face"), ("y", "Telephone")])
    password = PasswordField(label="Password")
    notes = TextareaField(label="Notes", max_length=200)
    told = ConfirmField(label="I have told the patient")
    token = HiddenField(required=False)


def slot_days() -> tuple[SlotDay, ...]:
    opening = datetime(2026, 10, 24, 7, 0, tzinfo=UTC)
    starts = [opening + timedelta(days=day, minutes=45 * step) for day in range(3) for step in range(14)]
    return by_day(
        SlotChoice(str(index), start, "Face to face · Dr A Shah" if index % 5 == 0 else "")
        for index, start in enumerate(starts)
    )


def _signed_in(request: HttpRequest) -> None:
    user = SimpleNamespace(get_full_name=lambda: "Casey Clinician", get_username=lambda: "clinician")
    permissions = frozenset({"directory.find_service", "bookings.view_sent_bookings", "bookings.view_diary"})
    organisation = SimpleNamespace(name="Riverside Urgent Care")
    acting = SimpleNamespace(user=user, organisation=organisation, permissions=permissions)
    request.acting = acting  # type: ignore[attr-defined]  # as the portal's middleware does


def show(request: HttpRequest) -> HttpResponse:
    _signed_in(request)
    messages.success(request, "Booking cancelled")
    page = Paginator(range(200), 10).page(4)
    context = {"patient": Patient(), "nobody": Patient("", "", "", None, "", "", False), "page": page}
    return render(request, "gallery.jinja", {**context, "days": slot_days(), "moment": NOW})


def fill(request: HttpRequest) -> HttpResponse:
    _signed_in(request)
    form = EveryField(request.POST) if request.method == "POST" else EveryField()
    return render(request, "gallery_form.jinja", {"form": form, "valid": form.is_bound and form.is_valid()})


def working(request: HttpRequest) -> HttpResponse:
    return render(request, "gallery_working.jinja", {"fragment": False})


def poll(request: HttpRequest) -> HttpResponse:
    return render(request, "gallery_answer.jinja")


def short_session(request: HttpRequest) -> HttpResponse:
    _signed_in(request)
    return render(request, "gallery_session.jinja")


def nothing(request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=204)


def fail(request: HttpRequest, kind: str) -> HttpResponse:
    request.correlation_id = "1234567890"  # type: ignore[attr-defined]  # as the portal's middleware does
    raised = {"404": Http404(), "403": PermissionDenied("Only clinicians may do this.")}
    if kind in raised:
        raise raised[kind]
    plain = {"400": pages.handler400(request, ValueError()), "503": pages.unavailable(request)}
    return plain.get(kind) or (pages.csrf_failure(request) if kind == "csrf" else pages.handler500(request))


# The names that the layout links to.
_DIRECTORY = [path("find/", show, name="search")]
_BOOKINGS = [path("bookings/", show, name="list"), path("diary/", show, name="diary")]
_ACCOUNTS = [
    path("sign-in/", working, name="sign-in"),
    path("sign-out/", nothing, name="sign-out"),
    path("keep-alive/", nothing, name="keep-alive"),
]
urlpatterns = [
    path("", show, name="home"),
    path("form/", fill),
    path("working/", working),
    path("poll/", poll),
    path("session/", short_session),
    path("fail/<str:kind>/", fail),
    path("", include((_DIRECTORY, "directory"))),
    path("", include((_BOOKINGS, "bookings"))),
    path("", include((_ACCOUNTS, "accounts"))),
]
handler403 = "bars_portal.nhsuk.pages.handler403"
handler404 = "bars_portal.nhsuk.pages.handler404"

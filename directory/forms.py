"""What people type to find a service. Directory data only, so that the form may be a GET."""

from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.urls import reverse

from bars_portal.exchange.fhir.identifiers import InvalidIdentifier, ServiceID
from bars_portal.nhsuk.dates import in_london, london_midnight
from bars_portal.nhsuk.forms import NHSForm, PostcodeField, RadiosField, SelectField, TextField
from directory import capability
from directory.models import ServiceType


class ServiceIDField(TextField):
    """Cleans to digits or ""."""

    def clean(self, value: Any) -> str:
        text = str(super().clean(value))
        try:
            return ServiceID.parse(text).value if text else ""
        except InvalidIdentifier:
            raise ValidationError(
                f"{self.label} must be up to 20 numbers, like 2000099001", code="format"
            ) from None


SOONEST = "soonest"


class ServiceSearchForm(NHSForm):
    """Everything is optional: an empty search lists every service."""

    name = TextField(
        label="Name of the service",
        hint="Or of the organisation that runs it",
        required=False,
        max_length=100,
    )
    postcode = PostcodeField(
        label="Postcode", hint="The first half is enough, for example LS1", outward=True, required=False
    )
    type = SelectField(
        label="Type of service", options=lambda: ServiceType.choices, empty_text="Any type", required=False
    )
    use_case = SelectField(
        label="What it accepts", options=capability.use_case_options, empty_text="Anything", required=False
    )
    takes = SelectField(
        label="Bookings and referrals",
        options=[
            ("bookings", "Takes bookings"),
            ("referrals", "Takes referrals"),
            ("both", "Takes bookings and referrals"),
        ],
        empty_text="Any",
        required=False,
    )
    dos_id = ServiceIDField(
        label="DoS service ID",
        required=False,
        max_length=20,
        inputmode="numeric",
        width=20,
        autocomplete="off",
    )
    order = SelectField(
        label="Order",
        options=[(SOONEST, "Soonest free time, where it is known")],
        empty_text="Nearest, or by name",
        required=False,
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # After an error the whole page must change, so typing changes nothing then.
        if not self.errors:
            _search_while_typing(self.fields["name"])


def _search_while_typing(field: Any) -> None:
    """The results follow what is typed; without JavaScript the button does the same."""
    attributes = {
        "hx-get": reverse("directory:search"),
        "hx-trigger": "input changed delay:300ms",
        "hx-include": "closest form",
        "hx-target": "#results",
        "hx-swap": "outerHTML",
        "hx-replace-url": "true",
        "hx-sync": "closest form:replace",
    }
    field.options = {**field.options, "attributes": attributes}


class PauseForm(NHSForm):
    """For how long a service takes no referrals, and why."""

    until = RadiosField(
        label="Until when?",
        options=[
            ("1", "For 1 hour"),
            ("4", "For 4 hours"),
            ("today", "Until the end of today"),
            ("tomorrow", "Until the end of tomorrow"),
            ("week", "For 7 days"),
        ],
        hint="It ends by itself, and you can end it before",
    )
    reason = TextField(
        label="Why?",
        called="The reason",
        hint="Whoever finds the service here reads it, like: no clinician on duty. Name no patient",
        max_length=200,
    )

    def ends_at(self, now: datetime) -> datetime:
        """Of a valid form; days end at London's midnight."""
        chosen = self.cleaned_data["until"]
        if chosen.isdigit():
            return now + timedelta(hours=int(chosen))
        if chosen == "week":
            return now + timedelta(days=7)
        days = 1 if chosen == "today" else 2
        return london_midnight(in_london(now).date() + timedelta(days=days))

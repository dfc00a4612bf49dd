"""The forms of the staff pages."""

from typing import Any

from django import forms
from django.core.validators import URLValidator

from bars_portal.exchange.fhir.codes import UseCase
from directory.admin.fields import (
    BankHolidayField,
    LinesField,
    ODSCodesField,
    OpeningHoursField,
    WholePostcodeField,
)
from directory.models import Endpoint, HealthcareService

CONNECTION_TYPES = [("hl7-fhir-rest", "HL7 FHIR REST"), ("hl7-fhir-msg", "HL7 FHIR messaging")]


def _use_cases() -> list[tuple[str, str]]:
    return [(case.value, f"{case.display} ({case.value})") for case in UseCase]


class HealthcareServiceForm(forms.ModelForm):  # type: ignore[type-arg]  # no generics at run time
    opening_hours = OpeningHoursField(
        rows=7,
        help_text="One line for each day, London time: Mon 08:00-20:00, or Tue 08:00-12:00, 13:00-17:00, "
        "or Sat 24 hours, or Sun closed. 22:00-06:00 runs into the next day. Empty: not known.",
    )
    bank_holiday_hours = BankHolidayField(
        label="Hours on bank holidays", help_text="10:00-16:00, or closed. Empty: not known."
    )
    referral_roles = LinesField(
        label="Who may send patients", help_text="One on each line, such as NHS 111. Empty: anyone."
    )
    address_lines = LinesField(label="Address", help_text="One line of the address on each line.")
    postcode = WholePostcodeField(required=False, max_length=10)
    accepted_use_cases = forms.MultipleChoiceField(
        required=False, choices=_use_cases, widget=forms.CheckboxSelectMultiple
    )
    allowed_callers = ODSCodesField(
        max_length=10_000,
        help_text="ODS codes of the organisations that may send messages, one on each line. Empty: anyone.",
    )

    class Meta:
        model = HealthcareService
        fields = [
            "service_id",
            "provider",
            "hosted",
            "name",
            "service_type",
            "active",
            "address_lines",
            "postcode",
            "phone",
            "opening_hours",
            "bank_holiday_hours",
            "catchment_miles",
            "takes_bookings",
            "takes_referrals",
            "requires_booking",
            "accepted_use_cases",
            "referral_roles",
            "allowed_callers",
        ]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("requires_booking") and not cleaned.get("takes_bookings"):
            self.add_error("requires_booking", "A service that requires a booking must take bookings.")
        return cleaned


class EndpointForm(forms.ModelForm):  # type: ignore[type-arg]  # no generics at run time
    connection_type = forms.ChoiceField(choices=CONNECTION_TYPES)
    address = forms.CharField(
        max_length=300,
        validators=[URLValidator(schemes=["https"], message="Enter an address that starts with https://.")],
        help_text="Base address of the receiver, without a slash at the end.",
    )

    class Meta:
        model = Endpoint
        fields = [
            "service",
            "managing_organisation",
            "name",
            "status",
            "connection_type",
            "payload_type",
            "address",
            "period_start",
            "period_end",
        ]

    def clean_address(self) -> str:
        return str(self.cleaned_data["address"]).rstrip("/")

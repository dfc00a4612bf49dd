"""The forms of the staff pages; structured values are plain text that staff can type safely."""

import re
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator

from bars_portal.exchange.fhir.access import version_numbers
from bars_portal.exchange.fhir.codes import UseCase
from bars_portal.exchange.fhir.identifiers import InvalidIdentifier, ODSCode
from bars_portal.values import InvalidValue, read_postcode, read_service_phone
from directory.hours import (
    InvalidHours,
    StoredHours,
    read_hours,
    read_spans,
    readable_week,
    write_hours,
    write_spans,
)
from directory.models import AccessRule, Endpoint, HealthcareService

T = TypeVar("T")
_MOST_LINES, _LONGEST_LINE = 8, 100
_MOST_CODES = 500


class _WrittenField(forms.CharField, Generic[T]):
    """Shows a value as text and cleans the text back to the value; a refused text stays as typed."""

    widget = forms.Textarea
    empty: Callable[[], Any] = list

    def __init__(self, *, rows: int = 4, max_length: int = 2_000, **options: Any) -> None:
        super().__init__(
            required=False, max_length=max_length, widget=forms.Textarea(attrs={"rows": rows}), **options
        )

    def write(self, value: T) -> str:
        raise NotImplementedError

    def read(self, text: str) -> T:
        """Raises ValidationError."""
        raise NotImplementedError

    def same(self, one: T, other: T) -> bool:
        return one == other

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, str) else self.write(value or self.empty())

    def clean(self, value: Any) -> Any:
        return self.read(str(super().clean(value)).replace("\r\n", "\n"))

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return not self.same(self.clean(data), initial or self.empty())
        except ValidationError:
            return True


class OpeningHoursField(_WrittenField[StoredHours]):
    """One line a day: "Mon 08:00-20:00"."""

    empty = dict

    def write(self, value: StoredHours) -> str:
        """Hours that another program wrote and nobody can read are shown as not known."""
        return write_hours(value) if readable_week(value) is not None else ""

    def read(self, text: str) -> StoredHours:
        try:
            return read_hours(text)
        except InvalidHours as fault:
            raise ValidationError(str(fault), code="hours") from None

    def same(self, one: StoredHours, other: StoredHours) -> bool:
        """A day left out is the same as a day that is closed."""
        return one == other or (readable_week(one) is not None and readable_week(one) == readable_week(other))


class BankHolidayField(_WrittenField[list[list[str]] | None]):
    """The hours of one day: "10:00-16:00", "closed"; empty: not known (None)."""

    def __init__(self, **options: Any) -> None:
        super().__init__(rows=1, max_length=200, **options)

    def prepare_value(self, value: Any) -> Any:
        return value if isinstance(value, str) else self.write(value)

    def write(self, value: list[list[str]] | None) -> str:
        return "" if value is None else write_spans(value)

    def read(self, text: str) -> list[list[str]] | None:
        try:
            return read_spans(text.strip().lower()) if text.strip() else None
        except InvalidHours as fault:
            raise ValidationError(str(fault).replace("Monday: ", ""), code="hours") from None

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.clean(data) != initial)
        except ValidationError:
            return True


class LinesField(_WrittenField[list[str]]):
    """One item a line."""

    def write(self, value: Sequence[str]) -> str:
        return "\n".join(str(line) for line in value)

    def read(self, text: str) -> list[str]:
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        if len(lines) > _MOST_LINES or any(len(line) > _LONGEST_LINE for line in lines):
            raise ValidationError(
                f"Enter at most {_MOST_LINES} lines of at most {_LONGEST_LINE} characters.", code="lines"
            )
        return lines


class ODSCodesField(_WrittenField[list[str]]):
    """ODS codes, separated by blanks, commas or lines; each once, in order."""

    def write(self, value: Sequence[str]) -> str:
        return "\n".join(value)

    def read(self, text: str) -> list[str]:
        words = re.split(r"[\s,;]+", text.strip()) if text.strip() else []
        try:
            codes = sorted({ODSCode.parse(word).value for word in words})
        except InvalidIdentifier as fault:
            raise ValidationError(f"{fault}.", code="ods_code") from None
        if len(codes) > _MOST_CODES:
            raise ValidationError(f"Enter at most {_MOST_CODES} codes.", code="most")
        return codes


class RoleCodesField(_WrittenField[list[str]]):
    """SNOMED codes, separated by blanks, commas or lines; each once, in order."""

    def write(self, value: Sequence[str]) -> str:
        return "\n".join(value)

    def read(self, text: str) -> list[str]:
        words = sorted({word for word in re.split(r"[\s,;]+", text) if word})
        if any(not re.fullmatch("[0-9]{6,18}", word) for word in words):
            raise ValidationError("A SNOMED code has 6 to 18 digits.", code="role")
        if len(words) > _MOST_CODES:
            raise ValidationError(f"Enter at most {_MOST_CODES} codes.", code="most")
        return words


class WholePostcodeField(forms.CharField):
    """Cleans to "LS1 4AP" or ""."""

    def clean(self, value: Any) -> str:
        text = str(super().clean(value))
        try:
            return read_postcode(text) if text else ""
        except InvalidValue:
            raise ValidationError("Enter a full UK postcode, like LS1 4AP.", code="postcode") from None


class ServicePhoneField(forms.CharField):
    """A phone number as it is written; 111 and its like too."""

    def clean(self, value: Any) -> str:
        text = str(super().clean(value))
        try:
            return read_service_phone(text) if text else ""
        except InvalidValue as fault:
            raise ValidationError(
                f"Enter a phone number, like 020 7946 0000: {fault}.", code="phone"
            ) from None


CONNECTION_TYPES = [("hl7-fhir-rest", "HL7 FHIR REST"), ("hl7-fhir-msg", "HL7 FHIR messaging")]


def _use_case_choices() -> list[tuple[str, str]]:
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
    phone = ServicePhoneField(
        required=False, max_length=40, help_text="For people who have to ring the service."
    )
    accepted_use_cases = forms.MultipleChoiceField(
        required=False,
        choices=_use_case_choices,
        widget=forms.CheckboxSelectMultiple,
        help_text="Ways of the Booking and Referral Standard by which it takes patients. Others are refused.",
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


class AccessRuleForm(forms.ModelForm):  # type: ignore[type-arg]  # no generics at run time
    organisations = ODSCodesField(
        max_length=10_000, help_text="ODS codes that this rule lets in, one on each line. Empty: any."
    )
    roles = RoleCodesField(
        label="Roles of the practitioner",
        help_text="SNOMED codes, one on each line. Empty: any, or no role told.",
    )

    class Meta:
        model = AccessRule
        fields = [
            "service",
            "name",
            "organisations",
            "roles",
            "software",
            "version_from",
            "version_to",
            "in_force",
        ]
        help_texts = {
            "name": "What the rule is for, such as: Our three GP practices.",
            "software": "The product's name as it calls itself, in any case. Empty: any.",
            "version_from": "The first version that may call, such as 2.1. Empty: any.",
            "version_to": "The last version that may call. Empty: any.",
            "in_force": "Save it without this first, and look below at what it would have refused.",
        }

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for name in ("version_from", "version_to"):
            if cleaned.get(name) and version_numbers(cleaned[name]) is None:
                self.add_error(name, "A version begins with numbers, such as 2.1.")
        least, most = (version_numbers(cleaned.get(name) or "") for name in ("version_from", "version_to"))
        if least is not None and most is not None and least > most:
            self.add_error("version_to", "The last version comes before the first.")
        if (least or most) and not cleaned.get("software"):
            self.add_error("software", "Name the software that the versions are of.")
        asks = (cleaned.get(name) for name in ("organisations", "roles", "software"))
        if not self.errors and not any(asks):
            self.add_error(None, "Say which organisations, roles or software may use the service.")
        return cleaned


class EndpointForm(forms.ModelForm):  # type: ignore[type-arg]  # no generics at run time
    connection_type = forms.ChoiceField(
        label="Kind of connection",
        choices=CONNECTION_TYPES,
        help_text="As the catalogue says it. The Booking and Referral Standard uses FHIR REST.",
    )
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

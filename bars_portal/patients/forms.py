"""The patient as a clinician or clerk types them; one that is known as if they had been: typed.py."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import phonenumbers
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator

from bars_portal.nhsuk.forms import (
    ConfirmField,
    HiddenField,
    NHSForm,
    NHSNumberField,
    PartlyKnownDateField,
    PhoneField,
    PostcodeField,
    RadiosField,
    SelectField,
    TextField,
)
from bars_portal.nhsuk.words import without_direction_marks
from bars_portal.patients.details import (
    ADDRESS_USES,
    ETHNIC_CATEGORIES,
    LANGUAGES,
    OFFERED_RELATIONSHIPS,
    RELATIONSHIPS,
    ContactDetails,
    Limit,
    PatientDetails,
    Telecom,
    known_birth,
    known_death,
)
from bars_portal.patients.models import Gender
from bars_portal.values import InvalidValue, compact, read_ods_code, read_postcode


def by_words(codes: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """For a list to choose from, by what people read."""
    return tuple(sorted(codes.items(), key=lambda pair: pair[1]))


PATIENT, SOMEBODY_ELSE = "patient", "somebody_else"
_OLDEST = date(1900, 1, 1)
_check_email = EmailValidator("Enter an email address in the right form, like name@example.com")


class PatientForm(NHSForm):
    """`today` is the London date. `to_details()` gives a valid form's answers; `initial_from()` reverses it.

    The name's prefix is `title` here: `prefix` is a form's own.
    """

    behind = ("practice_name", "practice_code", "local_number")
    behind_label = "GP practice, and your own number of the patient"

    family_name = TextField(
        label="Family name", max_length=Limit.NAME, required=False, autocomplete="off", spellcheck=False
    )
    given_names = TextField(
        label="First names",
        hint="Leave this empty if the patient has one name only",
        max_length=Limit.NAME,
        required=False,
        autocomplete="off",
        spellcheck=False,
    )
    title = TextField(
        label="Title",
        hint="For example, Mrs",
        max_length=Limit.PREFIX,
        required=False,
        autocomplete="off",
        width=5,
    )
    birth_date = PartlyKnownDateField(
        label="Date of birth",
        hint="For example, 15 3 1984. If only the month or the year is known, leave the rest empty",
        earliest=_OLDEST,
        too_late="Date of birth must be today or in the past",
        required=False,
    )
    identity_unknown = ConfirmField(
        label="The patient's name or date of birth is not known",
        hint="Tick this to go on without them.",
        required=False,
    )
    gender = RadiosField(label="Gender", options=Gender.choices)
    nhs_number = NHSNumberField(required=False, autocomplete="off", hint="10 digits, if it is known")
    traced_in = TextField(
        label="Where the NHS number was traced",
        hint="The system that confirmed it, for example PDS. Without it the number is kept here, "
        "and not sent as verified",
        max_length=Limit.SOURCE,
        required=False,
        autocomplete="off",
        width=20,
    )
    language = SelectField(
        label="Language that the patient prefers (optional)",
        options=by_words(LANGUAGES),
        empty_text="Not known",
        required=False,
    )
    ethnic_category = SelectField(
        label="Ethnic category, as the patient says it (optional)",
        options=tuple(ETHNIC_CATEGORIES.items()),
        empty_text="Not asked",
        required=False,
    )
    has_died = ConfirmField(label="The patient has died", required=False)
    died_on = HiddenField(label="Date of death", required=False, max_length=Limit.DIED)
    address_line_1 = TextField(
        label="Address line 1", max_length=Limit.LINE, required=False, autocomplete="off"
    )
    address_line_2 = TextField(
        label="Address line 2", max_length=Limit.LINE, required=False, autocomplete="off"
    )
    town = TextField(
        label="Town or city", max_length=Limit.LINE, required=False, autocomplete="off", width=20
    )
    district = TextField(
        label="County or district (optional)",
        max_length=Limit.LINE,
        required=False,
        autocomplete="off",
        width=20,
    )
    postcode = PostcodeField(
        required=False,
        hint="ZZ99 3VZ if the patient has no fixed home. Type a code of another country after the town",
    )
    address_use = RadiosField(
        label="What kind of address is this? (optional)", options=list(ADDRESS_USES.items()), required=False
    )
    practice_name = TextField(
        label="Name of the GP practice",
        hint="The surgery, not a doctor",
        max_length=Limit.LINE,
        required=False,
        autocomplete="off",
    )
    practice_code = TextField(
        label="ODS code of the GP practice",
        hint="For example, A81001",
        max_length=Limit.CODE,
        required=False,
        autocomplete="off",
        spellcheck=False,
        width=10,
    )
    local_number = TextField(
        label="Your own number of the patient",
        hint="As your records call the patient. The service can quote it to you",
        max_length=Limit.LOCAL_NUMBER,
        required=False,
        autocomplete="off",
        width=20,
    )
    call_back = RadiosField(
        label="Who should be called back?",
        options=[(PATIENT, "The patient"), (SOMEBODY_ELSE, "Somebody else")],
        missing="Select who should be called back",
        initial=PATIENT,
    )
    contact_relationship = SelectField(
        label="Who they are to the patient",
        hint="Only if somebody else should be called back",
        options=OFFERED_RELATIONSHIPS,
        empty_text="Select one",
        required=False,
    )
    contact_words = TextField(
        label="Who they are, in your own words",
        hint="Only if the list has no word for it. For example, carer",
        max_length=Limit.RELATIONSHIP_TEXT,
        required=False,
        autocomplete="off",
    )
    contact_given_names = TextField(
        label="Their first names", max_length=Limit.NAME, required=False, autocomplete="off", spellcheck=False
    )
    contact_family_name = TextField(
        label="Their family name", max_length=Limit.NAME, required=False, autocomplete="off", spellcheck=False
    )
    contact_gender = SelectField(
        label="Their gender (optional)", options=Gender.choices, empty_text="Not known", required=False
    )
    phone = PhoneField(label="Call-back phone number", missing="Enter a call-back phone number")
    second_phone = PhoneField(label="Second phone number", required=False)
    email = TextField(
        label="Email address",
        max_length=Limit.TELECOM,
        required=False,
        autocomplete="off",
        inputmode="email",
        type="email",
        spellcheck=False,
    )

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        birth_date = self.fields["birth_date"]
        if isinstance(birth_date, PartlyKnownDateField):
            birth_date.latest = today

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"])
        if email:
            _check_email(email)
        return email

    def clean_practice_code(self) -> str:
        code = compact(str(self.cleaned_data["practice_code"])).upper()
        try:
            return read_ods_code(code) if code else ""
        except InvalidValue:
            words = "ODS code must be letters and numbers, like A81001"
            raise ValidationError(words, code="format") from None

    def clean(self) -> dict[str, Any]:
        answers = self.cleaned_data
        if answers.get("traced_in") and "nhs_number" in answers and not answers["nhs_number"]:
            self.add_error("nhs_number", "Enter the NHS number that was traced")
        if not answers.get("identity_unknown"):
            self._check_identity(answers)
        if answers.get("call_back") == SOMEBODY_ELSE:
            self._check_somebody_else(answers)
        return answers

    def _check_identity(self, answers: dict[str, Any]) -> None:
        """One name is a whole name; what is not known is said to be."""
        if not any(answers.get(name) or name in self.errors for name in ("family_name", "given_names")):
            self.add_error("family_name", "Enter family name or first names, or tick that no name is known")
        if not answers.get("birth_date") and "birth_date" not in self.errors:
            self.add_error(
                "birth_date", "Enter date of birth as far as it is known, or tick that it is not known"
            )

    def _check_somebody_else(self, answers: dict[str, Any]) -> None:
        ways = ("contact_relationship", "contact_words")
        if not any(answers.get(name) or name in self.errors for name in ways):
            self.add_error("contact_relationship", "Select who they are to the patient")
        names = ("contact_given_names", "contact_family_name")
        if not any(answers.get(name) or name in self.errors for name in names):
            error = ValidationError("Enter the name of the person to call back", code="required")
            self.add_error("contact_family_name", error)

    def to_details(self) -> PatientDetails:
        """Only of a valid form."""
        answers = self.cleaned_data
        parts = ("address_line_1", "address_line_2", "town", "district")
        lines = {name: _one_line(answers[name]) for name in parts}
        birth_date, birth_partly = known_birth(answers["birth_date"])
        return PatientDetails(
            nhs_number=answers["nhs_number"],
            nhs_number_verified=bool(answers["traced_in"]),
            traced_in=answers["traced_in"],
            prefix=_one_line(answers["title"]),
            given_names=_one_line(answers["given_names"]),
            family_name=_one_line(answers["family_name"]),
            gender=answers["gender"],
            birth_date=birth_date,
            birth_partly=birth_partly,
            died=known_death(answers["died_on"]) if answers["has_died"] else "",
            address_lines=tuple(filter(None, dict.fromkeys(lines.values()))),
            city=lines["town"],
            district=lines["district"] if lines["district"] != lines["town"] else "",
            postcode=answers["postcode"],
            address_use=answers["address_use"],
            language=answers["language"],
            ethnic_category=answers["ethnic_category"],
            practice_code=answers["practice_code"],
            practice_name=_one_line(answers["practice_name"]),
            local_number=_one_line(answers["local_number"]),
            contacts=(self._contact(answers),),
        )

    def _contact(self, answers: dict[str, Any]) -> ContactDetails:
        other = answers["call_back"] == SOMEBODY_ELSE
        return ContactDetails(
            relationship=answers["contact_relationship"] if other else "ONESELF",
            relationship_text=_one_line(answers["contact_words"])
            if other and not answers["contact_relationship"]
            else "",
            given_names=_one_line(answers["contact_given_names"]) if other else "",
            family_name=_one_line(answers["contact_family_name"]) if other else "",
            telecoms=tuple(_telecoms(answers)),
            gender=answers["contact_gender"] if other else "",
        )

    @staticmethod
    def initial_from(details: PatientDetails) -> dict[str, Any]:
        """What to pass as `initial` so that a patient already known need not be typed again."""
        contact = details.call_back or ContactDetails(relationship="ONESELF")
        is_patient = contact.relationship == "ONESELF" or not _words_for(contact)
        is_offered = contact.relationship in dict(OFFERED_RELATIONSHIPS)
        phones = [each.value for each in contact.telecoms if each.system == "phone" and each.use != "old"]
        emails = [each.value for each in contact.telecoms if each.system == "email"]
        return {
            # A form takes no direction marks.
            "family_name": without_direction_marks(details.family_name),
            "given_names": without_direction_marks(details.given_names),
            "title": details.prefix,
            "birth_date": details.born,
            "identity_unknown": not (details.born and (details.family_name or details.given_names)),
            "gender": details.gender,
            "nhs_number": details.nhs_number,
            "traced_in": details.traced_in,
            "address_use": details.address_use,
            "language": details.language if details.language in LANGUAGES else "",
            "ethnic_category": details.ethnic_category
            if details.ethnic_category in ETHNIC_CATEGORIES
            else "",
            "has_died": bool(details.died),
            "died_on": details.died,
            **_address_answers(details),
            "practice_name": details.practice_name,
            "practice_code": details.practice_code,
            # What another system calls them is no number of ours.
            "local_number": "" if details.local_number_system else details.local_number,
            "call_back": PATIENT if is_patient else SOMEBODY_ELSE,
            "contact_relationship": contact.relationship if is_offered else "",
            "contact_words": "" if is_patient or is_offered else _words_for(contact),
            "contact_given_names": contact.given_names,
            "contact_family_name": contact.family_name,
            "contact_gender": "" if is_patient else contact.gender,
            "phone": phones[0] if phones else "",
            "second_phone": phones[1] if len(phones) > 1 else "",
            "email": emails[0] if emails else "",
        }


def _words_for(contact: ContactDetails) -> str:
    """Who they are to the patient, where the list has no word for it; "" when nobody said."""
    return RELATIONSHIPS.get(contact.relationship) or contact.relationship_text or contact.relationship


def _one_line(text: str) -> str:
    """Spaces as a person meant them."""
    return " ".join(text.split())


def _telecoms(answers: Mapping[str, Any]) -> Iterator[Telecom]:
    """The call-back number first: it gets rank 1."""
    for name in ("phone", "second_phone"):
        if answers[name]:
            yield Telecom("phone", answers[name], _phone_use(answers[name]))
    if answers["email"]:
        yield Telecom("email", answers["email"], "home")


def _phone_use(number: str) -> str:
    """ContactPoint.use of an E.164 number."""
    kind = phonenumbers.number_type(phonenumbers.parse(number))
    # British mobiles by prefix: the library does not know the numbers that are kept for examples.
    mobile = number.startswith("+447") or kind == phonenumbers.PhoneNumberType.MOBILE
    return "mobile" if mobile else "home"


def _address_answers(details: PatientDetails) -> dict[str, str]:
    """Any number of lines in four fields: but for the district the last is the town, with a foreign code."""
    lines, postcode = details.address_lines, details.postcode
    district = details.district if details.district in lines[1:] else ""
    lines = tuple(each for each in lines if each != district)
    if details.city in lines:
        lines = (*(each for each in lines if each != details.city), details.city)
    try:
        postcode = read_postcode(postcode) if postcode else ""
    except InvalidValue:
        lines, postcode = (*lines[:-1], " ".join((*lines[-1:], postcode))), ""
    first, rest = lines[:1], lines[1:]
    if details.city and lines == (details.city,):
        first, rest = (), lines
    return {
        "district": district,
        "postcode": postcode,
        "address_line_1": "".join(first),
        "address_line_2": ", ".join(rest[:-1]),
        "town": "".join(rest[-1:]),
    }

"""Patient, contacts, practitioners and their roles; organisations, services and places; consent."""

from bars_portal.exchange.fhir.identifiers import is_verified
from referrals.message_page.items import (
    Message,
    Placed,
    extension_lines,
    make_item,
    row,
    rows_of,
    telecom_rows,
)
from referrals.message_page.reader import Item, Part, Row
from referrals.message_page.values import lines_of, shaped

_RANK, _VERIFICATION = "Extension-UKCore-ContactRank", "Extension-UKCore-NHSNumberVerificationStatus"
_BIRTH_SEX = "Extension-UKCore-BirthSex"
_IDENTITY = {"name": "Name", "birthDate": "Date of birth", "gender": "Gender"}
_PATIENT = {
    "address": "Address",
    "deceased[x]": "Died",
    "maritalStatus": "Marital status",
    "generalPractitioner": "GP",
    "managingOrganization": "Record kept by",
    "active": "Record in use",
}
_PRACTITIONER = {
    "name": "Name",
    "identifier": "Number",
    "gender": "Gender",
    "address": "Address",
    "birthDate": "Date of birth",
    "active": "Record in use",
}
_ROLE = {
    "practitioner": "Practitioner",
    "organization": "Organisation",
    "code": "Role",
    "specialty": "Specialty",
    "location": "Place",
    "healthcareService": "Service",
    "period": "Period",
    "identifier": "Number",
    "active": "Record in use",
}


def present_patient(part: Part, message: Message) -> list[Placed]:
    sex = row("Birth sex", extension_lines(part, _BIRTH_SEX, "Birth sex"))
    contacts = [_contact(each) for each in part.parts("contact")]
    rows = [*_identity(part), *rows_of(part, _PATIENT), *telecom_rows(part), *_languages(part)]
    has_died = part.value.get("deceasedBoolean") is True or part.peek("deceasedDateTime") != ""
    patient = make_item(part, "Patient (has died)" if has_died else "Patient", rows, parts=contacts)
    observed = [("observations", Item("Birth sex", tuple(sex)))] if sex else []
    return [("people", patient), *observed]


def _identity(part: Part) -> list[Row]:
    """Said to be unknown where it is: name, birth, gender and number."""
    known = [Row(label, tuple(lines_of(part, name, label))) for name, label in _IDENTITY.items()]
    return [*known, Row("Number", tuple(_numbers(part)))]


def _numbers(part: Part) -> list[str]:
    """Each number with how sure it is: an unverified NHS number identifies nobody."""
    lines = []
    for each in sorted(
        part.parts("identifier"), key=lambda each: (not each.holds, not is_verified(each.value))
    ):
        told = [*shaped(each, "Number"), *extension_lines(each, _VERIFICATION, "NHS number")]
        if told and not each.holds:
            each.text("use")
            told += ["superseded", *lines_of(each, "period", "Number")]
        lines.append(", ".join(told))
    return [line for line in lines if line]


def _languages(part: Part) -> list[Row]:
    rows: list[Row] = []
    for each in part.parts("communication"):
        rows += rows_of(each, {"language": "Language", "preferred": "Preferred language"})
    return rows


def _contact(part: Part) -> Item:
    """Rank 1 is the one to call back (standard section 6, contacts)."""
    rank = next(iter(extension_lines(part, _RANK, "Rank")), "")
    is_first = rank == "1"
    rows = rows_of(part, {"relationship": "Who", "name": "Name", "gender": "Gender", "address": "Address"})
    rows += rows_of(part, {"organization": "Organisation", "period": "Period"})
    rows += [*telecom_rows(part, is_call_back=is_first), *row("Rank", [rank])]
    return Item("Contact to call back" if is_first else "Other contact", tuple(rows))


def present_practitioner(part: Part, message: Message) -> list[Placed]:
    earned = part.parts("qualification")
    qualified = [each for found in earned for each in rows_of(found, {"code": "Qualification"})]
    rows = [*rows_of(part, _PRACTITIONER), *telecom_rows(part), *qualified]
    return [("people", make_item(part, message.title(part), rows))]


def present_role(part: Part, message: Message) -> list[Placed]:
    rows = [*rows_of(part, _ROLE), *telecom_rows(part)]
    return [("people", make_item(part, f"Role of {message.title(part)}", rows))]


def present_related(part: Part, message: Message) -> list[Placed]:
    rows = [*rows_of(part, {"relationship": "Who"} | _PRACTITIONER), *telecom_rows(part)]
    return [("people", make_item(part, message.title(part), rows))]


_ORGANISATION = {
    "name": "Name",
    "alias": "Also called",
    "identifier": "Number",
    "type": "Type",
    "address": "Address",
    "partOf": "Part of",
    "active": "Record in use",
}
_SERVICE = {
    "name": "Name",
    "identifier": "Number",
    "providedBy": "Provided by",
    "category": "Category",
    "type": "Type",
    "specialty": "Specialty",
    "location": "Place",
    "comment": "Comment",
    "extraDetails": "Details",
    "active": "Service in use",
}


def present_organisation(part: Part, message: Message) -> list[Placed]:
    rows = [*rows_of(part, _ORGANISATION), *telecom_rows(part)]
    return [("people", make_item(part, message.title(part), rows))]


def present_service(part: Part, message: Message) -> list[Placed]:
    rows = [*rows_of(part, _SERVICE), *telecom_rows(part)]
    return [("people", make_item(part, f"Service: {message.title(part)}", rows))]


_PLACE = {
    "name": "Name",
    "description": "How to find it",
    "address": "Address",
    "status": "Status",
    "mode": "Mode",
    "physicalType": "Kind of place",
    "managingOrganization": "Run by",
    "partOf": "Part of",
    "identifier": "Number",
    "alias": "Also called",
}
_POSITION = {"latitude": "Latitude", "longitude": "Longitude", "altitude": "Altitude"}


def present_place(part: Part, message: Message) -> list[Placed]:
    kinds = lines_of(part, "type", "Kind of place")
    position = rows_of(part.part("position"), _POSITION)
    rows = [*rows_of(part, _PLACE), *telecom_rows(part), *position]
    return [("places", make_item(part, ", ".join(kinds) or "Place", rows))]


_CONSENT = {
    "category": "Consent to",
    "status": "Status",
    "scope": "Scope",
    "policyRule": "How it was given",
    "dateTime": "Given",
    "performer": "Given by",
    "organization": "Kept by",
    "identifier": "Number",
}


def present_consent(part: Part, message: Message) -> list[Placed]:
    rows = [*rows_of(part, _CONSENT), *message.about(part, "patient")]
    return [("consent", make_item(part, "Consent", rows))]

"""Patient, their contacts, practitioners and their roles."""

from referrals.presenters.message.extensions import extension_lines
from referrals.presenters.message.items import make_item, row, rows_of
from referrals.presenters.message.message import Message, Placed
from referrals.presenters.message.model import Item, Row
from referrals.presenters.message.reader import Part
from referrals.presenters.message.telecoms import telecom_rows
from referrals.presenters.message.values import lines_of, shaped

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
    patient = make_item(part, "Patient", rows, parts=contacts)
    observed = [("observations", Item("Birth sex", tuple(sex)))] if sex else []
    return [("people", patient), *observed]


def _identity(part: Part) -> list[Row]:
    """Said to be unknown where it is: name, birth, gender and number."""
    known = [Row(label, tuple(lines_of(part, name, label))) for name, label in _IDENTITY.items()]
    return [*known, Row("Number", tuple(_numbers(part)))]


def _numbers(part: Part) -> list[str]:
    """Each number with how sure it is: an unverified NHS number identifies nobody."""
    lines = (
        ", ".join([*shaped(each, "Number"), *extension_lines(each, _VERIFICATION, "NHS number")])
        for each in part.parts("identifier")
    )
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

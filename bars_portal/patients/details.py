"""What is known about a patient, away from database and FHIR; and whether two records are one person.

They are (standard section 13) by number, or by name, birth date and postcode.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from bars_portal.exchange.fhir.codes import ContactRelationship
from bars_portal.values import compact, name_key, names_agree, same_name


@dataclass(frozen=True, slots=True)
class Telecom:
    """One way to reach somebody (FHIR ContactPoint).

    `system`: phone, email, sms or other; `use`: home, work, mobile, temp, old or "".
    """

    system: str
    value: str
    use: str = ""


@dataclass(frozen=True, slots=True)
class ContactDetails:
    """Somebody to call. `relationship` is a v3-RoleCode (ONESELF: the patient); the first telecom has rank 1.

    `relationship_text` holds the sender's own words where no code was given.
    """

    relationship: str = ""
    given_names: str = ""
    family_name: str = ""
    telecoms: tuple[Telecom, ...] = ()
    relationship_text: str = ""
    gender: str = ""


@dataclass(frozen=True, slots=True)
class OtherNumber:
    """An NHS number beside the patient's own. `superseded`: it was theirs before."""

    value: str
    verified: bool = False
    superseded: bool = False


@dataclass(frozen=True, slots=True)
class PatientDetails:
    """Every part may be missing: "" or None or (). Contacts are in rank order, the first is the call-back.

    `traced_in`: the system in which somebody declares that the NHS number was traced; "" where only a message
    says that it is verified. `address_use` is "home" for the official residence, "temp" for another place.
    `birth_partly` is "1984" or "1984-07" where the day is not known. `died` (FHIR Patient.deceased[x]) is the
    date or time, or DIED where that is not told.
    """

    nhs_number: str = ""
    nhs_number_verified: bool = False
    prefix: str = ""
    given_names: str = ""
    family_name: str = ""
    gender: str = ""
    birth_date: date | None = None
    address_lines: tuple[str, ...] = ()
    postcode: str = ""
    contacts: tuple[ContactDetails, ...] = ()
    birth_partly: str = ""
    died: str = ""
    other_numbers: tuple[OtherNumber, ...] = ()
    # Where it was traced makes nobody another patient.
    traced_in: str = field(default="", compare=False)
    address_use: str = ""
    # Codes of UKCore-HumanLanguage and UKCore-EthnicCategory.
    language: str = ""
    ethnic_category: str = ""
    # Which of the address lines are these.
    city: str = ""
    district: str = ""
    # The surgery, never a doctor: its ODS code, its name, or both.
    practice_code: str = ""
    practice_name: str = ""
    # What the system of whoever writes calls the patient; another's system is told, "" is this portal.
    local_number: str = ""
    local_number_system: str = field(default="", compare=False)

    @property
    def born(self) -> str:
        """A FHIR date as far as it is known."""
        return self.birth_date.isoformat() if self.birth_date else self.birth_partly

    @property
    def numbers(self) -> tuple["OtherNumber", ...]:
        """Every NHS number, their own first."""
        own = OtherNumber(self.nhs_number, self.nhs_number_verified)
        return (own, *self.other_numbers) if self.nhs_number else self.other_numbers

    @property
    def call_back(self) -> ContactDetails | None:
        """The contact of rank 1 (standard section 6)."""
        return self.contacts[0] if self.contacts else None


DIED = "true"
# Address.use, in the words of the form.
ADDRESS_USES = {"home": "Where the patient lives", "temp": "Where the patient is staying for now"}
_PARTLY = re.compile(r"[0-9]{4}(?:-[0-9]{2})?")


def known_birth(text: str) -> tuple[date | None, str]:
    """`birth_date` and `birth_partly` of a FHIR date; nothing of what is none."""
    try:
        if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            return date.fromisoformat(text), ""
        if _PARTLY.fullmatch(text):
            date.fromisoformat(f"{text}-01-01"[:10])
            return None, text
    except ValueError:
        pass
    return None, ""


_MOMENT = re.compile(r"[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2}(?:T[0-9:.+\-Z]+)?)?)?")


def known_death(text: str) -> str:
    """`died` of a FHIR dateTime; one that cannot be read still says that they died."""
    return text if _MOMENT.fullmatch(text) and len(text) <= Limit.DIED else DIED


class Limit:
    """How much of each part is kept as a column; the message itself keeps all of it."""

    PREFIX = 35
    NAME = 140
    LINE = 200
    LINES = 10
    POSTCODE = 10
    RELATIONSHIP = 20
    RELATIONSHIP_TEXT = 60
    TELECOM = 200
    CODE = 20
    CONTACTS = 20
    DIED = 40
    NUMBERS = 10
    SOURCE = 100
    LOCAL_NUMBER = 100
    TELECOMS = 20


# The commonest languages, and the categories that people choose from, by their published codes and displays.
LANGUAGES = {
    "en": "English",
    "sq": "Albanian",
    "am": "Amharic",
    "ar": "Arabic",
    "bn": "Bengali",
    "zh": "Chinese",
    "fr": "French",
    "de": "German",
    "el": "Greek, Modern (1453-)",
    "gu": "Gujarati",
    "he": "Hebrew",
    "hi": "Hindi",
    "hu": "Hungarian",
    "it": "Italian",
    "ku": "Kurdish",
    "lt": "Lithuanian",
    "ml": "Malayalam",
    "ne": "Nepali",
    "fa": "Persian",
    "pl": "Polish",
    "pt": "Portuguese",
    "pa": "Panjabi; Punjabi",
    "ps": "Pushto",
    "ro": "Romanian",
    "ru": "Russian",
    "si": "Sinhala; Sinhalese",
    "sk": "Slovak",
    "so": "Somali",
    "es": "Spanish; Castilian",
    "sw": "Swahili",
    "ta": "Tamil",
    "te": "Telugu",
    "ti": "Tigrinya",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "ur": "Urdu",
    "vi": "Vietnamese",
    "cy": "Welsh",
    "yo": "Yoruba",
    "q4": "British Sign Language",
    "q5": "Makaton",
}
ETHNIC_CATEGORIES = {
    "A": "British, Mixed British",
    "B": "Irish",
    "C": "Any other White background",
    "D": "White and Black Caribbean",
    "E": "White and Black African",
    "F": "White and Asian",
    "G": "Any other mixed background",
    "H": "Indian or British Indian",
    "J": "Pakistani or British Pakistani",
    "K": "Bangladeshi or British Bangladeshi",
    "L": "Any other Asian background",
    "M": "Caribbean",
    "N": "African",
    "P": "Any other Black background",
    "R": "Chinese",
    "S": "Any other ethnic group",
    "Z": "Not stated",
}

UNKNOWN_RELATIONSHIP = "U"
# Who somebody is to a patient: v3-RoleCode in words. Pure.
RELATIONSHIPS = {
    "ONESELF": "The patient",
    "PRN": "Parent",
    "MTH": "Mother",
    "FTH": "Father",
    "CHILD": "Child",
    "SON": "Son",
    "DAU": "Daughter",
    "SPS": "Husband, wife or partner",
    "HUSB": "Husband",
    "WIFE": "Wife",
    "SIGOTHR": "Partner",
    "DOMPART": "Partner",
    "SIB": "Brother or sister",
    "BRO": "Brother",
    "SIS": "Sister",
    "GRPRN": "Grandparent",
    "GRNDCHILD": "Grandchild",
    "AUNT": "Aunt",
    "UNCLE": "Uncle",
    "NEPHEW": "Nephew",
    "NIECE": "Niece",
    "COUSN": "Cousin",
    "NBOR": "Neighbour",
    "FRND": "Friend",
    "ROOM": "Housemate",
    "FAMMEMB": "Family member",
    # Of v2-0131, the one list of the profile that has a code for it.
    UNKNOWN_RELATIONSHIP: "Not known",
}

# What a form offers: the patient is asked about apart.
OFFERED_RELATIONSHIPS = tuple(
    (each, RELATIONSHIPS[each])
    for each in (*map(str, ContactRelationship), UNKNOWN_RELATIONSHIP)
    if each != ContactRelationship.SELF
)


class Person(Protocol):
    """A stored patient, or one as a message tells them."""

    @property
    def given_names(self) -> str: ...
    @property
    def family_name(self) -> str: ...
    @property
    def born(self) -> str: ...
    @property
    def postcode(self) -> str: ...
    @property
    def numbers(self) -> Sequence[OtherNumber]: ...


def is_same_person(one: Person, other: Person) -> bool:
    """By a verified NHS number, else by name, birth date and postcode; nothing that both tell may contradict.

    Never by the number alone: it may be mistyped, so the family name must be the same too.
    """
    if not _may_be_same(one, other):
        return False
    if _verified(one) & _verified(other):
        return _family_is_same(one, other)
    same_birth = one.born == other.born and len(one.born) == len("1984-07-14")
    same_place = compact(one.postcode).upper() == compact(other.postcode).upper() != ""
    return _whole_name_is_same(one, other) and same_birth and same_place


def may_be_person(held: Person, said: Person) -> bool:
    """Whether what both sides know agrees; what one leaves out proves nothing. A number decides."""
    if held.numbers and said.numbers:
        return not _numbers(held).isdisjoint(_numbers(said))
    families = {name_key(each.family_name) for each in (held, said) if each.family_name}
    given = names_agree(held.given_names, said.given_names)
    return len(families) <= 1 and given and _births_agree(held, said)


def _may_be_same(one: Person, other: Person) -> bool:
    if one.numbers and other.numbers and _numbers(one).isdisjoint(_numbers(other)):
        return False
    return _births_agree(one, other)


def _births_agree(one: Person, other: Person) -> bool:
    """A year or a month alone agrees with every day in it."""
    return one.born.startswith(other.born) or other.born.startswith(one.born)


def _whole_name_is_same(one: Person, other: Person) -> bool:
    """Twins differ in their first names alone: where only one side tells them, it is not the same name."""
    if same_name(f"{one.given_names} {one.family_name}", f"{other.given_names} {other.family_name}"):
        return True
    both_or_none = bool(one.given_names) == bool(other.given_names)
    return (
        both_or_none
        and same_name(one.family_name, other.family_name)
        and names_agree(one.given_names, other.given_names)
    )


def _family_is_same(one: Person, other: Person) -> bool:
    """Who has one name only may have it in either place."""
    return same_name(one.family_name or one.given_names, other.family_name or other.given_names)


def _numbers(person: Person) -> set[str]:
    return {each.value for each in person.numbers}


def _verified(person: Person) -> set[str]:
    return {each.value for each in person.numbers if each.verified}

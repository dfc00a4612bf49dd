"""What is known about a patient, away from the database and from FHIR."""

from dataclasses import dataclass
from datetime import date

from bars_portal.exchange.fhir.codes import ContactRelationship


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


@dataclass(frozen=True, slots=True)
class PatientDetails:
    """Every part may be missing: "" or None or (). Contacts are in rank order, the first is the call-back."""

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

    @property
    def call_back(self) -> ContactDetails | None:
        """The contact of rank 1 (standard section 6)."""
        return self.contacts[0] if self.contacts else None


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
    TELECOMS = 20


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
}

# What a form offers: the patient is asked about apart.
OFFERED_RELATIONSHIPS = tuple(
    (each.value, RELATIONSHIPS[each.value])
    for each in ContactRelationship
    if each is not ContactRelationship.SELF
)

"""Who somebody is to a patient: v3-RoleCode in words. Pure."""

from bars_portal.exchange.fhir.codes import ContactRelationship

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

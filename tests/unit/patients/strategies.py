"""Patients that hypothesis makes up, within what the columns keep."""

from datetime import date

from hypothesis import strategies as st

from bars_portal.patients.details import ContactDetails, PatientDetails, Telecom

_letters = st.characters(categories=["L", "M", "N", "P", "S"])


def words(limit: int) -> st.SearchStrategy[str]:
    """Words with single spaces between them, or nothing."""
    text = st.text(st.one_of(_letters, st.just(" ")), max_size=limit)
    return text.map(lambda each: " ".join(each.split())[:limit].strip())


def filled(limit: int) -> st.SearchStrategy[str]:
    return words(limit).filter(bool)


telecoms = st.builds(
    Telecom,
    system=st.sampled_from(["phone", "email", "sms", "other"]),
    value=filled(40),
    use=st.sampled_from(["", "home", "work", "mobile", "temp", "old"]),
)
named = st.fixed_dictionaries({"given_names": words(40), "family_name": words(40)})
contacts = st.one_of(
    st.builds(
        ContactDetails,
        relationship=st.sampled_from(["ONESELF", "PRN", "NEPHEW", "U"]),
        given_names=words(40),
        family_name=words(40),
        telecoms=st.lists(telecoms, max_size=4).map(tuple),
    ),
    st.builds(ContactDetails, relationship_text=filled(60), telecoms=st.tuples(telecoms)),
)
patients = st.builds(
    PatientDetails,
    nhs_number=st.sampled_from(["", "9449306621", "3478526985"]),
    nhs_number_verified=st.booleans(),
    prefix=words(20),
    given_names=words(60),
    family_name=words(60),
    gender=st.sampled_from(["", "male", "female", "other", "unknown"]),
    birth_date=st.one_of(st.none(), st.dates(min_value=date(1900, 1, 1))),
    address_lines=st.lists(filled(60), max_size=5).map(tuple),
    postcode=st.sampled_from(["", "LS1 4AP", "ZZ99 3VZ"]),
    contacts=st.lists(contacts, max_size=4).map(tuple),
    birth_partly=st.sampled_from(["", "1984", "1984-07"]),
    died=st.sampled_from(["", "true", "2026", "2026-03-01", "2026-03-01T10:00:00.0000000+00:00"]),
)
# Anything that JSON can say.
json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=20)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=12), inner, max_size=4)
    ),
    max_leaves=12,
)
_PARTS = [
    "identifier",
    "name",
    "gender",
    "birthDate",
    "address",
    "contact",
    "telecom",
    "extension",
    "relationship",
    "system",
    "value",
    "rank",
    "given",
    "family",
    "line",
    "url",
    "valuePositiveInt",
    "coding",
    "use",
    "period",
    "start",
    "end",
    "deceasedBoolean",
    "deceasedDateTime",
]
odd_resources = st.recursive(
    json_values,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(_PARTS), inner, max_size=6)
    ),
    max_leaves=25,
)

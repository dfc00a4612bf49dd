import pytest

from bars_portal.nhsuk.words import banner_items, banner_name
from bars_portal.patients import presenters
from bars_portal.patients.details import ContactDetails, PatientDetails, Telecom
from tests.unit.patients.test_mapping import FULL, NOW


def test_the_banner_component_reads_our_banner() -> None:
    shown = presenters.banner(FULL)
    assert banner_name(shown) == "QUILL, Ada Mary (Mrs)"
    assert [item.value for item in banner_items(shown, NOW.date())] == [
        "14-Jul-1945 (81y)",
        "Female",
        "944 930 6621",
    ]


def test_a_banner_of_nobody_known() -> None:
    assert banner_name(presenters.banner(PatientDetails())) == "Name not known"


def test_contacts_in_words_the_call_back_first() -> None:
    first, second = presenters.contact_lines(FULL)
    assert (first.who, first.name) == ("The patient", "")
    assert (first.ways[0].label, first.ways[0].value) == ("Mobile phone", "07700 900123")
    assert (second.who, second.name) == ("Friend", "Bo Reed")
    assert [way.label for way in second.ways] == ["Home phone", "Email"]


@pytest.mark.parametrize(
    ("contact", "words"),
    [
        (ContactDetails("NEPHEW"), "Nephew"),
        (ContactDetails("XYZ"), "Contact"),
        (ContactDetails(relationship_text="Warden"), "Warden"),
        (ContactDetails(), "Contact"),
    ],
)
def test_relationships_without_codes(contact: ContactDetails, words: str) -> None:
    assert presenters.relationship_words(contact) == words


def test_other_ways_to_reach_someone() -> None:
    ways = (Telecom("email", "a@b.example", "work"), Telecom("other", "x"), Telecom("phone", "odd"))
    (line,) = presenters.contact_lines(PatientDetails(contacts=(ContactDetails(telecoms=ways),)))
    assert [(way.label, way.value) for way in line.ways] == [
        ("Work email", "a@b.example"),
        ("Other", "x"),
        ("Phone", "odd"),
    ]


def test_address_on_one_line() -> None:
    assert presenters.address_text(FULL) == "1 Sample Row, Leeds, LS1 4AP"
    assert presenters.address_text(PatientDetails()) == ""

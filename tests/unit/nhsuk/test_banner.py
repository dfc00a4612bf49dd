from dataclasses import dataclass, replace
from datetime import date

import pytest

from bars_portal.nhsuk.words import (
    banner_items,
    banner_name,
    listed_name,
    with_direction_marks_told,
    without_direction_marks,
)

TODAY = date(2026, 7, 14)


@dataclass
class Facts:
    family_name: str = "Smith"
    given_names: str | list[str] = "Julie"
    prefix: str = "Mrs"
    birth_date: date | None = date(1945, 7, 14)
    gender: str = "female"
    nhs_number: str = "9434765919"
    nhs_number_verified: bool = True
    birth_partly: str = ""
    died: str = ""


@pytest.mark.parametrize(
    ("facts", "name"),
    [
        (Facts(), "SMITH, Julie (Mrs)"),
        (Facts(given_names=["Julie", "Anne"]), "SMITH, Julie Anne (Mrs)"),
        (Facts(prefix=""), "SMITH, Julie"),
        (Facts(family_name="", prefix=""), "Julie"),
        (Facts(family_name="", given_names="", prefix=""), "Name not known"),
    ],
)
def test_name(facts: Facts, name: str) -> None:
    assert banner_name(facts) == name


def test_facts_in_their_order() -> None:
    assert banner_items(Facts(), TODAY) == (
        ("Born", "14-Jul-1945 (81y)", ""),
        ("Gender", "Female", ""),
        ("NHS No.", "943 476 5919", "Verified"),
    )


@pytest.mark.parametrize(
    ("known", "shown"),
    [("1984", "1984"), ("1984-07", "July 1984"), ("", "Not known")],
)
def test_a_birth_date_is_shown_as_far_as_it_is_known(known: str, shown: str) -> None:
    assert banner_items(Facts(birth_date=None, birth_partly=known), TODAY)[0] == ("Born", shown, "")


@pytest.mark.parametrize(
    ("died", "shown"),
    [
        ("true", "Date not known"),
        ("2026", "2026"),
        ("2026-03", "March 2026"),
        ("2026-03-01", "01-Mar-2026 (80y)"),
        ("2026-03-01T10:00:00+00:00", "01-Mar-2026 (80y)"),
    ],
)
def test_death_is_said_and_no_age_of_today(died: str, shown: str) -> None:
    born, death, *_ = banner_items(Facts(died=died), TODAY)
    assert (born.value, death) == ("14-Jul-1945", ("Died", shown, ""))
    assert listed_name("Smith", "Julie", died) == "SMITH, Julie (has died)"


def test_direction_marks_are_not_shown() -> None:
    assert without_direction_marks("Ada \u202eQuill\u200f \u05d0") == "Ada Quill \u05d0"
    assert with_direction_marks_told("Ada \u202eQuill") == r"Ada \u202eQuill"


def test_unknown_is_said_in_words() -> None:
    nobody = Facts(birth_date=None, gender="", nhs_number="", nhs_number_verified=False)
    assert [item.value for item in banner_items(nobody, TODAY)] == ["Not known"] * 3


def test_a_number_that_nobody_checked_says_so() -> None:
    assert banner_items(replace(Facts(), nhs_number_verified=False), TODAY)[2].note == "Not verified"

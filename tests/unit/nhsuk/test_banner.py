from dataclasses import dataclass, replace
from datetime import date

import pytest

from bars_portal.nhsuk.words import banner_items, banner_name

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


def test_unknown_is_said_in_words() -> None:
    nobody = Facts(birth_date=None, gender="", nhs_number="", nhs_number_verified=False)
    assert [item.value for item in banner_items(nobody, TODAY)] == ["Not known"] * 3


def test_a_number_that_nobody_checked_says_so() -> None:
    assert banner_items(replace(Facts(), nhs_number_verified=False), TODAY)[2].note == "Not verified"

"""Booking references: short and unmistakable."""

import re

import pytest

from bars_portal.correspondence.envelope import ALPHABET, new_reference


@pytest.mark.parametrize(
    ("name", "prefix"),
    [("Riverside", "RIV"), ("St. Mary's", "STM"), ("7 Oaks", "OAK"), ("", "BKG"), ("24", "BKG")],
)
def test_begins_with_the_organisation(name: str, prefix: str) -> None:
    assert re.fullmatch(rf"{prefix}-[{ALPHABET}]{{4}}-[{ALPHABET}]{{2}}", new_reference(name))


def test_nothing_that_is_misread() -> None:
    assert not set(ALPHABET) & set("AEIOU01LISZ58B6")


def test_random() -> None:
    assert len({new_reference("Riverside") for _ in range(500)}) > 495

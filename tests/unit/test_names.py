"""Spellings of one name are one name; two names never become one by it."""

import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bars_portal.values import asked_words, fold, is_named, name_key, name_words, names_agree, same_name

SAME = [
    ("O'Neill", "O\u2019Neill"),
    ("O'Neill", "ONEILL"),
    ("O'Neill", "o neill"),
    ("Smith-Jones", "Smith\u2010Jones"),
    ("Smith-Jones", "SMITH  JONES"),
    ("Zo\u00eb", "Zoe\u0308"),
    ("Zo\u00eb", "zoe"),
    ("Stra\u00dfe", "STRASSE"),
    ("\ufb01nch", "Finch"),
    ("S\u00f8rensen", "Sorensen"),
    ("\u0141uczak", "Luczak"),
    ("van den Berg", "Van\u00a0Den\u2009Berg"),
    ("\u0130pek", "Ipek"),
    ("Q\u200bu\u200eill", "Quill"),
    ("\uff21\uff44\uff41", "Ada"),
]
NOT_SAME = [
    ("Ann", "Anna"),
    ("", ""),
    ("Quill", "Quilt"),
    ("Ada Quill", "Quill Ada"),
    ("M\u00fcller", "Mueller"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_one_name_however_it_is_typed(one: str, other: str) -> None:
    assert same_name(one, other)
    assert is_named(one, other)
    assert is_named(other, one)


@pytest.mark.parametrize(("one", "other"), NOT_SAME)
def test_other_names_stay_others(one: str, other: str) -> None:
    assert not same_name(one, other)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("qui", True),
        ("a", True),
        ("ada o'n", True),
        ("oneill ada", True),
        ("o neill ada", True),
        ("Neill", True),
        ("maryo", True),
        ("ONEILL - Ada", True),
        ("O'Neill, Ada", True),
        ("uill", False),
        ("adaneill", False),
        ("ada bob", False),
        ("", False),
        ("  ", False),
        ("%", False),
    ],
)
def test_each_word_asked_for_begins_a_word_of_the_name(asked: str, found: bool) -> None:
    assert is_named("Ada Mary O\u2019Neill Quin", asked) is found


@pytest.mark.parametrize(
    ("one", "other", "agree"),
    [
        ("Ada", "Ada Mary", True),
        ("ADA-MARY", "Ada Mary Jane", True),
        ("", "Ada", True),
        ("Ann", "Anna", False),
        ("Ada", "Bo", False),
        ("Maryann", "Mary Ann", True),
        ("Mary", "Ada Mary", False),
    ],
)
def test_first_names_of_which_one_tells_fewer(one: str, other: str, agree: bool) -> None:
    assert names_agree(one, other) is agree
    assert names_agree(other, one) is agree


names = st.text(st.characters(categories=["L", "M", "P", "Zs", "Nd"]), min_size=1, max_size=30)
VARIANTS: tuple[Callable[[str], str], ...] = (
    str.upper,
    str.lower,
    str.casefold,
    lambda name: unicodedata.normalize("NFD", name),
    lambda name: unicodedata.normalize("NFC", name),
    lambda name: name.replace("'", "\u2019").replace("-", "\u2011"),
    lambda name: f" {name.replace(' ', chr(0xA0))}  ",
)


@given(names, st.sampled_from(VARIANTS))
def test_a_variant_has_the_same_key(name: str, variant: Callable[[str], str]) -> None:
    assert name_key(variant(name)) == name_key(name)
    assert fold(fold(name)) == fold(name)
    assert bool(name_key(name)) is bool(name.strip())


@given(st.lists(names, min_size=1, max_size=4), st.integers(1, 20))
def test_whoever_is_asked_for_is_found_by_their_key(parts: list[str], length: int) -> None:
    """The database keeps the key: each word asked for must be in it, or the search would miss them."""
    whole = " ".join(parts)
    words = name_words(whole)
    asked = " ".join(word[:length] for word in reversed(words))
    assert not words or is_named(whole, asked)
    assert all(each in name_key(whole) for each in asked_words(asked))

"""Whether two records are one person (standard section 13): by number, or name, birth date and postcode."""

from collections.abc import Sequence
from typing import Protocol

from bars_portal.names import name_key, names_agree, same_name
from bars_portal.patients.details import OtherNumber
from bars_portal.values import compact


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

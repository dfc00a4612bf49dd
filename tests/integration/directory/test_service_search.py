from typing import Any
from uuid import uuid4

import pytest
from django.core.paginator import Paginator
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from directory.models.functions import search_words
from directory.postcodes import InvalidPostcode
from directory.selectors.search import Nearness, ServiceSearch, find_services
from tests.factories.accounts import make_organisation
from tests.factories.directory import make_postcodes, make_service

pytestmark = pytest.mark.django_db

LEEDS = {"LS14AP": (53.7965, -1.5478), "LS14AQ": (53.7975, -1.5470), "LS110AA": (53.7850, -1.5500)}
YORK = {"YO17HH": (53.9620, -1.0820)}


def names(**query: Any) -> list[str]:
    return [found.service.name for found in find_services(**query)]


def test_names_match_by_words_without_accents_or_case() -> None:
    make_service(name="Ysbyty Tŷ Gwyn Urgent Care")
    make_service(name="Riverside Urgent Treatment Centre")

    assert names(text="TY gwyn") == ["Ysbyty Tŷ Gwyn Urgent Care"]
    assert names(text="centre river") == ["Riverside Urgent Treatment Centre"]
    assert names(text="tŷ riverside") == []


def test_a_name_that_begins_like_the_text_comes_first() -> None:
    riverside = make_organisation(name="Riverside Trust")
    make_service(name="Zebra Pharmacy", provider=riverside)
    make_service(name="Old Riverside Clinic")
    make_service(name="Riverside Walk-in")

    assert names(text="riverside") == ["Riverside Walk-in", "Old Riverside Clinic", "Zebra Pharmacy"]


@pytest.mark.parametrize("text", ["%", "_", "\\", "%%", "T_st service", "'; DROP TABLE x; --"])
def test_wildcards_are_only_characters(text: str) -> None:
    make_service(name="Test service")

    assert names(text=text) == []


@pytest.mark.parametrize("text", ["\x00", "a\x00b", "\ufdfa" * 200, "x" * 10_000, "a " * 10_000])
def test_hostile_text_finds_nothing_and_breaks_nothing(text: str) -> None:
    make_service(name="Plain")

    assert names(text=text) in ([], ["Plain"])


def test_a_name_of_expanding_letters_can_be_kept_and_found() -> None:
    make_service(name="\ufdfa" * 200)

    assert len(names(text="\ufdfa")) == 1


def test_nothing_asked_lists_every_active_service_by_name() -> None:
    make_service(name="B")
    make_service(name="a")
    make_service(name="C", active=False)

    assert names() == ["a", "B"]


def test_an_exact_dos_id_finds_one_service_even_when_it_is_not_active() -> None:
    make_service(name="Closed", service_id="2000123456", active=False)
    make_service(name="Longer", service_id="20001234567")

    assert names(service_id="2000123456") == ["Closed"]
    assert names(service_id="200012345") == []


def test_filters_by_type_and_what_a_service_accepts() -> None:
    make_service(name="A", service_type="ed", accepted_use_cases=["a1t1", "a1t3"], takes_referrals=True)
    make_service(name="B", service_type="pharmacy", accepted_use_cases=["a5t1"], takes_bookings=False)

    assert names(service_type="ed") == ["A"]
    assert names(use_case="a1t3") == ["A"]
    assert names(use_case="a1t") == []
    assert names(takes="bookings") == ["A"]
    assert names(takes="referrals") == ["A"]
    assert names(takes="both") == ["A"]
    assert names(service_type="ed", use_case="a5t1") == []


def test_a_known_postcode_orders_all_services_by_distance() -> None:
    make_postcodes(LEEDS | YORK)
    make_service(name="A York", postcode="YO1 7HH")
    make_service(name="B Leeds", postcode="LS1 4AP")
    make_service(name="C Leeds", postcode="ls14ap")
    make_service(name="0 Nowhere")

    found = find_services(postcode="ls1 4aq")

    assert [each.service.name for each in found] == ["B Leeds", "C Leeds", "A York", "0 Nowhere"]
    assert found[0].miles == pytest.approx(0.08, abs=0.01)
    assert found[2].miles == pytest.approx(22.2, abs=0.5)
    assert found[3].miles is None


@pytest.mark.parametrize(
    ("postcode", "nearness"),
    [
        ("LS1 4AP", Nearness.EXACT),
        ("LS1 9ZZ", Nearness.AREA),
        ("LS1", Nearness.AREA),
        ("LS2", Nearness.UNKNOWN),
        ("YO1 7HH", Nearness.UNKNOWN),
    ],
)
def test_says_how_well_the_place_is_known(postcode: str, nearness: Nearness) -> None:
    make_postcodes(LEEDS)

    origin = ServiceSearch(postcode=postcode).origin

    assert origin is not None
    assert origin.nearness is nearness


def test_the_middle_of_an_area_leaves_longer_areas_out() -> None:
    make_postcodes(LEEDS)

    origin = ServiceSearch(postcode="LS1").origin

    assert origin is not None
    assert origin.position is not None
    assert origin.position.latitude == pytest.approx((53.7965 + 53.7975) / 2)


def test_an_unknown_postcode_finds_services_of_the_same_area_only() -> None:
    make_service(name="Here", postcode="LS1 4AP")
    make_service(name="Next", postcode="LS11 0AA")
    make_service(name="Far", postcode="YO1 7HH")

    assert names(postcode="LS1 9ZZ") == ["Here"]
    assert names(postcode="LS1") == ["Here"]


def test_refuses_what_is_no_postcode() -> None:
    with pytest.raises(InvalidPostcode):
        find_services(postcode="%")


@pytest.mark.parametrize("postcode", ["", "LS1 4AP"])
def test_pages_hold_every_service_once(postcode: str) -> None:
    make_postcodes(LEEDS)
    owner = make_organisation()
    wanted = {make_service(name=f"Twin {number % 2}", provider=owner).pk for number in range(7)}

    search = ServiceSearch(postcode=postcode)
    pages = Paginator(search, 3)

    assert [len(page.object_list) for page in pages] == [3, 3, 1]
    assert {each.service.pk for page in pages for each in page.object_list} == wanted


def test_nearer_beyond_the_neighbours_on_the_flat_map_comes_first() -> None:
    """A degree of longitude is shorter than one of latitude: the index would give the wrong one."""
    make_postcodes({"LS14AP": (54.0, -1.5), "AA11AA": (54.0, -2.4), "BB11BB": (54.7, -1.5)})
    make_service(name="North, 48 miles", postcode="BB1 1BB")
    make_service(name="West, 37 miles", postcode="AA1 1AA")

    assert [each.service.name for each in find_services(postcode="LS1 4AP", limit=1)] == ["West, 37 miles"]
    assert [each.service.name for each in find_services(postcode="LS1 4AP", limit=1, offset=1)] == [
        "North, 48 miles"
    ]


def test_punctuation_is_no_part_of_a_word() -> None:
    make_service(name="St. Mary's Walk-in (Leeds/Bradford)")

    for typed in ("st marys", "St Mary’s", "walk in", "bradford, leeds", "mar"):
        assert len(find_services(text=typed)) == 1, typed
    assert find_services(text="arys") == []


def test_the_database_keeps_what_is_found() -> None:
    provider = make_organisation(name="Old Trust")
    service = make_service(name="Clinic", provider=provider, postcode="LS1 4AP")
    assert names(text="old") == ["Clinic"]

    type(provider).objects.filter(pk=provider.pk).update(name="New Trust")
    make_postcodes(LEEDS)

    assert names(text="old") == []
    assert names(text="new") == ["Clinic"]
    assert find_services(postcode="LS1 4AP")[0].miles == 0
    type(service).objects.filter(pk=service.pk).update(postcode="")
    assert find_services(postcode="LS1 4AP")[0].miles is None


@given(st.text(st.characters(max_codepoint=0x17F, exclude_categories=["C"]), max_size=60))
def test_every_word_of_a_name_finds_it_in_database_and_program_alike(name: str) -> None:
    words = search_words(name)
    with connection.cursor() as cursor:
        cursor.execute("SELECT tsvector_to_array(directory_words(%s))", [name.replace("\x00", " ")])
        (kept,) = cursor.fetchone()
    assert set(words) <= set(kept)


def test_a_page_costs_a_fixed_number_of_queries(django_assert_num_queries: object) -> None:
    make_postcodes(LEEDS)
    for _ in range(5):
        make_service(postcode="LS1 4AP")

    # The place, the neighbours, those without a place, the page's services with providers, their endpoints.
    with django_assert_num_queries(5):  # type: ignore[operator]  # a pytest-django fixture without a type
        assert [found.service.provider.name for found in find_services(postcode="LS1 4AP")]


def test_an_empty_page_past_the_end() -> None:
    make_service(service_id="1", name=str(uuid4()))

    assert find_services(offset=20) == []


def test_counting_ends_somewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("directory.selectors.search.MOST_COUNTED", 3)
    provider = make_organisation()
    for number in range(5):
        make_service(name=f"Service {number}", provider=provider)

    search = ServiceSearch(text="service")

    assert len(search) == 3
    assert [each.service.name for each in Paginator(search, 2).page(2).object_list] == ["Service 2"]

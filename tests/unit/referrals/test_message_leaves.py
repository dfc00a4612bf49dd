"""Nothing that was sent is lost: every leaf is on the page of its message, or technical for a reason."""

import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bars_portal.exchange.fhir import json
from referrals.cases.words import is_guid
from referrals.message_page.reader import TECHNICAL, leaves, reason_not_shown
from referrals.parts.content import RequestContent
from tests.factories.contents import contents
from tests.profiles import examples
from tests.unit.exchange_fhir.samples import nth
from tests.unit.referrals import built
from tests.unit.referrals.message_pages import (
    UUID,
    clinical_text_of,
    missing_from,
    own_messages,
    page_of,
    plain,
    published_messages,
    text_of,
    text_within,
    view_of,
    without_codes,
    words_in,
)

OWN = own_messages()
MARK = "zqmark"
Json = dict[str, Any]


def missing(raw: Json) -> list[tuple[Any, ...]]:
    return missing_from(text_of(raw), raw)


@pytest.mark.parametrize("name", OWN)
def test_every_leaf_of_our_own_messages_is_on_the_page(name: str) -> None:
    assert missing(OWN[name]) == []


@given(contents())
@settings(max_examples=examples(10, thorough=100), deadline=None)
def test_every_leaf_of_any_request_that_we_can_write_is_on_the_page(content: RequestContent) -> None:
    assert missing(json.loads(json.dumps(built.message(content)))) == []


def test_every_leaf_of_every_example_is_on_the_page(shared_dir: Path) -> None:
    lost = {name: missing(raw) for name, raw in published_messages(shared_dir).items()}
    assert len(lost) > 15
    assert {name: found for name, found in lost.items() if found} == {}


def marked(raw: Json) -> tuple[Json, dict[str, tuple[Any, ...]]]:
    """Every leaf that has to be shown replaced by one that cannot be there by chance."""
    changed, marks = deepcopy(raw), {}
    for number, (path, value) in enumerate(leaves(raw)):
        if reason_not_shown(path, value) or isinstance(value, bool):
            continue
        mark: str | int = f"{MARK}{number}x" if isinstance(value, str) else 9_000_000 + number
        put(changed, path, mark)
        marks[str(mark)] = path
    return changed, marks


def put(value: Any, path: tuple[Any, ...], leaf: Any) -> None:
    for step in path[:-1]:
        value = value[step]
    value[path[-1]] = leaf


def unseen(raw: Json) -> list[tuple[Any, ...]]:
    changed, marks = marked(raw)
    page = text_of(changed)
    return [path for mark, path in marks.items() if mark not in page]


@pytest.mark.parametrize("name", OWN)
def test_no_leaf_of_our_own_messages_is_found_by_chance(name: str) -> None:
    assert unseen(OWN[name]) == []


def test_no_leaf_of_an_example_is_found_by_chance(shared_dir: Path) -> None:
    lost = {name: unseen(raw) for name, raw in published_messages(shared_dir).items()}
    assert {name: found for name, found in lost.items() if found} == {}


def objects(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where objects are."""
    if isinstance(value, dict):
        yield path
    if isinstance(value, list):
        value = dict(enumerate(value))
    for step, member in value.items() if isinstance(value, dict) else ():
        yield from objects(member, (*path, step))


def at(value: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


EXTRAS: tuple[Callable[[str], tuple[str, Any]], ...] = (
    lambda mark: ("zqElement", mark),
    lambda mark: ("zqElement", [{"zqInner": [mark]}]),
    lambda mark: ("zqElement", {"coding": [{"system": "urn:zq", "code": mark}]}),
    lambda mark: ("_zqElement", {"extension": [{"url": "urn:zq", "valueString": mark}]}),
    lambda mark: ("modifierExtension", [{"url": "https://zq.example/Extension-ZQ", "valueString": mark}]),
    lambda mark: ("contained", [{"resourceType": "Basic", "code": {"text": mark}}]),
)


@given(st.data())
@settings(max_examples=examples(40, thorough=500), deadline=None)
def test_an_unknown_leaf_anywhere_is_other_information(data: st.DataObject) -> None:
    raw = deepcopy(OWN[data.draw(st.sampled_from(sorted(OWN)))])
    place = data.draw(st.sampled_from(list(objects(raw))))
    name, value = data.draw(st.sampled_from(EXTRAS))(MARK)
    at(raw, place)[name] = value
    others = [group for group in view_of(raw).groups if group.key == "other"]
    lines = [line for group in others for item in group.items for row in item.rows for line in row.lines]
    assert MARK in lines
    assert MARK in text_of(raw)


@given(st.data())
@settings(max_examples=examples(40, thorough=500), deadline=None)
def test_an_odd_shape_anywhere_is_shown_all_the_same(data: st.DataObject) -> None:
    """An object, a list or a leaf that comes as something else."""
    raw = deepcopy(OWN[data.draw(st.sampled_from(sorted(OWN)))])
    places = [(*place, name) for place in objects(raw) for name in at(raw, place)]
    place = data.draw(st.sampled_from(places))
    odd = data.draw(st.sampled_from([MARK, [MARK], [[MARK]], {"zq": MARK}, [{"zq": [MARK]}]]))
    put(raw, place, odd)
    shown = [path for path, value in leaves(raw) if value == MARK and not reason_not_shown(path, value)]
    assert not shown or MARK in text_of(raw)


def guids(raw: Json) -> list[str]:
    """On the page as it is read; with the codes is where they belong."""
    return re.findall(UUID, clinical_text_of(raw))


def lost_guids(raw: Json) -> list[str]:
    """Of what somebody wrote: each is one click away."""
    texts = [value for _, value in leaves(raw) if isinstance(value, str) and not is_guid(value)]
    page = text_of(raw)
    return [each for text in texts for each in re.findall(UUID, plain(text)) if each not in page]


@pytest.mark.parametrize("name", OWN)
def test_no_guid_on_the_page_of_our_own_messages(name: str) -> None:
    assert guids(OWN[name]) == []


def test_no_guid_on_the_page_of_an_example(shared_dir: Path) -> None:
    published = published_messages(shared_dir)
    found = {name: (guids(raw), lost_guids(raw)) for name, raw in published.items()}
    assert {name: each for name, each in found.items() if each != ([], [])} == {}


@pytest.mark.parametrize("name", OWN)
def test_a_guid_within_any_sentence_stands_with_the_codes(name: str) -> None:
    raw, written = deepcopy(OWN[name]), []
    for number, (path, value) in enumerate(leaves(raw)):
        if isinstance(value, str) and not reason_not_shown(path, value):
            written.append(f"{number:08x}-0000-4000-8000-00000000000c")
            put(raw, path, f"{MARK} {written[-1]} urn:uuid:{written[-1].upper()}")
    page = page_of(raw)
    text = text_within(page)
    assert [each for each in written if each not in text] == []
    assert re.findall(UUID, words_in(without_codes(page))) == []


def test_a_guid_in_a_sentence_leaves_the_sentence_whole() -> None:
    raw = deepcopy(OWN["validation-new"])
    guids_ = [f"{each}0000000-0000-4000-8000-00000000000c" for each in "ab"]
    nth(raw, "Location")["description"] = f"CASE ID: {guids_[0]}, seen as {guids_[1]}, again {guids_[0]}."
    (item,) = next(each for each in view_of(raw).groups if each.key == "places").items
    said = [line for row in item.rows for line in row.lines if "CASE ID" in line]
    assert said == ["CASE ID: [technical ID 1], seen as [technical ID 2], again [technical ID 1]."]
    told = [(each.label, each.code) for each in item.codes if "technical" in each.label]
    label = "How to find it"
    assert told == [(f"[technical ID {n}] in {label}", each) for n, each in enumerate(guids_, 1)]


def test_every_technical_field_has_a_reason() -> None:
    assert all(each.reason for each in TECHNICAL)
    assert len(TECHNICAL) <= 12

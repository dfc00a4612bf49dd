"""Names of a JSON object come once: what repeats one is refused, whichever way it is written."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bars_portal.exchange.fhir import formats
from bars_portal.exchange.fhir import json as fhir_json
from bars_portal.exchange.fhir.outcomes import OutcomeCode, OutcomeError
from bars_portal.exchange.message_bytes import decode

DEEP = '{"extension":[' * 40 + '{"url":"a","url":"b"}' + "]}" * 40


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ('{"id": 1, "id": 2}', "id"),
        ('{"id":1,"id":1}', "id"),
        ('{"id"\n : 1, "\\u0069d"\t:1}', "id"),
        ('{"resourceType": "Bundle", "type": "a", "type": "b"}', "Bundle.type"),
        ('{"type": "a", "resourceType": "Bundle", "resourceType": "Bundle"}', "Bundle.resourceType"),
        (
            '{"resourceType": "Bundle", "entry": [{}, {"resource": {"_id": 1, "_id": 2}}]}',
            "Bundle.entry[1].resource._id",
        ),
        ('{"entry": [[{"id": ["x:y"], "id": {}}]]}', "entry[0][0].id"),
        ('{"text": "a\\u003ab", "id": "1", "id": "1"}', "id"),
        ('{"text": "\\\\u003a\\u003A", "id": "1", "id": "::"}', "id"),
        ('{"SECRET": {"id": 1, "id": 2}}', "id"),
        ('{"name": {"SECRET": 1, "SECRET": 2}}', "name"),
        ('{"SECRET": 1, "SECRET": 2}', ""),
        ('\ufeff{"id": 1, "id": 2}', "id"),
        ('{"value": 1.50, "value": 1.50}', "value"),
    ],
)
def test_a_name_that_comes_twice_is_told_with_its_place(written: str, place: str) -> None:
    with pytest.raises(formats.RepeatedName) as refused:
        formats.loads_with_unique_names(written.encode())
    (issue,) = refused.value.issues
    assert (issue.code, issue.expression) == (OutcomeCode.INVALID, (place,) if place else ())
    assert issue.diagnostics.startswith(f"{place or 'An object'} has the same name twice")
    assert "SECRET" not in issue.diagnostics


def test_the_place_of_what_is_deep_stays_short() -> None:
    for written in (DEEP, "[" * 900 + '{"id": 1, "id": 2}' + "]" * 900):
        with pytest.raises(OutcomeError) as refused:
            formats.loads_with_unique_names(written.encode())
        assert refused.value.issues[0].code is OutcomeCode.INVALID
        assert len(refused.value.issues[0].diagnostics) < 400


def test_a_stored_body_is_read_all_the_same() -> None:
    """What arrived is the record, and people must be able to look at what was refused."""
    assert decode(b'{"id": "1", "id": "2"}') == {"id": "2"}


texts = st.text(max_size=6) | st.sampled_from(['":', ":", '"', "\\", "\\u003a", "{}", 'a" :b', "id"])
keys = texts | st.sampled_from(["id", "_id", "a:b", '"', "\\"])
trees = st.recursive(
    texts | st.integers(-9, 9) | st.none() | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=12,
)
objects = st.dictionaries(keys, trees, min_size=1, max_size=4)
# Each writes the same tree in another way.
styles = st.sampled_from(
    [
        {},
        {"separators": (",", ":")},
        {"separators": (",", ":"), "ensure_ascii": False},
        {"indent": 2},
        {"separators": (" ,\n", "\t :\r\n")},
    ]
)
escapes = st.sampled_from([(), ((":", "\\u003a"),), ((":", "\\u003A"), ('\\"', "\\u0022"))])


def escaped(tree: Any, style: dict[str, Any], pairs: tuple[tuple[str, str], ...]) -> str:
    """JSON of the tree, with some characters within its texts written as escapes."""
    if isinstance(tree, dict):
        comma, colon = style.get("separators", (", ", ": "))
        members = (
            f"{escaped(key, {}, pairs)}{colon}{escaped(each, style, pairs)}" for key, each in tree.items()
        )
        return f"{{{comma.join(members)}}}"
    if isinstance(tree, list):
        return f"[{', '.join(escaped(each, style, pairs) for each in tree)}]"
    written = json.dumps(tree)
    for plain, other in pairs if isinstance(tree, str) and "\\\\" not in written else ():
        written = written[0] + written[1:-1].replace(plain, other) + written[-1]
    return written


@given(tree=objects, style=styles, pairs=escapes)
def test_names_that_come_once_are_no_fault_however_they_are_written(
    tree: dict[str, Any], style: dict[str, Any], pairs: tuple[tuple[str, str], ...]
) -> None:
    for written in (json.dumps(tree, **style), escaped(tree, style, pairs)):
        assert formats.loads_with_unique_names(written.encode()) == fhir_json.loads(written.encode()) == tree


@given(
    tree=objects, style=styles, pairs=escapes, within=st.lists(st.sampled_from("ol"), max_size=4), again=trees
)
def test_a_name_that_comes_twice_is_found_however_it_is_written(
    tree: dict[str, Any],
    style: dict[str, Any],
    pairs: tuple[tuple[str, str], ...],
    within: list[str],
    again: Any,
) -> None:
    name = escaped(next(iter(tree)), {}, pairs)
    _, colon = style.get("separators", (", ", ": "))
    written = escaped(tree, style, pairs)[:-1] + f", {name}{colon}{escaped(again, style, pairs)}}}"
    for each in within:
        written = f'{{"a"{colon}{written}}}' if each == "o" else f"[{written}]"
    with pytest.raises(formats.RepeatedName):
        formats.loads_with_unique_names(f'{{"b"{colon}{written}}}'.encode())

"""Resources of any type, made from the table of elements: every kind of value, in every place that R4 has."""

from typing import Any

from hypothesis import strategies as st

from bars_portal.exchange.fhir.json import parse_decimal
from bars_portal.exchange.fhir.xml.table import Element, Kind, facts_of

# All that XML can hold; a line break counts as one character in FHIR.
TEXTS = st.text(
    st.sampled_from("ab<&>\"'\t\n\r ")
    | st.characters(min_codepoint=32, exclude_categories=["Cs"], exclude_characters="\ufffe\uffff"),
    min_size=1,
    max_size=6,
)
DECIMALS = st.from_regex(r"\A-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,12})?([eE][+-]?[0-9]{1,2})?\Z").map(
    parse_decimal
)
DIVS = st.sampled_from(
    [
        '<div xmlns="http://www.w3.org/1999/xhtml"/>',
        '<div xmlns="http://www.w3.org/1999/xhtml">a  <b>&lt;bold&gt; &amp; é</b>\n<br/> tail</div>',
        '<div xmlns="http://www.w3.org/1999/xhtml" class="x"><!-- kept --><p title="&quot;">x</p></div>',
    ]
)
TYPES = (
    "Patient",
    "Observation",
    "Slot",
    "Bundle",
    "Location",
    "ServiceRequest",
    "Parameters",
    "Questionnaire",
)
_VALUES = {
    Kind.TEXT: TEXTS,
    Kind.BOOLEAN: st.booleans(),
    Kind.INTEGER: st.integers(-(2**31), 2**31 - 1),
    Kind.DECIMAL: DECIMALS,
    Kind.XHTML: DIVS,
}


@st.composite
def resources(draw: st.DrawFn, depth: int = 0) -> dict[str, Any]:
    kind = draw(st.sampled_from(TYPES))
    return {"resourceType": kind, **draw(contents(kind, depth))}


@st.composite
def contents(draw: st.DrawFn, type_name: str, depth: int) -> dict[str, Any]:
    """Never empty: FHIR has no empty elements."""
    elements = [
        each for each in facts_of(type_name).by_name.values() if depth < 3 or each.kind < Kind.COMPLEX
    ]
    chosen = draw(st.lists(st.sampled_from(elements), min_size=1, max_size=3, unique=True))
    found: dict[str, Any] = {}
    for each in chosen:
        found.update(draw(members(each, depth)))
    return found


@st.composite
def members(draw: st.DrawFn, element: Element, depth: int) -> dict[str, Any]:
    if element.primitive and depth < 3:
        return draw(primitives(element, depth))
    values = draw(st.lists(_one(element, depth), min_size=1, max_size=2 if element.many else 1))
    return {element.name: values if element.many else values[0]}


@st.composite
def primitives(draw: st.DrawFn, element: Element, depth: int) -> dict[str, Any]:
    """A value, or an id or extensions on it, or both; lists of them are level, with nulls between."""
    extras = contents("Element", depth + 2)
    pair = st.tuples(st.none() | _VALUES[element.kind], st.none() | extras).filter(lambda each: any_of(*each))
    pairs = draw(st.lists(pair, min_size=1, max_size=2 if element.many else 1))
    columns = {element.name: [value for value, _ in pairs], f"_{element.name}": [extra for _, extra in pairs]}
    filled = {name: column for name, column in columns.items() if any_of(*column)}
    return filled if element.many else {name: column[0] for name, column in filled.items()}


def any_of(*values: Any) -> bool:
    return any(each is not None for each in values)


def _one(element: Element, depth: int) -> st.SearchStrategy[Any]:
    if element.kind is Kind.COMPLEX:
        return contents(element.type_name, depth + 1)
    if element.kind is Kind.RESOURCE:
        return resources(depth + 2)
    return _VALUES[element.kind]

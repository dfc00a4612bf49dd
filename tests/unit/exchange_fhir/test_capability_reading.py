"""What other systems say of themselves is read leniently, and never guessed."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bars_portal.exchange.fhir.capability import agreed_version, read_capability_statement

BASE = "https://fhir.nhs.uk/MessageDefinition/"


def supported(*definitions: str, mode: str = "receiver") -> dict[str, Any]:
    return {"supportedMessage": [{"mode": mode, "definition": each} for each in definitions]}


@pytest.mark.parametrize(
    ("messaging", "definitions"),
    [
        ([supported(f"{BASE}b", f"{BASE}a|1.0.0")], ("a", "b")),
        ([supported(f"{BASE}a"), supported(f"{BASE}b/")], ("a", "b")),
        ([supported(f"{BASE}a", mode="sender")], ()),
        ([supported()], None),
        ([], None),
        ("nonsense", None),
        ([{"supportedMessage": ["x", {"mode": 3}]}], ()),
    ],
    ids=["versions", "several", "sends only", "empty", "none", "nonsense", "half nonsense"],
)
def test_which_messages_it_takes(messaging: Any, definitions: tuple[str, ...] | None) -> None:
    statement = {"resourceType": "CapabilityStatement", "version": " 1.1.0 ", "messaging": messaging}
    read = read_capability_statement(statement)
    assert (read.version, read.definitions) == ("1.1.0", definitions)


@pytest.mark.parametrize(
    ("theirs", "agreed"),
    [
        ("1.1.0", "1.1.0"),
        ("1.0.0-alpha", "1.0.0"),
        ("1.34.0", "1.1.0"),
        ("1.0.7", "1.0.0"),
        ("v1.0", "1.0.0"),
        ("1", "1.0.0"),
        ("2.0.0", ""),
        ("0.9.0", ""),
        ("", "1.0.0"),
        ("latest", "1.0.0"),
        ("1.2.3.4", "1.0.0"),
    ],
)
def test_the_highest_version_that_both_know(theirs: str, agreed: str) -> None:
    assert agreed_version(theirs) == agreed


@pytest.mark.parametrize(
    ("stated", "formats"),
    [
        (["json", "XML ", "json"], ("json", "xml")),
        ([], None),
        ("json", None),
        ([1, None], None),
    ],
    ids=["two", "none", "nonsense", "numbers"],
)
def test_which_formats_it_speaks(stated: Any, formats: tuple[str, ...] | None) -> None:
    assert read_capability_statement({"format": stated}).formats == formats


_names = st.sampled_from(["version", "messaging", "supportedMessage", "definition", "mode"])
_anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda each: st.lists(each) | st.dictionaries(_names, each),
)


@given(_anything)
def test_anything_is_read(value: Any) -> None:
    read = read_capability_statement({"version": value, "messaging": value, "format": value})
    assert len(read.version) <= 20
    agreed_version(read.version)

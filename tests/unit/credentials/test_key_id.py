"""Names of signing keys."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bars_portal.credentials.environments import KEY_ID_WORDS
from bars_portal.credentials.keys import InvalidKeyId, check_key_id


@pytest.mark.parametrize("text", ["MySupplier-INT-1", "BaRS-Sandbox-1", "X26-PROD-12"])
def test_names_of_the_convention(text: str) -> None:
    check_key_id(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "MySupplier",
        "MySupplier-INT",
        "MySupplier-INT-0",
        "MySupplier-INT-01",
        "MySupplier-INT-1 ",
        "MySupplier-INT-1\n",
        "MySupplier-MOON-1",
        "-INT-1",
        "My Supplier-INT-1",
        "../x-INT-1",
        "Ünicode-INT-1",
        "A-INT-٣",
        "A-INT-12345",
    ],
)
def test_other_names_are_refused(text: str) -> None:
    with pytest.raises(InvalidKeyId):
        check_key_id(text)


@pytest.mark.parametrize("text", ["hunter2", "Hunter2-MOON-1"])
def test_a_refusal_does_not_repeat_the_name(text: str) -> None:
    with pytest.raises(InvalidKeyId) as refused:
        check_key_id(text)
    assert "unter2" not in str(refused.value)


@given(
    st.text(string.ascii_letters + string.digits, min_size=1, max_size=20),
    st.sampled_from(KEY_ID_WORDS),
    st.integers(min_value=1, max_value=9999),
)
def test_every_well_formed_name_is_taken(supplier: str, environment: str, rotation: int) -> None:
    check_key_id(f"{supplier}-{environment}-{rotation}")

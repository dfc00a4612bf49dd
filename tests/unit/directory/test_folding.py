import pytest

from directory.models.functions import fold, search_words


@pytest.mark.parametrize(
    ("text", "folded"),
    [("Ysbyty Tŷ Éclair", "ysbyty ty eclair"), ("RIVERSIDE", "riverside"), ("a\x00b\tc", "a b c"), ("", "")],
)
def test_folds_accents_case_and_control_characters(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_keeps_a_bounded_number_of_words() -> None:
    assert search_words("  Riverside  UTC ") == ["riverside", "utc"]
    assert len(search_words("a " * 5_000)) == 10
    assert len(search_words("x" * 10_000)[0]) == 50

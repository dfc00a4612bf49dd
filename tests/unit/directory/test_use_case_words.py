from bars_portal.exchange.fhir.codes import UseCase
from directory import capability


def test_every_use_case_has_words_of_its_own() -> None:
    assert set(capability.USE_CASE_WORDS) == set(UseCase)
    assert len(set(capability.USE_CASE_WORDS.values())) == len(UseCase)


def test_words_carry_no_codes_and_unknown_codes_stay() -> None:
    assert capability.use_cases_in_words(["a1t2", "zz9"]) == [
        "Urgent treatment centre, sent by NHS 111",
        "zz9",
    ]
    assert not any(case.value in words for case, words in capability.USE_CASE_WORDS.items())

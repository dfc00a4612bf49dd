"""Use cases in the words of people who send patients; codes and official displays are for staff."""

from collections.abc import Iterable

from bars_portal.exchange.fhir.codes import UseCase

_ED = "Emergency department"
_UTC = "Urgent treatment centre"
_SDEC = "Same day emergency care"
_CAS = "a clinical assessment service"

WORDS: dict[UseCase, str] = {
    UseCase.A1T1: f"{_ED}, sent by NHS 111",
    UseCase.A1T2: f"{_UTC}, sent by NHS 111",
    UseCase.A1T3: f"{_ED}, sent by {_CAS}",
    UseCase.A1T4: f"{_UTC}, sent by {_CAS}",
    UseCase.A1T5: f"{_ED}, sent by 999",
    UseCase.A1T6: f"{_UTC}, sent by 999",
    UseCase.A1T7: f"{_SDEC}, sent by NHS 111",
    UseCase.A1T8: f"{_SDEC}, sent by {_CAS}",
    UseCase.A1T9: f"{_SDEC}, sent by 999",
    UseCase.A2T1: f"{_ED}, sent by NHS 111 online",
    UseCase.A2T2: f"{_UTC}, sent by NHS 111 online",
    UseCase.A2T3: f"{_ED}, sent by streaming and redirection",
    UseCase.A2T4: f"{_UTC}, sent by streaming and redirection",
    UseCase.A3T1: "Clinical assessment, sent by 999",
    UseCase.A4T1: "Clinical validation of a 999 call",
    UseCase.A4T2: "Falls, sent by 999",
    UseCase.A4T3: "Community services, sent by 999",
    UseCase.A5T1: "Pharmacy: minor illness, sent by primary care",
    UseCase.A5T2: "Pharmacy: oral contraception, sent by primary care",
    UseCase.A5T3: "Pharmacy: blood pressure check, sent by primary care",
    UseCase.REFERRAL_TO_PHARMACY: "Pharmacy: referral in the older form",
    UseCase.A6T1: "Ambulance control: incident outside the caller's area",
    UseCase.A6T2: "Ambulance control: help with answering calls",
    UseCase.A6T3: "Ambulance control: mutual aid",
}


def options() -> list[tuple[str, str]]:
    """(code, words) for a list to choose from, by words."""
    return sorted(((case.value, words) for case, words in WORDS.items()), key=lambda pair: pair[1])


def in_words(codes: Iterable[str]) -> list[str]:
    """Words for what a service accepts; a code that is not known here stays as it is."""
    known = ((UseCase.lookup(code), code) for code in codes)
    return sorted(WORDS[case] if case is not None else code for case, code in known)

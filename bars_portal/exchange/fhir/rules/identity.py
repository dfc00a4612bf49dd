"""Identifiers in which official examples fall short: recorded, never refused."""

from __future__ import annotations

from collections.abc import Iterator

from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.identifiers import ODS_SYSTEM, same_system
from bars_portal.exchange.fhir.nhs_numbers import is_verified, nhs_identifiers, read_number
from bars_portal.exchange.fhir.outcomes import Issue, OutcomeCode
from bars_portal.exchange.fhir.reading import as_text, dicts
from bars_portal.exchange.fhir.rules.model import Facts, Rule


def _nhs_number(bundle: MessageBundle, _: Facts) -> Iterator[Issue]:
    for patient in bundle.of_type("Patient"):
        path = (f"{bundle.path_of(patient)}.identifier",)
        for identifier in nhs_identifiers(patient):
            if read_number(identifier) is None:
                words = "The NHS number fails its check, so it is not used to find the patient"
                yield Issue(OutcomeCode.VALUE, words, path, warning=True)
            elif not is_verified(identifier):
                words = "The NHS number is not marked as verified, so it is not used to find the patient"
                yield Issue(OutcomeCode.VALUE, words, path, warning=True)


def _ods_system(bundle: MessageBundle, _: Facts) -> Iterator[Issue]:
    for organisation in bundle.of_type("Organization"):
        for identifier in dicts(organisation.get("identifier")):
            system = as_text(identifier.get("system"))
            if system != ODS_SYSTEM and same_system(system, ODS_SYSTEM):
                words = f"The identifier system of an Organization is not written {ODS_SYSTEM}"
                path = f"{bundle.path_of(organisation)}.identifier"
                yield Issue(OutcomeCode.VALUE, words, (path,), warning=True)


RULES = (
    Rule("nhs-number", "6", "An NHS number should pass its check and be verified.", _nhs_number),
    Rule("ods-system", "6", "An ODS code should be in its own system to the letter.", _ods_system),
)

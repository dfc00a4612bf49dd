"""Whom to call back: exactly one contact of rank 1."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bars_portal.exchange.fhir.bundle import MessageBundle
from bars_portal.exchange.fhir.outcomes import Issue, OutcomeCode
from bars_portal.exchange.fhir.profiles import EXTENSION_CONTACT_RANK
from bars_portal.exchange.fhir.reading import as_text, dicts, extension
from bars_portal.exchange.fhir.rules.model import Facts, Rule, Severity


def rank(contact: dict[str, Any]) -> int | None:
    """The rank of a Patient.contact, from its extension; None when it has none."""
    value = extension(contact, EXTENSION_CONTACT_RANK).get("valuePositiveInt")
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _call_back(bundle: MessageBundle, _: Facts) -> Iterator[Issue]:
    for patient in bundle.of_type("Patient")[:1]:
        path = f"{bundle.path_of(patient)}.contact"
        first = [each for each in dicts(patient.get("contact")) if rank(each) == 1]
        if not first:
            yield Issue(OutcomeCode.INVARIANT, "No Patient.contact has rank 1", (path,))
        elif len(first) > 1:
            yield Issue(OutcomeCode.INVARIANT, "More than one Patient.contact has rank 1", (path,))
        elif not any(as_text(each.get("value")) for each in dicts(first[0].get("telecom"))):
            words = "The Patient.contact with rank 1 has no telecom with a value"
            yield Issue(OutcomeCode.INVARIANT, words, (f"{path}.telecom",))


def _ranks(bundle: MessageBundle, _: Facts) -> Iterator[Issue]:
    """Only warnings: the official examples fall short here themselves."""
    for patient in bundle.of_type("Patient")[:1]:
        for position, contact in enumerate(dicts(patient.get("contact"))):
            path = f"{bundle.path_of(patient)}.contact[{position}]"
            telecom_ranks = [each.get("rank") for each in dicts(contact.get("telecom"))]
            if rank(contact) is None:
                yield _warning("A Patient.contact has no rank", path)
            if None in telecom_ranks:
                yield _warning("A telecom of a Patient.contact has no rank", f"{path}.telecom")
            if telecom_ranks.count(1) > 1:
                yield _warning("More than one telecom of a Patient.contact has rank 1", f"{path}.telecom")


def _warning(words: str, path: str) -> Issue:
    return Issue(OutcomeCode.INVARIANT, words, (path,), warning=True)


RULES = (
    Rule("contact-call-back", "6", "Exactly one contact has rank 1, with a telecom.", _call_back),
    Rule(
        "contact-ranks",
        "6",
        "Every contact and every telecom should have a rank, one telecom rank 1.",
        _ranks,
        Severity.WARNING,
    ),
)

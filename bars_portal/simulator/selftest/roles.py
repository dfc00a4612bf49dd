"""What a receiver can be, and how its own MessageDefinitions show it (standard sections 6, 7 and 9)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bars_portal.simulator.selftest.model import Json
from bars_portal.simulator.selftest.paths import values_at

USE_CASES = "https://fhir.nhs.uk/CodeSystem/usecases-categories-bars"
_DEFINITION = "bars-message-"


@dataclass(frozen=True)
class Role:
    """Needs this definition, and a use case with one of these beginnings (none: any)."""

    words: str
    definition: str = ""
    use_cases: tuple[str, ...] = ()
    not_use_cases: tuple[str, ...] = ()


ROLES: Mapping[str, Role] = {
    "any": Role("every receiver"),
    "bookings": Role("takes bookings (Application 1)", "booking-request"),
    "booking-cancels": Role("takes cancelled bookings (Application 1)", "booking-request-cancelled"),
    "referrals": Role(
        "takes referrals (Applications 1, 2, 3 and 5)",
        "servicerequest-request-referral",
        not_use_cases=("a4", "a6"),
    ),
    "pharmacy": Role(
        "takes referrals to a pharmacy (Application 5)", "servicerequest-request-referral", ("a5",)
    ),
    "emergency-to-cas": Role(
        "takes referrals of 999 to a CAS (Application 3)", "servicerequest-request-referral", ("a3",)
    ),
    "validations": Role(
        "takes requests to validate (Application 4)", "servicerequest-request-validation", ("a4",)
    ),
    "cad": Role(
        "takes cases of another ambulance control (Application 6)", "servicerequest-request-referral", ("a6",)
    ),
    "did-not-attend": Role(
        "hears that a patient did not attend",
        "servicerequest-response-referral",
        not_use_cases=("a4", "a6"),
    ),
    "cad-answers": Role(
        "hears answers of an ambulance control (Application 6)",
        "servicerequest-response-referral-short",
        ("a6",),
    ),
    "validation-answers": Role(
        "hears answers to requests to validate (Application 4)",
        "servicerequest-response-validation-interim",
        ("a4",),
    ),
}


@dataclass(frozen=True)
class Offer:
    """What the service says it takes: the use cases of each definition, by the last part of its address."""

    use_cases: Mapping[str, frozenset[str]]

    def use_case_for(self, role: Role, wanted: str = "") -> str | None:
        """The use case to send a scenario of the role with, "" when it needs none; None: not offered."""
        if not role.definition:
            return min(self._everything(), default="")
        fitting = {each for each in self.use_cases.get(role.definition, ()) if _fits(role, each)}
        if wanted:
            return wanted if wanted in fitting else None
        return min(fitting, default=None)

    def _everything(self) -> set[str]:
        return {each for several in self.use_cases.values() for each in several}


def read_offer(searchset: Json) -> Offer:
    """From the answer to GET /MessageDefinition."""
    definitions = values_at(searchset, "MessageDefinition[*]")
    return Offer({_name(each): _use_cases(each) for each in definitions})


def _name(definition: Json) -> str:
    return str(definition.get("url", "")).rpartition("/")[2].removeprefix(_DEFINITION)


def _use_cases(definition: Json) -> frozenset[str]:
    codings: Sequence[Any] = values_at(
        definition, "MessageDefinition.useContext[*].valueCodeableConcept.coding[*]"
    )
    return frozenset(str(each.get("code")) for each in codings if each.get("system") == USE_CASES)


def _fits(role: Role, use_case: str) -> bool:
    wanted = not role.use_cases or use_case.startswith(role.use_cases)
    return wanted and not (role.not_use_cases and use_case.startswith(role.not_use_cases))

"""Who may use a service of ours, by what the NHSD headers say of the request (standard section 3). Pure."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Self

from bars_portal.exchange.fhir.outcomes import Issue, OutcomeCode, OutcomeError

_NUMBERS = re.compile(r"[vV]?([0-9]{1,9}(?:\.[0-9]{1,9}){0,9})")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, as the headers tell it; "" for what they do not.

    `role` is the code (SNOMED) of the practitioner's role, `software` the product's name.
    """

    ods_code: str = ""
    role: str = ""
    software: str = ""
    version: str = ""


class Header(Enum):
    """What a rule looks at."""

    ORGANISATION = "NHSD-End-User-Organisation"
    PRACTITIONER = "NHSD-Requesting-Practitioner"
    SOFTWARE = "NHSD-Requesting-Software"


@dataclass(frozen=True, slots=True)
class AccessRule:
    """Lets in what satisfies all that it asks; what is empty asks nothing.

    A version is in the range when it is neither before `version_from` nor after `version_to`.
    """

    organisations: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    software: str = ""
    version_from: str = ""
    version_to: str = ""

    @classmethod
    def read(cls, kept: Mapping[str, Any]) -> Self:
        """From a row of HealthcareService.access_rules."""
        return cls(
            organisations=frozenset(kept["organisations"]),
            roles=frozenset(kept["roles"]),
            software=kept["software"],
            version_from=kept["version_from"],
            version_to=kept["version_to"],
        )

    def not_met(self, caller: Caller) -> tuple[Header, ...]:
        """The headers that say something else than the rule asks for; none: it lets in."""
        met = {
            Header.ORGANISATION: not self.organisations or caller.ods_code in self.organisations,
            Header.PRACTITIONER: not self.roles or caller.role in self.roles,
            Header.SOFTWARE: self._software_is_met(caller),
        }
        return tuple(header for header, is_met in met.items() if not is_met)

    def _software_is_met(self, caller: Caller) -> bool:
        if not self.software:
            return True
        is_it = caller.software.casefold() == self.software.casefold()
        return is_it and is_between(caller.version, self.version_from, self.version_to)


def version_numbers(text: str) -> tuple[int, ...] | None:
    """ "v2.10.0-beta" -> (2, 10): the numbers that it begins with; None without any.

    What follows them is not compared, and zeros at the end say nothing.
    """
    found = _NUMBERS.match(text.strip())
    if found is None:
        return None
    numbers = [int(each) for each in found[1].split(".")]
    while len(numbers) > 1 and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)


def is_between(version: str, least: str, most: str) -> bool:
    """Both bounds included, "" is none. What has no numbers is in no range."""
    if not (least or most):
        return True
    numbers = version_numbers(version)
    if numbers is None:
        return False
    lower, upper = version_numbers(least), version_numbers(most)
    return (lower is None or lower <= numbers) and (upper is None or numbers <= upper)


def in_the_way(rules: Sequence[AccessRule], caller: Caller) -> tuple[Header, ...]:
    """The headers for which no rule lets the caller in, by the rule that comes nearest; none: it may call.

    Without rules everybody may.
    """
    return min((rule.not_met(caller) for rule in rules), key=len, default=())


def check_access(allowed_callers: Collection[str], rules: Iterable[AccessRule], caller: Caller) -> None:
    """Raises OutcomeError 401: the proxy rewrites what a 403 says, so it would never reach the sender."""
    if allowed_callers and caller.ods_code not in allowed_callers:
        raise _refusal(Header.ORGANISATION)
    headers = in_the_way(tuple(rules), caller)
    if headers:
        raise _refusal(*headers)


_WORDS = {
    Header.ORGANISATION: "The organisation in NHSD-End-User-Organisation may not use this service.",
    Header.PRACTITIONER: "The role in NHSD-Requesting-Practitioner may not use this service.",
    Header.SOFTWARE: "The software in NHSD-Requesting-Software, or its version, may not use this service.",
}


def _refusal(*headers: Header) -> OutcomeError:
    return OutcomeError(
        *(
            Issue(OutcomeCode.NOT_PERMITTED, _WORDS[header], (f"http.{header.value}",), "access")
            for header in headers
        )
    )


def is_paused(paused_until: datetime | None, now: datetime) -> bool:
    """Whether a service takes no referrals for now; bookings go on."""
    return paused_until is not None and now < paused_until

"""How sure NHS CIS2 is of somebody: how they signed in, and how their identity was proven. Pure.

Levels as CIS2 counts them: of authentication 1 (password) to 3 (smartcard and the like), of identity 0 to 3.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_LEVELS = frozenset("0123")
# Of an `acr` such as AAL2_OR_AAL3_ANY only the least is certain.
_IN_ACR = re.compile(r"AAL([0-3])")


@dataclass(frozen=True)
class Assurance:
    """What is not said counts as 0."""

    authentication: int
    identity: int

    def reaches(self, *, authentication: int, identity: int) -> bool:
        return self.authentication >= authentication and self.identity >= identity


def read_assurance(id_token: Mapping[str, Any], userinfo: Mapping[str, Any]) -> Assurance:
    """From the id token; the level of identity may stand in the userinfo, where it is named otherwise."""
    said = _level(id_token.get("authentication_assurance_level"))
    in_acr = [int(digit) for digit in _IN_ACR.findall(str(id_token.get("acr") or ""))]
    authentication = min(in_acr, default=0) if said is None else said
    identity = _level(id_token.get("id_assurance_level"))
    if identity is None:
        identity = _level(userinfo.get("idassurancelevel"))
    return Assurance(authentication, identity or 0)


def _level(value: object) -> int | None:
    """A whole number or its digit; None for anything else, also for what no level is."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    text = str(value).strip()
    return int(text) if text in _LEVELS else None

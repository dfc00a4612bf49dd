"""A request as its receiver holds it right now, compared with what we hold."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class LatestState(StrEnum):
    """`sentence` is for the person who wants to change the request or take it back."""

    CURRENT = "current"
    CHANGED = "changed"
    OVER = "over"
    MISSING = "missing"
    UNREACHABLE = "unreachable"

    @property
    def sentence(self) -> str:
        return _SENTENCES[self]


_SENTENCES = {
    LatestState.CURRENT: "The service confirms this request as it is shown here.",
    LatestState.CHANGED: (
        "The service has a newer version of this request. Read what it answered before you go on."
    ),
    LatestState.OVER: "The service says that this request is over or already taken back.",
    LatestState.MISSING: "The service has no such request. Call the service before you do anything else.",
    LatestState.UNREACHABLE: (
        "The service did not show us the request, so nothing was changed. Try again, or call the service."
    ),
}
_TAKEN_BACK = ("revoked", "entered-in-error")


@dataclass(frozen=True)
class LatestRequest:
    """`resource` is the receiver's ServiceRequest, {} when missing or unreachable.

    `around` are the entries that came with it, [fullUrl, resource]: only a search brings any.
    """

    state: LatestState
    resource: dict[str, Any] = field(default_factory=dict, repr=False)
    around: tuple[tuple[str, dict[str, Any]], ...] = field(default=(), repr=False)

    @property
    def sentence(self) -> str:
        return self.state.sentence

    @property
    def is_taken_back(self) -> bool:
        return str(self.resource.get("status", "")) in _TAKEN_BACK

    @property
    def can_be_changed(self) -> bool:
        return self.state in (LatestState.CURRENT, LatestState.CHANGED)

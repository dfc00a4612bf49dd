"""Who did it: every audit event names an actor."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Actor:
    """A person, a partner system or the portal itself. `label` is shown; it never names a patient."""

    label: str
    user_id: int | None = None
    organisation_id: int | None = None
    # The id of the break-glass access under which it is done: every event tells it.
    break_glass: str = ""


SYSTEM = Actor(label="BaRS portal")

"""Who did it: every audit event names an actor."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Actor:
    """A person, a partner system or the portal itself. `label` is shown; it never names a patient."""

    label: str
    user_id: int | None = None
    organisation_id: int | None = None


SYSTEM = Actor(label="BaRS portal")

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
    # The id of the application of the API that did it, and of whom it says that they asked for it, as
    # "system|value": every event tells both.
    application: str = ""
    asked_by: str = ""

    @property
    def circumstances(self) -> dict[str, str]:
        """What the detail of each of its events tells beside its own."""
        told = {"break_glass": self.break_glass, "application": self.application, "asked_by": self.asked_by}
        return {name: value for name, value in told.items() if value}


SYSTEM = Actor(label="BaRS portal")

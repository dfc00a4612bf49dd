"""Whose services a catalogue may speak of. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Reach:
    """Those of one `organisation` (ODS code, "" for none), those that nobody here hosts, or all.

    What is hosted here is its provider's alone: whoever could change its provider, its callers or its
    endpoint would get its patients.
    """

    organisation: str = ""
    unhosted: bool = False
    everything: bool = False

    def covers(self, *, provider: str, hosted: bool) -> bool:
        """`provider`: ODS code of the organisation that a service has, or is to have; "" when nobody says."""
        own = bool(self.organisation) and provider == self.organisation
        return self.everything or own or (self.unhosted and not hosted)


# The command line's, where somebody has the whole database anyway, and the superusers'.
EVERYTHING = Reach(everything=True)

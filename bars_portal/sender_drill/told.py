"""What came of an act: the state that the page shows, and its sentence."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Told:
    state: str
    words: str = ""

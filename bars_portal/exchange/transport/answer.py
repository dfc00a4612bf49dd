"""What came back over HTTP, as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """One HTTP answer: status, headers, the body's bytes (inflated), and the time it took in milliseconds."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    elapsed_ms: int

    def header(self, name: str) -> str | None:
        """The header's value; names are compared without regard to case."""
        wanted = name.lower()
        return next((value for key, value in self.headers.items() if key.lower() == wanted), None)

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

"""The name of a signing key: `<Supplier or Provider>-<Environment>-<rotation>` (standard section 1)."""

import re
from dataclasses import dataclass
from typing import Self

ENVIRONMENTS = ("SANDBOX", "DEV", "INT", "PROD", "SIMULATOR")
_FORM = re.compile(
    r"(?P<supplier>[A-Za-z0-9]+)-(?P<environment>[A-Za-z]+)-(?P<rotation>[1-9][0-9]{0,3})", re.ASCII
)


class InvalidKeyId(ValueError):
    """The name breaks the convention. Never carries the name."""


@dataclass(frozen=True)
class KeyId:
    """For example MySupplier-INT-1: supplier, environment (upper case), number of the rotation."""

    supplier: str
    environment: str
    rotation: int
    value: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises InvalidKeyId."""
        found = _FORM.fullmatch(text)
        if found is None:
            raise InvalidKeyId("a key id reads <Supplier>-<Environment>-<rotation>, such as MySupplier-INT-1")
        environment = found["environment"].upper()
        if environment not in ENVIRONMENTS:
            raise InvalidKeyId(f"the environment of a key id is one of {', '.join(ENVIRONMENTS)}")
        return cls(found["supplier"], environment, int(found["rotation"]), text)

    def __str__(self) -> str:
        return self.value

"""What a lower room needs from a higher one: it asks through a port, which the higher one plugs at start."""

from typing import Generic, TypeVar

from django.core.exceptions import ImproperlyConfigured

T = TypeVar("T")


class Port(Generic[T]):
    """One place for one provider; `needs` says in words what is asked, for whoever forgot to plug it."""

    def __init__(self, needs: str, *, unplugged: T | None = None) -> None:
        """`unplugged` answers until somebody else does; None: to ask is a mistake until then."""
        self._needs = needs
        self._unplugged = unplugged
        self._provider: T | None = None

    def plug(self, provider: T) -> None:
        """Raises ImproperlyConfigured for a second provider; the same one again changes nothing."""
        if self._provider is not None and self._provider is not provider:
            raise ImproperlyConfigured(f"Two rooms want to tell {self._needs}.")
        self._provider = provider

    @property
    def provider(self) -> T:
        """Raises ImproperlyConfigured when nobody answers."""
        found = self._unplugged if self._provider is None else self._provider
        if found is None:
            raise ImproperlyConfigured(f"No room tells {self._needs}.")
        return found

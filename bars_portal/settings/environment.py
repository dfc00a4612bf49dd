"""Every environment variable is read here; a missing or unusable one stops the start, named alone."""

import os
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import environ
from django.core.exceptions import ImproperlyConfigured

T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[2]

_FLAGS = dict.fromkeys(("true", "1", "yes", "on"), True) | dict.fromkeys(("false", "0", "no", "off"), False)


class _Literal:
    """Escaped for django-environ, to which a value that begins with $ is the name of another variable."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables

    def __getitem__(self, name: str) -> str:
        return self._variables[name].replace("$", r"\$")


class Environment:
    """django-environ with a check for each type; each method raises ImproperlyConfigured."""

    def __init__(self, variables: Mapping[str, str] = os.environ) -> None:
        self._env = environ.Env()
        self._env.ENVIRON, self._env.escape_proxy = _Literal(variables), True

    def _read(self, name: str, read: Callable[[str], T | None], default: T | None, must: str) -> T:
        """`read` gives None, or raises ValueError, for what is unusable. Without a default it must be set."""
        unset = self._env.NOTSET if default is None else default
        try:
            value: T | None = self._env.get_value(name, cast=read, default=unset)
        except ValueError:
            value = None
        if value is None:
            # Neither quoted nor chained to what quotes it: the value may be a secret.
            raise ImproperlyConfigured(f"{name} must {must}.")
        return value

    def text(self, name: str, default: str | None = None) -> str:
        """Without a default it must be set and not blank."""

        def read(text: str) -> str | None:
            return None if default is None and not text.strip() else text

        return self._read(name, read, default, "not be blank")

    def whole(self, name: str, default: int, least: int, most: int) -> int:
        def read(text: str) -> int | None:
            # No signs, no digits of other scripts: int() alone takes both.
            value = int(text) if re.fullmatch("[0-9]+", text) else -1
            return value if least <= value <= most else None

        return self._read(name, read, default, f"be a whole number from {least} to {most}")

    def port(self, name: str, default: int) -> int:
        return self.whole(name, default, 1, 65535)

    def flag(self, name: str, *, default: bool) -> bool:
        """Blank is the default; a slip such as "flase" must not switch anything on or off."""
        words = {"": default, **_FLAGS}
        return self._read(name, lambda text: words.get(text.strip().lower()), default, "be true or false")

    def listing(self, name: str, default: Iterable[str] = ()) -> list[str]:
        """Items with commas between, stripped, none empty; set but empty, it is none at all."""
        return self._read(name, _items, list(default), "be a list with commas between")

    def choices(self, name: str, allowed: Iterable[str], default: Iterable[str]) -> list[str]:
        """As a listing, each one of `allowed`: a slip must not switch off what it names."""
        options = tuple(allowed)

        def read(text: str) -> list[str] | None:
            found = _items(text)
            return found if set(found) <= set(options) else None

        must = f"be a list, with commas between, of: {', '.join(options)}"
        return self._read(name, read, list(default), must)

    def numbers(self, name: str, default: Iterable[float] = ()) -> tuple[float, ...]:
        """As a listing, of numbers."""

        def read(text: str) -> tuple[float, ...] | None:
            found = tuple(map(float, _items(text)))
            return found if all(0 <= each < float("inf") for each in found) else None

        return self._read(name, read, tuple(default), "be numbers with commas between, none below 0")

    def choice(self, name: str, allowed: Iterable[str], default: str) -> str:
        options = tuple(allowed)
        must = f"be one of: {', '.join(options)}"
        return self._read(name, lambda text: text if text in options else None, default, must)

    def file(self, name: str) -> Path:
        """The path of a file that is there."""
        must = "be the path of a readable file"
        return self._read(name, lambda text: Path(text) if Path(text).is_file() else None, None, must)

    def database(self, name: str = "DATABASE_URL") -> dict[str, Any]:
        """Django's settings of the PostgreSQL server that the URL names; a socket folder is `?host=/path`."""

        def read(url: str) -> dict[str, Any] | None:
            ours = url.partition("://")[0] in {"postgresql", "postgres"}
            return dict(environ.Env.db_url_config(url)) if ours else None

        return self._read(name, read, None, "name a PostgreSQL server (postgresql://...)")


def _items(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]


env = Environment()
VAR = Path(env.text("BARS_VAR", "") or ROOT / "var")


def folder(name: str) -> Path:
    """A folder of ours under VAR, made when it is not there."""
    place = VAR / name
    place.mkdir(parents=True, exist_ok=True)
    return place

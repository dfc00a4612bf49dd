"""Every environment variable is read here; a missing or unusable one stops the start, named alone."""

import os
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar, cast

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

    def _read(self, name: str, cast: Callable[[str], T], default: T | None, must: str) -> T:
        """`cast` raises ValueError for what is unusable; None as default: the variable is required."""
        try:
            value: T = self._env.get_value(
                name, cast=cast, default=self._env.NOTSET if default is None else default
            )
        except ValueError:
            # Not chained: the cause quotes the value, and that may be a secret.
            raise ImproperlyConfigured(f"{name} must {must}.") from None
        return value

    def text(self, name: str, default: str | None = None) -> str:
        """Without a default it must be set and not blank."""
        return self._read(name, _not_blank if default is None else str, default, "not be blank")

    def whole(self, name: str, default: int, least: int, most: int) -> int:
        def within(text: str) -> int:
            # No signs, no digits of other scripts: int() alone takes both.
            value = int(text) if re.fullmatch("[0-9]+", text) else -1
            return value if least <= value <= most else _refuse()

        return self._read(name, within, default, f"be a whole number from {least} to {most}")

    def port(self, name: str, default: int) -> int:
        return self.whole(name, default, 1, 65535)

    def flag(self, name: str, *, default: bool) -> bool:
        """Blank is the default; a slip such as "flase" must not switch anything on or off."""

        def read(text: str) -> bool:
            word = text.strip().lower()
            return (_FLAGS[word] if word in _FLAGS else _refuse()) if word else default

        return self._read(name, read, default, "be true or false")

    def listing(self, name: str, default: Iterable[str] = ()) -> list[str]:
        """Items with commas between, stripped, none empty; set but empty, it is none at all."""
        return self._read(name, _items, list(default), "be a list with commas between")

    def numbers(self, name: str, default: Iterable[float] = ()) -> tuple[float, ...]:
        """As a listing, of numbers."""

        def read(text: str) -> tuple[float, ...]:
            found = tuple(map(float, _items(text)))
            return found if all(0 <= each < float("inf") for each in found) else _refuse()

        return self._read(name, read, tuple(default), "be numbers with commas between, none below 0")

    def choice(self, name: str, allowed: Iterable[str], default: str) -> str:
        options = tuple(allowed)

        must = f"be one of: {', '.join(options)}"
        return self._read(name, lambda text: text if text in options else _refuse(), default, must)

    def file(self, name: str) -> Path:
        """The path of a file that is there."""

        def read(text: str) -> Path:
            return Path(text) if Path(text).is_file() else _refuse()

        return self._read(name, read, None, "be the path of a readable file")

    def database(self, name: str = "DATABASE_URL") -> dict[str, Any]:
        """Django's settings of the PostgreSQL server that the URL names; a socket folder is `?host=/path`."""

        def read(url: str) -> dict[str, Any]:
            ours = url.partition("://")[0] in {"postgresql", "postgres"}
            return cast(dict[str, Any], environ.Env.db_url_config(url)) if ours else _refuse()

        return self._read(name, read, None, "name a PostgreSQL server (postgresql://...)")


def _refuse() -> Any:
    raise ValueError


def _not_blank(text: str) -> str:
    return text if text.strip() else _refuse()


def _items(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]


env = Environment()
VAR = Path(env.text("BARS_VAR", "") or ROOT / "var")

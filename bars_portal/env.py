"""Typed reading of environment variables: a missing or unsafe value stops the start, naming the variable."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import environ
from django.core.exceptions import ImproperlyConfigured

ROOT = Path(__file__).resolve().parent.parent
VAR = Path(os.environ.get("BARS_VAR") or ROOT / "var")

_TRUE, _FALSE = frozenset({"true", "1", "yes", "on"}), frozenset({"false", "0", "no", "off"})


def text(name: str, default: str | None = None) -> str:
    """The variable as text; without a default it must be set and not blank."""
    # Not through environ, for which a value that begins with $ names another variable.
    value = os.environ.get(name, default if default is not None else "")
    if default is None and not value.strip():
        raise ImproperlyConfigured(f"Set the environment variable {name}.")
    return value


def integer(name: str, default: int) -> int:
    try:
        return int(text(name, str(default)))
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be a whole number.") from error


def within(name: str, default: int, least: int, most: int) -> int:
    """A whole number from `least` to `most`."""
    value = integer(name, default)
    if not least <= value <= most:
        raise ImproperlyConfigured(f"{name} must be from {least} to {most}.")
    return value


def flag(name: str, *, default: bool) -> bool:
    """A slip such as "flase" must not switch anything on or off."""
    word = text(name, "").strip().lower()
    if word and word not in _TRUE | _FALSE:
        raise ImproperlyConfigured(f"{name} must be true or false.")
    return word in _TRUE if word else default


def listing(name: str, default: Iterable[str] = ()) -> list[str]:
    """A comma-separated variable as a list of stripped, non-empty items."""
    items = os.environ[name].split(",") if name in os.environ else default
    return [item.strip() for item in items if item.strip()]


def numbers(name: str, default: Iterable[float] = ()) -> tuple[float, ...]:
    """A comma-separated variable as numbers, none of them below 0; set but empty, it is none at all."""
    try:
        found = tuple(float(item) for item in listing(name, map(str, default)))
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be numbers with commas between.") from error
    if not all(0 <= each < float("inf") for each in found):
        raise ImproperlyConfigured(f"{name} must hold no number below 0.")
    return found


def choice(name: str, allowed: Iterable[str], default: str) -> str:
    value, options = text(name, default), tuple(allowed)
    if value not in options:
        raise ImproperlyConfigured(f"{name} must be one of: {', '.join(options)}.")
    return value


def database(name: str = "DATABASE_URL") -> dict[str, Any]:
    """Django's settings of the PostgreSQL server that the URL names (a socket folder as `?host=/path`)."""
    url = text(name)
    try:
        if url.partition("://")[0] in {"postgresql", "postgres"}:
            return cast(dict[str, Any], environ.Env.db_url_config(url))
    except ValueError:
        # Not chained: the cause quotes the URL, and that may hold a password.
        pass
    raise ImproperlyConfigured(f"{name} must name a PostgreSQL server (postgresql://...).")

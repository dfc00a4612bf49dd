"""Typed reading of environment variables: a missing or unsafe value stops the start, naming the variable."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import environ
from django.core.exceptions import ImproperlyConfigured

ROOT = Path(__file__).resolve().parent.parent
VAR = Path(os.environ.get("BARS_VAR") or ROOT / "var")

_env = environ.Env()


def text(name: str, default: str | None = None) -> str:
    """The variable as text; without a default it must be set and not blank."""
    value = cast(str, _env.str(name, default=default if default is not None else ""))
    if default is None and not value.strip():
        raise ImproperlyConfigured(f"Set the environment variable {name}.")
    return value


def integer(name: str, default: int) -> int:
    try:
        return cast(int, _env.int(name, default=default))
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be a whole number.") from error


def flag(name: str, *, default: bool) -> bool:
    return cast(bool, _env.bool(name, default=default))


def listing(name: str, default: Iterable[str] = ()) -> list[str]:
    """A comma-separated variable as a list of stripped, non-empty items."""
    items = cast(list[str], _env.list(name, default=list(default)))
    return [item.strip() for item in items if item.strip()]


def choice(name: str, allowed: Iterable[str], default: str) -> str:
    value, options = text(name, default), tuple(allowed)
    if value not in options:
        raise ImproperlyConfigured(f"{name} must be one of: {', '.join(options)}.")
    return value


def database(name: str = "DATABASE_URL") -> dict[str, Any]:
    """Django's settings of the PostgreSQL server that the URL names (a socket folder as `?host=/path`)."""
    config = cast(dict[str, Any], _env.db_url_config(text(name)))
    if config["ENGINE"] != "django.db.backends.postgresql":
        raise ImproperlyConfigured(f"{name} must name a PostgreSQL server (postgresql://...).")
    return config

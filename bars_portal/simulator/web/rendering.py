"""Renders a page; whatever a message holds is text, never markup."""

from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from bars_portal.simulator.config import FHIR_BASE

FOLDER = Path(__file__).parent


def render(name: str, **values: Any) -> bytes:
    """The template with its values, UTF-8. Raises jinja2's errors for a template that is wrong."""
    return _environment().get_template(name).render(**values).encode()


def _short(path: str) -> str:
    """A path of the proxy as BaRS writes it, /Slot."""
    return path.removeprefix(FHIR_BASE)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["short"] = _short
    # Our own file, so that a saved page looks the same anywhere.
    environment.globals["css"] = Markup((FOLDER / "style.css").read_text())  # noqa: S704 - no input in it
    return environment

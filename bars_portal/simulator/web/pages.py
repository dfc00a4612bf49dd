"""A page: who asks for it, how it is rendered; whatever a message holds is text, never markup."""

import io
import zipfile
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from bars_portal.simulator.config import FHIR_BASE
from bars_portal.simulator.wire import Answer, Request

HTML = (
    ("Content-Type", "text/html; charset=utf-8"),
    (
        "Content-Security-Policy",
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
    ),
    # Not no-referrer: browsers would then hide from us that a form came from our own page.
    ("Referrer-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
)
FOLDER = Path(__file__).parent


def page(body: bytes, status: int = 200) -> Answer:
    """A page that loads nothing from anywhere."""
    return Answer(status, HTML, body)


def download(name: str, body: bytes) -> Answer:
    """A zip to save."""
    headers = (
        ("Content-Type", "application/zip"),
        ("Content-Disposition", f'attachment; filename="{name}"'),
        ("Cache-Control", "no-store"),
    )
    return Answer(200, headers, body)


def form_of(request: Request) -> dict[str, list[str]]:
    """The fields of a form. Raises ValueError."""
    return parse_qs(request.body.decode(), keep_blank_values=True, max_num_fields=2000)


def query_of(request: Request, name: str) -> str:
    """One parameter, "" when it is not given."""
    return parse_qs(request.query).get(name, [""])[0]


def render(name: str, **values: Any) -> bytes:
    """The template with its values, UTF-8. Raises jinja2's errors for a template that is wrong."""
    return _environment().get_template(name).render(**values).encode()


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    # A path of the proxy as BaRS writes it, /Slot.
    environment.globals["short"] = lambda path: path.removeprefix(FHIR_BASE)
    # Our own file, so that a saved page looks the same anywhere.
    environment.globals["css"] = Markup((FOLDER / "style.css").read_text())  # noqa: S704 - no input in it
    return environment


def zipped(files: dict[str, bytes]) -> bytes:
    """The files as one zip."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return held.getvalue()

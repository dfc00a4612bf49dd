"""The files of our own packages."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("bars_portal", "bookings", "directory", "referrals")


def modules() -> list[Path]:
    """Every Python file of ours but migrations, relative to the root."""
    found = (each for package in PACKAGES for each in (ROOT / package).rglob("*.py"))
    return sorted(each.relative_to(ROOT) for each in found if "migrations" not in each.parts)


def templates() -> list[Path]:
    found = (ROOT / "templates").rglob("*")
    return sorted(each.relative_to(ROOT) for each in found if each.suffix in (".jinja", ".html"))

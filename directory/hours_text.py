"""Opening hours as lines that a manager types: "Mon 08:00-12:00, 13:00-17:00", "Sun closed". Pure."""

import re

from directory.hours import DAYS, InvalidHours, StoredHours, read_week

_LINE = re.compile(r"([a-z]+)\s*:?\s+(.+)", re.IGNORECASE)
_DASH = re.compile(r"\s*(?:-|\u2013|\bto\b)\s*", re.IGNORECASE)
_ALL_DAY = {"24 hours", "24h", "open 24 hours"}


def write_hours(stored: StoredHours) -> str:
    """One line a day, Monday first; "" when nothing is known."""
    if not stored:
        return ""
    return "\n".join(f"{key.capitalize()} {write_spans(stored.get(key, []))}" for key in DAYS)


def write_spans(spans: list[list[str]]) -> str:
    """What `read_spans` reads."""
    if [list(span) for span in spans] == [["00:00", "24:00"]]:
        return "24 hours"
    return ", ".join("-".join(span) for span in spans) or "closed"


def read_hours(text: str) -> StoredHours:
    """What `write_hours` writes, typed by hand. Raises InvalidHours naming the line, or the day."""
    stored: StoredHours = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            day, spans = _read_line(number, line.strip())
            if day in stored:
                raise InvalidHours(f"Line {number}: {DAYS[day]} is there twice.")
            stored[day] = spans
    read_week(stored)
    return stored


def _read_line(number: int, line: str) -> tuple[str, list[list[str]]]:
    match = _LINE.fullmatch(line)
    day = match[1].lower() if match else ""
    key = next((key for key, name in DAYS.items() if len(day) >= 3 and name.lower().startswith(day)), None)
    if match is None or key is None:
        raise InvalidHours(f"Line {number}: start with a day and its hours, like Mon 08:00-20:00.")
    return key, _spans(match[2].strip().lower())


def read_spans(text: str) -> list[list[str]]:
    """The hours of one day: "closed", "24 hours", "10:00-16:00, 18:00-20:00". Raises InvalidHours."""
    spans = _spans(text)
    read_week({"mon": spans})
    return spans


def _spans(text: str) -> list[list[str]]:
    if text == "closed":
        return []
    if text in _ALL_DAY:
        return [["00:00", "24:00"]]
    return [[_padded(moment) for moment in _DASH.split(span.strip())] for span in text.split(",")]


def _padded(moment: str) -> str:
    """9:00 is meant as 09:00."""
    return f"0{moment}" if re.fullmatch(r"[0-9]:[0-5][0-9]", moment) else moment

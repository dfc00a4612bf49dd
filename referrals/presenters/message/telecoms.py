"""ContactPoint: a row for each way to reach somebody, so that home and work are never mixed up."""

from bars_portal.nhsuk.words import format_phone
from referrals.presenters.message.items import row
from referrals.presenters.message.model import Row
from referrals.presenters.message.reader import Part
from referrals.presenters.message.values import lines_of
from referrals.presenters.message.words import code_words

_PHONES = {
    "home": "Home phone",
    "work": "Work phone",
    "mobile": "Mobile phone",
    "temp": "Temporary phone",
    "old": "Old phone (not in use)",
}


def telecom_rows(part: Part, name: str = "telecom", *, is_call_back: bool = False) -> list[Row]:
    """`is_call_back`: its first number is the one to call back."""
    return [found for each in part.parts(name) for found in _telecom(each, is_call_back=is_call_back)]


def way_words(kind: str, use: str) -> str:
    """Home phone, Work email, Text message."""
    if kind == "phone":
        return _PHONES.get(use, "Phone")
    use_words = {"old": "Old"}.get(use, code_words(use)) if use and use != "mobile" else ""
    words = code_words(kind or "contact")
    return f"{use_words} {words.lower()}" if use_words else words


def _telecom(part: Part, *, is_call_back: bool) -> list[Row]:
    kind, use, value, rank = (part.text(name) for name in ("system", "use", "value", "rank"))
    part.notes.code(way_words(kind, use), ", ".join(filter(None, (kind, use))))
    call = " (call back)" if is_call_back and rank in ("", "1") and kind != "email" else ""
    order = f", choice {rank}" if rank else ""
    shown = format_phone(value) if kind in ("phone", "sms") else value
    return row(way_words(kind, use), [f"{shown}{order}{call}", *lines_of(part, "period", "In use")])

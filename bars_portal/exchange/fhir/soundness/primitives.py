r"""When a value is surely sound for one of FHIR's primitive types (R4 datatypes), by the library's markers.

Each rule takes less than the library does, never more: its patterns run on another engine, where `\s`, `\d`
and `$` mean other things. The methods of compiled patterns raise TypeError for what is no text.
"""

import re
from collections.abc import Callable
from math import isfinite
from typing import Any

from fhir_core import types

from bars_portal.exchange.fhir.decimals import ExactDecimal
from bars_portal.exchange.fhir.soundness.shape import Leaf

_ANY_TEXT: Leaf = re.compile("").match
_DAYS = (
    r"(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    r"|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    r"|02-(?:0[1-9]|1[0-9]|2[0-8]))"
)
_YEAR = r"(?!0000)[0-9]{4}"
# Every fourth year but the hundredths: 29 February 2000 is the library's business.
_LEAP_DAY = r"[0-9]{2}(?:0[48]|[2468][048]|[13579][26])-02-29"
_DATE = rf"(?:{_YEAR}-{_DAYS}|{_LEAP_DAY})"
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,30})?"
_MOMENT = rf"{_DATE}T{_TIME}(?:Z|[+-](?:0[0-9]|1[0-3]):[0-5][0-9])"
_PARTIAL = rf"{_YEAR}(?:-(?:0[1-9]|1[0-2]))?"
_BASE64 = "[A-Za-z0-9+/]"
_SMALL = 2**63


def _whole(pattern: str) -> Leaf:
    return re.compile(pattern).fullmatch


def _is_decimal(value: Any) -> bool:
    if type(value) is int:
        return -_SMALL < value < _SMALL
    return type(value) in (float, ExactDecimal) and isfinite(value)


def is_boolean(value: Any) -> bool:
    return value is True or value is False


def _between(marker: Any) -> Leaf:
    low, high = marker.min_length, marker.max_length
    return lambda value: type(value) is int and low <= value <= high


_FIXED: dict[type, Leaf] = {
    types.String: re.compile(r"\S").search,
    types.Code: _whole(r"\S+(?: \S+)*"),
    types.Id: _whole(r"[A-Za-z0-9.\-]{1,64}"),
    types.Uri: _ANY_TEXT,
    types.Canonical: _ANY_TEXT,
    types.Markdown: _ANY_TEXT,
    types.Xhtml: _ANY_TEXT,
    types.Url: _whole(r"https?://[A-Za-z0-9.\-]+(?:/[!-~]*)?"),
    types.Oid: _whole(r"urn:oid:[0-2](?:\.(?:0|[1-9][0-9]*))+"),
    types.Base64Binary: _whole(rf"(?:{_BASE64}{{4}})*(?:{_BASE64}{{4}}|{_BASE64}{{2}}==|{_BASE64}{{3}}=)"),
    types.Date: _whole(rf"{_DATE}|{_PARTIAL}"),
    types.DateTime: _whole(rf"{_MOMENT}|{_DATE}|{_PARTIAL}"),
    types.Instant: _whole(_MOMENT),
    types.Time: _whole(_TIME),
    types.Decimal: _is_decimal,
}
_BOUNDED: dict[type, Callable[[Any], Leaf]] = {
    types.Integer: _between,
    types.UnsignedInt: _between,
    types.PositiveInt: _between,
}


def leaf_of(marker: object) -> Leaf | None:
    """The rule for the library's marker of a primitive type; None where there is none."""
    kind = type(marker)
    return _BOUNDED[kind](marker) if kind in _BOUNDED else _FIXED.get(kind)

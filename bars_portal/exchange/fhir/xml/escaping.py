"""Text for the inside of a double-quoted attribute."""

from __future__ import annotations

import re
from typing import Final

# Tabs and line breaks would be read back as blanks; other controls, surrogates and U+FFFE/F have no place
# in XML 1.0 at all, not even escaped.
_SPECIAL: Final = re.compile("[^ !#-%'-;=?-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_WRITTEN: Final = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "\t": "&#9;",
    "\n": "&#10;",
    "\r": "&#13;",
}


def escape(text: str) -> str:
    """The text with markup escaped; characters that XML cannot hold become U+FFFD."""
    return _SPECIAL.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    return _WRITTEN.get(found[0], "\N{REPLACEMENT CHARACTER}")

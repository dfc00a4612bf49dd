"""Narrative (text.div): its plain text, and only where it says what is not said already. Never its markup."""

import re
from html.parser import HTMLParser

from referrals.presenters.message.reader import Part

_BLOCKS = frozenset(("p", "div", "br", "li", "tr", "td", "th", "h1", "h2", "h3", "h4", "table", "ul", "ol"))
_UNSEEN = frozenset(("style", "script"))


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.pieces: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._unseen += tag in _UNSEEN
        # A picture says what its text says.
        self.pieces.append(dict(attrs).get("alt") or "" if tag == "img" else "\n" if tag in _BLOCKS else "")

    def handle_endtag(self, tag: str) -> None:
        self._unseen -= tag in _UNSEEN
        self.pieces.append("\n" if tag in _BLOCKS else "")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.pieces.append(data)


def plain_text(markup: str) -> str:
    """The words of XHTML, a line for each block."""
    parser = _Text()
    parser.feed(markup)
    parser.close()
    lines = (" ".join(line.split()) for line in "".join(parser.pieces).splitlines())
    return "\n".join(filter(None, lines))


def narrative_text(narrative: Part, said: str) -> str:
    """Plain text of `text.div`; "" when each of its words is in `said`."""
    text = plain_text(narrative.text("div"))
    return "" if _words(text) <= _words(said) else text


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text.casefold()))

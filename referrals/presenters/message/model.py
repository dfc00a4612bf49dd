"""What the page of a received message shows: frozen, in words, in the order of the page."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One label and what stands beside it; no lines read "Not stated"."""

    label: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Code:
    """What stands behind a word: for staff, one click away. `system` is a name, or the address itself."""

    label: str
    code: str
    system: str = ""
    meaning: str = ""


@dataclass(frozen=True)
class Item:
    """One thing of the message with its rows, and the parts that it consists of.

    `is_folded` keeps what is only looked up (a published questionnaire) out of the way.
    """

    title: str
    rows: tuple[Row, ...] = ()
    parts: tuple["Item", ...] = ()
    codes: tuple[Code, ...] = ()
    is_folded: bool = False


@dataclass(frozen=True)
class Alert:
    """A Flag, and what it `says`. `is_alarm`: safeguarding or scene safety that is not said to be well."""

    item: Item
    says: tuple[str, ...]
    is_alarm: bool
    # 0 is safeguarding, 1 is scene safety, 2 is any other.
    order: int

    @property
    def comes_first(self) -> bool:
        """Above all else, also when it says that all is well."""
        return self.order < 2


@dataclass(frozen=True)
class Group:
    """A part of the page; `items` may be empty when it matters that nothing was stated."""

    key: str
    title: str
    items: tuple[Item, ...]
    # The sentence that stands there when nothing was stated.
    silence: str = "Not stated"

    @property
    def anchor(self) -> str:
        return f"message-{self.key}"

    @property
    def codes(self) -> tuple[tuple[str, tuple[Code, ...]], ...]:
        return codes_of(self.items)


@dataclass(frozen=True)
class MessageView:
    """A message whole: the facts and warnings that come first, and all the rest in groups."""

    facts: tuple[Row, ...]
    warnings: tuple[Alert, ...]
    groups: tuple[Group, ...]

    @property
    def warning_codes(self) -> tuple[tuple[str, tuple[Code, ...]], ...]:
        return codes_of(tuple(each.item for each in self.warnings))


def codes_of(items: tuple[Item, ...]) -> tuple[tuple[str, tuple[Code, ...]], ...]:
    """Title and codes of each item that has any."""
    return tuple((item.title, item.codes) for item in items if item.codes)

"""Charts as SVG that stands in the page, by pygal, without its scripts and styles: the policy bans them.

static/scss/_reports.scss says how they look.
"""

import sys
from collections.abc import Sequence
from typing import Any

import pygal
from lxml.etree import SubElement
from lxml.etree import _Element as Element
from markupsafe import Markup
from pygal.style import Style

# What pygal puts there for plugins is no finder of today, and every later import would warn of it.
sys.meta_path[:] = [each for each in sys.meta_path if not isinstance(each, pygal.PluginImportFixer)]
_WIDTH, _HEIGHT, _BAR, _FRAME = 880, 320, 34, 120
_MOST_BARS, _MOST_LABELS, _LONGEST_LABEL = 12, 16, 32
# As large as the stylesheet draws it: the room that labels need is reckoned by it.
_STYLE = Style(label_font_size=14, major_label_font_size=14, legend_font_size=14, font_family="Arial")
Series = Sequence[tuple[str, Sequence[int]]]


def bars_by_time(title: str, labels: Sequence[str], series: Series, *, named: str) -> Markup:
    """Upright bars; with many only some of them have a label."""
    chart = pygal.Bar(**_options(_HEIGHT, named), x_label_rotation=0, show_minor_x_labels=False)
    every = -(-len(labels) // (_MOST_LABELS // 2)) or 1
    chart.x_labels = list(labels)
    chart.x_labels_major = list(labels)[::every]
    return _drawn(chart, title, series, named)


def bars_by_key(title: str, labels: Sequence[str], series: Series, *, named: str) -> Markup:
    """Bars that lie, the first one on top; what is beyond the largest is in the table alone."""
    shown = [_short(label) for label in labels[:_MOST_BARS]]
    cut = [(name, list(values)[: len(shown)]) for name, values in series]
    chart = pygal.HorizontalBar(**_options(_FRAME + _BAR * len(shown) * len(cut) // 2 + 20, named))
    # It draws from below.
    chart.x_labels = shown[::-1]
    return _drawn(chart, title, [(name, values[::-1]) for name, values in cut], named)


def _options(height: int, named: str) -> dict[str, Any]:
    return {
        "js": [],
        "css": [],
        "style": _STYLE,
        "width": _WIDTH,
        "height": height,
        "legend_at_bottom": True,
        "legend_at_bottom_columns": 2,
        "no_prefix": True,
        "disable_xml_declaration": True,
        "margin": 8,
        "spacing": 12,
        "formatter": lambda value: f"{value:,.0f}",
        "min_scale": 2,
        "max_scale": 6,
        "classes": ["app-chart"],
        "range": None,
    }


def _short(label: str) -> str:
    return label if len(label) <= _LONGEST_LABEL else f"{label[: _LONGEST_LABEL - 1]}…"


def _drawn(chart: Any, title: str, series: Series, named: str) -> Markup:
    highest = max((value for _, values in series for value in values), default=0)
    if highest < 5:
        # Its own scale would have halves of a booking.
        chart.y_labels = list(range(max(highest, 1) + 1))
    for name, values in series:
        chart.add(name, list(values))

    def plain(root: Element) -> Element:
        _strip(root)
        root.attrib.pop("id", "")
        root.set("role", "img")
        root.set("focusable", "false")
        root.set("aria-labelledby", f"{named}-title {named}-desc")
        told = [
            f"{name}: {max(values, default=0):,} at most, {sum(values):,} in all" for name, values in series
        ]
        for at, (tag, words) in enumerate((("title", title), ("desc", "; ".join(told) + "."))):
            made = SubElement(root, tag, {"id": f"{named}-{tag}"})
            made.text = words
            root.remove(made)
            root.insert(at, made)
        return root

    chart.add_xml_filter(plain)
    # Escaped by the library that writes the tree.
    return Markup(chart.render(is_unicode=True))  # noqa: S704


_NOT_KEPT = ("style", "script", "title", "desc", "defs")


def _strip(element: Element) -> None:
    """What it has for its scripts and styles, and names of its own for things."""
    for child in list(element):
        tag = child.tag.rpartition("}")[2] if isinstance(child.tag, str) else ""
        if not tag or tag in _NOT_KEPT:
            element.remove(child)
        else:
            _strip(child)
    element.attrib.pop("style", "")
    element.attrib.pop("id", "")

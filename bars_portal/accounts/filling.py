"""Puts what was typed back into the forms of a page that is shown anew. Pure: HTML in, HTML out."""

import re
from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

from django.http import QueryDict
from lxml import html

_NEVER_FILLED = frozenset({"submit", "button", "reset", "image", "file", "password"})
_NOT_OURS = "csrfmiddlewaretoken"
# No tree of lxml holds them, and they come along with what is pasted from Word and PDF.
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
Values = dict[str, list[str]]


def fill(page: bytes, address: str, action: str, fields: QueryDict, *, notice: str) -> bytes:
    """The page at `address` with its form to `action` (both paths) as it was typed, and `notice` above it.

    Unchanged when it has no such form. Of several to one address the one with most of the names counts.
    """
    document = html.document_fromstring(page, parser=html.HTMLParser(encoding="utf-8"))
    forms = [form for form in document.iter("form") if _is_sent_to(form, address, action)]
    best = max(forms, key=lambda form: _shared(form, fields), default=None)
    if best is None or not _shared(best, fields):
        return page
    values = {name: [_UNWRITABLE.sub(" ", each) for each in fields.getlist(name)] for name in fields}
    for control in _controls(best):
        _set(control, values)
    best.addprevious(_notice(notice))
    return bytes(html.tostring(document, encoding="utf-8", doctype="<!DOCTYPE html>"))


def _shared(form: html.HtmlElement, fields: QueryDict) -> int:
    return len({_name(each) for each in _controls(form)} & set(fields))


def _notice(words: str) -> html.HtmlElement:
    box = html.Element("div", {"class": "nhsuk-inset-text", "role": "status"})
    paragraph = html.Element("p")
    paragraph.text = words
    box.append(paragraph)
    return box


def _is_sent_to(form: html.HtmlElement, address: str, action: str) -> bool:
    target = urlsplit(urljoin(address, form.get("action", ""))).path
    return str(form.get("method", "")).lower() == "post" and target == urlsplit(action).path


def _controls(form: html.HtmlElement) -> Iterator[html.HtmlElement]:
    for control in form.iter("input", "textarea", "select"):
        if _name(control) and _name(control) != _NOT_OURS and control.get("type") not in _NEVER_FILLED:
            yield control


def _name(control: html.HtmlElement) -> str:
    return str(control.get("name", ""))


def _set(control: html.HtmlElement, values: Values) -> None:
    """Controls of one name take the values in their order; a box that was not ticked was not sent."""
    given = values.get(_name(control))
    if control.get("type") in ("radio", "checkbox"):
        _mark(control, "checked", control.get("value", "on") in (given or ()))
    elif not given:
        return
    elif control.tag == "select":
        chosen = set(given) if control.get("multiple") is not None else {given.pop(0)}
        for option in control.iter("option"):
            _mark(option, "selected", option.get("value", option.text_content()) in chosen)
    elif control.tag == "textarea":
        # The parser of a browser drops the first line break.
        control.text = "\n" + given.pop(0)
    else:
        control.set("value", given.pop(0))


def _mark(element: html.HtmlElement, attribute: str, wanted: bool) -> None:
    if wanted:
        element.set(attribute, attribute)
    elif attribute in element.attrib:
        del element.attrib[attribute]

"""What somebody has on the screen, and may press: the forms and button links of a page as it was sent."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.test import Client
from lxml import html

# What is typed into what is still empty: the least that every form of a case takes.
_DAY = datetime.now(UTC) - timedelta(days=1)
_DATES = {
    f"{field}-{part}": str(getattr(_DAY, part))
    for field in ("clock_day", "day")
    for part in ("day", "month", "year")
}
TYPED = {
    **_DATES,
    "how": "revoked",
    "reason": "OTH",
    "words": "Not our area",
    "disposition": "hear-and-treat",
    "priority": "C5",
    "narrative": "Advice given",
    "clock_time": "09:05",
    "start": "10:00",
    "end": "10:15",
    "concern": "no",
    "text": "Telephoned",
}
# Buttons that lead to a form about the case; others leave it.
_ABOUT = ("take-back/", "reject/", "outcome/", "complete/", "did-not-attend/", "cad-status/", "check/")
Form = tuple[str, dict[str, str]]


@dataclass(frozen=True)
class Screen:
    """`forms`: address and fields as filled in; `links`: buttons that lead on; `history`: what happened."""

    address: str
    forms: list[Form]
    links: list[str]
    history: list[str]


def look(client: Client, address: str) -> Screen:
    return read(client.get(address, follow=True), address)


def read(response: Any, address: str) -> Screen:
    assert response.status_code == 200, (address, response.status_code)
    whole = [hop for hop, _ in response.redirect_chain][-1:] or [address]
    page: Any = html.fromstring(response.content).find(".//main")
    posted = [form for form in page.iter("form") if form.method == "POST"]
    forms = [press for form in posted for press in _presses(form, whole[0])]
    links = [link.get("href") for link in page.iter("a") if _leads_on(link)]
    # Notes are such a list too; what happened is the last one.
    lists = page.find_class("app-history")[-1:]
    history = [step.find("strong").text for happened in lists for step in happened if len(step)]
    return Screen(whole[0], forms, links, history)


def send(client: Client, press: Form) -> Any:
    return client.post(press[0], press[1], follow=True)


def filled(press: Form, **typed: str) -> Form:
    """Only what is empty: somebody else's words stay."""
    known = {**TYPED, **typed}
    return press[0], {name: value or known.get(name, "") for name, value in press[1].items()}


def _presses(form: Any, here: str) -> list[Form]:
    """One for each button of the form, as a browser sends it."""
    fields = {name: value or "" for name, value in form.fields.items() if name != "csrfmiddlewaretoken"}
    buttons = [each for each in form.iter("button") if each.get("name") not in ("change", "add")]
    named = [{each.get("name"): each.get("value") or ""} if each.get("name") else {} for each in buttons]
    return [(form.get("action") or here, {**fields, **each}) for each in named]


def _leads_on(link: Any) -> bool:
    href = link.get("href") or ""
    return "nhsuk-button" in (link.get("class") or "") and (href.endswith(_ABOUT) or "?update=" in href)

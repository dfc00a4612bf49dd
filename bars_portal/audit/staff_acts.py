"""What a staff page asks before many rows are changed: what will become of each, and a yes to just that."""

import hashlib
from collections import Counter
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from bars_portal.audit.staff_pages import StaffAdmin

Act = Callable[[Any, HttpRequest, QuerySet[Any]], HttpResponse | None]
# More are not read on one page before somebody says yes.
MOST_AT_ONCE, _MOST_SHOWN = 500, 100


def confirmed(does: Callable[[Any, HttpRequest, Any], str]) -> Callable[[Act], Act]:
    """An action that first shows what will become of each chosen row, and waits for a yes.

    `does` says that of one row in words, such as "Blocked" or "Stays booked". Where it says something else
    when the yes comes, nothing is done and the page is shown anew.
    """

    def asking(act: Act) -> Act:
        @wraps(act)
        def asked(page: Any, request: HttpRequest, chosen: QuerySet[Any]) -> HttpResponse | None:
            rows = list(chosen[: MOST_AT_ONCE + 1])
            if not rows:
                messages.warning(request, "Nothing was changed: what you chose is not there any more.")
                return None
            if len(rows) > MOST_AT_ONCE:
                words = f"Choose at most {MOST_AT_ONCE} at a time. Nothing was changed."
                messages.error(request, words)
                return None
            told = [(row, does(page, request, row)) for row in rows]
            seal = hashlib.sha256(repr([(str(row.pk), words) for row, words in told]).encode()).hexdigest()
            if request.POST.get("confirmed") == seal:
                return act(page, request, chosen.filter(pk__in=[row.pk for row in rows]))
            return _ask(page, request, told, seal)

        return asked

    return asking


def _ask(page: StaffAdmin, request: HttpRequest, told: list[tuple[Any, str]], seal: str) -> HttpResponse:
    name = request.POST.getlist("action")[_button_of(request)]
    actions: dict[str, Any] = page.get_actions(request)
    if "confirmed" in request.POST:
        messages.warning(request, "Something changed since you looked. Nothing is done yet: look again.")
    context = {
        **page.admin_site.each_context(request),
        "title": actions[name][2],
        "opts": page.opts,
        "list_title": page.list_title,
        "action": name,
        "rows": [(page.named(row), words) for row, words in told[:_MOST_SHOWN]],
        "more": len(told[_MOST_SHOWN:]),
        "counts": Counter(words for _, words in told).most_common(),
        "all_of_them": request.POST.get("select_across", "0"),
        "keys": [row.pk for row, _ in told],
        "checkbox": ACTION_CHECKBOX_NAME,
        "seal": seal,
        "here": request.get_full_path(),
    }
    return TemplateResponse(request, "admin/confirm_action.html", context, using="django")


def _button_of(request: HttpRequest) -> int:
    """Which of the page's action forms was sent: there may be one above and one below the list."""
    try:
        number = int(request.POST.get("index", 0))
    except ValueError:
        return 0
    return number if 0 <= number < len(request.POST.getlist("action")) else 0

"""The list of messages that were tried to the end: here a person takes over (standard section 8)."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from bars_portal.accounts.acting import acting_of
from bars_portal.accounts.decorators import permission_required
from referrals.presenters.given_up import given_up_lines
from referrals.selectors import given_up_messages

_PAGE = 25


@require_safe
@permission_required("exchange.see_given_up")
def given_up(request: HttpRequest) -> HttpResponse:
    acting = acting_of(request)
    page = Paginator(given_up_messages(acting), _PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "lines": given_up_lines(acting, page.object_list)}
    return render(request, "referrals/given_up.jinja", context)

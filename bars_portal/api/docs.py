"""The documentation, offline and without a script: made from the OpenAPI document and the problems' table."""

from typing import Any

import orjson
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from bars_portal.api.problem_types import PROBLEMS
from bars_portal.api.scopes import Scope


@require_safe
@gzip_page
def schema(request: HttpRequest) -> HttpResponse:
    # drf-spectacular costs memory that a worker needs only once somebody asks.
    from bars_portal.api.schema import document

    return HttpResponse(orjson.dumps(document()), content_type="application/vnd.oai.openapi+json")


@require_safe
@gzip_page
def overview(request: HttpRequest) -> HttpResponse:
    from bars_portal.api.presenters import described
    from bars_portal.api.schema import document

    context = {
        "api": described(document()),
        "scopes": [(each.value, each.words) for each in Scope],
        "problems": list(PROBLEMS.values()),
    }
    return render(request, "api/docs.jinja", context)


@require_safe
@gzip_page
def resource_page(request: HttpRequest, resource: str) -> HttpResponse:
    from bars_portal.api.presenters import described
    from bars_portal.api.schema import document

    found = next((each for each in described(document()).resources if each.slug == resource), None)
    if found is None:
        raise Http404
    return render(request, "api/resource.jinja", {"resource": found})


@require_safe
def problem(request: HttpRequest, name: str) -> HttpResponse:
    found = PROBLEMS.get(name)
    if found is None:
        raise Http404
    context: dict[str, Any] = {"problem": found}
    return render(request, "api/problem.jinja", context)

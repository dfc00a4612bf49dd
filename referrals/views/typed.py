"""An answer being written: kept in the session, so that the back button and the check page lose nothing."""

from uuid import UUID

from django.http import HttpRequest, QueryDict

_NOT_TYPED = ("csrfmiddlewaretoken", "send", "change")


def keep_typed(request: HttpRequest, case_id: UUID) -> None:
    """What was just sent by the form, for this page of this case."""
    typed = request.POST.copy()
    for name in _NOT_TYPED:
        typed.pop(name, None)
    request.session[_key(request, case_id)] = typed.urlencode()


def kept_typed(request: HttpRequest, case_id: UUID) -> QueryDict | None:
    kept = request.session.get(_key(request, case_id))
    return QueryDict(kept) if isinstance(kept, str) else None


def forget_typed(request: HttpRequest, case_id: UUID) -> None:
    request.session.pop(_key(request, case_id), None)


def _key(request: HttpRequest, case_id: UUID) -> str:
    match = request.resolver_match
    return f"answer:{match.url_name if match else ''}:{case_id}"

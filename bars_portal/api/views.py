"""The base of every resource: who calls, how often, in what form; each app's views add what they do."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from io import BytesIO
from time import perf_counter
from typing import Any, ClassVar, Generic, TypeVar, cast

import orjson
from django.db.models import Model
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.gzip import gzip_page
from rest_framework.exceptions import NotAuthenticated, ParseError
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from bars_portal.accounts.acting import Acting
from bars_portal.api.callers import ACTING_USER, Caller, Misstated, for_person
from bars_portal.api.forms import RepeatedNames, Unreadable, object_in, read_json
from bars_portal.api.headers import (
    REQUEST_ID,
    check_headers,
    request_id_of,
    tell_deprecated,
    tell_origin,
)
from bars_portal.api.idempotency import Attempt, Superseded, carried_out
from bars_portal.api.oauth import BearerAuthentication
from bars_portal.api.operations import Operation
from bars_portal.api.problems import CONTENT_TYPE, FieldFault, Problem, problem_response, unusable_header
from bars_portal.api.usage import TALLY, headers_of, retry_after, take_share
from bars_portal.shares import Taken

LARGEST_BODY = 256_000
# What is done once.
Act = Callable[[], object]
S = TypeVar("S", bound=Model)


class JsonParser(BaseParser):
    """Strict: no NaN, UTF-8 only, and each name of an object once."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            return read_json(stream.read())
        except RepeatedNames as repeated:
            words = "This name is there twice: which of the two is meant?"
            faults = [FieldFault(words, pointer=each) for each in repeated.pointers]
            told = "Names of an object are unique: see errors."
            raise Problem("unusable-request", told, faults=faults) from None
        except Unreadable:
            raise ParseError from None


class JsonRenderer(BaseRenderer):
    media_type, format, charset = "application/json", "json", None
    render_style = "binary"

    def render(self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None) -> bytes:
        return b"" if data is None else orjson.dumps(data)


class ProblemRenderer(JsonRenderer):
    """For who asks for problems by name."""

    media_type, format = CONTENT_TYPE, "problem"


@method_decorator(gzip_page, name="dispatch")
class ApiView(APIView):
    """One address. `operations` says of each of its verbs what it needs and gives.

    Order of checks: size, form of the answer, token, how often, verb, headers, scope, X-Acting-User, then the
    view's own. A POST is judged whole by `prepared`; what that returns is done once, in the transaction that
    keeps the key, and `written` answers.
    """

    authentication_classes = (BearerAuthentication,)
    permission_classes = ()
    throttle_classes = ()
    parser_classes = (JsonParser,)
    renderer_classes: tuple[type[BaseRenderer], ...] = (JsonRenderer, ProblemRenderer)
    metadata_class = None
    format_kwarg = None
    operations: ClassVar[Mapping[str, Operation]] = {}
    # None until the token is known.
    known: Caller | None = None
    taken: Taken | None = None

    @property
    def caller(self) -> Caller:
        return cast(Caller, self.known)

    @property
    def acting(self) -> Acting:
        return self.caller.acting

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        began = perf_counter()
        response = super().dispatch(request, *args, **kwargs)
        if self.known is not None:
            seconds, now = perf_counter() - began, timezone.now()
            TALLY.note(self.known.application, status=response.status_code, seconds=seconds, now=now)
        return response

    def get_exception_handler(self) -> Any:
        return problem_response

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        take_body(request)
        request.accepted_renderer, request.accepted_media_type = self.perform_content_negotiation(request)
        if request.method == "OPTIONS":
            return
        self.perform_authentication(request)
        if not isinstance(request.auth, Caller):
            raise NotAuthenticated
        self.known = request.auth
        self.taken = take_share(self.known.application)
        if self.taken.waits:
            raise Problem("too-many-requests", retry_after=retry_after(self.taken))
        if self.operation_of(request) is None:
            self.http_method_not_allowed(request)
        check_headers(request)
        self._check_scope(request)
        self._take_person(request)

    def _check_scope(self, request: Request) -> None:
        operation = self.operation_of(request)
        needed = operation.scope if operation is not None else None
        if needed is not None and needed not in self.caller.scopes:
            raise Problem("scope-missing", f"This needs the scope {needed.value}.")

    def _take_person(self, request: Request) -> None:
        header = request.headers.get(ACTING_USER)
        if header is None:
            return
        try:
            self.known = for_person(self.caller, header)
        except Misstated as misstated:
            name = "not-allowed" if misstated.is_forbidden else "unusable-request"
            raise unusable_header(ACTING_USER, misstated.sentence, problem=name) from None
        request._request.acting = self.acting  # type: ignore[attr-defined]  # as ActingMiddleware does

    def operation_of(self, request: Request) -> Operation | None:
        verb = request.method or ""
        return self.operations.get("GET" if verb == "HEAD" else verb)

    def post(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if "POST" not in self.operations:
            return self.http_method_not_allowed(request)

        def carry_out(attempt: Attempt) -> Response:
            try:
                return self._complete(request, self.write(request, attempt, **kwargs))
            except Superseded:
                raise
            except Exception as exc:  # noqa: BLE001 - the handler logs what is no problem of the caller's
                return self._complete(request, self.handle_exception(exc))

        def answer_again(subject_id: str) -> Response:
            return self._complete(request, self.written(request, subject_id))

        return carried_out(
            request,
            self.caller.application,
            carry_out=carry_out,
            answer_again=answer_again,
            now=timezone.now(),
        )

    def _complete(self, request: Request, response: Response) -> Response:
        """What rendering asks for: an answer is kept before DRF comes to it."""
        response.accepted_renderer = request.accepted_renderer
        response.accepted_media_type = request.accepted_media_type
        response.renderer_context = self.get_renderer_context()  # type: ignore[attr-defined]  # the same
        return response

    def write(self, request: Request, attempt: Attempt, **kwargs: Any) -> Response:
        act = self.prepared(request, **kwargs)
        with self.refusing(), attempt.writing() as written:
            subject_id = written.subject_id = str(act())
        return self.written(request, subject_id)

    def prepared(self, request: Request, **ids: str) -> Act:
        """What to do once, returning the id that `written` answers from. Raises Problem with every fault.

        Outside the transaction, so other services may be asked here.
        """
        raise NotImplementedError  # an operation that only reads has no act

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Around the act: what the domain refuses is raised as Problem."""
        yield

    def written(self, request: Request, subject_id: str) -> Response:
        """The answer, made from what was written."""
        raise NotImplementedError  # nor an answer to one

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return Response(status=204, headers={"Allow": ", ".join(self.allowed_methods)})

    @property
    def allowed_methods(self) -> list[str]:
        read = ["GET", "HEAD"] if "GET" in self.operations else []
        return [*read, *(verb for verb in self.operations if verb != "GET"), "OPTIONS"]

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        final = super().finalize_response(request, response, *args, **kwargs)
        plain = getattr(request, "_request", request)
        final[REQUEST_ID] = request_id_of(plain)
        if self.known is not None and self.taken is not None:
            for name, value in headers_of(self.known.application, self.taken).items():
                final[name] = value
        operation = self.operation_of(request)
        if operation is not None:
            tell_deprecated(operation, final)
        tell_origin(plain, final)
        return final


class ChangeView(ApiView, Generic[S]):
    """A POST about one thing that is there."""

    def subject_of(self, request: Request, ids: Mapping[str, str]) -> S:
        """As it stands, for who may change it. Raises Problem."""
        raise NotImplementedError  # each kind of thing is found in its own way

    def changing(self, request: Request, subject: S, body: Mapping[str, Any], now: datetime) -> Act:
        """Raises Problem with every fault of the body."""
        raise NotImplementedError  # each operation changes it in its own way

    def prepared(self, request: Request, **ids: str) -> Act:
        subject = self.subject_of(request, ids)
        act = self.changing(request, subject, object_in(request.data), timezone.now())

        def once() -> object:
            act()
            return subject.pk

        return once


class NothingHere(ApiView):
    """Every other address below /api/: the answer is a problem, as everywhere."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        request.accepted_renderer, request.accepted_media_type = JsonRenderer(), JsonRenderer.media_type
        raise Problem("not-found")


def take_body(request: Request) -> None:
    """Its size, before anything of it is read; what comes in chunks is gathered first. Raises Problem."""
    meta = request._request.META
    announced = meta.get("CONTENT_LENGTH")
    if announced:
        if not (announced.isascii() and announced.isdigit()):
            raise unusable_header("Content-Length", "Content-Length must be a number.")
        if int(announced) > LARGEST_BODY:
            raise Problem("too-large")
    elif "HTTP_TRANSFER_ENCODING" in meta:
        # Django takes a body without Content-Length for none.
        if not meta.get("wsgi.input_terminated"):
            raise unusable_header("Transfer-Encoding", "Send Content-Length instead of Transfer-Encoding.")
        try:
            body = meta["wsgi.input"].read(LARGEST_BODY + 1)
        except OSError:
            words = "Transfer-Encoding: the chunks cannot be read."
            raise unusable_header("Transfer-Encoding", words) from None
        if len(body) > LARGEST_BODY:
            raise Problem("too-large")
        meta["CONTENT_LENGTH"] = str(len(body))
        # Where Django reads it from.
        request._request._stream = BytesIO(body)
